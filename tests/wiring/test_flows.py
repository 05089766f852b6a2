"""Goals as a flow: a real Prefect server, a real worker, a real agent, one ledger."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from alsct_gui.files.profiles import load_profile
from alsct_gui.model.placement import ScanFacts, StateKind
from alsct_gui.model.profile import PrefectService
from alsct_gui.placement.agent import Agent
from alsct_gui.placement.asking import ask_admit, ask_hand_over
from alsct_gui.placement.goals.base import BlockedError
from alsct_gui.placement.invariants import check
from alsct_gui.placement.ledger import Ledger
from alsct_gui.placement.policy import load_policy
from alsct_gui.simulator.facility.prefect import PrefectServer, prefect_is_there
from alsct_gui.simulator.spec import SimulationSpec
from alsct_gui.simulator.write import simulate_scan
from alsct_gui.wiring.agent import Wiring
from alsct_gui.wiring.flowruns import NOTE, parameters_of

pytestmark = pytest.mark.long

WITHIN_S = 240
DEPLOYMENT = "alsct-scan/als-8.3.2"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PrefectServer]:
    if not prefect_is_there():
        pytest.skip("prefect is not installed")
    with PrefectServer(tmp_path / "prefect") as started:
        yield started


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    """Raw files here, wanted on a second disk and as a row in the catalogue."""
    (tmp_path / "raw").mkdir()
    (tmp_path / "mirror").mkdir()
    plain = {
        "name": "disks", "admitted": "raw",
        "sites": [{"name": "here", "outside": False}],
        "lanes": [{"name": "disks", "active": 2, "poll_s": 0.1}],
        "places": [
            {"name": "raw", "site": "here", "lane": "disks", "root": str(tmp_path / "raw")},
            {"name": "mirror", "site": "here", "lane": "disks", "root": str(tmp_path / "mirror")},
            {"name": "catalogue", "site": "here", "lane": "disks"},
        ],
        "wishes": [
            {"name": "a copy", "product": "raw", "places": ["mirror"]},
            {"name": "a row", "product": "catalogue", "places": ["catalogue"]},
        ],
    }  # fmt: skip
    file = tmp_path / "policy.yaml"
    file.write_text(yaml.safe_dump(plain), encoding="utf-8")
    return file


def test_a_scan_that_is_handed_over_is_seen_to_by_a_worker_of_prefect(
    server: PrefectServer, policy: Path, tmp_path: Path
) -> None:
    ledger, known = tmp_path / "ledger.sqlite", load_profile()
    profile = replace(known, prefect=PrefectService(server.api, flows=known.prefect.flows))
    spec = SimulationSpec(n_columns=48, n_rows=4, n_angles=12)
    scan = simulate_scan(tmp_path / "raw" / "a 'b' $(c) {é}.h5", spec, truth=False)
    os.utime(scan, (1e9, 1e9))  # nobody has written to it for long
    with Ledger(ledger) as opened:
        ask_admit(opened, scan)
        with (
            (tmp_path / "worker.log").open("wb") as log,
            _worker(server, ledger, policy, log) as worker,
            Wiring(profile, load_policy(policy), ledger, runs=tmp_path / "runs") as wiring,
        ):
            while DEPLOYMENT not in [
                known.name for known in wiring.outside.prefect().deployments()
            ]:
                assert worker.poll() is None, (tmp_path / "worker.log").read_text()[-3000:]
            agent = Agent(opened, wiring.services)
            agent._book.catch_up()
            agent._admit()
            assert not agent.observed.arrivals
            (part,) = agent.observed.scans
            ask_hand_over(opened, [part], DEPLOYMENT)
            _until_given_back(agent, tmp_path / "worker.log")
            wiring._runs.look()
            agent.turn()
        (flow,) = agent.observed.flows.values()
        assert (flow.state, flow.owner) == ("completed", f"prefect/{DEPLOYMENT}")
        states = {key: r.state.kind for key, r in agent.observed.goals.items()}
        assert set(states.values()) == {StateKind.MET}
        assert len(states) == 3
        assert (tmp_path / "mirror" / scan.name).read_bytes() == scan.read_bytes()
        assert check(opened, load_policy(policy), now_s=opened.tail(0)[-1].time_s) == ()
        assert [run["state"] for run in opened.notes()[NOTE]["runs"]] == ["completed"]


def _until_given_back(agent: Agent, log: Path) -> None:
    """Let the agent work until the flow has ended and the scan is its own again."""
    stop = threading.Event()
    timer = threading.Timer(WITHIN_S, stop.set)
    timer.start()
    # The lease is there from the first turn on.
    agent.work(stop, lambda: bool(agent.observed.flows) and not agent.observed.leases)
    timer.cancel()
    timer.join()
    assert not stop.is_set(), log.read_text()[-3000:]


class _worker:  # noqa: N801 (used as a context)
    """``alsct agent serve-flow`` in a process group of its own."""

    def __init__(self, server: PrefectServer, ledger: Path, policy: Path, log: object) -> None:
        words = ["agent", "serve-flow", "--ledger", str(ledger), "--policy", str(policy),
                 "--runs", str(ledger.with_name("runs"))]  # fmt: skip
        self._process = subprocess.Popen(
            [sys.executable, "-m", "alsct_gui", *words], env=server.environment(),
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,  # type: ignore[call-overload]
        )  # fmt: skip

    def __enter__(self) -> subprocess.Popen[bytes]:
        return self._process

    def __exit__(self, *_: object) -> None:
        for sign in (signal.SIGTERM, signal.SIGKILL):
            if self._process.poll() is None:
                os.killpg(self._process.pid, sign)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                continue
            break


def test_a_scan_that_must_not_leave_goes_to_no_flow_that_is_not_told() -> None:
    profile = load_profile()
    scan = ScanFacts("0" * 64, "/data/raw/a.h5", 1, "1" * 64, "BLS-1", export_controlled=True)
    told = parameters_of(profile, "new_832_file_flow/new_file_832", scan)
    assert told == {"file_path": "/data/raw/a.h5", "is_export_control": True, "send_to_nersc": True}
    with pytest.raises(BlockedError, match="export-controlled"):
        parameters_of(profile, "nersc_recon_flow/nersc_recon_flow", scan)
    assert parameters_of(profile, DEPLOYMENT, scan) == {"path": "/data/raw/a.h5"}
    with pytest.raises(BlockedError, match="does not know the flow"):
        parameters_of(profile, "nobody/nothing", scan)
