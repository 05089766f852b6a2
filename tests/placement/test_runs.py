"""Whole runs: real keepers, real workers, and what becomes of them when they are killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import h5py
import numpy as np
import psutil
import pytest

from alsct_gui.files.open import open_scan, open_volume
from alsct_gui.files.provenance import read_provenance
from alsct_gui.placement.runs.folder import RunFolder
from alsct_gui.placement.runs.keeper import Keeper, keeper_alive
from alsct_gui.placement.runs.model import RunState, RunView, request_to_plain
from alsct_gui.placement.runs.processes import module_command, module_environment
from alsct_gui.placement.runs.queue import RunQueue
from alsct_gui.placement.runs.report import recorded_ranges
from alsct_gui.placement.runs.worker import BUSY
from alsct_gui.recon.job import prepare_job
from alsct_gui.recon.pipeline import run_job
from tests.placement.conftest import (
    FREE_BATCHES,
    KNOWN,
    WAITING,
    processes_of,
    request,
    view_of,
    wait_until,
)

KEPT = FREE_BATCHES * 16


@pytest.fixture(scope="session")
def direct(scan: Path, tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    """The volume as a direct run makes it."""
    output = tmp_path_factory.mktemp("direct") / "rec.zarr"
    with open_scan(scan) as opened:
        run_job(prepare_job(opened, KNOWN), output)
    return voxels(output)


def voxels(product: Path) -> np.ndarray:
    with open_volume(product) as volume:
        return np.asarray(volume.levels[0][:])


def all_ended(queue: RunQueue) -> bool:
    return queue.running() == 0


def wait_for_slices(queue: RunQueue, run_id: str) -> RunView:
    """Wait until the engine waits, and the slices before that are on the disk."""
    wait_until(lambda: view_of(queue, run_id).slices_done == KEPT, "some slices are made")
    view = view_of(queue, run_id)
    partial = view.partial_path
    assert partial is not None
    wait_until(lambda: recorded_ranges(partial) == ((0, KEPT),), "they are on the disk")
    return view


def keeper_pid(queue: RunQueue) -> int:
    pid = json.loads((queue.folder / "keeper.lock").read_text())["pid"]
    assert isinstance(pid, int)
    return pid


def kill(pid: int) -> None:
    psutil.Process(pid).kill()


def test_two_runs_finish_one_after_the_other(
    scan: Path, direct: np.ndarray, queue: RunQueue, tmp_path: Path
) -> None:
    wanted = request(scan, tmp_path / "rec.zarr")
    first, second = queue.submit(wanted), queue.submit(wanted)
    positions = {view.id: view.position for view in queue.views()}
    assert positions[second] == (positions[first] or 0) + 1
    wait_until(lambda: all_ended(queue), "both have ended")
    latest, earlier = queue.views()
    assert (latest.id, earlier.id) == (second, first)
    assert earlier.started_s + earlier.elapsed_s <= latest.started_s
    outputs = [tmp_path / "rec.zarr", tmp_path / "rec-2.zarr"]
    assert [earlier.output, latest.output] == outputs
    for view, output in zip((earlier, latest), outputs, strict=True):
        assert (view.state, view.share, view.error) == (RunState.FINISHED, 1.0, None)
        assert (view.slices_done, view.ranges) == (80, ((0, 80),))
        assert f"Made {output}" in view.log[-1]
        assert f"Made {output}" in queue.log(view.id)
        np.testing.assert_array_equal(voxels(output), direct)
    wait_until(lambda: not keeper_alive(queue.folder), "the keeper has gone")


def test_cancelled_it_leaves_nothing_and_the_next_one_runs(
    scan: Path, queue: RunQueue, gate: Path, tmp_path: Path
) -> None:
    run_id = queue.submit(request(scan, tmp_path / "rec.zarr", WAITING))
    waits = queue.submit(request(scan, tmp_path / "unwanted.zarr"))
    after = queue.submit(request(scan, tmp_path / "next.zarr"))
    wait_for_slices(queue, run_id)
    queue.cancel(waits)
    queue.cancel(run_id)
    wait_until(lambda: all_ended(queue), "all have ended")
    states = {view.id: view.state for view in queue.views()}
    assert states == {
        run_id: RunState.CANCELLED, waits: RunState.CANCELLED, after: RunState.FINISHED,
    }  # fmt: skip
    assert view_of(queue, waits).attempt == 0
    assert {path.name for path in tmp_path.iterdir()} == {"runs", "site", "next.zarr"}


def test_a_killed_worker_is_lost_and_started_again_goes_on(
    scan: Path, direct: np.ndarray, queue: RunQueue, gate: Path, tmp_path: Path
) -> None:
    output = tmp_path / "rec.zarr"
    run_id = queue.submit(request(scan, output, WAITING))
    view = wait_for_slices(queue, run_id)
    assert view.worker is not None
    kill(view.worker.pid)
    wait_until(lambda: all_ended(queue), "it is known to be lost")
    lost = view_of(queue, run_id)
    assert lost.state is RunState.LOST
    assert lost.error is not None
    assert "without a word" in lost.error.what
    assert "continues where it stopped" in lost.error.fix
    assert lost.slices_done == KEPT
    queue.retry(run_id)
    # The engine waits again after its free batches: the first 32 slices are not made anew.
    wait_until(lambda: view_of(queue, run_id).slices_done == 2 * KEPT, "it goes on")
    assert view_of(queue, run_id).attempt == 2
    gate.touch()
    wait_until(lambda: all_ended(queue), "it has ended")
    assert view_of(queue, run_id).state is RunState.FINISHED
    np.testing.assert_array_equal(voxels(output), direct)
    assert not list(tmp_path.glob(".rec*"))


def test_a_killed_keeper_is_replaced_and_the_worker_goes_on(
    scan: Path, queue: RunQueue, gate: Path, tmp_path: Path
) -> None:
    run_id = queue.submit(request(scan, tmp_path / "rec.zarr", WAITING))
    view = wait_for_slices(queue, run_id)
    assert view.worker is not None
    before = keeper_pid(queue)
    kill(before)
    wait_until(lambda: not keeper_alive(queue.folder), "the keeper is dead")
    assert psutil.pid_exists(view.worker.pid)
    RunQueue(queue.folder).wake()  # the next window
    wait_until(lambda: keeper_alive(queue.folder), "there is another")
    assert keeper_pid(queue) != before
    gate.touch()
    wait_until(lambda: all_ended(queue), "it has ended")
    ended = view_of(queue, run_id)
    assert (ended.state, ended.attempt) == (RunState.FINISHED, 1)


def test_after_keeper_and_worker_were_killed_the_run_is_lost_and_the_next_one_runs(
    scan: Path, queue: RunQueue, gate: Path, tmp_path: Path
) -> None:
    first = queue.submit(request(scan, tmp_path / "rec.zarr", WAITING))
    second = queue.submit(request(scan, tmp_path / "rec.zarr"))
    view = wait_for_slices(queue, first)
    assert view.worker is not None
    kill(keeper_pid(queue))
    kill(view.worker.pid)
    wait_until(lambda: not processes_of(queue.folder), "both are dead")
    assert view_of(queue, first).state is RunState.RUNNING  # nobody can know yet
    queue.wake()
    wait_until(lambda: all_ended(queue), "all have ended")
    assert view_of(queue, first).state is RunState.LOST
    assert view_of(queue, second).state is RunState.FINISHED
    queue.forget(first)
    assert [view.id for view in queue.views()] == [second]
    assert {path.name for path in tmp_path.iterdir()} == {"runs", "site", "rec-2.zarr"}


def test_runs_outlive_who_submitted_them_and_slices_can_be_read_meanwhile(
    scan: Path, direct: np.ndarray, queue: RunQueue, gate: Path, tmp_path: Path
) -> None:
    plain = request_to_plain(request(scan, tmp_path / "rec.zarr", WAITING))
    program = (
        "import json, sys, threading\n"
        "from pathlib import Path\n"
        "from alsct_gui.placement.runs.model import request_from_plain\n"
        "from alsct_gui.placement.runs.queue import RunQueue\n"
        "request = request_from_plain(json.loads(sys.argv[2]))\n"
        "print(RunQueue(Path(sys.argv[1])).submit(request), flush=True)\n"
        "threading.Event().wait()\n"
    )
    command = [sys.executable, "-c", program, str(queue.folder), json.dumps(plain)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as window:
        assert window.stdout is not None
        run_id = window.stdout.readline().strip()
        os.killpg(window.pid, signal.SIGKILL)  # and all that belongs to it
    view = wait_for_slices(queue, run_id)
    assert (view.state, view.stage, view.slices_total) == (RunState.RUNNING, "slices", 80)
    assert (view.ranges, view.share) == (((0, KEPT),), KEPT / 80)
    assert view.eta_s is not None
    assert view.partial_path == tmp_path / ".rec.zarr.partial"
    with open_volume(view.partial_path / "content") as volume:
        np.testing.assert_array_equal(volume.levels[0][:KEPT], direct[:KEPT])
    gate.touch()
    wait_until(lambda: all_ended(queue), "it has ended")
    assert view_of(queue, run_id).state is RunState.FINISHED


def test_a_worker_that_does_not_hear_is_killed_and_leaves_nothing(
    scan: Path, idle_queue: RunQueue, gate: Path, tmp_path: Path
) -> None:
    queue = idle_queue
    run_id = queue.submit(request(scan, tmp_path / "rec.zarr", WAITING))
    keeper = threading.Thread(target=Keeper(queue.folder, heard_s=0.2).work_off)
    keeper.start()
    view = wait_for_slices(queue, run_id)
    assert view.worker is not None
    os.kill(view.worker.pid, signal.SIGSTOP)
    queue.cancel(run_id)
    assert view_of(queue, run_id).cancelling
    keeper.join()
    ended = view_of(queue, run_id)
    assert (ended.state, ended.cancelling) == (RunState.CANCELLED, False)
    assert {path.name for path in tmp_path.iterdir()} == {"runs", "site"}


def test_the_worker_of_an_earlier_keeper_that_does_not_hear_is_killed(
    scan: Path, idle_queue: RunQueue, gate: Path, tmp_path: Path
) -> None:
    queue = idle_queue
    run_id = queue.submit(request(scan, tmp_path / "rec.zarr", WAITING))
    with start_worker(queue, run_id) as worker:
        wait_for_slices(queue, run_id)
        os.kill(worker.pid, signal.SIGSTOP)
        queue.cancel(run_id)
        Keeper(queue.folder, heard_s=0.2).work_off()
        assert worker.wait() == -signal.SIGKILL
    assert view_of(queue, run_id).state is RunState.CANCELLED
    assert {path.name for path in tmp_path.iterdir()} == {"runs", "site"}


def start_worker(queue: RunQueue, run_id: str) -> subprocess.Popen[bytes]:
    folder = RunFolder(queue.folder, run_id)
    with folder.log.open("ab") as log:
        return subprocess.Popen(
            module_command("alsct_gui.placement.runs.worker", str(folder.path)),
            stdout=log, stderr=log, env=module_environment(), start_new_session=True,
        )  # fmt: skip


def test_a_worker_that_is_told_to_terminate_cleans_up(
    scan: Path, idle_queue: RunQueue, gate: Path, tmp_path: Path
) -> None:
    run_id = idle_queue.submit(request(scan, tmp_path / "rec.zarr", WAITING))
    with start_worker(idle_queue, run_id) as worker:
        wait_for_slices(idle_queue, run_id)
        worker.terminate()
    assert worker.returncode == 130
    assert view_of(idle_queue, run_id).state is RunState.CANCELLED
    assert {path.name for path in tmp_path.iterdir()} == {"runs", "site"}


def test_a_run_has_one_worker(scan: Path, idle_queue: RunQueue, gate: Path, tmp_path: Path) -> None:
    run_id = idle_queue.submit(request(scan, tmp_path / "rec.zarr"))
    log = RunFolder(idle_queue.folder, run_id).open_log()
    with log, start_worker(idle_queue, run_id) as worker:
        assert worker.wait() == BUSY
    assert view_of(idle_queue, run_id).attempt == 0


def test_a_product_that_was_named_before_the_kill_is_finished(
    scan: Path, idle_queue: RunQueue, tmp_path: Path
) -> None:
    output = tmp_path / "rec.zarr"
    run_id = idle_queue.submit(request(scan, output))
    folder = RunFolder(idle_queue.folder, run_id)
    with open_scan(scan) as opened:
        run_job(prepare_job(opened, KNOWN), output)
    made = read_provenance(output).created
    with folder.open_log() as log:
        log.append("started", worker={})
        log.append("lost")
    idle_queue.retry(run_id)
    with start_worker(idle_queue, run_id) as worker:
        assert worker.wait() == 0
    assert view_of(idle_queue, run_id).state is RunState.FINISHED
    assert read_provenance(output).created == made


def failed_run(queue: RunQueue) -> RunView:
    wait_until(lambda: all_ended(queue), "it has ended")
    (view,) = queue.views()
    assert view.state is RunState.FAILED
    assert view.error is not None
    return view


def test_a_broken_scan_fails_with_the_words_of_the_finding(
    scan: Path, queue: RunQueue, tmp_path: Path
) -> None:
    cut = tmp_path / "cut.h5"
    cut.write_bytes(scan.read_bytes()[:200_000])
    queue.submit(request(cut, tmp_path / "rec.zarr"))
    error = failed_run(queue).error
    assert error is not None
    assert error.what.startswith("truncated: ")
    assert error.where == str(cut)
    assert error.fix
    assert not list(tmp_path.glob("*rec*"))


def test_a_volume_larger_than_the_disk_is_refused(queue: RunQueue, tmp_path: Path) -> None:
    huge = tmp_path / "huge.h5"
    with h5py.File(huge, "w") as file:  # six terabytes of slices from a small file of zeros
        for name, frames in (("data", 3), ("data_white", 1), ("data_dark", 1)):
            zeros = np.zeros((frames, 100, 120_000), np.uint16)
            chunks = (1, *zeros.shape[1:])
            file.create_dataset(f"exchange/{name}", data=zeros, chunks=chunks, compression=1)
        file["exchange/theta"] = [0.0, 60.0, 120.0]
    queue.submit(request(huge, tmp_path / "rec.zarr", force=True, memory_bytes=10**13))
    error = failed_run(queue).error
    assert error is not None
    assert "GB are free" in error.what
    assert error.fix
    assert not list(tmp_path.glob("*rec*"))


def test_a_mistake_of_an_engine_is_told_and_the_traceback_is_in_the_log(
    scan: Path, queue: RunQueue, gate: Path, tmp_path: Path
) -> None:
    gate.write_text("break")
    queue.submit(request(scan, tmp_path / "rec.zarr", WAITING))
    view = failed_run(queue)
    assert view.error is not None
    assert "slice 3 is bad" in view.error.what
    assert view.error.where == str(queue.folder / view.id / "log.txt")
    assert "Traceback" in queue.log(view.id)
    gate.write_text("go on")
    queue.retry(view.id)
    wait_until(lambda: all_ended(queue), "it has ended")
    assert view_of(queue, view.id).state is RunState.FINISHED
