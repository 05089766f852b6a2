"""What squeue and sacct say, as rows of strings, read without trust."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

from alsct_gui.superfacility.compute.base import JobStatus, status_of
from alsct_gui.superfacility.compute.states import parse_state
from alsct_gui.superfacility.errors import LinkDownError

Row = Mapping[str, str]


def rows_of(answer: Any) -> list[Row]:
    """Take the rows out of an answer of ``compute/jobs``.

    The client itself never looks at ``status`` there, and fails on an empty ``output``.

    Raises
    ------
    LinkDownError
        The service could not ask Slurm, or the answer is of another form.
    """
    if not isinstance(answer, Mapping):
        raise _nonsense("the list of jobs is no object")
    rows, error = answer.get("output") or [], str(answer.get("error") or "")
    if str(answer.get("status")).upper() == "ERROR":
        if "Invalid job id" in error or "not found" in error.lower():
            return []  # squeue says so of a job that has left the queue
        raise LinkDownError(
            f"NERSC cannot ask Slurm ({' '.join(error.split())[:300]})", where="NERSC compute",
            fix="It is tried again later", name="slurm-down",
        )  # fmt: skip
    if not isinstance(rows, Sequence) or not all(isinstance(row, Mapping) for row in rows):
        raise _nonsense("the list of jobs is no list")
    return [
        {str(key).lower(): str(value) for key, value in row.items() if value is not None}
        for row in rows
    ]


def name_of(row: Row) -> str:
    """Name of the job: squeue and sacct call it differently."""
    return row.get("jobname") or row.get("name") or ""


def read_row(row: Row, zone: tzinfo) -> JobStatus:
    """Read one row of squeue or sacct.

    Parameters
    ----------
    row
        As the service gave it.
    zone
        In which the machine tells times.
    """
    waits = row.get("start_time") or row.get("start")
    code = re.match(r"([0-9]{1,9}):", row.get("exitcode", ""))
    return status_of(
        row.get("jobid", ""),
        name_of(row),
        parse_state(row.get("state")),
        reason=row.get("reason", "").strip("() ").removeprefix("None"),
        starts=parse_time(waits, zone),
        elapsed_s=parse_elapsed(row.get("elapsed") or row.get("time")),
        exit_code=int(code[1]) if code else None,
    )


def pick(rows: Iterable[Row], name: str, owner: str | None = None) -> Row | None:
    """Pick the job that does a work, should several have its name.

    Parameters
    ----------
    rows
        Of squeue first, then of sacct.
    name
        Name of the job.
    owner
        Id of the job that has claimed the work; None when none has yet.

    Returns
    -------
    row
        The owner's; else of one that has not ended; else the first; None when there is none.
    """
    fitting = [row for row in rows if name_of(row) == name and _is_id(row.get("jobid"))]
    if not fitting:
        return None

    def worse(row: Row) -> tuple[bool, bool, int]:
        final = parse_state(row.get("state")).is_final
        return row["jobid"] != owner, final, int(row["jobid"].split("_")[0])

    return min(fitting, key=worse)


def parse_time(text: str | None, zone: tzinfo) -> float | None:
    """Read a time as Slurm prints it, in the machine's zone; None for N/A and Unknown."""
    try:
        return datetime.fromisoformat(text or "").replace(tzinfo=zone).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def parse_elapsed(text: str | None) -> float | None:
    """Read ``days-hours:minutes:seconds`` of which the front may lack; None for other text."""
    found = re.fullmatch(r"(?:([0-9]{1,5})-)?(?:([0-9]{1,3}):)?([0-9]{1,3}):([0-9]{2})", text or "")
    if found is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return float(((days * 24 + hours) * 60 + minutes) * 60 + seconds)


def parse_test_only(text: str, zone: tzinfo) -> float | None:
    """Read when ``sbatch --test-only`` says that a job would start; None when it does not say."""
    found = re.search(
        r"to start at ([0-9]{4}-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9])", text
    )
    return None if found is None else parse_time(found[1], zone)


def _is_id(text: str | None) -> bool:
    """Whether it is a job's id and not that of a step, such as ``12.batch``."""
    return re.fullmatch(r"[0-9]{1,18}(_[0-9]{1,9})?", text or "") is not None


def _nonsense(what: str) -> LinkDownError:
    return LinkDownError(
        f"NERSC's API answers with something that is not understood: {what}",
        where="NERSC compute", fix="It is tried again later", name="nonsense",
    )  # fmt: skip
