"""What Globus says, in our words: pure functions from its documents and errors.

Fields and codes as in the Transfer API's description of the task document
(https://docs.globus.org/api/transfer/task/). Nothing that comes from outside is trusted to
have the type it should have.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alsct_gui.superfacility.errors import (
    LinkDownError,
    NeedsPersonError,
    NotThereError,
    OutsideError,
    RefusedError,
)
from alsct_gui.superfacility.transfer.base import Reason, TransferState, TransferStatus
from alsct_gui.superfacility.transfer.watch import Motion, still_s

TASK_PAGE = "https://app.globus.org/activity/{id}"
"""Page of a task for people."""
_MAX_WORDS = 300
_AGAIN = "It is tried again by itself"

# Parts of nice_status and of details, in lower case: what they mean and what to do.
_GOES_ON = "the transfer then goes on by itself"
_CAUSES: tuple[tuple[str, Reason, str, str], ...] = (
    ("quota", Reason.QUOTA, "the quota at the target is used up",
     f"Free space there or ask for more; {_GOES_ON}"),
    ("no space", Reason.DISK_FULL, "the disk at the target is full",
     f"Free space there; {_GOES_ON}"),
    ("permission", Reason.PERMISSION, "a file or folder may not be read or written",
     f"Give the account access to it; {_GOES_ON}"),
    ("checksum", Reason.CHECKSUM, "what arrived differed from what was sent, and is sent again",
     "Watch it: if it goes on, a disk or a network card is failing"),
    ("not_found", Reason.SOURCE_GONE, "a file at the source is gone",
     "Put it back, or cancel the transfer"),
    ("no such file", Reason.SOURCE_GONE, "a file at the source is gone",
     "Put it back, or cancel the transfer"),
    ("connect", Reason.UNREACHABLE, "one of the two places cannot be reached", _AGAIN),
    ("timeout", Reason.UNREACHABLE, "one of the two places does not answer in time", _AGAIN),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Standing:
    """State of a task, and why."""

    state: TransferState
    sentence: str
    reason: Reason = Reason.NONE
    cause: str = ""
    fix: str = ""


def say_error(error: Exception, where: str) -> OutsideError:
    """Return our error for one of globus-sdk.

    Parameters
    ----------
    error
        What globus-sdk raised; an error of ours is returned as it is.
    where
        What was asked.
    """
    import globus_sdk
    from globus_sdk.token_storage import TokenValidationError

    if isinstance(error, OutsideError):
        return error
    if isinstance(error, TokenValidationError):
        return NeedsPersonError(
            "a login is needed", where="Globus", fix="Log in to Globus", name="login"
        )
    if isinstance(error, globus_sdk.AuthAPIError):
        return _auth_error(error, where)
    if isinstance(error, globus_sdk.GlobusAPIError):
        return _api_error(error, where)
    if isinstance(error, globus_sdk.GlobusTimeoutError):
        return LinkDownError("Globus does not answer in time", where=where, fix=_AGAIN)
    if isinstance(error, globus_sdk.NetworkError):
        return LinkDownError("Globus cannot be reached", where=where, fix=_AGAIN)
    if isinstance(error, ValueError | KeyError | TypeError | AttributeError):
        return LinkDownError("the answer of Globus cannot be understood", where=where, fix=_AGAIN)
    raise error


def _auth_error(error: Any, where: str) -> OutsideError:
    """An error of Globus Auth: of a login or of the renewal of a token."""
    if error.http_status in (400, 401, 403):
        return NeedsPersonError(
            "Globus no longer accepts the login", where="Globus Auth", name="login",
            fix="Log in again; for a service account check its secret",
        )  # fmt: skip
    return _transient(error, where) or RefusedError(_message(error), where=where)


def _api_error(error: Any, where: str) -> OutsideError:
    """An error of Globus Transfer."""
    if error.http_status == 401:
        return NeedsPersonError(
            "Globus no longer accepts the login", where=where, fix="Log in again", name="login"
        )
    if error.info.consent_required or error.info.authorization_parameters:
        return ConsentError(error.info.consent_required.required_scopes or [], where=where)
    down = _transient(error, where)
    if down is not None:
        return down
    if error.http_status == 403:
        return RefusedError(
            f"Globus does not allow it: {_message(error)}", where=where, name="permission",
            fix="Ask for access to the folder, or check the path",
        )  # fmt: skip
    if error.http_status == 404:
        return NotThereError(f"Globus does not find it: {_message(error)}", where=where)
    return RefusedError(f"Globus refuses it: {_message(error)}", where=where, name=error.code or "")


class ConsentError(NeedsPersonError):
    """A collection wants a consent that was not given.

    Parameters
    ----------
    scopes
        What is to be consented to: for the next login.
    where
        What was asked.
    """

    def __init__(self, scopes: list[str], *, where: str) -> None:
        self.scopes = tuple(scopes)
        super().__init__(
            "a consent is needed", where=where, fix="Log in to Globus and agree", name="consent"
        )


def _transient(error: Any, where: str) -> LinkDownError | None:
    status = error.http_status
    if status != 429 and status < 500:
        return None
    # A 502 whose code begins so is an answer about a file, not about the service.
    if str(error.code).startswith(("ExternalError", "EndpointError")):
        what = f"one of the two places fails: {_message(error)}"
    elif status == 429:
        what = "Globus asks us to ask less often"
    else:
        what = f"Globus is out of order (HTTP {status})"
    after = error.headers.get("Retry-After", "")
    return LinkDownError(
        what, where=where, fix=_AGAIN,
        retry_after_s=float(after) if after.isdecimal() else None,
    )  # fmt: skip


def _message(error: Any) -> str:
    return plain_words(error.message or error.http_reason or f"HTTP {error.http_status}")


def plain_words(text: object) -> str:
    """Words of a service on one line, without control characters, not too long."""
    line = " ".join(str(text).split())
    line = "".join(char for char in line if char.isprintable())
    return line if len(line) <= _MAX_WORDS else line[: _MAX_WORDS - 1] + "…"


def task_mark(document: Mapping[str, Any]) -> Hashable:
    """Return what changes when a task moves."""
    names = ("bytes_transferred", "bytes_checksummed", "files_transferred", "files_skipped",
             "subtasks_succeeded", "directories")  # fmt: skip
    return tuple(whole(document, name) for name in names)


def read_task(
    document: Mapping[str, Any],
    total_bytes: int | None,
    motion: Motion,
    *,
    now_s: float,
    stall_s: float,
    last_error: str = "",
) -> TransferStatus:
    """Return the status that a task document tells.

    Parameters
    ----------
    document
        Answer of `get_task`.
    total_bytes
        Bytes of the transfer as we asked for it; None when not known.
    motion
        What was seen of it so far, this look included.
    now_s
        Now, seconds since 1970 UTC.
    stall_s
        For how long nothing may move.
    last_error
        Words of its newest error event.
    """
    standing = _stands(document, motion, now_s, stall_s, last_error)
    state = standing.state
    done, skipped = whole(document, "files_transferred"), whole(document, "files_skipped")
    files = whole(document, "files") or None
    task_id = str(document.get("task_id", ""))
    moved = whole(document, "bytes_transferred")
    return TransferStatus(
        id=task_id, state=state, bytes_total=total_bytes, files_total=files,
        # Skipped files count among those that are there, and their bytes are not told.
        bytes_done=total_bytes if state is TransferState.SUCCEEDED and total_bytes else moved,
        files_done=done + skipped,
        rate_bytes_per_s=None if state.is_final else motion.rate_bytes_per_s,
        faults=whole(document, "faults"), sentence=standing.sentence, cause=standing.cause,
        fix=standing.fix, reason=standing.reason,
        link=TASK_PAGE.format(id=task_id) if _is_id(task_id) else "",
        started=_time(document.get("request_time")),
        completed=_time(document.get("completion_time")),
    )  # fmt: skip


def _stands(
    document: Mapping[str, Any], motion: Motion, now_s: float, stall_s: float, last_error: str
) -> _Standing:
    status = document.get("status")
    if status == "SUCCEEDED":
        return _Standing(TransferState.SUCCEEDED, "Globus says that all files are there")
    if status == "FAILED":
        return _ended(document, last_error)
    if status == "INACTIVE":
        return _Standing(
            TransferState.NEEDS_PERSON, "Globus has stopped it until somebody logs in",
            Reason.LOGIN, "the login to one of the two places has expired",
            "Log in to Globus and agree; it then goes on",
        )  # fmt: skip
    if status != "ACTIVE":
        return _Standing(
            TransferState.UNKNOWN, "Globus tells a state that is not known", fix=_AGAIN
        )
    if document.get("is_paused") is True:
        return _Standing(
            TransferState.PAUSED, "Globus has paused it", Reason.PAUSED,
            "whoever runs one of the two places has paused transfers",
            "Wait: it goes on when they resume it; NERSC's outages are on the chain",
        )  # fmt: skip
    nice = str(document.get("nice_status") or "").lower()
    if nice == "queued":
        return _Standing(TransferState.QUEUED, "Globus has accepted it; others go first")
    still = still_s(motion, now_s)
    if nice in ("", "ok", "active"):
        if still < stall_s:
            return _Standing(TransferState.ACTIVE, "Bytes move")
        return _Standing(
            TransferState.STALLED, "It is under way, but nothing moves", Reason.STILL,
            f"nothing has moved for {still / 60:.0f} min", "Cancel it and let it begin again",
        )  # fmt: skip
    reason, cause, fix = find_cause(nice, document.get("nice_status_details"), last_error)
    if reason.needs_person or still >= stall_s:
        return _Standing(TransferState.STALLED, "Every attempt meets an error", reason, cause, fix)
    return _Standing(TransferState.ACTIVE, "It goes on after an error", reason, cause, fix)


def _ended(document: Mapping[str, Any], last_error: str) -> _Standing:
    fatal = document.get("fatal_error")
    fatal = fatal if isinstance(fatal, Mapping) else {}
    code, words = str(fatal.get("code", "")), fatal.get("description", "")
    if code.upper().startswith("CANCEL") or document.get("canceled_by_admin"):
        message = plain_words(document.get("canceled_by_admin_message") or "")
        return _Standing(TransferState.CANCELLED, "It was cancelled", cause=message)
    if code.upper() == "VERIFY_CHECKSUM":
        return _Standing(
            TransferState.FAILED, "Globus has given up", Reason.SOURCE_CHANGED,
            "the file at the source no longer has the checksum that was recorded for it",
            "Do not send it: find out what changed the file",
        )  # fmt: skip
    reason, cause, fix = find_cause(code, words, last_error)
    return _Standing(TransferState.FAILED, "Globus has given up", reason, cause, fix or "Retry it")


def find_cause(*words: object) -> tuple[Reason, str, str]:
    """Return reason, cause and fix for what a service says; its own words if all else fails."""
    said = [plain_words(word) for word in words if word]
    text = " ".join(said).lower()
    for part, reason, cause, fix in _CAUSES:
        if part in text:
            return reason, cause, fix
    return Reason.OTHER, "; ".join(said), ""


def whole(document: Mapping[str, Any], name: str) -> int:
    """Return a number of a document; 0 for whatever is none."""
    value = document.get(name)
    return value if type(value) is int and value > 0 else 0


def _time(value: object) -> float | None:
    """Seconds since 1970 UTC; None for whatever is no time."""
    try:
        return datetime.fromisoformat(str(value)).timestamp()
    except (ValueError, OverflowError):
        return None


def _is_id(text: str) -> bool:
    return re.fullmatch(r"[0-9a-fA-F-]{36}", text) is not None
