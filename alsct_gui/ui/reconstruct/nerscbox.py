"""Below “Reconstruct here”: the same at NERSC, with the wait, the outages and the time here."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from PySide6.QtWidgets import QVBoxLayout, QWidget

from alsct_gui.model.placement import scan_part
from alsct_gui.model.recipe import Recipe
from alsct_gui.ui.actions.book import ActionBook
from alsct_gui.ui.board.rows import Row
from alsct_gui.ui.reconstruct.nerscwords import Offer, offer_of, volume_place
from alsct_gui.ui.reconstruct.planbox import PlanBox
from alsct_gui.ui.reconstruct.previewplan import is_scan
from alsct_gui.ui.services import Facility
from alsct_gui.ui.session import Level, Notice, Session
from alsct_gui.ui.theme.style import digits_font
from alsct_gui.ui.widgets.parts import button, label


class WantVolume(Protocol):
    """Writes the wish into the ledger; `ui.board.commands` has it."""

    def __call__(
        self, scan: str, path: Path, place: str, recipe: Recipe, *, known: bool, said: str
    ) -> object:
        """Want a reconstruction of one scan at a place."""


class NerscBox(QWidget):
    """The offer first, then the button.

    Parameters
    ----------
    session, book
        What every panel gets.
    facility
        Which ledger and policy.
    plan
        Knows how long it takes here, and runs it here.
    want
        Writes the wish into the ledger.
    """

    def __init__(
        self, session: Session, book: ActionBook, facility: Facility, plan: PlanBox,
        want: WantVolume,
    ) -> None:  # fmt: skip
        super().__init__()
        self._session, self._facility, self._plan, self._want = session, facility, plan, want
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(4)
        self.line = label("", "faint", wrap=True)
        self.line.setFont(digits_font(self.line.font()))
        self.caution = label("", "caution", wrap=True)
        self.run = button("", book["run.nersc"].trigger)
        self.run.setMinimumHeight(30)
        for part in (self.line, self.caution, self.run):
            column.addWidget(part)
        self._action = book.bind("run.nersc", self.run_there)
        self.offer = Offer()
        plan.planned.connect(self._draw)
        session.board_changed.connect(self._draw)
        self._draw()

    def run_there(self) -> None:
        """Want it at NERSC; while NERSC is away, make it here now, too."""
        offer, look, path = self.offer, self._session.look, self._session.selected
        policy, view = self._facility.policy, self._session.board
        place = volume_place(policy) if policy is not None else None
        if offer.refusal:
            self._session.notice(Notice(Level.WARNING, f"{offer.refusal}.", key="nersc"))
            return
        if place is None or look is None or path is None or view is None:
            return
        name = look.people.sample or path.stem
        later = "once it is back" if offer.both else "by itself"
        self._want(
            scan_part(look.identity), path, place.name, self._session.recipe,
            known=self._row() is not None, said=f"{name} is reconstructed at NERSC {later}.",
        )  # fmt: skip
        if offer.both:
            self._plan.run_here()

    def renew_icons(self) -> None:
        """Draw nothing anew: it is made of words."""

    def close(self) -> bool:
        """Put away."""
        self._session.board_changed.disconnect(self._draw)
        return super().close()

    def _row(self) -> Row | None:
        """The scan's row on the board."""
        look, view = self._session.look, self._session.board
        if look is None or not look.identity or view is None:
            return None
        part = scan_part(look.identity)
        if part not in view.board.observed.scans:
            return None
        return next((row for row in view.board.rows if row.id == part), None)

    def _draw(self, _: object = None) -> None:
        look, path = self._session.look, self._session.selected
        policy = self._facility.policy
        offered = (
            policy is not None and self._facility.configured and is_scan(look)
            and volume_place(policy) is not None
        )  # fmt: skip
        self.setVisible(offered)
        if policy is None or look is None or path is None or not offered:
            self.offer = Offer(refusal="No facility is set up here")
        elif not look.identity:
            self.offer = Offer(refusal="The scan has no identity yet")
        else:
            plan = self._plan.plan
            self.offer = offer_of(
                policy, self._session.board, look, self._row(), self._session.recipe,
                plan.seconds_estimate if plan is not None else None, path,
            )  # fmt: skip
        self._show(self.offer)

    def _show(self, offer: Offer) -> None:
        self.line.setText(offer.line)
        self.line.setVisible(bool(offer.line))
        self.line.setToolTip(offer.tip)
        self.caution.setText(offer.caution)
        self.caution.setVisible(bool(offer.caution))
        self.caution.setToolTip(offer.tip)
        self.run.setText(offer.text)
        self.run.setEnabled(not offer.refusal and self._action.isEnabled())
        self.run.setToolTip(f"{offer.refusal}." if offer.refusal else self._action.toolTip())
