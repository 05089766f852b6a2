"""The queue's files: names, order, intents, torn lines, and how little a look reads."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from alsct_gui.model.errors import OutputError, UsageError
from alsct_gui.model.recipe import Recipe
from alsct_gui.placement.runs.folder import RunBusyError, RunFolder, default_folder
from alsct_gui.placement.runs.keeper import KeeperLock, keeper_alive
from alsct_gui.placement.runs.model import RunRequest, RunState
from alsct_gui.placement.runs.processes import ProcessMark, is_alive, kill_group, own_mark
from alsct_gui.placement.runs.products import discard_partial, free_output
from alsct_gui.placement.runs.queue import RunQueue
from tests.placement.conftest import view_of


def wanted(folder: Path, name: str = "rec.zarr") -> RunRequest:
    return RunRequest(folder / "scan.h5", Recipe(), folder / name, "a scan")


def end(queue: RunQueue, run_id: str, kind: str, **data: object) -> None:
    """Stand in for a worker that does a run."""
    with RunFolder(queue.folder, run_id).open_log() as log:
        log.append("started", worker={})
        log.append(kind, **data)


def test_names_of_products_are_free(tmp_path: Path) -> None:
    wish = tmp_path / "rec2026.08.01_a.zarr"
    assert free_output(wish, ()) == wish
    wish.mkdir()
    assert free_output(wish, ()).name == "rec2026.08.01_a-2.zarr"
    (tmp_path / ".rec2026.08.01_a-2.zarr.partial").mkdir()
    taken = {tmp_path / "rec2026.08.01_a-3.zarr"}
    assert free_output(wish, taken).name == "rec2026.08.01_a-4.zarr"
    stack = tmp_path / "rec2026.08.01_a"
    assert free_output(stack, {stack}).name == "rec2026.08.01_a-2"


def test_queued_runs_get_names_of_their_own(idle_queue: RunQueue, tmp_path: Path) -> None:
    for _ in range(3):
        idle_queue.submit(wanted(tmp_path))
    names = [view.output.name for view in idle_queue.views() if view.output]
    assert names == ["rec-3.zarr", "rec-2.zarr", "rec.zarr"]


def test_order_is_that_of_submitting_until_runs_are_moved(
    idle_queue: RunQueue, tmp_path: Path
) -> None:
    ids = [idle_queue.submit(wanted(tmp_path)) for _ in range(4)]

    def order() -> list[int]:
        queued = [view for view in idle_queue.views() if view.position]
        return [ids.index(v.id) for v in sorted(queued, key=lambda view: view.position or 0)]

    assert order() == [0, 1, 2, 3]
    idle_queue.move(ids[3], 0)
    assert order() == [3, 0, 1, 2]
    idle_queue.move(ids[3], 2)
    assert order() == [0, 1, 3, 2]
    ids.append(idle_queue.submit(wanted(tmp_path)))
    assert order() == [0, 1, 3, 2, 4]
    end(idle_queue, ids[0], "failed", what="no")
    with pytest.raises(UsageError, match="not queued"):
        idle_queue.move(ids[0], 0)
    idle_queue.retry(ids[0])
    assert order() == [1, 3, 2, 4, 0]
    (idle_queue.folder / "order.json").write_text("[[[")
    assert order() == [1, 2, 3, 4, 0]


def test_what_may_be_asked_of_which_run(idle_queue: RunQueue, tmp_path: Path) -> None:
    run_id = idle_queue.submit(wanted(tmp_path))
    assert idle_queue.running() == 1
    for refused in (idle_queue.retry, idle_queue.forget):
        with pytest.raises(UsageError, match="queued"):
            refused(run_id)
    idle_queue.cancel(run_id)
    assert view_of(idle_queue, run_id).cancelling
    end(idle_queue, run_id, "cancelled")
    with pytest.raises(UsageError, match="has ended"):
        idle_queue.cancel(run_id)
    idle_queue.retry(run_id)
    assert not view_of(idle_queue, run_id).cancelling
    end(idle_queue, run_id, "finished", output=str(tmp_path / "rec.zarr"))
    with pytest.raises(UsageError, match="finished"):
        idle_queue.retry(run_id)
    assert idle_queue.running() == 0


@pytest.mark.parametrize("run_id", ["../scan", "", "20260801T120000000000-0a1b", "a\0b"])
def test_what_is_no_run_is_refused(run_id: str, idle_queue: RunQueue) -> None:
    for ask in (idle_queue.cancel, idle_queue.retry, idle_queue.forget, idle_queue.log):
        with pytest.raises(UsageError, match="alsct runs"):
            ask(run_id)


def test_forgetting_removes_the_folder_and_never_the_product(
    idle_queue: RunQueue, tmp_path: Path
) -> None:
    product = tmp_path / "rec.zarr"
    run_id = idle_queue.submit(wanted(tmp_path))
    product.mkdir()
    end(idle_queue, run_id, "finished", output=str(product))
    idle_queue.forget(run_id)
    assert idle_queue.views() == ()
    assert product.is_dir()
    assert not any(run_id in path.name for path in idle_queue.folder.iterdir())


def test_a_run_whose_worker_has_not_let_go_is_left_alone(
    idle_queue: RunQueue, tmp_path: Path
) -> None:
    run_id = idle_queue.submit(wanted(tmp_path))
    end(idle_queue, run_id, "failed", what="no")
    with RunFolder(idle_queue.folder, run_id).open_log():
        for ask in (idle_queue.retry, idle_queue.forget):
            with pytest.raises(RunBusyError):
                ask(run_id)
    assert view_of(idle_queue, run_id).state is RunState.FAILED


def test_a_partial_product_that_is_being_written_is_not_removed(tmp_path: Path) -> None:
    import fcntl

    output = tmp_path / "rec.zarr"
    partial = tmp_path / ".rec.zarr.partial"
    partial.mkdir()
    with (partial / "journal.jsonl").open("w") as journal:
        fcntl.flock(journal, fcntl.LOCK_EX)
        discard_partial(output)
        assert partial.is_dir()
    discard_partial(output)
    assert not partial.exists()
    partial.mkdir()  # a removal that was cut off
    discard_partial(output)
    assert not partial.exists()
    discard_partial(output)


def test_a_torn_line_is_passed_over_and_what_follows_counts(
    idle_queue: RunQueue, tmp_path: Path
) -> None:
    run_id = idle_queue.submit(wanted(tmp_path))
    folder = RunFolder(idle_queue.folder, run_id)
    with folder.events.open("ab") as file:
        file.write(b'{"time_s": 5, "kind": "fini')
    assert view_of(idle_queue, run_id).state is RunState.QUEUED
    end(idle_queue, run_id, "failed", what="no")
    view = view_of(idle_queue, run_id)
    assert view == RunQueue(idle_queue.folder).views()[0]
    assert view.error is not None
    assert (view.state, view.error.what, view.unknown) == (RunState.FAILED, "no", ())


def test_an_event_that_is_written_in_two_parts_counts_once_it_is_whole(
    idle_queue: RunQueue, tmp_path: Path
) -> None:
    run_id = idle_queue.submit(wanted(tmp_path))
    line = b'{"time_s": 5, "kind": "log", "data": {"text": "hello"}}\n'
    with RunFolder(idle_queue.folder, run_id).events.open("ab", buffering=0) as file:
        file.write(line[:30])
        assert view_of(idle_queue, run_id).log == ()
        file.write(line[30:])
    assert view_of(idle_queue, run_id).log == ("hello",)


def test_a_request_that_cannot_be_read_hides_no_run(idle_queue: RunQueue, tmp_path: Path) -> None:
    run_id = idle_queue.submit(wanted(tmp_path))
    (idle_queue.folder / run_id / "request.json").write_text('{"recipe": 5')
    view = RunQueue(idle_queue.folder).views()[0]
    assert (view.id, view.request, view.state) == (run_id, None, RunState.QUEUED)


_LOOKS = """
import sys
from collections import Counter
from pathlib import Path
from alsct_gui.placement.runs.folder import RunFolder
from alsct_gui.placement.runs.queue import RunQueue

