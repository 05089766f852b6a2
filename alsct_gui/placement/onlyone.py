"""One agent for each ledger, by a lock that ends with its process."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from alsct_gui.model.errors import UsageError
from alsct_gui.placement.runs.processes import is_alive, mark_from_plain, own_mark


class AgentLock:
    """The lock that makes the agent of a ledger one; its file says which process that is.

    Raises
    ------
    UsageError
        Another agent has it.
    """

    def __init__(self, ledger: Path) -> None:
        path = agent_lock_path(ledger)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._fd)
            raise UsageError(
                "another agent works on this ledger",
                where=str(ledger),
                fix="See alsct agent status",
            ) from error
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, json.dumps(own_mark().to_plain()).encode(), 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.ftruncate(self._fd, 0)
        os.close(self._fd)


def agent_lock_path(ledger: Path) -> Path:
    """Return the file that the agent of a ledger locks."""
    return ledger.with_name(f"{ledger.name}.agent")


def agent_pid(ledger: Path) -> int | None:
    """Return the number of the process that is the agent of a ledger; None when none lives."""
    try:
        mark = mark_from_plain(json.loads(agent_lock_path(ledger).read_bytes()))
    except (OSError, ValueError):
        return None
    return mark.pid if mark is not None and is_alive(mark) else None
