"""The account of a soak: what is owed, and what was handed over against what lies where."""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Set
from contextlib import closing
from pathlib import Path

from alsct_gui.model.placement import StepKind
from alsct_gui.model.policy import Policy
from alsct_gui.placement.diff import diff
from alsct_gui.placement.invariants import Violation
from alsct_gui.placement.ledger import Ledger

COPIES = ("nersc-cfs", "mirror")
"""Places where every raw file is to be, and nothing else."""


def open_goals(ledger: Ledger, policy: Policy, now_s: float | None = None) -> list[str]:
    """Return what is owed: goals that are wanted and not met, and files not admitted."""
    observed = ledger.observed()
    steps = diff(policy, observed, {}, time.time() if now_s is None else now_s)
    owed = [key for step in steps if step.kind is not StepKind.DROP for key in step.keys]
    return [*owed, *observed.arrivals]


def own_account(
    ledger: Ledger, policy: Policy, raw: Path, sums: Mapping[Path, str], controlled: Set[Path]
) -> Iterator[Violation]:
    """Compare what was handed over with what lies where it should, by nobody's word but ours.

    Parameters
    ----------
    ledger, policy
        What was done, and what was wanted.
    raw
        Folder of raw scans.
    sums
        SHA-256 of every file that was handed over, taken before that.
    controlled
        Those of them that must not leave.
    """
    rows = Counter(scan.path for scan in ledger.observed().scans.values())
    places = [place for place in policy.places if place.name in COPIES]
    known = {path.relative_to(raw) for path in sums}
    for path, sum_ in sums.items():
        if rows[str(path)] != 1:
            yield Violation("one-row", str(path), f"has {rows[str(path)]} rows")
        if sha256_of(path) != sum_:
            yield Violation("raw-changed", str(path), "is not what was handed over")
        for place in places:
            copy = Path(place.root) / path.relative_to(raw)
            if path in controlled and place.site == "nersc":
                if copy.exists():
                    yield Violation("forbidden-placement", str(copy), "must not be there")
            elif not copy.exists() or sha256_of(copy) != sum_:
                yield Violation("copy", str(copy), "is not there as it was handed over")
    for place in places:
        for name in set(_files(Path(place.root))) - known:
            what = f"lies at {place.name}, and nobody knows it"
            yield Violation("stranger", str(name), what)


def size_bytes(ledger: Path) -> int:
    """Size of a ledger, with what is still in its log of pages."""
    with closing(sqlite3.connect(ledger)) as db:
        (pages,), (page_bytes,) = (
            db.execute(f"PRAGMA {what}").fetchone() for what in ("page_count", "page_size")
        )
    return int(pages * page_bytes)


def _files(root: Path) -> Iterator[Path]:
    return (p.relative_to(root) for p in root.rglob("*") if p.is_file())


def sha256_of(path: Path) -> str:
    """Return the checksum of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
