"""The same goals as a flow of Prefect: for a facility whose work goes through its workers.

A run works for one scan, in the ledger that the agent and the window have, and pursues each of
its goals as a task. It works under a lease, so the agent leaves that scan alone. Needs the
``prefect`` extra.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from alsct_gui.files.profiles import load_profile
from alsct_gui.model.errors import UsageError
from alsct_gui.model.placement import GoalRecord, Observed, StateKind
from alsct_gui.placement.agent import Agent
from alsct_gui.placement.asking import FLOWS, ask_of_goals, ask_owner, ask_take_back
from alsct_gui.placement.goals.base import BlockedError
from alsct_gui.placement.ledger import Ledger
from alsct_gui.placement.policy import load_policy
from alsct_gui.placement.wanted import Aim, Wanted
from alsct_gui.wiring.agent import Wiring

FLOW = "alsct-scan"
_FAILED = (StateKind.BLOCKED, StateKind.RETRY)
_OVER = (StateKind.BLOCKED, StateKind.NOT_WANTED)
LEASE_S = 600.0
"""For how long a run takes a scan that nobody handed over to it; it is renewed meanwhile."""


@flow(name=FLOW, flow_run_name="{path}", log_prints=False)
def alsct_scan(
    path: str, ledger: str, policy: str = "als-8.3.2", profile: str = "als-8.3.2",
    name: str = "als-8.3.2", runs: str = "",
) -> dict[str, str]:  # fmt: skip
    """Bring about all that the policy wants of one scan.

    Parameters
    ----------
    path
        The scan, which the ledger knows.
    ledger
        File of the ledger.
    policy, profile
        What is wanted, and where that is: names, or files.
    name
        Of the deployment: scans that were handed over to it are leased by that name.
    runs
        Folder of local runs; empty for that of this user.

    Returns
    -------
    dict of str to str
        How each goal stands.

    Raises
    ------
    UsageError
        The ledger does not know the scan, or somebody else works for it.
    BlockedError
        A goal needs a person; the task that pursued it says why.
    """
    owner, file = f"{FLOWS}{FLOW}/{name}", Path(ledger)
    known, wanted = load_profile(profile), load_policy(policy)
    where = Path(runs) if runs else None
    with Ledger(file, create=False) as opened, Wiring(known, wanted, file, runs=where) as wiring:
        part = _part_of(opened.observed(), path)
        with _leased(opened, part, owner):
            agent = Agent(opened, wiring.services, owner=owner)
            plan = Wanted(wiring.policy, agent.observed.recipes).plan(
                agent.observed.scans[part], agent.observed.asked.get(part)
            )
            wishes: list[tuple[str, tuple[Aim, ...]]] = [
                (f"{aim.product} at {aim.place.name}", (aim,)) for aim in plan.every
            ]
            wishes += [(f"{group[0].product} anywhere", group) for group in plan.any_of]
            _try_at_once(opened, agent, part)
            for title, aims in wishes:
                pursue = task(name=title, cache_policy=NO_CACHE)(_pursue)
                pursue(agent, opened, tuple(part + aim.suffix for aim in aims))
            goals = agent.observed.goals.items()
            return {key: str(record.state.kind) for key, record in goals if key.startswith(part)}


def _try_at_once(ledger: Ledger, agent: Agent, part: str) -> None:
    """Let goals that failed before be tried again now; what a person holds stays held."""
    again = [
        key for key, record in agent.observed.goals.items()
        if key.startswith(part) and record.state.kind in _FAILED and not record.held
    ]  # fmt: skip
    if again:
        ask_of_goals(ledger, "retry", again)


def _pursue(agent: Agent, ledger: Ledger, keys: tuple[str, ...]) -> str:
    """Work until one of some goals is met, or none of them goes on; returns what is there."""
    part = keys[0].partition("/")[0]

    def records() -> list[GoalRecord]:
        return [r for r in map(agent.observed.goals.get, keys) if r is not None]

    def ended() -> bool:
        lease = agent.observed.leases.get(part)
        if lease is None:
            return True  # taken back
        if lease.until_s is not None and lease.until_s - time.time() < LEASE_S / 2:
            ask_owner(ledger, [part], lease.owner, time.time() + LEASE_S)
        known = records()
        over = [record.state.kind in _OVER or record.held for record in known]
        met = any(record.state.kind is StateKind.MET for record in known)
        return met or (len(known) == len(keys) and all(over))

    agent.work(threading.Event(), ended)
    for record in records():
        if record.state.kind is StateKind.MET and record.evidence is not None:
            return record.evidence.where or record.evidence.record
    if agent.observed.leases.get(part) is None:
        raise BlockedError("the scan was taken back", where=part, fix="Hand it over again")
    last = records()[-1].state
    raise BlockedError(last.cause or f"waits for {last.waits_for}", where=keys[-1], fix=last.fix)


@contextmanager
def _leased(ledger: Ledger, part: str, owner: str) -> Iterator[None]:
    """Have the scan alone: handed over already, or for as long as this lasts."""
    lease = ledger.observed().leases.get(part)
    if lease is not None and lease.owner == owner and lease.until_s is None:
        yield  # whoever handed it over takes it back when this run has ended
        return
    ask_owner(ledger, [part], owner, time.time() + LEASE_S)
    try:
        yield
    finally:
        ask_take_back(ledger, [part])


def _part_of(observed: Observed, path: str) -> str:
    for part, scan in observed.scans.items():
        if scan.path == path:
            return part
    raise UsageError("the ledger does not know this scan", where=path,
                     fix="Hand it over by alsct agent admit")  # fmt: skip


def serve_flow(
    name: str, ledger: Path, policy: str, profile: str, runs: Path | None = None
) -> None:  # fmt: skip
    """Register the flow as a deployment and run what it is asked for, until SIGTERM or SIGINT."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    alsct_scan.serve(
        name=name,
        parameters={
            "ledger": str(ledger.absolute()), "policy": policy, "profile": profile, "name": name,
            "runs": str(runs or ""),
        },
    )  # fmt: skip
