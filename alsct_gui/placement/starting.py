"""Processes that a window has begun: an agent, which outlives it, and a person's login."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from pathlib import Path
from threading import Event

from alsct_gui.model.errors import CancelledError, ResourceError
from alsct_gui.placement.runs.processes import module_command, module_environment
from alsct_gui.superfacility.errors import NeedsPersonError

AGENT = "alsct_gui.wiring.serve"
"""Module that is the agent's process; it stands above this room, so it is known by its name."""
_LOOK_S = 0.2
"""Between two looks whether a login was given up."""


def start_agent(
    ledger: Path, policy: str = "als-8.3.2", profile: str = "als-8.3.2",
    runs: Path | None = None, threads: int = 0,
) -> None:  # fmt: skip
    """Start an agent in a process of its own; one too many ends by itself.

    Parameters
    ----------
    ledger, policy, profile
        What it works on, what is wanted, and where that is: names, or files.
    runs
        Folder of the runs; None for that of this user.
    threads
        Processor threads of a run; 0 for all.

    Raises
    ------
    ResourceError
        The process cannot be started.
    """
    path = ledger.with_name(f"{ledger.name}.log")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as log:
            subprocess.Popen(  # noqa: S603 (this program's own module)
                module_command(AGENT, str(ledger), policy, profile, str(runs or ""), str(threads)),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                env=module_environment(), start_new_session=True,
            )  # fmt: skip
    except OSError as error:
        raise ResourceError(
            f"the agent cannot be started ({error})", where=str(path), fix="Start alsct agent run"
        ) from error


def log_in(ledger: Path, policy: str, profile: str, cancelled: Event) -> None:
    """Have a person log in to Globus in their browser; returns when they have.

    Parameters
    ----------
    ledger, policy, profile
        As for the agent.
    cancelled
        Ends the login when it is set.

    Raises
    ------
    NeedsPersonError
        It did not come to a login.
    CancelledError
        It was given up here.
    ResourceError
        The process cannot be started.
    """
    command = module_command(
        "alsct_gui", "agent", "login", "--ledger", str(ledger), "--policy", policy,
        "--profile", profile,
    )  # fmt: skip
    try:
        process = subprocess.Popen(  # noqa: S603 (this program's own module)
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            cwd="/", env={**module_environment(), "NO_COLOR": "1", "COLUMNS": "1000"}, text=True,
        )  # fmt: skip
    except OSError as error:
        raise ResourceError(f"the login cannot be started ({error})") from error
    said = _words_of(process, cancelled)
    if process.returncode != 0:
        raise NeedsPersonError(
            said or "the login was not completed", where="Globus", fix="Begin the login again",
            name="login",
        )  # fmt: skip


def _words_of(process: subprocess.Popen[str], cancelled: Event) -> str:
    """Wait for its end; returns the last of what it says."""
    with process:
        while True:
            with suppress(subprocess.TimeoutExpired):
                _, said = process.communicate(timeout=_LOOK_S)
                break
            if cancelled.is_set():
                process.kill()
                process.communicate()
                raise CancelledError("the login was given up")
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else ""
