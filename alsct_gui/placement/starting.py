"""Starting an agent that outlives whoever starts it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from alsct_gui.model.errors import ResourceError
from alsct_gui.placement.runs.processes import module_command, module_environment

AGENT = "alsct_gui.wiring.serve"
"""Module that is the agent's process; it stands above this room, so it is known by its name."""


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
