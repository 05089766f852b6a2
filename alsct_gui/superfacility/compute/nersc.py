"""Reconstructing at NERSC, through the Superfacility API.

What `sfapi_client` does not guard against is guarded here (docs/decisions/0015-compute.md):
rows are asked for directly, so its monitor, which never recovers from one error, is not used;
states are read by our own table; a submission whose answer is lost is looked for by name.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from alsct_gui.superfacility.compute.base import JobRequest, JobStatus, status_of
from alsct_gui.superfacility.compute.look import (
    READ_S,
    Answer,
    Question,
    parse_answer,
    question_bytes,
    script_name,
)
from alsct_gui.superfacility.compute.look import script_text as look_text
from alsct_gui.superfacility.compute.progress import RunProgress, parse_progress
from alsct_gui.superfacility.compute.rows import Row, parse_test_only, pick, read_row, rows_of
from alsct_gui.superfacility.compute.script import (
    Site,
    job_contents,
    job_files,
    script_text,
)
from alsct_gui.superfacility.compute.session import Access, Session
from alsct_gui.superfacility.compute.states import JobState
from alsct_gui.superfacility.errors import LinkDownError, NotThereError, RefusedError
from alsct_gui.superfacility.scripts import script_bytes, script_file, word_of

LOOKS = 3
"""How often a job is looked for by name after an answer was lost."""
_ID = re.compile(r"[0-9]{1,18}(_[0-9]{1,9})?")


class Nersc:
    """A `Compute` at NERSC.

    Parameters
    ----------
    access
        Where the service is and who asks.
    site
        How jobs run there.
    pause
        Called between two looks for a job whose answer was lost; a service needs a moment
        from accepting a job to listing it.
    clock
        Seconds since 1970 UTC.
    """

    def __init__(
        self,
        access: Access,
        site: Site,
        *,
        pause: Callable[[], None] = lambda: time.sleep(5.0),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._access, self._site, self._pause, self._clock = access, site, pause, clock
        self._session = Session(access)
        self._zone = ZoneInfo(site.zone)
        self._user: str | None = None
        self._has_folder = False
        self._there: set[str] = set()

    @property
    def place(self) -> str:
        """Name of the place."""
        return f"NERSC {self._access.machine}"

    def submit(self, job: JobRequest) -> str:
        """Have the work done, once however often it is asked for; see `Compute.submit`."""
        found = self.find(job.name)
        if found is not None:
            return found.id
        self._require_up()
        self._prepare(job)
        files = job_files(self._site, job.name)

        async def submit(client: Any) -> str:
            compute = await client.compute(self._access.machine)
            submitted = await compute.submit_job(files.script, [files.manifest])
            return str(submitted.jobid)

        try:
            id_ = self._session.call("submission", submit, self._access.submit_s)
        except (LinkDownError, RefusedError):
            # It may have been accepted for all that; also when it says "job not found".
            lost = self._found_after_all(job.name)
            if lost is None:
                raise
            return lost.id
        return _checked_id(id_)

    def find(self, name: str) -> JobStatus | None:
        """Look for a job by its name: in the queue, in the accounts, in the jobs' folder."""
        owner = self._read_text(job_files(self._site, name).claim)
        owner = owner.strip() if owner is not None and _ID.fullmatch(owner.strip()) else None
        row = pick(self._own_rows(), name, owner)
        if row is not None:
            return read_row(row, self._zone)
        # sacct lists the jobs of this day alone; a job of yesterday has left its claim.
        return None if owner is None else self.status(owner)

    def status(self, id: str) -> JobStatus:  # noqa: A002 (as in the Protocol)
        """Say where a job stands; one that is not listed is `JobState.UNKNOWN`."""
        _checked_id(id)
        for sacct in (False, True):
            rows = self._rows(sacct=sacct, asked=f"jobid={id}")
            found = [row for row in rows if row.get("jobid") == id]
            if found:
                return read_row(found[0], self._zone)
        # A job that runs is sometimes not found by its id, but in its owner's list.
        for row in self._own_rows():
            if row.get("jobid") == id:
                return read_row(row, self._zone)
        return status_of(id, "", JobState.UNKNOWN, listed=False)

    def cancel(self, id: str) -> None:  # noqa: A002
        """Ask for its end at NERSC. One that has ended stays as it is."""
        _checked_id(id)

        async def delete(client: Any) -> None:
            await client.delete(f"compute/jobs/{self._access.machine}/{id}")

        try:
            self._session.call("cancel", delete)
        except NotThereError:
            if not self.status(id).is_final:
                raise

    def progress(self, name: str) -> RunProgress | None:
        """Read the progress file of a job by its name; None before there is one."""
        text = self._read_text(job_files(self._site, name).progress)
        return None if text is None else parse_progress(text)

    def log(self, id: str, name: str) -> str:  # noqa: A002
        """Read what a job has printed; empty before it has started."""
        base = job_files(self._site, name).script.removesuffix(".sbatch")
        return self._read_text(f"{base}.{_checked_id(id)}.log") or ""

    def look(self, question: Question) -> Answer:
        """Look at files there; see `look.Looker`."""
        try:
            return self._look(question)
        except RefusedError:
            self._forget_what_is_there()
            return self._look(question)

    def run_script(self, name: str, parts: Sequence[str]) -> str:
        """Run a script there; see `scripts.Scripts`."""
        word = word_of(parts)
        try:
            return self._run_script(name, word)
        except RefusedError:
            self._forget_what_is_there()
            return self._run_script(name, word)

    def wait_s(self, job: JobRequest) -> float | None:
        """Ask Slurm how long a job would wait, without submitting it."""
        self._prepare(job)
        files = job_files(self._site, job.name)
        # Both paths are of the closed alphabet: nothing in them means anything to a shell.
        said = self._command(f"sbatch --test-only {files.script} {files.manifest}")
        starts = parse_test_only(said, self._zone)
        return None if starts is None else max(0.0, starts - self._clock())

    def key_expires(self) -> float | None:
        """Tell when the key expires, seconds since 1970 UTC; None when NERSC does not tell."""
        mine = self._session.client_id
        answer = self._session.get("account/clients")
        for client in answer if isinstance(answer, list) else []:
            if isinstance(client, dict) and client.get("clientId") == mine:
                return parse_utc(client.get("expiresAt"))
        return None

    def close(self) -> None:
        """Let go of everything; jobs go on."""
        self._session.close()

    def _require_up(self) -> None:
        """Refuse to submit to a machine that is down: the client itself does not look."""
        answer = self._session.get(f"status/{self._access.machine}")
        if isinstance(answer, dict) and answer.get("status") == "unavailable":
            notes = "; ".join(str(note) for note in answer.get("notes") or [])
            raise LinkDownError(
                f"{self.place} is down{': ' + notes[:300] if notes else ''}", where=self.place,
                fix="It is submitted when it is up; until then it can run on this workstation",
                name="outage",
            )  # fmt: skip

    def _prepare(self, job: JobRequest) -> None:
        """Put script, manifest and all else in place; harmless when they are there already."""
        if job.resources.time_s > self._site.longest_s:
            raise RefusedError(
                f"the job asks for {job.resources.time_s} s and the queue gives "
                f"{self._site.longest_s}",
                where="profile: queue", fix="Take another queue",
            )  # fmt: skip
        files = job_files(self._site, job.name)
        contents = job_contents(job, self._site)
        contents[files.script] = script_text(job.name, job.resources, self._site).encode("ascii")
        self._require_folder()
        inner = {path.rpartition("/")[0] for path in contents} - {self._site.folder}
        if inner:  # of the closed alphabet, as `StepCall` has checked
            self._command(f"mkdir -p -- {' '.join(sorted(inner))}")
        for path, content in contents.items():
            self._upload(path, content)

    def _look(self, question: Question) -> Answer:
        script = f"{self._site.folder}/{script_name()}"
        asked = f"{self._site.folder}/alsct-look-{uuid.uuid4().hex}.json"
        self._require_script(script, look_text().encode("utf-8"))
        self._upload(asked, question_bytes(question))
        # Both paths are of the closed alphabet: nothing in them means anything to a shell.
        longest_s = self._access.submit_s + question.within_s + READ_S
        said, _ = self._run(f"python3 {script} {asked}", longest_s)
        return parse_answer(said, self.place)

    def _run_script(self, name: str, word: str) -> str:
        script = f"{self._site.folder}/{script_file(name)}"
        self._require_script(script, script_bytes(name))
        # Base64 means nothing to a shell, and neither does the script's path.
        said, _ = self._run(f"bash {script} {word}", self._access.submit_s)
        return said

    def _require_script(self, path: str, text: bytes) -> None:
        """Put a script of ours in place, once."""
        self._require_folder()
        if path not in self._there:
            self._upload(path, text)
            self._there.add(path)

    def _forget_what_is_there(self) -> None:
        """Put everything in place anew: it may have been cleaned away."""
        self._has_folder = False
        self._there.clear()

    def _require_folder(self) -> None:
        if not self._has_folder:
            self._command(f"mkdir -p -- {self._site.folder}")
            self._has_folder = True

    def _found_after_all(self, name: str) -> JobStatus | None:
        for look in range(LOOKS):
            if look:
                self._pause()
            try:
                found = self.find(name)
            except LinkDownError:
                continue  # the next call of `submit` looks again, before anything else
            if found is not None:
                return found
        return None

    def _own_rows(self) -> list[Row]:
        """Rows of all jobs of this user: those of the queue, then those of the accounts."""
        if self._user is None:
            answer = self._session.get("account/")
            user = answer.get("name") if isinstance(answer, dict) else None
            if not isinstance(user, str) or re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", user) is None:
                raise LinkDownError("NERSC does not tell the name of the user", where=self.place)
            self._user = user
        asked = f"user={self._user}"
        return [*self._rows(sacct=False, asked=asked), *self._rows(sacct=True, asked=asked)]

    def _rows(self, *, sacct: bool, asked: str) -> list[Row]:
        query = {"sacct": sacct, "cached": False, "kwargs": [asked]}
        return rows_of(self._session.get(f"compute/jobs/{self._access.machine}", query))

    def _command(self, words: str) -> str:
        """Run a command of checked words there; return what it printed, errors included."""
        return "\n".join(self._run(words, self._access.submit_s))

    def _run(self, words: str, longest_s: float) -> tuple[str, str]:
        """Run a command of checked words there; return its output and its errors."""

        async def run(client: Any) -> tuple[str, str]:
            compute = await client.compute(self._access.machine)
            task = await compute.run_task(words)
            await task
            result = task.result
            if result is None:
                return "", ""
            said = str(result.output or ""), str(result.error or "")
            if result.exit_code:
                why = " ".join(" ".join(said).split())[:300]
                raise RefusedError(
                    f"NERSC cannot run {words.split()[0]}: {why}",
                    where=self.place, fix="See whether the profile's folder can be written",
                    name="command-failed",
                )  # fmt: skip
            return said

        return self._session.call("command", run, longest_s)

    def _upload(self, path: str, content: bytes) -> None:
        async def put(client: Any) -> Any:
            answer = await client.put(
                f"utilities/upload/{self._access.machine}/{path}",
                files={"file": ("upload", io.BytesIO(content))},
            )
            return answer.json()

        answer = self._session.call("upload", put)
        if not isinstance(answer, dict) or answer.get("status") != "OK":
            said = answer.get("error") if isinstance(answer, dict) else answer
            raise RefusedError(
                f"NERSC does not take the file: {str(said)[:300]}", where=path,
                fix="See whether the profile's folder exists and has room", name="upload-failed",
            )  # fmt: skip

    def _read_text(self, path: str) -> str | None:
        """Read a small file there; None when it is absent."""
        query = {"binary": False}
        try:
            answer = self._session.get(f"utilities/download/{self._access.machine}/{path}", query)
        except NotThereError:
            return None
        if not isinstance(answer, dict):
            raise LinkDownError("NERSC's answer is not understood", where=path, name="nonsense")
        if answer.get("status") != "OK":
            said = str(answer.get("error"))
            if "No such file" in said:
                return None
            raise RefusedError(
                f"NERSC does not give the file: {said[:300]}", where=path, name="download-failed"
            )
        text = str(answer.get("file") or "")
        if not answer.get("is_binary"):
            return text
        try:
            return base64.b64decode(text).decode("utf-8", "replace")
        except binascii.Error as error:
            raise LinkDownError("NERSC's file is not understood", where=path) from error


def parse_utc(text: object) -> float | None:
    """Read a time of the API, in UTC where it does not say; None for what is none."""
    if not isinstance(text, str):
        return None
    try:
        time_ = datetime.fromisoformat(text)
        return (time_ if time_.tzinfo else time_.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _checked_id(text: str) -> str:
    """Refuse an id that could mean something else in an address."""
    if _ID.fullmatch(text) is None:
        raise RefusedError("this is not the id of a job", where=repr(text[:80]))
    return text
