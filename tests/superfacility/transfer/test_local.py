"""Copies between folders, by the processes that really do them."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from alsct_gui.superfacility.errors import LinkDownError, RefusedError
from alsct_gui.superfacility.transfer.base import (
    Reason,
    Transfer,
    TransferItem,
    TransferRequest,
    TransferState,
    TransferStatus,
    advise,
)
from alsct_gui.superfacility.transfer.local import LocalTransfer
from tests.superfacility.transfer.test_globus import HOSTILE, ODD

DEADLINE_S = 60.0


class Disks:
    """Two folders and the adapter between them."""

    def __init__(self, path: Path) -> None:
        self.path, self.source, self.target = path, path / "here", path / "there"
        self.source.mkdir()
        self.target.mkdir()
        self.now_s = 1000.0
        self.recorded: list[str] = []
        self.transfer = self.adapter()

    def adapter(self, **words: float) -> LocalTransfer:
        return LocalTransfer(self.path / "state", clock=lambda: self.now_s, **words)

    def request(self, files: dict[str, bytes], key: str = "k") -> TransferRequest:
        items = []
        for name, data in files.items():
            path = self.source / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            items.append(TransferItem(name, name, len(data), hashlib.sha256(data).hexdigest()))
        return TransferRequest(key, str(self.source), str(self.target), tuple(items))

    def submit(self, request: TransferRequest, transfer: LocalTransfer | None = None) -> str:
        return (transfer or self.transfer).submit(request, self.recorded.append)

    def run(self, request: TransferRequest) -> TransferStatus:
        return self.wait(self.submit(request), lambda status: status.state.is_final)

    def wait(
        self,
        copy_id: str,
        done: Callable[[TransferStatus], bool],
        transfer: LocalTransfer | None = None,
    ) -> TransferStatus:
        pause, end_s = threading.Event(), time.monotonic() + DEADLINE_S
        while not done(status := (transfer or self.transfer).status(copy_id)):
            assert time.monotonic() < end_s, status
            pause.wait(0.02)
        return status

    def pid(self, copy_id: str) -> int:
        status = json.loads((self.path / "state" / copy_id / "status.json").read_text())
        return int(status["pid"])

    def arrived(self) -> dict[str, bytes]:
        return {
            str(path.relative_to(self.target)): path.read_bytes()
            for path in self.target.rglob("*") if path.is_file()
        }  # fmt: skip


def reap(transfer: LocalTransfer) -> None:
    """Wait for the processes, which would outlive the test."""
    for _, child in transfer._children:
        child.wait(DEADLINE_S)


def is_final(status: TransferStatus) -> bool:
    return status.state.is_final


@pytest.fixture
def disks(tmp_path: Path) -> Iterator[Disks]:
    made = Disks(tmp_path)
    yield made
    reap(made.transfer)


def test_files_arrive_whole_with_their_times(disks: Disks) -> None:
    assert isinstance(disks.transfer, Transfer)
    request = disks.request(ODD)
    status = disks.run(request)
    assert (status.state, status.files_done, status.bytes_done) == (
        TransferState.SUCCEEDED, len(ODD), sum(map(len, ODD.values())),
    )  # fmt: skip
    assert disks.arrived() == ODD
    assert disks.recorded == [status.id]
    assert (disks.target / "plain.h5").stat().st_mtime_ns == (
        disks.source / "plain.h5"
    ).stat().st_mtime_ns
    proofs = disks.transfer.verify(request.target, request.items)
    assert [proof.sha256 for proof in proofs] == [item.sha256 for item in request.items]
    assert all(p.proves(i) for p, i in zip(proofs, request.items, strict=True))


def test_what_is_there_is_not_written_again(disks: Disks) -> None:
    request = disks.request({"a": b"1" * 100})
    disks.run(request)
    written = (disks.target / "a").stat().st_ino
    assert disks.run(request).state is TransferState.SUCCEEDED
    assert (disks.target / "a").stat().st_ino == written


def test_another_file_of_that_name_stays(disks: Disks) -> None:
    request = disks.request({"a": b"1"})
    (disks.target / "a").write_bytes(b"2")
    status = disks.run(request)
    assert (status.state, status.reason) == (TransferState.FAILED, Reason.TARGET_DIFFERS)
    assert advise(status, 1).value == "ask"
    assert disks.arrived() == {"a": b"2"}


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda path: path.write_bytes(b"other!"), Reason.SOURCE_CHANGED),
        (lambda path: path.write_bytes(b"longer than it was"), Reason.SOURCE_CHANGED),
        (lambda path: path.unlink(), Reason.SOURCE_GONE),
        (lambda path: (path.unlink(), path.symlink_to("/etc/hostname")), Reason.SOURCE_GONE),
        (lambda path: (path.unlink(), path.mkdir()), Reason.OTHER),
    ],
)
def test_a_source_that_is_not_what_it_was_is_refused(
    disks: Disks, spoil: Callable[[Path], object], reason: Reason
) -> None:
    request = disks.request({"a": b"123456"})
    spoil(disks.source / "a")
    status = disks.run(request)
    assert (status.state, status.reason) == (TransferState.FAILED, reason)
    assert str(disks.source / "a") in status.cause
    assert disks.arrived() == {}


def test_a_target_that_is_not_mounted_is_not_made(disks: Disks) -> None:
    request = disks.request({"a": b"1"})
    disks.target.rmdir()
    status = disks.run(request)
    assert (status.state, status.reason) == (TransferState.FAILED, Reason.UNREACHABLE)
    assert not disks.target.exists()


def test_a_link_at_the_target_does_not_lead_out(disks: Disks) -> None:
    outside = disks.path / "outside"
    outside.mkdir()
    (disks.target / "sub").symlink_to(outside)
    status = disks.run(disks.request({"sub/a": b"1"}))
    assert (status.state, status.reason) == (TransferState.FAILED, Reason.PERMISSION)
    assert list(outside.iterdir()) == []


def test_a_file_that_the_disk_cannot_hold_is_said(disks: Disks) -> None:
    request = disks.request({"a": b"x" * 300_000})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        copy_id = disks.submit(request)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    status = disks.wait(copy_id, is_final)
    assert status.state is TransferState.FAILED
    assert "cannot be so large" in status.cause
    assert "a" not in disks.arrived()
    assert disks.run(request).state is TransferState.SUCCEEDED


@pytest.mark.skipif(os.geteuid() == 0, reason="the administrator may write anywhere")
def test_a_folder_that_may_not_be_written_is_said(disks: Disks) -> None:
    request = disks.request({"a": b"1"})
    disks.target.chmod(0o500)
    status = disks.run(request)
    disks.target.chmod(0o700)
    assert (status.state, status.reason) == (TransferState.FAILED, Reason.PERMISSION)


def test_killed_it_is_told_as_lost_and_goes_on_where_it_was(disks: Disks) -> None:
    data = os.urandom(12 << 20)
    request = disks.request({"big": data})
    slow = disks.adapter(limit_bytes_per_s=20e6)
    copy_id = disks.submit(request, slow)
    disks.wait(copy_id, lambda status: status.bytes_done >= 4 << 20, slow)
    os.kill(disks.pid(copy_id), signal.SIGKILL)
    reap(slow)
    status = disks.transfer.status(copy_id)
    assert (status.state, status.reason) == (TransferState.FAILED, Reason.LOST)
    assert set(disks.arrived()) != {"big"}
    (partial,) = disks.target.iterdir()
    begun = partial.stat().st_ino
    assert disks.submit(replace(request, submission=disks.recorded[0])) == copy_id
    assert disks.wait(copy_id, is_final).state is TransferState.SUCCEEDED
    assert disks.arrived() == {"big": data}
    assert (disks.target / "big").stat().st_ino == begun
    assert len(disks.recorded) == 1


def test_a_partial_file_that_is_not_of_this_file_is_put_right(disks: Disks) -> None:
    data = os.urandom(9 << 20)
    request = disks.request({"big": data})
    slow = disks.adapter(limit_bytes_per_s=20e6)
    copy_id = disks.submit(request, slow)
    disks.wait(copy_id, lambda status: status.bytes_done >= 4 << 20, slow)
    slow.cancel(copy_id)
    assert disks.wait(copy_id, is_final, slow).state is TransferState.CANCELLED
    reap(slow)
    (partial,) = disks.target.iterdir()
    partial.write_bytes(b"nonsense" + bytes(10 << 20))
    assert disks.run(request).state is TransferState.SUCCEEDED
    assert disks.arrived() == {"big": data}


def test_asked_twice_it_runs_once_and_outlives_who_asked(disks: Disks) -> None:
    request = disks.request({"a": b"1" * 1000})
    first = disks.adapter()
    copy_id = disks.submit(request, first)
    later = disks.adapter()  # another process of ours after a crash
    assert disks.submit(replace(request, submission=copy_id), later) == copy_id
    assert disks.wait(copy_id, is_final, later).state is TransferState.SUCCEEDED
    assert disks.submit(replace(request, submission=copy_id), later) == copy_id
    assert later.status(copy_id).state is TransferState.SUCCEEDED
    reap(first)
    reap(later)


def test_a_process_that_is_held_is_stalled_by_the_clock(disks: Disks) -> None:
    request = disks.request({"big": os.urandom(8 << 20)})
    slow = disks.adapter(limit_bytes_per_s=4e6, stall_s=100.0)
    copy_id = disks.submit(request, slow)
    disks.wait(copy_id, lambda status: status.bytes_done > 0, slow)
    os.kill(disks.pid(copy_id), signal.SIGSTOP)
    try:
        disks.wait(copy_id, lambda status: status.state is TransferState.ACTIVE, slow)
        slow.status(copy_id)
        disks.now_s += 101
        status = slow.status(copy_id)
    finally:
        os.kill(disks.pid(copy_id), signal.SIGCONT)
    assert (status.state, status.reason) == (TransferState.STALLED, Reason.STILL)
    slow.cancel(copy_id)
    assert disks.wait(copy_id, is_final, slow).state is TransferState.CANCELLED
    reap(slow)


def test_verify_tells_what_is_missing_or_differs(disks: Disks) -> None:
    request = disks.request({"a": b"1", "b": b"2", "c": b"3"})
    (disks.target / "a").write_bytes(b"1")
    (disks.target / "b").write_bytes(b"9")
    (disks.target / "c").symlink_to("/etc/hostname")
    proofs = disks.transfer.verify(request.target, request.items)
    assert [p.there for p in proofs] == [True, True, False]
    assert [p.proves(i) for p, i in zip(proofs, request.items, strict=True)] == [
        True, False, False,
    ]  # fmt: skip


def test_verify_does_not_hang_with_the_disk(disks: Disks) -> None:
    os.mkfifo(disks.target / "a")  # no file, so it is not read
    quick = disks.adapter(silence_s=5.0)
    (proof,) = quick.verify(str(disks.target), [TransferItem("a", "a", 1)])
    assert not proof.there
    hung = disks.adapter(silence_s=0.0)  # nothing can be said in no time
    with pytest.raises(LinkDownError, match="does not answer"):
        hung.verify(str(disks.target), [TransferItem("a", "a", 1)])


def test_hostile_paths_are_refused(disks: Disks) -> None:
    for path in HOSTILE:
        for item in (TransferItem("a", path), TransferItem(path, "a")):
            with pytest.raises(RefusedError):
                disks.submit(TransferRequest("k", str(disks.source), str(disks.target), (item,)))
        with pytest.raises(RefusedError):
            disks.transfer.verify(str(disks.target), [TransferItem("a", path)])
        with pytest.raises(RefusedError):
            disks.transfer.status(f"local-{path}/..")
    assert disks.recorded == []


def test_what_was_never_asked_for_is_not_known(disks: Disks) -> None:
    assert disks.transfer.status("local-0123").state is TransferState.UNKNOWN
    with pytest.raises(RefusedError, match="not known"):
        disks.transfer.cancel("local-0123")
