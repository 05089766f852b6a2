"""What is chosen on the board, and which goals a command is then about. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from alsct_gui.model.placement import GoalKey, GoalRecord, StateKind
from alsct_gui.model.policy import WISHABLE
from alsct_gui.ui.board.cells import Cell
from alsct_gui.ui.board.columns import Column, Kind
from alsct_gui.ui.board.rows import Row
from alsct_gui.ui.session import OnBoard
from alsct_gui.ui.widgets.marks import State


@dataclass(frozen=True, slots=True)
class Chosen:
    """Rows and cells that are selected."""

    rows: tuple[Row, ...] = ()
    """Rows in which anything is selected, once each."""
    cells: tuple[tuple[Row, Column, Cell], ...] = ()
    """Cells that are selected; all of a row whose scan is selected."""

    @property
    def scans(self) -> tuple[str, ...]:
        """The scans, as the ledger calls them; files that are no scans yet are left out."""
        return tuple(row.id for row in self.rows if row.scan is not None)

    @property
    def open(self) -> tuple[GoalRecord, ...]:
        """Goals that are wanted and not met."""
        return tuple(record for record in self._records if _is_open(record))

    @property
    def moving(self) -> tuple[GoalRecord, ...]:
        """Goals that something is under way for."""
        return tuple(record for record in self._records if record.work)

    @property
    def held(self) -> tuple[GoalRecord, ...]:
        """Goals that a person holds back."""
        return tuple(record for record in self.open if record.held)

    @property
    def wantable(self) -> tuple[tuple[Row, Column], ...]:
        """Places at which something could be wanted that is not, and is not forbidden."""
        return tuple(
            (row, column)
            for row, column, cell in self.cells
            if cell.state is State.NOT_WANTED and row.scan is not None
            and column.product in WISHABLE
        )  # fmt: skip

    @property
    def unwantable(self) -> tuple[GoalRecord, ...]:
        """Goals that a person can take back: of all but the raw file where it was admitted."""
        return tuple(
            record
            for row, column, cell in self.cells
            if column.product in WISHABLE and row.scan is not None
            for record in cell.records
            if _is_open(record)
        )

    @property
    def _records(self) -> tuple[GoalRecord, ...]:
        return tuple(r for _, _, cell in self.cells for r in cell.records if r.key)


def chosen_of(
    rows: tuple[Row, ...], columns: tuple[Column, ...], places: Iterable[tuple[int, int]]
) -> Chosen:
    """Return what is chosen.

    Parameters
    ----------
    rows, columns
        What is shown.
    places
        Row and column of each selected field; column 0 stands for the whole scan.
    """
    by_row: dict[int, set[int]] = {}
    for place, column in places:
        by_row.setdefault(place, set()).add(column)
    cells: list[tuple[Row, Column, Cell]] = []
    for place, own in sorted(by_row.items()):
        row = rows[place]
        shown = range(len(columns)) if 0 in own else sorted(column - 1 for column in own)
        cells += [(row, columns[number], row.cells[number]) for number in shown]
    return Chosen(tuple(rows[place] for place in sorted(by_row)), tuple(cells))


def on_board(chosen: Chosen) -> OnBoard:
    """Return what the commands have to know, in one pass over what is chosen."""
    goals = moving = held = wantable = unwantable = 0
    for row, column, cell in chosen.cells:
        wishable = column.product in WISHABLE and row.scan is not None
        wantable += wishable and cell.state is State.NOT_WANTED
        for record in cell.records if row.scan is not None else ():
            if record.work:
                moving += 1
            if _is_open(record):
                goals += 1
                held += record.held
                unwantable += wishable
    return OnBoard(
        scans=len(chosen.scans), goals=goals, moving=moving, held=held, wantable=wantable,
        unwantable=unwantable, arrivals=len(chosen.rows) - len(chosen.scans),
    )  # fmt: skip


def by_column(
    places: Iterable[tuple[Row, Column]],
) -> dict[Kind, tuple[str, ...]]:
    """Return the scans of each product, place and analysis."""
    found: dict[Kind, list[str]] = {}
    for row, column in places:
        found.setdefault(column.kind, []).append(row.id)
    return {kind: tuple(dict.fromkeys(scans)) for kind, scans in found.items()}


def by_suffix(records: Iterable[GoalRecord]) -> dict[GoalKey, tuple[str, ...]]:
    """Return the scans of each product, place and recipe."""
    found: dict[GoalKey, list[str]] = {}
    for record in records:
        key = GoalKey.parse(record.key)
        found.setdefault(GoalKey("", key.product, key.place, key.recipe), []).append(key.scan)
    return {key: tuple(dict.fromkeys(scans)) for key, scans in found.items()}


def _is_open(record: GoalRecord) -> bool:
    return record.state.kind not in (StateKind.MET, StateKind.NOT_WANTED)
