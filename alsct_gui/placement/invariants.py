"""Nothing lost: what must hold of a ledger and its folders at any time, checked from outside.

It trusts neither the reconciler nor its fold: the history is read event by event, and files
are looked at where they lie.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from alsct_gui.model.errors import AlsctError
from alsct_gui.model.placement import (
    GoalKey,
    GoalRecord,
    Observed,
    ScanFacts,
    StateKind,
    StepKind,
    scan_part,
)
from alsct_gui.model.policy import Policy, Product
from alsct_gui.placement.diff import diff
from alsct_gui.placement.events import Event, EventKind
from alsct_gui.placement.goals.pruning import COPIES_NEEDED, QUARANTINE
from alsct_gui.placement.goals.reading import read_file
from alsct_gui.placement.ledger import Ledger
from alsct_gui.placement.matching import matcher

_MADE = (Product.RECONSTRUCTION, Product.ANALYSIS)
SILENT_S = 300.0
"""A goal that is wanted for longer than this and not in the ledger is silent."""


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that must not be."""

    rule: str
    """Which rule, in kebab case."""
    where: str
    """Goal, scan, path or event."""
    what: str
    """A sentence."""


def check(
    ledger: Ledger, policy: Policy, *, now_s: float, read_files: bool = True
) -> tuple[Violation, ...]:
    """Check a ledger, and the files of this machine that it speaks of.

    Parameters
    ----------
    ledger, policy
        What was done, and what was wanted.
    now_s
        Seconds since 1970.
    read_files
        Read raw files from beginning to end and count the slices of products; else sizes are
        compared, and that products are there.

    Returns
    -------
    tuple of Violation
        Nothing when all is as it must be.
    """
    damage = [Violation("ledger-integrity", str(ledger.path), text) for text in ledger.problems()]
    if damage:
        return tuple(damage)  # what is in it says nothing then
    events, observed = ledger.tail(0), ledger.observed()
    return (
        *_history(events),
        *_evidence(observed),
        *_silent(observed, policy, now_s),
        *_forbidden(events, observed, policy),
        *_raw_files(observed, policy, read_files=read_files),
        *_unknown_files(observed, policy),
        *_products(observed, policy, count=read_files),
    )


def _history(events: tuple[Event, ...]) -> Iterator[Violation]:
    """One id outside for each piece of work at a time; one piece of work for each goal."""
    ids: dict[str, str] = {}
    workers: dict[str, str] = {}
    members: dict[str, tuple[str, ...]] = {}
    busy: dict[str, str] = {}
    met: set[str] = set()
    for item in events:
        work = item.data.get("work", "")
        if item.kind == EventKind.INTENT:
            members[work] = item.keys
            for key in item.keys:
                if key in busy:
                    yield Violation("two-at-once", key, f"{work} begins before {busy[key]} ended")
                if key in met:
                    yield Violation("done-twice", key, f"{work} begins though it was met")
                busy[key] = work
        elif item.kind == EventKind.OUTSIDE:
            if ids.setdefault(work, item.data["id"]) != item.data["id"]:
                yield Violation("two-ids", work, f"is {ids[work]} and {item.data['id']} outside")
            if work not in members:
                yield Violation("no-intent", work, "was begun without an intent before")
            if workers.setdefault(item.data["id"], work) != work:
                yield Violation(
                    "one-for-two", work, f"is {item.data['id']}, as {workers[item.data['id']]}"
                )
        elif item.kind == EventKind.ENDED:
            workers = {id_: other for id_, other in workers.items() if other != work}
            for key in members.get(work, ()):
                busy.pop(key, None)
        elif item.kind == EventKind.MET:
            met.update(item.keys)
        elif item.kind in (EventKind.LOST, EventKind.FAILED, EventKind.STATE):
            met.difference_update(item.keys)


def _evidence(observed: Observed) -> Iterator[Violation]:
    """What is met has evidence of its kind."""
    for key, record in observed.goals.items():
        if record.state.kind is not StateKind.MET:
            continue
        scan = observed.scans.get(key.partition("/")[0])
        lack = "there is no such scan" if scan is None else _lack(record, scan)
        if lack:
            yield Violation("met-without-evidence", key, lack)


def _lack(record: GoalRecord, scan: ScanFacts) -> str:
    """What the evidence of a goal that is met lacks; empty when nothing."""
    evidence, product = record.evidence, GoalKey.parse(record.key).product
    if evidence is None:
        return "there is none"
    if product is Product.RAW:
        if evidence.size_bytes != scan.size_bytes:
            return f"it has {evidence.size_bytes} bytes, the scan {scan.size_bytes}"
        return "the checksum differs" if evidence.sha256 not in ("", scan.sha256) else ""
    if product is Product.RECONSTRUCTION:
        return "" if evidence.slices else "no slices were counted"
    if product is Product.ANALYSIS:
        return "" if evidence.size_bytes else "no bytes of it were seen"
    if product is Product.PRUNED:
        good = {text.split()[0] for text in evidence.copies if text.endswith(f" {scan.sha256}")}
        return "" if len(good) >= COPIES_NEEDED else f"only {len(good)} copies were verified"
    return "" if evidence.record else "no record was read back"


