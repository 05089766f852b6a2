"""The agent of a soak, a process: ``python -m alsct_bench.soak.agent FACILITY LEDGER POLICY``.

The real reconciler with the real clients. Two things are otherwise than at a beamline: it
waits less long for a service, and it looks at new files in its own process, for a process for
each would leave an agent that lives for a second no time for anything else.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from pathlib import Path

from alsct_gui.files import check
from alsct_gui.files.check import inspect_scan
from alsct_gui.model.errors import AlsctError
from alsct_gui.model.finding import Finding
from alsct_gui.model.placement import GoalKey
from alsct_gui.model.policy import Product
from alsct_gui.placement.admission import examine_scan
from alsct_gui.placement.agent import Agent, Services
from alsct_gui.placement.goals.base import World
from alsct_gui.placement.goals.raw import RawCopies
from alsct_gui.placement.goals.reading import TransferReader
from alsct_gui.placement.ledger import Ledger
from alsct_gui.placement.onlyone import AgentLock
from alsct_gui.placement.policy import load_policy
from alsct_gui.placement.runs.queue import RunQueue
from alsct_gui.placement.services import Means, local_transfers
from alsct_gui.simulator.facility.globus import collection_id
from alsct_gui.simulator.facility.tree import Tree
from alsct_gui.simulator.facility.world import SERVICE_ACCOUNT
from alsct_gui.superfacility.credentials import FileCredentials
from alsct_gui.superfacility.transfer.globus import GlobusTransfer
from alsct_gui.superfacility.transfer.globus_login import Patience, service_account

PATIENCE = Patience(http_s=2.0, call_s=8.0, login_s=8.0, retries=1, backoff_s=0.1)


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
    secret = (tree.credentials / "globus-secret").read_text(encoding="ascii")
    credentials = FileCredentials(tree.root / "tokens")
    globus = GlobusTransfer(
        lambda: service_account(SERVICE_ACCOUNT, secret, credentials, PATIENCE),
        patience=PATIENCE,
    )
    wanted = load_policy(policy)
    copies = local_transfers(wanted, ledger)["disk"]

    def mirror(world: World, key: GoalKey) -> RawCopies:
        place = world.place(key.place)
        reader = TransferReader(copies, place.root, world.clock)
        return RawCopies(
            world, place.name, copies, reader, source=world.admitted.root, target=place.root
        )

    means = Means(
        wanted, time.time, RunQueue(tree.root / "runs"), {"globus": globus},
        {p.name: collection_id(p.collection) for p in wanted.places if p.collection},
        {(Product.RAW, "disk"): mirror}, threads=1,
    )  # fmt: skip
    services = Services(wanted, means.goals, examine_scan, dict, time.time)
    try:
        with AgentLock(ledger), Ledger(ledger) as opened:
            Agent(opened, services).run(stop)
    except AlsctError as error:
        sys.stderr.write(f"agent: {error.sentence}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
