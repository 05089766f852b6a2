"""`alsct runs`: the queue without a window."""

from __future__ import annotations

import threading
from pathlib import Path

import psutil
import pytest

from alsct_gui.placement.runs.folder import RunFolder
from alsct_gui.placement.runs.keeper import KeeperLock
from tests.cli.conftest import Alsct

WAIT_S = 60


def wait_until_idle(alsct: Alsct, runs: Path) -> dict[str, str]:
    """Wait until nothing is queued or running; return the states by id."""
    waiting = threading.Event()
    for _ in range(WAIT_S * 5):
        rows = alsct("runs", "--folder", runs, "--json").data["runs"]
        states = {row["id"]: row["state"] for row in rows}
        keepers = [
            process for process in psutil.process_iter(["cmdline"])
            if any(str(runs) in word for word in process.info["cmdline"] or ())
        ]  # fmt: skip
        if not keepers and not {"queued", "running"} & set(states.values()):
            return states
        waiting.wait(0.2)
    raise AssertionError("the queue does not end")


def test_a_run_is_submitted_finishes_and_is_forgotten(
    alsct: Alsct, foam: Path, tmp_path: Path
) -> None:
    runs, product = tmp_path / "runs", tmp_path / "rec.zarr"
    answer = alsct(
        "runs", "--folder", runs, "submit", foam, "-o", product, "-s", "rings=[]",
        "--center", 66.3, "--rows", "2:10", "--title", "my foam", "--json",
    )  # fmt: skip
    (row,) = answer.data["runs"]
    assert (row["title"], row["scan"], row["output"]) == ("my foam", str(foam), str(product))
    assert row["state"] in ("queued", "running")
    assert wait_until_idle(alsct, runs) == {row["id"]: "finished"}
    (row,) = alsct("runs", "--folder", runs, "--json").data["runs"]
    assert (row["share"], row["slices_done"], row["error"]) == (1.0, 8, None)
    listed = alsct("runs", "--folder", runs).out
    assert row["id"] in listed
    assert "my foam" in listed
    assert str(product) in listed
    assert alsct("info", product, "--json").data["shape"] == [8, 128, 128]
    assert alsct("runs", "--folder", runs, "forget", row["id"]).code == 0
    assert "no runs" in alsct("runs", "--folder", runs).out
    assert product.exists()


def test_orders_reach_the_queue(alsct: Alsct, foam: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    lock = KeeperLock(runs)  # nobody works the queue off
    assert lock.take()
    lock.sign()
    try:
        orders = ("runs", "--folder", runs)
        (row,) = alsct(*orders, "submit", foam, "-o", tmp_path / "a.zarr", "--json").data["runs"]
        (other,) = alsct(*orders, "submit", foam, "-o", tmp_path / "a.zarr", "--json").data["runs"]
        assert other["output"] == str(tmp_path / "a-2.zarr")
        assert (row["position"], other["position"]) == (1, 2)
        assert "number 2 of the queue" in alsct(*orders).out
        (row,) = alsct(*orders, "cancel", row["id"], "--json").data["runs"]
        assert row["cancelling"] is True
        assert "cancelling" in alsct(*orders).out
        with RunFolder(runs, row["id"]).open_log() as log:
            log.append("started", worker={})
            log.append("lost", what="The worker ended without a word", fix="Start it again")
        assert "ended without a word. Start it again." in alsct(*orders).out
        refused = alsct(*orders, "cancel", row["id"])
        assert (refused.code, "has ended (lost)" in refused.err) == (2, True)
        (row,) = alsct(*orders, "retry", row["id"], "--json").data["runs"]
        assert (row["state"], row["attempt"], row["position"]) == ("queued", 1, 2)
    finally:
        lock.close()


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("submit", "no such file.h5"), 3, "no such file.h5"),
        (("submit", "FOAM", "--set", "rings.0.sigma=-1"), 4, "recipe.rings[0].sigma"),
        (("cancel", "../../etc"), 2, "not the id of a run"),
        (("retry", "20260801T120000000000-0a1b"), 2, "there is no run"),
        (("forget",), 2, "ID"),
        (("no-such-order",), 2, "no-such-order"),
    ],
)
def test_what_cannot_be_done_is_said(
    alsct: Alsct, foam: Path, tmp_path: Path, words: tuple[str, ...], code: int, says: str
) -> None:
    given = [foam if word == "FOAM" else word for word in words]
    answer = alsct("runs", "--folder", tmp_path / "runs", *given)
    assert answer.code == code
    assert says in answer.err
    assert answer.err.count("\n") == 1
    assert not (tmp_path / "runs").exists()
