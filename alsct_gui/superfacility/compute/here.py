"""Jobs on this workstation, as a place of the same kind as NERSC.

The same script runs without a container, as a process of its own session that outlives this
one. Who lives is told by a lock that the job's processes hold, never by a number that another
process may have taken over.
"""

from __future__ import annotations

import fcntl
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from alsct_gui.model.errors import OutputError
from alsct_gui.superfacility.compute.base import JobRequest, JobStatus, is_job_name, status_of
from alsct_gui.superfacility.compute.look import (
    READ_S,
    Answer,
    Question,
    parse_answer,
    question_bytes,
    script_name,
)
from alsct_gui.superfacility.compute.look import script_text as look_text
from alsct_gui.superfacility.compute.progress import RunProgress, read_progress
from alsct_gui.superfacility.compute.script import (
    Site,
    body,
    job_contents,
    job_files,
)
from alsct_gui.superfacility.compute.states import JobState
from alsct_gui.superfacility.errors import LinkDownError, RefusedError

PROGRAM = (sys.executable, "-P", "-c", "from alsct_gui.cli import main; main()", "recon")
"""What reconstructs: the command line of this installation."""
STEPS = ("nice", "-n", "10", *PROGRAM[:-1], "step", "run")
"""What runs steps, likewise; it steps back for what a person looks at meanwhile."""