seen = Counter()
def hook(name, arguments):
    if name in ("open", "os.listdir", "os.scandir") and sys.argv[1] in str(arguments[0]):
        seen[name] += 1
sys.addaudithook(hook)
queue = RunQueue(Path(sys.argv[1]))
views = queue.views()
assert len(views) == 200, len(views)
first = dict(seen)
seen.clear()
for _ in range(5):
    queue.views()
quiet = dict(seen)
seen.clear()
with RunFolder(queue.folder, views[7].id).open_log() as log:
    log.append("log", text="changed")
seen.clear()
assert queue.views()[7].log == ("changed",)
print(first, quiet, dict(seen), sep="\\n")
"""


def test_a_look_opens_only_what_has_changed(idle_queue: RunQueue, tmp_path: Path) -> None:
    request = wanted(tmp_path)
    for number in range(200):
        output = tmp_path / f"rec{number}.zarr"
        run_id = RunFolder.create(idle_queue.folder, replace(request, output=output)).id
        end(idle_queue, run_id, "finished", output=str(output))
    done = subprocess.run(
        [sys.executable, "-c", _LOOKS, str(idle_queue.folder)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    first, quiet, changed = map(eval, done.stdout.splitlines())
    assert first == {"os.listdir": 1, "open": 400}  # request and events of each
    assert quiet == {"os.listdir": 5}
    assert changed == {"os.listdir": 1, "open": 1}


def test_a_process_is_told_by_more_than_its_number() -> None:
    me = own_mark()
    assert is_alive(me)
    another = replace(me, start_ticks=me.start_ticks + 1)
    assert not is_alive(another)
    kill_group(another)  # would end this test
    assert not is_alive(replace(me, boot="an earlier one"))
    with subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE) as ended:
        assert ended.stdout is not None
        ended.stdout.read()
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
        stat = Path(f"/proc/{ended.pid}/stat").read_text().rpartition(")")[2].split()
        assert not is_alive(ProcessMark(ended.pid, int(stat[19]), me.boot))  # not reaped yet


def test_there_is_one_keeper(queue: RunQueue) -> None:
    assert not keeper_alive(queue.folder)
    lock, other = KeeperLock(queue.folder), KeeperLock(queue.folder)
    assert lock.take()
    assert not keeper_alive(queue.folder)
    lock.sign()
    assert keeper_alive(queue.folder)
    assert not other.take()
    lock.free()
    assert not keeper_alive(queue.folder)
    assert other.take()
    lock.close()
    other.close()
    (queue.folder / "keeper.lock").write_text('{"pid": "1"')
    assert not keeper_alive(queue.folder)


def test_nothing_to_do_starts_nobody(queue: RunQueue) -> None:
    queue.wake()
    assert queue.views() == ()
    assert not queue.folder.exists()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="ALSCT_RUNS"):
        RunQueue(tmp_path / "file" / "runs").submit(wanted(tmp_path))


def test_the_folder_is_that_of_the_user_unless_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ALSCT_RUNS", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", "/data/of me")
    assert default_folder() == Path("/data/of me/alsct-gui/runs")
    monkeypatch.setenv("ALSCT_RUNS", "/elsewhere")
    assert default_folder() == Path("/elsewhere")
    monkeypatch.delenv("ALSCT_RUNS")
    monkeypatch.delenv("XDG_DATA_HOME")
    assert default_folder() == Path.home() / ".local/share/alsct-gui/runs"
