"""Requests to real processes: answers, order, cancelling, losses, and what is left."""

from __future__ import annotations

import gc
import logging
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, wait
from concurrent.futures import CancelledError as FutureCancelled
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from alsct_gui.model.errors import RecipeError, RemoteError
from alsct_gui.remote.client import Answer, Remote

LONG_S = 60.0


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture
def remote() -> Iterator[Remote]:
    before = open_files()
    remote = Remote("tests.remote.answering", name="the tests' server")
    yield remote
    remote.close()
    assert open_files() == before
    # conftest looks for threads and processes


class Box:
    """Collects what is called back; `next` waits for one."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def __call__(self, item: Any) -> None:
        self._queue.put(item)

    def next(self) -> Any:
        return self._queue.get(timeout=LONG_S)


def test_an_answer_and_stray_prints(remote: Remote) -> None:
    given = {"a": [1, 2.5, None, "µ"], "b": {"c": True}}
    first = remote.ask("echo", given).result(LONG_S)
    second = remote.ask("echo", {}).result(LONG_S)
    assert first.facts["given"] == given
    assert first.facts["pid"] == second.facts["pid"] == remote.pid


def test_start_and_close_are_idempotent(remote: Remote) -> None:
    remote.start()
    remote.start()
    remote.ask("echo", {}).result(LONG_S)
    remote.close()
    remote.close()
    with pytest.raises(RemoteError, match="closed"):
        remote.ask("echo", {}).result(LONG_S)


def test_a_process_that_was_never_needed_is_never_started(remote: Remote) -> None:
    remote.close()
    assert remote.pid is None


def test_arrays_arrive_bit_by_bit(remote: Remote) -> None:
    came = remote.ask("arrays", {"seed": 4, "mega": 24}).result(LONG_S).arrays
    expected = np.random.default_rng(4).integers(0, 2**32, (24, 1 << 18), dtype=np.uint32)
    assert came["large"].tobytes() == expected.tobytes()
    assert came["turned"].tolist() == np.arange(12.0).reshape(3, 4).T.tolist()
    assert came["empty"].shape == (0, 5)
    assert came["one"].shape == ()


def test_progress_and_parts_arrive_in_order(remote: Remote) -> None:
    progress: list[int] = []
    parts: list[tuple[int, int]] = []
    future = remote.ask(
        "steps", {},
        on_progress=lambda step: progress.append(step.done),
        on_partial=lambda part: parts.append((part.facts["step"], part.arrays["x"].size)),
    )  # fmt: skip
    assert future.result(LONG_S).facts == {"steps": 3}
    assert progress == [1, 2, 3]
    assert parts == [(1, 1), (2, 2), (3, 3)]


def test_a_mistake_in_a_callback_is_logged_and_does_no_harm(
    remote: Remote, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(part: Answer) -> None:
        raise ValueError("mistake")

    with caplog.at_level(logging.ERROR):
        assert remote.ask("steps", {}, on_partial=broken).result(LONG_S).facts == {"steps": 3}
    assert "a callback failed" in caplog.text


def test_errors_keep_their_class_and_words(remote: Remote) -> None:
    with pytest.raises(RecipeError) as caught:
        remote.ask("fail", {"how": "recipe"}).result(LONG_S)
    error = caught.value
    words = (error.what, error.where, error.fix, error.name)
    assert words == ("is too small", "recipe.x", "Take more", "small")


def test_a_mistake_arrives_with_its_traceback(remote: Remote) -> None:
    with pytest.raises(RemoteError, match="ZeroDivisionError") as caught:
        remote.ask("fail", {"how": "mistake"}).result(LONG_S)
    assert "no such thing" in caught.value.details
    assert "in fail" in caught.value.details
    with pytest.raises(RemoteError, match="no request 'unknown'"):
        remote.ask("unknown", {}).result(LONG_S)
    with pytest.raises(RemoteError, match="not plain data"):
        remote.ask("unsendable", {}).result(LONG_S)


def test_arguments_that_cannot_travel_fail_and_do_not_hang(remote: Remote) -> None:
    with pytest.raises(RemoteError) as caught:
        remote.ask("echo", {"x": object()}).result(LONG_S)
    assert "not plain data" in caught.value.details
    assert remote.ask("echo", {}).result(LONG_S).facts["given"] == {}


def test_a_newer_request_on_a_channel_takes_the_place_of_the_running_one(
    remote: Remote, tmp_path: Path
) -> None:
    trace, begun = tmp_path / "trace", Box()
    running = remote.ask(
        "until_cancelled", {"trace": str(trace)}, channel="preview", on_partial=begun
    )
    begun.next()
    newest = remote.ask("echo", {"n": 3}, channel="preview")
    assert running.cancelled()
    assert newest.result(LONG_S).facts["given"] == {"n": 3}
    assert trace.read_text().splitlines() == ["1"]  # it saw its token


def test_a_newer_request_on_a_channel_takes_the_place_of_a_queued_one(
    remote: Remote, tmp_path: Path
) -> None:
    trace, begun = tmp_path / "trace", Box()
    busy = remote.ask("until_cancelled", {}, channel="other", on_partial=begun)
    begun.next()
    queued = remote.ask("until_cancelled", {"trace": str(trace)}, channel="preview")
    newest = remote.ask("echo", {"n": 3}, channel="preview")
    assert queued.cancelled()
    busy.cancel()
    assert newest.result(LONG_S).facts["given"] == {"n": 3}
    assert not trace.exists()  # it never ran


def test_channels_do_not_disturb_each_other(remote: Remote) -> None:
    begun = Box()
    other = remote.ask("until_cancelled", {}, channel="a", lane="a", on_partial=begun)
    begun.next()
    assert remote.ask("echo", {}, channel="b", lane="b").result(LONG_S).facts["given"] == {}
    assert not other.done()


def test_cancel_reaches_the_handler_and_wakes_who_waits(remote: Remote, tmp_path: Path) -> None:
    trace, begun = tmp_path / "trace", Box()
    future = remote.ask("until_cancelled", {"trace": str(trace)}, on_partial=begun)
    begun.next()
    waiter = threading.Thread(target=wait, args=([future],))
    waiter.start()
    assert future.cancel()
    waiter.join(LONG_S)
    assert not waiter.is_alive()
    with pytest.raises(FutureCancelled):
        future.result()
    remote.ask("echo", {}).result(LONG_S)  # the same lane: the cancelled one has ended
    assert trace.exists()


def test_lanes_overtake_each_other(remote: Remote) -> None:
    waits = Box()
    slow = remote.ask("wait_at_gate", {}, on_partial=waits)
    waits.next()
    behind = remote.ask("echo", {})
    remote.ask("echo", {}, lane="frames").result(LONG_S)
    assert not slow.done()
    assert not behind.done()
    remote.ask("open_gate", {}, lane="frames").result(LONG_S)
    assert slow.result(LONG_S).facts == {}
    assert behind.result(LONG_S).facts["given"] == {}


def test_events_reach_those_who_listen(remote: Remote) -> None:
    heard = Box()
    remote.listen(heard)
    remote.ask("event", {"word": "hello"}).result(LONG_S)
    said = heard.next()
    assert said.facts == {"said": "hello"}
    assert said.arrays["x"].tolist() == [0, 1, 2]


def test_a_killed_process_fails_all_that_is_pending_and_starts_anew(remote: Remote) -> None:
    waits = Box()
    pending = remote.ask("wait_at_gate", {}, lane="b", on_partial=waits)
    waits.next()
    before = remote.pid
    with pytest.raises(RemoteError, match="SIGKILL") as caught:
        remote.ask("die", {}).result(LONG_S)
    assert "last words" in caught.value.details
    assert "the tests' server" in caught.value.sentence
    with pytest.raises(RemoteError, match="SIGKILL"):
        pending.result(LONG_S)
    after = remote.ask("echo", {}).result(LONG_S).facts["pid"]
    assert after == remote.pid != before


def test_a_process_that_leaves_says_with_which_code(remote: Remote) -> None:
    with pytest.raises(RemoteError, match="exit code 7"):
        remote.ask("leave", {"code": 7}).result(LONG_S)


def test_garbage_ends_the_process(remote: Remote) -> None:
    with pytest.raises(RemoteError, match="no message"):
        remote.ask("garbage", {}).result(LONG_S)
    assert remote.ask("echo", {}).result(LONG_S).facts["given"] == {}


def test_a_module_that_does_not_exist(tmp_path: Path) -> None:
    remote = Remote("tests.remote.no_such_module", name="nothing")
    with pytest.raises(RemoteError, match="exit code 1") as caught:
        remote.ask("echo", {}).result(LONG_S)
    assert "no_such_module" in caught.value.details
    remote.close()


def test_silence_with_the_interpreter_locked_is_ended(remote: Remote) -> None:
    remote.ask("echo", {}).result(LONG_S)
    stuck = remote.ask("hold", {}, silence_s=2.0)
    behind = remote.ask("echo", {}, lane="other")
    with pytest.raises(RemoteError, match="said nothing for 2 s"):
        stuck.result(LONG_S)
    with pytest.raises(RemoteError, match="said nothing"):
        behind.result(LONG_S)


def test_silence_about_a_request_is_ended_though_others_are_answered(remote: Remote) -> None:
    stuck = remote.ask("wait_at_gate", {}, lane="stuck", silence_s=1.0)
    asked = 0
    while not stuck.done():
        wait([stuck, remote.ask("echo", {})], return_when=FIRST_COMPLETED)
        asked += 1
    with pytest.raises(RemoteError, match="said nothing for 1 s"):
        stuck.result(LONG_S)
    assert asked > 10


def test_waiting_in_line_is_not_silence(remote: Remote) -> None:
    begun = Box()
    slow = remote.ask("until_cancelled", {}, on_partial=begun)
    begun.next()
    patient = remote.ask("echo", {}, silence_s=1.5)
    done, _ = wait([patient], timeout=4.0)
    assert not done
    slow.cancel()
    assert patient.result(LONG_S).facts["given"] == {}


def test_close_ends_what_is_stuck_and_what_it_started() -> None:
    remote = Remote("tests.remote.answering", name="stuck")
    grandchild = psutil.Process(remote.ask("child", {}).result(LONG_S).facts["pid"])
    stuck = remote.ask("hold", {})
    remote.close(timeout_s=0.5)
    assert stuck.cancelled()
    assert remote.pid is None
    grandchild.wait(LONG_S)
    assert not grandchild.is_running()


def test_the_end_is_told_to_the_server(tmp_path: Path) -> None:
    mark = tmp_path / "closed"
    remote = Remote("tests.remote.answering", name="told", arguments=[str(mark)])
    remote.ask("echo", {}).result(LONG_S)
    remote.close(LONG_S)
    assert mark.read_text() == "closed"


def test_a_server_ends_when_its_parent_is_killed() -> None:
    script = (
        "import sys, os, signal; from alsct_gui.remote.client import Remote\n"
        "remote = Remote('tests.remote.answering', name='x')\n"
        "print(remote.ask('echo', {}).result().facts['pid'], flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, check=False)
    pid = int(done.stdout)
    if psutil.pid_exists(pid):
        psutil.wait_procs([psutil.Process(pid)], timeout=LONG_S)
    assert not psutil.pid_exists(pid)


def test_nice_is_passed_on() -> None:
    remote = Remote("tests.remote.answering", name="nice", nice=5)
    pid = remote.ask("echo", {}).result(LONG_S).facts["pid"]
    assert psutil.Process(pid).nice() == psutil.Process().nice() + 5
    remote.close()


def test_opened_and_closed_many_times() -> None:
    gc.collect()  # what tests before this one have left open and nothing refers to
    before = open_files()
    for turn in range(5):
        remote = Remote("tests.remote.answering", name="many")
        futures = [remote.ask("echo", {"n": n}, lane=str(n % 3)) for n in range(turn * 3)]
        assert [f.result(LONG_S).facts["given"]["n"] for f in futures] == list(range(turn * 3))
        remote.close()
    assert open_files() == before
    assert not [t for t in threading.enumerate() if t.name.startswith("many")]
