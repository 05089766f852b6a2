"""The stand-in as the plain `sfapi_client` sees it, without this program between."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest

from alsct_gui.simulator.facility.clock import ManualClock
from alsct_gui.simulator.facility.faults import FaultDesk
from alsct_gui.simulator.facility.sfapi import SuperfacilityStandIn
from alsct_gui.superfacility.compute.session import AsyncClient

SCRIPT = """#!/bin/bash
#SBATCH --qos=debug
#SBATCH --account=als
#SBATCH --constraint=cpu
#SBATCH --time=00:05:00
printf '%s|' "$SLURM_JOB_ID" "$@"
"""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[SuperfacilityStandIn]:
    places = {"a": tmp_path / "a", "b": tmp_path / "b"}
    desk = FaultDesk(ManualClock())
    with SuperfacilityStandIn(tmp_path, desk, collections=places) as stand_in:
        yield stand_in


def with_client(
    service: SuperfacilityStandIn, work: Callable[[Any], Awaitable[Any]], tmp_path: Path
) -> Any:
    key = service.tokens.write_key(tmp_path / "key.pem")

    async def run() -> Any:
        async with AsyncClient(
            key=str(key), api_base_url=service.api_url, token_url=service.token_url, wait_interval=1
        ) as client:
            return await work(client)

    return asyncio.run(run())


def test_the_plain_client_submits_lists_and_reads(
    service: SuperfacilityStandIn, tmp_path: Path
) -> None:
    async def work(client: Any) -> tuple[str, str, list[str], str, str]:
        machine = await client.compute("perlmutter")
        (folder,) = await machine.ls(str(tmp_path), directory=True)
        await (folder / "a b.sh").upload(BytesIO(SCRIPT.encode()))
        job = await machine.submit_job(str(tmp_path / "a b.sh"), ["x y", "$(z)"])
        await asyncio.to_thread(service.slurm.wait, job.jobid)
        state = await job.complete()
        (log,) = await machine.ls(str(tmp_path / ".slurm" / f"slurm-{job.jobid}.out"))
        printed = (await log.download()).read()
        names = sorted(path.name for path in await machine.ls(str(tmp_path)))
        said = await machine.run("echo one two")
        return job.jobid, state.value, names, printed, said

    id_, state, names, printed, said = with_client(service, work, tmp_path)
    assert state == "COMPLETED"
    assert printed == f"{id_}|x y|$(z)|"
    assert {"a b.sh", "key.pem"} <= set(names)
    assert said == "one two\n"
    assert len(service.slurm.jobs()) == 1


def test_who_has_no_token_or_no_right_signature_is_refused(
    service: SuperfacilityStandIn, tmp_path: Path
) -> None:
    assert httpx.get(f"{service.api_url}/account/").status_code == 401
    assert httpx.get(f"{service.api_url}/status/perlmutter").json()["status"] == "active"
    form = {
        "grant_type": "client_credentials", "client_assertion": "a.b.c",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    }  # fmt: skip
    answer = httpx.post(service.token_url, data=form)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert service.tokens.given == 0


def test_paths_outside_its_folder_are_denied(service: SuperfacilityStandIn, tmp_path: Path) -> None:
    async def work(client: Any) -> Any:
        return (await client.get("utilities/download/dtns//etc/hostname")).json()

    answer = with_client(service, work, tmp_path)
    assert answer["status"] == "ERROR"
    assert "Permission denied" in answer["error"]


def test_globus_through_the_api_copies(service: SuperfacilityStandIn, tmp_path: Path) -> None:
    (tmp_path / "a" / "x").mkdir(parents=True)
    (tmp_path / "a" / "x" / "file").write_bytes(b"12345")

    async def work(client: Any) -> Any:
        form = {"source_uuid": "a", "target_uuid": "b", "source_dir": "x", "target_dir": "y"}
        started = (await client.post("storage/globus/transfer", data=form)).json()
        path = f"storage/globus/transfer/{started['transfer_id']}"
        return (await client.get(path)).json()

    answer = with_client(service, work, tmp_path)
    assert (answer["globus_status"], answer["bytes_transferred"]) == ("SUCCEEDED", 5)
    assert (tmp_path / "b" / "y" / "file").read_bytes() == b"12345"
