"""Flow runs of the orchestrator, and handing scans over to it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QShowEvent
from PySide6.QtWidgets import QInputDialog, QWidget

from alsct_gui.model.profile import FlowOffer
from alsct_gui.placement.asking import ask_hand_over, ask_take_back
from alsct_gui.ui.actions.book import ActionBook
from alsct_gui.ui.board.choosing import Chosen
from alsct_gui.ui.board.commands import BoardCommands
from alsct_gui.ui.board.flows import NOTE, flow_rows, trouble_words
from alsct_gui.ui.board.markup import flows_markup
from alsct_gui.ui.board.richtext import RichText
from alsct_gui.ui.board.view import BoardView
from alsct_gui.ui.session import Session
from alsct_gui.ui.theme.style import tokens
from alsct_gui.ui.widgets.parts import Panel
from alsct_gui.ui.words import count_words


class FlowPanel(Panel):
    """The latest runs, newest first, each with its page.

    Parameters
    ----------
    session
        What the window agrees on.
    """

    def __init__(self, session: Session) -> None:
        super().__init__("Flow runs")
        self._session = session
        self.text = RichText("Flow runs", lambda address: QDesktopServices.openUrl(QUrl(address)))
        self.column.addWidget(self.text, 1)
        session.board_changed.connect(self._take)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._session.board is not None:
            self._take(self._session.board)

    def renew_icons(self) -> None:
        """Draw the text in the theme's colours."""
        self.text.show_anew()
        if self._session.board is not None:
            self._take(self._session.board)

    def close(self) -> bool:
        """Put away."""
        self._session.board_changed.disconnect(self._take)
        return super().close()

    def _take(self, view: BoardView) -> None:
        if self.isVisible():
            note = view.snapshot.notes.get(NOTE, {})
            rows = flow_rows(note, view.now_s)
            self.text.show_markup(flows_markup(rows, trouble_words(note), tokens()))


class FlowCommands:
    """Binds the commands for handing scans over and taking them back.

    Parameters
    ----------
    commands
        Writes into the ledger.
    book
        The commands.
    offers
        What scans can be handed over to, by the profile.
    chosen
        Tells what is selected on the board.
    owner
        Window for questions.
    """

    def __init__(
        self, commands: BoardCommands, book: ActionBook, offers: tuple[FlowOffer, ...],
        chosen: Callable[[], Chosen], owner: QWidget,
    ) -> None:  # fmt: skip
        self._commands, self._offers = commands, offers
        self._chosen, self._owner = chosen, owner
        book.bind("board.hand_over", self.ask)
        book.bind("board.take_back", self.take_back)

    def ask(self) -> None:
        """Ask which flow the chosen scans are handed over to."""
        scans = self._chosen().scans
        if not scans:
            return
        titles = {f"{o.title}  ({o.deployment})" if o.title else o.deployment: o.deployment
                  for o in self._offers}  # fmt: skip
        dialog = QInputDialog(self._owner)
        dialog.setWindowTitle("Hand over to a flow")
        dialog.setLabelText(
            f"Flow that works for {count_words(len(scans), 'scan')}; the agent goes on when it ends"
        )
        dialog.setComboBoxItems(list(titles))
        dialog.setComboBoxEditable(not titles)
        dialog.setOkButtonText("Hand over")
        dialog.textValueSelected.connect(
            lambda title: self.hand_over(scans, titles.get(title, title.strip()))
        )
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def hand_over(self, scans: tuple[str, ...], deployment: str) -> None:
        """Hand scans over to a deployment."""
        said = f"Handed over to {deployment}: {count_words(len(scans), 'scan')}."
        work = partial(ask_hand_over, scans=scans, deployment=deployment)
        self._commands.write("Handing over", work, said, partial(ask_take_back, scans=scans))

    def take_back(self) -> None:
        """Take the chosen scans back."""
        scans = self._chosen().scans
        if scans:
            said = f"Taken back: {count_words(len(scans), 'scan')}."
            self._commands.write("Taking back", partial(ask_take_back, scans=scans), said)
