"""The agent of a soak, a process: ``python -m alsct_bench.soak.agent FACILITY LEDGER POLICY``.

The real reconciler with the real clients, put together as `alsct agent run` does it. Two things
are otherwise than at a beamline: it waits less long for a service, and it looks at new files
in its own process, for a process for each would leave an agent that lives for a second no time
for anything else.
"""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

from alsct_gui.files import check
from alsct_gui.files.check import inspect_scan
from alsct_gui.files.profiles import load_profile
from alsct_gui.model.errors import AlsctError
from alsct_gui.model.finding import Finding
from alsct_gui.placement.agent import Agent
from alsct_gui.placement.ledger import Ledger
from alsct_gui.placement.onlyone import AgentLock
from alsct_gui.placement.policy import load_policy
from alsct_gui.simulator.facility.tree import Tree
from alsct_gui.wiring.agent import Wiring
from alsct_gui.wiring.outside import Waits

WAITS = Waits(
    globus_http_s=2.0, globus_call_s=8.0, globus_retries=1, globus_backoff_s=0.1,
    nersc_answer_s=4.0, nersc_submit_s=15.0, nersc_pause_s=0.2,
)  # fmt: skip


def look_here(path: str | Path, *, thorough: bool = False) -> tuple[Finding, ...]:
    """Check a scan as `files.check.check_scan` does, without a process of its own."""
    return inspect_scan(Path(path), thorough=thorough)


def main(arguments: list[str]) -> int:
    """Be the agent until SIGTERM."""
    root, ledger, policy = (Path(word) for word in arguments)
    check.check_scan = look_here
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    tree = Tree(root)
    known, wanted = load_profile(tree.profile), load_policy(policy)
    try:
        with (
            AgentLock(ledger),
            Ledger(ledger) as opened,
            Wiring(known, wanted, ledger, runs=root / "runs", threads=1, waits=WAITS) as wiring,
        ):
            Agent(opened, wiring.services).run(stop)
    except AlsctError as error:
        sys.stderr.write(f"agent: {error.sentence}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
