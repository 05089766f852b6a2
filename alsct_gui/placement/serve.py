"""The agent's process: ``python -m alsct_gui.placement.serve LEDGER POLICY [RUNS [THREADS]]``.

`alsct agent run` does the same in its own process; a window starts this one, apart from
itself, because it is quicker to start than the whole command line.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from alsct_gui.model.errors import AlsctError, ResourceError
from alsct_gui.placement.admission import examine_scan
from alsct_gui.placement.agent import Agent, Services
from alsct_gui.placement.ledger import Ledger
from alsct_gui.placement.onlyone import AgentLock
from alsct_gui.placement.policy import load_policy
from alsct_gui.placement.runs.processes import module_command, module_environment
from alsct_gui.placement.runs.queue import RunQueue
from alsct_gui.placement.services import Means, local_transfers


def serve(ledger: Path, policy: str, runs: Path | None = None, threads: int = 0) -> None:
    """Be the agent of a ledger until SIGTERM or SIGINT.

    Raises
    ------
    UsageError
        Another agent works on it.
    AlsctError
        The policy or the ledger is not usable.
    """
    wanted = load_policy(policy)
    transfers = local_transfers(wanted, ledger)
    means = Means(wanted, time.time, RunQueue(runs), transfers, threads=threads)
    services = Services(wanted, means.goals, examine_scan, dict, time.time)
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    with AgentLock(ledger), Ledger(ledger) as opened:
        sys.stderr.write(f"alsct agent: works on {ledger}\n")
        sys.stderr.flush()
        Agent(opened, services).run(stop)


def start_agent(
    ledger: Path, policy: str = "als-8.3.2", runs: Path | None = None, threads: int = 0
) -> None:
    """Start an agent that outlives this process; one too many ends by itself.

    Parameters
    ----------
    ledger, policy
        What it works on, and what is wanted: a policy's name or file.
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
                module_command(
                    "alsct_gui.placement.serve", str(ledger), policy,
                    str(runs) if runs is not None else "", str(threads),
                ),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                env=module_environment(), start_new_session=True,
            )  # fmt: skip
    except OSError as error:
        raise ResourceError(
            f"the agent cannot be started ({error})", where=str(path), fix="Start alsct agent run"
        ) from error


def main(arguments: list[str]) -> int:
    """Serve; return the exit code."""
    ledger, policy, *more = arguments
    runs = Path(more[0]) if more and more[0] else None
    try:
        serve(Path(ledger), policy, runs, int(more[1]) if len(more) > 1 else 0)
    except AlsctError as error:
        sys.stderr.write(f"alsct agent: {error.sentence}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
