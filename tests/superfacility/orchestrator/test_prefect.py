"""The real client against the real server, over a line that breaks."""

from __future__ import annotations

import logging
from uuid import uuid4

import pytest

from alsct_gui.simulator.facility.faults import Fault, FaultDesk, FaultName
from alsct_gui.superfacility.errors import (
    LinkDownError,
    NeedsPersonError,
    NotThereError,
    RefusedError,
)
from alsct_gui.superfacility.orchestrator.base import FlowState, Orchestrator
from alsct_gui.superfacility.orchestrator.prefect import Prefect, PrefectAccess

HOSTILE = "/data/raw/BLS-1_a/a 'b' \"c\" $(touch x) \n é 🜚.h5"


def asked(path: str = HOSTILE) -> dict[str, object]:
    return {"file_path": path, "is_export_control": False}


def runs_with(prefect: Prefect, key: str) -> list[str]:
    return [run.id for run in prefect.runs() if run.key == key]


def test_it_is_an_orchestrator(prefect: Prefect) -> None:
    assert isinstance(prefect, Orchestrator)


def test_deployments_are_listed_with_what_they_take(prefect: Prefect, deployment: str) -> None:
    (found,) = [item for item in prefect.deployments() if item.name == deployment]
    assert found.required == ("file_path",)
    assert set(found.parameters) == {"file_path", "is_export_control", "send_to_nersc"}


def test_the_same_key_is_one_run_and_names_go_unharmed(prefect: Prefect, deployment: str) -> None:
    key = uuid4().hex
    first = prefect.hand_over(deployment, asked(), key, "a scan")
    again = prefect.hand_over(deployment, asked(), key, "a scan")
    assert first.id == again.id
    assert first.parameters["file_path"] == HOSTILE
    assert first.state is FlowState.SCHEDULED
    assert runs_with(prefect, key) == [first.id]
    assert prefect.run(first.id).page.endswith(f"/runs/flow-run/{first.id}")


def test_a_key_of_another_work_is_told(prefect: Prefect, deployment: str) -> None:
    key = uuid4().hex
    prefect.hand_over(deployment, asked("/data/raw/a.h5"), key)
    with pytest.raises(RefusedError, match="another flow run has that key"):
        prefect.hand_over(deployment, asked("/data/raw/b.h5"), key)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({}, "wants 'file_path'"),
        ({"file_path": "/a", "sample": 1}, "does not take 'sample'"),
        ({"file_path": 7}, "Prefect refuses it"),
    ],
)
def test_what_a_flow_does_not_take_is_refused(
    prefect: Prefect, deployment: str, parameters: dict[str, object], words: str
) -> None:
    with pytest.raises(RefusedError, match=words):
        prefect.hand_over(deployment, parameters, uuid4().hex)


def test_what_is_not_there_is_told(prefect: Prefect) -> None:
    with pytest.raises(NotThereError, match="no deployment nobody/nothing"):
        prefect.hand_over("nobody/nothing", {}, uuid4().hex)
    for name in (str(uuid4()), "../../admin"):
        with pytest.raises(NotThereError):
            prefect.run(name)


def test_a_run_is_cancelled_there_once(prefect: Prefect, deployment: str) -> None:
    run = prefect.hand_over(deployment, asked(), uuid4().hex)
    prefect.cancel(run.id)
    prefect.cancel(run.id)
    assert prefect.run(run.id).state is FlowState.CANCELLED


@pytest.mark.parametrize(
    "name",
    [
        FaultName.REFUSED, FaultName.RESET_BEFORE, FaultName.RESET_AFTER, FaultName.STALL_AFTER,
        FaultName.TRUNCATED, FaultName.GARBLED, FaultName.TOO_MANY, FaultName.SERVER_ERROR,
        FaultName.UNAVAILABLE,
    ],
)  # fmt: skip
def test_a_broken_line_is_waited_for_and_leaves_one_run(
    prefect: Prefect, deployment: str, desk: FaultDesk, name: FaultName
) -> None:
    key = uuid4().hex
    where = "prefect" if name is FaultName.REFUSED else "prefect POST */create_flow_run"
    desk.put(Fault(name, where))
    with pytest.raises(LinkDownError):
        prefect.hand_over(deployment, asked(), key)
    desk.clear()
    run = prefect.hand_over(deployment, asked(), key)
    assert runs_with(prefect, key) == [run.id]


@pytest.mark.parametrize("name", [FaultName.UNAUTHORIZED, FaultName.FORBIDDEN])
def test_a_key_that_is_not_accepted_asks_for_a_person_and_is_never_told(
    prefect: Prefect, deployment: str, desk: FaultDesk, name: FaultName,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    desk.put(Fault(name, "prefect *"))
    with caplog.at_level(logging.DEBUG), pytest.raises(NeedsPersonError) as error:
        prefect.hand_over(deployment, asked(), uuid4().hex)
    access = PrefectAccess("http://127.0.0.1:1/api", key="canary-7c1d", auth="a:canary-7c1d")
    assert "canary" not in caplog.text + str(error.value) + repr(access)


def test_nobody_there_is_an_outage() -> None:
    with pytest.raises(LinkDownError):
        Prefect(PrefectAccess("http://127.0.0.1:1/api", call_s=20.0)).runs()
