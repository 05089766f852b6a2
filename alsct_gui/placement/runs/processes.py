"""Which process that was: told by number, start time and boot, never by number alone."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

_PACKAGE_FOLDER = Path(__file__).resolve().parents[3]


@dataclass(frozen=True, slots=True)
class ProcessMark:
    """A process, told from any other that had or will have its number."""

    pid: int
    """Its number."""
    start_ticks: int
    """When it started, in clock ticks since the boot (proc_pid_stat(5), field 22)."""
    boot: str
    """Identity of the boot."""

    def to_plain(self) -> dict[str, Any]:
        """As plain data for an event."""
        return asdict(self)


def mark_from_plain(data: object) -> ProcessMark | None:
    """Read a mark back; None when it is none."""
    if not isinstance(data, Mapping):
        return None
    pid, start, boot = (data.get(name) for name in ("pid", "start_ticks", "boot"))
    if type(pid) is not int or type(start) is not int or not isinstance(boot, str) or pid <= 1:
        return None
    return ProcessMark(pid, start, boot)


def own_mark() -> ProcessMark:
    """Mark of this process."""
    _, start_ticks = _stat(os.getpid())
    return ProcessMark(os.getpid(), start_ticks, _boot())


def is_alive(mark: ProcessMark) -> bool:
    """Say whether that very process lives; one that only waits to be reaped does not."""
    try:
        state, start_ticks = _stat(mark.pid)
    except (OSError, ValueError):
        return False
    return state not in "ZX" and start_ticks == mark.start_ticks and mark.boot == _boot()


def kill_group(mark: ProcessMark) -> None:
    """End a process that leads its group, and all of the group, at once."""
    if is_alive(mark):
        with suppress(ProcessLookupError):
            os.killpg(mark.pid, signal.SIGKILL)


def module_command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module of this program in a fresh interpreter.

    It does not search the working folder for modules.
    """
    return [sys.executable, "-P", "-m", module, *arguments]


def module_environment() -> dict[str, str]:
    """Return variables for it: where this program is, and one thread for BLAS (see `cli`)."""
    known = os.environ.get("PYTHONPATH")
    search = os.pathsep.join([str(_PACKAGE_FOLDER), *([known] if known else [])])
    blas = {"OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    return {**blas, **os.environ, "PYTHONPATH": search}


def _stat(pid: int) -> tuple[str, int]:
    """State and start of a process."""
    text = Path(f"/proc/{pid}/stat").read_bytes()
    # The name stands in parentheses and may hold anything, parentheses too.
    fields = text[text.rindex(b")") + 2 :].split()
    return fields[0].decode(), int(fields[19])


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
