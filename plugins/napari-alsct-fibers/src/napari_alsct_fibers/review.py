"""Breaks under review: which are looked at, accepted, rejected; nothing that was said is lost."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.files.tables import read_about, read_table
from alsct_gui.model.errors import InputError, OutputError
from alsct_gui.model.table import Column, Table

BREAKS, DOUBTFUL = "breaks.csv", "doubtful.csv"
NOTES = "breaks.review.json"
"""Verdicts as they are given, in the folder of the result."""
REVIEWED = "breaks.reviewed.csv"
"""What is left of the breaks after the review."""

_MAX_BYTES = 1 << 26


class Verdict(StrEnum):
    """What a person says of a break."""

    OPEN = "open"  # not looked at yet
    ACCEPTED = "accepted"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, eq=False)
class Review:
    """Breaks and the dips that were taken for none, with a verdict on each."""

    table: Table
    """The breaks, then the dips that were left out."""
    n_breaks: int
    """How many rows are breaks."""
    verdicts: tuple[Verdict, ...]
    """One for each row."""
    history: tuple[tuple[int, Verdict], ...] = field(default_factory=tuple)
    """Row and verdict before, of each change, for undo."""

    def judged(self, row: int, verdict: Verdict) -> Review:
        """Return the review after a verdict."""
        verdicts = list(self.verdicts)
        before, verdicts[row] = verdicts[row], verdict
        return replace(self, verdicts=tuple(verdicts), history=(*self.history, (row, before)))

    def undone(self) -> tuple[Review, int]:
        """Return the review before the last verdict, and its row; -1 when there is none."""
        if not self.history:
            return self, -1
        *rest, (row, before) = self.history
        verdicts = list(self.verdicts)
        verdicts[row] = before
        return replace(self, verdicts=tuple(verdicts), history=tuple(rest)), row

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Rows that count as breaks: found and not rejected, or left out and accepted."""
        return np.array(
            [
                verdict is Verdict.ACCEPTED or (row < self.n_breaks and verdict is Verdict.OPEN)
                for row, verdict in enumerate(self.verdicts)
            ],
            np.bool_,
        )

    @property
    def words(self) -> str:
        """How far it is, for people."""
        seen = sum(verdict is not Verdict.OPEN for verdict in self.verdicts[: self.n_breaks])
        rejected = sum(verdict is Verdict.REJECTED for verdict in self.verdicts[: self.n_breaks])
        added = sum(verdict is Verdict.ACCEPTED for verdict in self.verdicts[self.n_breaks :])
        parts = [f"{seen:,} of {self.n_breaks:,} looked at", f"{rejected:,} rejected"]
        if added:
            parts.append(f"{added:,} added")
        return f"{', '.join(parts)}; {int(self.kept.sum()):,} breaks."


def open_review(folder: Path) -> Review:
    """Open the result of `fibers.breaks`, with the verdicts that were given before.

    Raises
    ------
    InputError
        The folder holds no such result, or the verdicts are of another one.
    """
    breaks = read_table(folder / BREAKS)
    doubtful = read_table(folder / DOUBTFUL) if (folder / DOUBTFUL).is_file() else None
    table = breaks if doubtful is None else _joined(breaks, doubtful)
    verdicts = [Verdict.OPEN] * table.n_rows
    for row, verdict in _notes(folder).items():
        if row >= table.n_rows:
            raise InputError("the verdicts are of another result", where=str(folder / NOTES),
                             fix="Move that file away to begin anew")  # fmt: skip
        verdicts[row] = verdict
    return Review(table, breaks.n_rows, tuple(verdicts))


def keep_notes(review: Review, folder: Path) -> None:
    """Write the verdicts down; the file is replaced as a whole.

    Raises
    ------
    OutputError
        The disk refuses.
    """
    rows = {
        str(row): verdict.value
        for row, verdict in enumerate(review.verdicts)
        if verdict is not Verdict.OPEN
    }
    text = json.dumps({"version": 1, "breaks_sha256": _sha256(folder / BREAKS), "verdicts": rows})
    part = folder / f".{NOTES}.part"
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(folder / NOTES)
    except OSError as error:
        raise OutputError(
            f"the verdicts cannot be written ({error.strerror or error})", where=str(folder),
            fix="Free space, or copy the result to a folder that can be written",
        ) from error  # fmt: skip


def reviewed_table(review: Review) -> Table:
    """Return the breaks that are left, with a column ``verdict``."""
    kept = review.kept
    verdict = np.array([item.value for item in review.verdicts])[kept]
    return Table(
        (*review.table.columns, Column("verdict", "", "What a person said: open or accepted.")),
        (*(values[kept] for values in review.table.values), verdict),
        review.table.facts,
    )


def made_by_review(review: Review, folder: Path) -> dict[str, Any]:
    """Return how a reviewed table was made, as plain data for its description."""
    said = [verdict.value for verdict in review.verdicts]
    return {
        "reviewed": {
            "breaks_sha256": _sha256(folder / BREAKS),
            **{verdict.value: said.count(verdict.value) for verdict in Verdict},
        },
        "made": read_about(folder / BREAKS),
    }


def _joined(breaks: Table, doubtful: Table) -> Table:
    names = [column.name for column in breaks.columns]
    if names != [column.name for column in doubtful.columns]:
        raise InputError("breaks and doubtful dips are not of one result", where=DOUBTFUL,
                         fix="Run the step again")  # fmt: skip
    values = [
        np.concatenate([one, other])
        for one, other in zip(breaks.values, doubtful.values, strict=True)
    ]
    numbers = names.index("break")
    values[numbers] = np.arange(1, len(values[numbers]) + 1)
    return Table(breaks.columns, tuple(values), breaks.facts)


def _notes(folder: Path) -> Mapping[int, Verdict]:
    file = folder / NOTES
    if not file.is_file():
        return {}
    try:
        if file.stat().st_size > _MAX_BYTES:
            raise ValueError("it is too large")
        plain = json.loads(file.read_text(encoding="utf-8"))
        if plain["breaks_sha256"] != _sha256(folder / BREAKS):
            raise ValueError("they are of another result")
        return {int(row): Verdict(value) for row, value in plain["verdicts"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"the verdicts cannot be read ({error})"[:200], where=str(file),
            fix="Move that file away to begin anew",
        ) from error  # fmt: skip


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