def _silent(observed: Observed, policy: Policy, now_s: float) -> Iterator[Violation]:
    """Everything that is wanted is met, or says what it waits for."""
    for step in diff(policy, observed, {}, now_s):
        for key in step.keys if step.kind is not StepKind.DROP else ():
            scan = observed.scans.get(key.partition("/")[0])
            is_new = scan is not None and now_s - scan.admitted_s < SILENT_S
            if key not in observed.goals and not is_new:
                yield Violation("silent", key, "is wanted, and the ledger says nothing of it")
    for key, record in observed.goals.items():
        state = record.state
        named = {
            StateKind.WAITING: bool(state.waits_for),
            StateKind.BLOCKED: bool(state.cause and state.fix),
            StateKind.RETRY: bool(state.cause),
        }.get(state.kind, True)
        if not named:
            yield Violation("silent", key, f"is {state.kind} and does not say why")
        if state.kind is StateKind.MOVING and record.work not in observed.works:
            yield Violation("silent", key, "is said to move, but nothing is under way")


def _forbidden(
    events: tuple[Event, ...], observed: Observed, policy: Policy
) -> Iterator[Violation]:
    """Nothing was begun at, or seen at, a place that a ban names."""
    sites = {place.name: place.site for place in policy.places}
    bans = [(matcher(ban.scans), ban) for ban in policy.bans]
    for item in events:
        if item.kind not in (EventKind.INTENT, EventKind.MET):
            continue
        for key in item.keys:
            scan = observed.scans.get(key.partition("/")[0])
            site = sites.get(GoalKey.parse(key).place, "")
            for fits, ban in bans:
                if scan is not None and site in ban.sites and fits(scan):
                    yield Violation("forbidden-placement", key, f"{ban.name} (event {item.seq})")


def _raw_files(observed: Observed, policy: Policy, *, read_files: bool) -> Iterator[Violation]:
    """Raw files are there and unchanged, unless they were pruned as it should be."""
    for part, scan in observed.scans.items():
        if scan_part(scan.id) != part:
            yield Violation("wrong-identity", scan.path, "is not under its own identity")
        path = Path(scan.path)
        if not path.exists():
            key = GoalKey(part, Product.PRUNED, policy.admitted).text
            record, raw = observed.goals.get(key), GoalKey(part, Product.RAW, policy.admitted).text
            known = observed.goals.get(raw)
            pruned = record is not None and (record.work or record.state.kind is StateKind.MET)
            if not pruned and (known is None or known.state.kind is StateKind.MET):
                yield Violation("raw-lost", scan.path, "is gone, and was not pruned")
            continue
        yield from _unchanged(path, scan, read_files=read_files)
    for name, count in Counter(scan.path for scan in observed.scans.values()).items():
        if count > 1:
            yield Violation("two-scans", name, f"has {count} rows")


def _unchanged(path: Path, scan: ScanFacts, *, read_files: bool) -> Iterator[Violation]:
    try:
        if not read_files:
            if path.stat().st_size != scan.size_bytes:
                yield Violation("raw-changed", scan.path, "has another size")
            return
        seen = read_file(path, lambda: 0.0)
    except (AlsctError, OSError) as error:
        yield Violation("raw-unreadable", scan.path, str(error))
        return
    if seen is None or (seen.size_bytes, seen.sha256) != (scan.size_bytes, scan.sha256):
        yield Violation("raw-changed", scan.path, "is not what was admitted")


def _unknown_files(observed: Observed, policy: Policy) -> Iterator[Violation]:
    """Every file in the folder of admission has a row, or is on its way to one."""
    root = next((Path(p.root) for p in policy.places if p.name == policy.admitted and p.root), None)
    if root is None or not root.is_dir():
        return
    known = {scan.path for scan in observed.scans.values()} | observed.arrivals.keys()
    for path in root.rglob("*.h5"):
        hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
        if not hidden and QUARANTINE not in path.parts and str(path) not in known:
            yield Violation("not-in-the-ledger", str(path), "was never handed over")


def _products(observed: Observed, policy: Policy, *, count: bool) -> Iterator[Violation]:
    """Products of this machine that are met lie where they should, volumes with all slices."""
    inside = {site.name for site in policy.sites if not site.outside}
    roots = {place.name: place.root for place in policy.places if place.site in inside}
    for key, record in observed.goals.items():
        goal, evidence = GoalKey.parse(key), record.evidence
        met = record.state.kind is StateKind.MET and goal.product in _MADE
        root = roots.get(goal.place)
        scan = observed.scans.get(goal.scan)
        if not met or evidence is None or not root or scan is None or _lack(record, scan):
            continue
        path = Path(evidence.where)
        if not path.is_relative_to(root):
            yield Violation("product-elsewhere", key, f"lies at {evidence.where}, not in {root}")
        elif not path.exists():
            yield Violation("product-lost", key, f"is not at {evidence.where} any more")
        elif count and goal.product is Product.RECONSTRUCTION:
            yield from _all_slices(key, path, evidence.slices)
        elif count and evidence.size_bytes != _size_bytes(path):
            yield Violation("product-changed", key, "has another size than when it was seen")


def _size_bytes(path: Path) -> int:
    """Size of a file, or of all files in a folder."""
    if path.is_file():
        return path.stat().st_size
    return sum(item.stat().st_size for item in path.rglob("*") if item.is_file())


def _all_slices(key: str, path: Path, expected: int | None) -> Iterator[Violation]:
    from alsct_gui.placement.goals.slices import count_slices

    try:
        found = count_slices(path)
    except AlsctError as error:
        yield Violation("product-unreadable", key, error.what)
        return
    if found != expected:
        yield Violation("product-short", key, f"has {found} slices of {expected}")
