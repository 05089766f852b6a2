"""Everything that the window shows of a ledger, made at once from one snapshot. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from alsct_gui.placement.feed import FeedState, Snapshot
from alsct_gui.placement.throughput import NOTE as THROUGHPUT_NOTE
from alsct_gui.ui.board.catchup import CatchUp, catch_up
from alsct_gui.ui.board.debt import Debt, debt_line, debts, person_line
from alsct_gui.ui.board.forecast import NOTE as FORECAST_NOTE
from alsct_gui.ui.board.forecast import Forecast, forecast_of
from alsct_gui.ui.board.links import Chip, chips_of
from alsct_gui.ui.board.rows import Board, BoardMaker
from alsct_gui.ui.board.throughput import Sample, samples_of


@dataclass(frozen=True, slots=True)
class BoardView:
    """One moment of the ledger, as it is shown."""

    snapshot: Snapshot
    """What it was made from."""
    now_s: float
    """When it was made, seconds since 1970."""
    board: Board = field(default_factory=Board)
    """Scans against places."""
    debts: tuple[Debt, ...] = ()
    """What each site outside lacks."""
    line: str = ""
    """The debt in one line."""
    person: str = ""
    """How many scans wait for a person; empty for none."""
    chips: tuple[Chip, ...] = ()
    """The chain of links."""
    catch_up: CatchUp = field(default_factory=CatchUp)
    """What is owed, moves, and waits for a person."""
    samples: tuple[Sample, ...] = ()
    """What went through the lanes of late."""
    forecast: Forecast | None = None
    """What NERSC says of the time to come."""

    @property
    def can_be_read(self) -> bool:
        """Whether the ledger could be read just now."""
        return self.snapshot.state is FeedState.OPEN

    @property
    def owed(self) -> int:
        """Scans of which anything is owed outside."""
        return sum(debt.scans for debt in self.debts)


def view_of(
    maker: BoardMaker, snapshot: Snapshot, now_s: float, *, configured: bool = True,
    logs_in: bool = False,
) -> BoardView:  # fmt: skip
    """Make everything that is shown of a snapshot.

    Parameters
    ----------
    maker
        Makes the board, and knows the one before.
    snapshot
        What the ledger says.
    now_s
        Seconds since 1970.
    configured
        Whether a facility is set up here.
    logs_in
        Whether Globus knows a person here, who can log in.
    """
    samples = samples_of(snapshot.notes.get(THROUGHPUT_NOTE))
    forecast = forecast_of(snapshot.notes.get(FORECAST_NOTE))
    read_s = snapshot.time_s or now_s
    made = maker.make(snapshot.observed, snapshot.progress, read_s, snapshot.touched)
    board = replace(made, now_s=now_s)
    owed = debts(board, maker.names, samples, now_s)
    outages = forecast.outages if forecast is not None else ()
    return BoardView(
        snapshot, now_s, board, owed, debt_line(owed, board, now_s), person_line(board),
        chips_of(
            snapshot, board.waits, now_s, outages, configured=configured, logs_in=logs_in
        ),
        catch_up(board, owed, maker.names, now_s), samples, forecast,
    )  # fmt: skip