class Here:
    """A `Compute` on this workstation; a job's id is its name.

    Parameters
    ----------
    folder
        Where the files of the jobs lie, of the closed alphabet of `Site.folder`.
    program, steps
        What reconstructs and what runs steps, one word each.
    clock
        Seconds since 1970 UTC.

    Raises
    ------
    RefusedError
        The folder's path is not usable.
    """

    def __init__(
        self,
        folder: Path,
        *,
        program: tuple[str, ...] = PROGRAM,
        steps: tuple[str, ...] = STEPS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        try:
            self._site = Site(
                str(folder.resolve()), runtime="none", mounts=(), program=program, steps=steps
            )
        except RefusedError as error:
            raise RefusedError(
                "jobs cannot run in a folder of this name", where=str(folder), name=error.name,
                fix="Put it into folders of letters, digits, '_', '-' and '.'; the jobs of an "
                "agent lie beside its ledger",
            ) from error  # fmt: skip
        self._clock = clock
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def place(self) -> str:
        """Name of the place."""
        return "this workstation"

    def submit(self, job: JobRequest) -> str:
        """Have the work done, once however often it is asked for; see `Compute.submit`.

        Raises
        ------
        OutputError
            The folder of the jobs cannot be written.
        """
        files = job_files(self._site, job.name)
        contents = job_contents(job, self._site)
        try:
            Path(self._site.folder).mkdir(parents=True, exist_ok=True)
            lock = os.open(
                self._path(job.name, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
            )
        except OSError as error:
            raise self._unwritable(error) from error
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return job.name  # it runs, or another process is starting it just now
            if self._has_begun(job.name):
                return job.name
            for path, content in contents.items():
                Path(path).parent.mkdir(parents=True, exist_ok=True)
                Path(path).write_bytes(content)
            Path(files.script).write_text(f"#!/bin/bash\n{body()}", encoding="utf-8")
            self._start(job.name, lock)
        except OSError as error:
            raise self._unwritable(error) from error
        finally:
            os.close(lock)
        return job.name

    def find(self, name: str) -> JobStatus | None:
        """Look for a job by its name, running or ended; None when there is none."""
        return self.status(name) if self._has_begun(name) or self._is_held(name) else None

    def status(self, id: str) -> JobStatus:  # noqa: A002 (as in the Protocol)
        """Say where a job stands; one that is not known is `JobState.UNKNOWN`."""
        _checked(id)
        running = self._is_held(id)  # asked first: it may end between the two questions
        code = self._end(id)
        if code is not None and not running:
            return status_of(id, id, _state_of(code), exit_code=code)
        if running:
            return status_of(id, id, JobState.RUNNING)
        if not self._has_begun(id):
            return status_of(id, id, JobState.UNKNOWN, listed=False)
        # It began, it does not live, and it has not said how it ended: killed, or a reboot.
        if self._path(id, "cancel").exists():
            return status_of(id, id, JobState.CANCELLED)
        return status_of(id, id, JobState.NODE_FAIL, reason="lost")

    def cancel(self, id: str) -> None:  # noqa: A002
        """Ask for its end, in good order; asked again, it is killed."""
        _checked(id)
        asked = self._path(id, "cancel")
        how = signal.SIGKILL if asked.exists() else signal.SIGTERM
        # The group of a leader that has gone keeps its number as long as one of it lives, and
        # while the lock is held one does.
        with suppress(OSError, ValueError):
            pid = int(self._path(id, "pid").read_text(encoding="ascii"))
            if pid > 1 and self._is_held(id):
                asked.touch()
                os.killpg(pid, how)

    def progress(self, name: str) -> RunProgress | None:
        """Read the progress file of a job by its name; None before there is one."""
        return read_progress(Path(job_files(self._site, name).progress))

    def wait_s(self, job: JobRequest) -> float | None:
        """Nothing waits here: who asks has a queue of its own."""
        return 0.0

    def look(self, question: Question) -> Answer:
        """Look at files here, in a process of its own; see `look.Looker`.

        Raises
        ------
        LinkDownError
            The disk does not answer.
        """
        script = Path(self._site.folder) / script_name()
        asked = script.with_name(f"alsct-look-{uuid.uuid4().hex}.json")
        try:
            script.parent.mkdir(parents=True, exist_ok=True)
            script.write_text(look_text(), encoding="utf-8")
            asked.write_bytes(question_bytes(question))
            done = subprocess.run(  # noqa: S603 - the words are ours
                [sys.executable, "-P", str(script), str(asked)], capture_output=True, text=True,
                stdin=subprocess.DEVNULL, check=False, timeout=question.within_s + READ_S,
            )  # fmt: skip
        except OSError as error:
            raise self._unwritable(error) from error
        except subprocess.TimeoutExpired as error:
            raise LinkDownError(
                "the disk does not answer", where=self.place, fix="Check the mounts"
            ) from error
        return parse_answer(done.stdout, self.place)

    def close(self) -> None:
        """Let go of everything; jobs go on."""
        self._children = {
            name: child for name, child in self._children.items() if child.poll() is None
        }
        for child in self._children.values():
            child.returncode = 0  # it is not ours to wait for any more
        self._children.clear()

    def _start(self, name: str, lock: int) -> None:
        """Start the script; it and what it starts inherit the lock."""
        files = job_files(self._site, name)
        environment = {**os.environ, "SLURM_JOB_ID": name}
        with self._path(name, "log").open("ab") as log:
            child = subprocess.Popen(  # noqa: S603 - the words are ours
                ["bash", files.script, files.manifest],  # noqa: S607 - as it is installed
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                env=environment, start_new_session=True, pass_fds=(lock,),
            )  # fmt: skip
        self._children[name] = child
        self._path(name, "pid").write_text(str(child.pid), encoding="ascii")

    def _has_begun(self, name: str) -> bool:
        claim = Path(job_files(self._site, name).claim)
        return claim.exists() or self._path(name, "pid").exists()

    def _is_held(self, name: str) -> bool:
        """Whether a process of the job lives: it holds the lock."""
        child = self._children.get(name)
        if child is not None and child.poll() is not None:
            del self._children[name]
        try:
            lock = os.open(self._path(name, "lock"), os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
        return False

    def _end(self, name: str) -> int | None:
        """Exit code that the script has left; None before its end."""
        try:
            text = Path(job_files(self._site, name).end).read_text(encoding="ascii")
        except (FileNotFoundError, UnicodeDecodeError):
            return None
        return int(text) if re.fullmatch(r"[0-9]{1,3}\n?", text) else None

    def _path(self, name: str, suffix: str) -> Path:
        return Path(job_files(self._site, name).script).with_suffix(f".{suffix}")

    def _unwritable(self, error: OSError) -> OutputError:
        return OutputError(
            f"the folder of the jobs cannot be written ({error.strerror})",
            where=self._site.folder, fix="See whether it exists and has room",
        )  # fmt: skip


def _state_of(code: int) -> JobState:
    if code == 0:
        return JobState.COMPLETED
    return JobState.CANCELLED if code in (130, 143) else JobState.FAILED


def _checked(name: str) -> None:
    if not is_job_name(name):
        raise RefusedError("this is not the id of a job here", where=repr(name[:80]))
