"""The board itself: the debt in one line, filters and commands, scans against places."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from PySide6.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPoint,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QHideEvent, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QPushButton,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from alsct_gui.ui.actions.book import ActionBook
from alsct_gui.ui.board.choosing import Chosen, chosen_of, on_board
from alsct_gui.ui.board.columns import Names
from alsct_gui.ui.board.emptywords import Missing, missing_words
from alsct_gui.ui.board.model import ROW_ROLE, BoardModel
from alsct_gui.ui.board.rows import Filter, Row, shown_rows
from alsct_gui.ui.board.table import BoardTable
from alsct_gui.ui.board.view import BoardView
from alsct_gui.ui.services import Facility
from alsct_gui.ui.session import Session
from alsct_gui.ui.tasks import Tasks
from alsct_gui.ui.theme.icons import icon
from alsct_gui.ui.widgets.marks import Mark, State
from alsct_gui.ui.widgets.parts import (
    GAP_PX,
    MARGIN_PX,
    ElidedLabel,
    EmptyState,
    button,
    centred,
    label,
    set_role,
)

FIELD_PX = 240
TELL_MS = 200
_FILTERS = {
    Filter.ALL: ("All", "Every scan that the ledger knows"),
    Filter.OWED: ("Owed", "Scans of which something is owed to a place outside"),
    Filter.MOVING: ("Moving", "Scans of which something is under way"),
    Filter.BLOCKED: ("Blocked", "Scans that wait for a person"),
    Filter.HELD: ("Held", "Scans that a person holds back"),
}
COMMANDS = (
    "board.retry", "board.hold", "board.release", "board.prioritise", "board.stop", "board.cancel",
)  # fmt: skip
_MENU = (
    "board.retry", "", "board.hold", "board.release", "board.prioritise",
    "board.reset_priority", "", "board.stop", "board.cancel", "", "board.proposal", "board.want",
    "board.unwant", "", "board.copy",
)  # fmt: skip


class BoardPage(QWidget):
    """Scans against places.

    Parameters
    ----------
    session, tasks, book
        What every panel gets.
    facility
        Which ledger and policy, for the words where there is nothing.
    names
        What places are called.
    """

    row_chosen = Signal(str)  # id of the row that is current; empty for none

    def __init__(
        self, session: Session, tasks: Tasks, book: ActionBook, facility: Facility, names: Names
    ) -> None:
        super().__init__()
        self.setObjectName("panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._session, self._tasks, self._book = session, tasks, book
        self._facility = facility
        self.setMinimumWidth(480)  # it stands in a stack, and must not widen what is beside it
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._filter = Filter.ALL
        self._row = ""
        self._selecting: asyncio.Task[Any] | None = None
        # All of ten thousand rows may be selected: what can be asked of them is not counted
        # at every change of the ledger.
        self._telling = QTimer(self)
        self._telling.setSingleShot(True)
        self._telling.setInterval(TELL_MS)
        self._telling.timeout.connect(self._tell)
        self.model = BoardModel(names, self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._make_line())
        column.addWidget(self._make_bar())
        self.banner = label("", "caution", wrap=True)
        self.banner.setContentsMargins(MARGIN_PX, 0, MARGIN_PX, GAP_PX)
        column.addWidget(self.banner)
        self.view = BoardTable(self.model, lambda: self._row)
        self.view.customContextMenuRequested.connect(self._menu)
        self.view.selectionModel().currentChanged.connect(self._chosen)
        self.view.selectionModel().selectionChanged.connect(lambda *_: self._tell())
        self.model.modelReset.connect(self._tell)
        self.empty = QWidget()
        self.nothing = EmptyState(
            "No scan fits",
            "Other words or another filter show more.",
            (("Show all", self.show_all),),
        )
        self._missing: Missing | None = None
        self.setFocusProxy(self.view)
        self._pages = QStackedWidget()
        for page in (self.view, self.empty, self.nothing):
            self._pages.addWidget(page)
        column.addWidget(self._pages, 1)
        self._find = QShortcut(QKeySequence("Ctrl+F"), self, lambda: self.typed.setFocus())
        session.board_changed.connect(self.take)
        session.selection_changed.connect(self._mark)
        self.renew_icons()
        self._say_missing(session.board)

    # -- building ----------------------------------------------------------------------

    def _make_line(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(MARGIN_PX, GAP_PX, MARGIN_PX, 0)
        row.setSpacing(GAP_PX)
        self.line = ElidedLabel("", "title")
        row.addWidget(self.line, 1)
        self.person_mark = Mark(State.BLOCKED)
        self.person = button("", lambda: self.choose_filter(Filter.BLOCKED), role="link")
        self.person.setToolTip("Shows the scans that wait for a person")
        self.line.setFixedHeight(self.person.sizeHint().height())
        row.addWidget(self.person_mark)
        row.addWidget(self.person)
        return row

    def _make_bar(self) -> QWidget:
        self.bar = QWidget()
        row = QHBoxLayout(self.bar)
        row.setContentsMargins(MARGIN_PX, 4, MARGIN_PX, GAP_PX)
        row.setSpacing(4)
        self.typed = QLineEdit()
        self.typed.setPlaceholderText("Filter by sample, proposal or name")
        self.typed.setAccessibleName("Filter")
        self.typed.setToolTip("Shows scans that hold every word, in any order (Ctrl+F)")
        self.typed.setClearButtonEnabled(True)
        self.typed.setMinimumWidth(144)
        self.typed.setMaximumWidth(FIELD_PX)
        self.typed.textChanged.connect(lambda _: self._fill())
        self.typed.returnPressed.connect(self._take_first)
        row.addWidget(self.typed, 1)
        row.addSpacing(4)
        self._group = QButtonGroup(self)
        self.chips: dict[Filter, QPushButton] = {}
        for which, (title, tip) in _FILTERS.items():
            chip = QPushButton(title)
            chip.setCheckable(True)
            chip.setChecked(which is self._filter)
            chip.setToolTip(tip)
            set_role(chip, "chip")
            chip.clicked.connect(lambda _=False, which=which: self.choose_filter(which))
            self._group.addButton(chip)
            self.chips[which] = chip
            row.addWidget(chip)
        row.addStretch(0)
        self.buttons: dict[str, QToolButton] = {}
        for key in COMMANDS:
            self.buttons[key] = self._book.button(key)
            self.buttons[key].setAccessibleName(self._book[key].text())
            row.addWidget(self.buttons[key])
        self.more = QToolButton()
        self.more.setToolTip("Everything that can be asked for the selected cells")
        self.more.setAccessibleName("More commands")
        self.more.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.more.clicked.connect(self._show_more)
        row.addWidget(self.more)
        return self.bar

    # -- what is shown -----------------------------------------------------------------

    @property
    def chosen(self) -> Chosen:
        """What is selected."""
        selection = self.view.selectionModel().selection()
        places = (
            (row, column)
            for part in map(selection.at, range(selection.size()))
            for row in range(part.top(), part.bottom() + 1)
            for column in range(part.left(), part.right() + 1)
        )
        return chosen_of(self.model.rows, self.model.columns, places)

    @property
    def current(self) -> Row | None:
        """The row whose timeline is shown; None for none."""
        place = self.model.row_of(self._row)
        return self.model.rows[place] if place >= 0 else None

    @property
    def current_column(self) -> int:
        """Number of the column that is current; -1 for the scan itself or none."""
        return self.view.currentIndex().column() - 1 if self.view.currentIndex().isValid() else -1

    def take(self, view: BoardView) -> None:
        """Show what the ledger says now."""
        self.line.set_text(view.line)
        self.person.setText(view.person)
        for part in (self.person, self.person_mark):
            part.setVisible(bool(view.person))
        self.person_mark.show_state(State.BLOCKED, view.person)
        for which, chip in self.chips.items():
            count = view.board.counts.get(which, 0)
            chip.setText(f"{_FILTERS[which][0]} {count}" if view.board.rows else _FILTERS[which][0])
            chip.setVisible(which is not Filter.HELD or bool(count) or which is self._filter)
        stale = view.snapshot.sentence if view.board.rows else ""
        self.banner.setText(f"{stale} What was known last is shown." if stale else "")
        self.banner.setVisible(bool(stale))
        self._fill(keep=True)
        self._say_missing(view)
        self.view.viewport().update()  # countdowns go on though no row has changed

    def choose_filter(self, which: Filter) -> None:
        """Show other rows."""
        self._filter = which
        self.chips[which].setChecked(True)
        self.chips[which].setVisible(True)
        self._fill()

    def show_all(self) -> None:
        """Take filters and words away."""
        self.typed.clear()
        self.choose_filter(Filter.ALL)

    def show_only(self, scans: tuple[str, ...]) -> None:
        """Select the rows of some scans, and bring the first of them into sight."""
        self.show_all()
        model = self.view.selectionModel()
        flags = QItemSelectionModel.SelectionFlag
        places = {row.id: place for place, row in enumerate(self.model.rows)}
        found = [places[scan] for scan in scans if scan in places]
        wanted = QItemSelection()
        for place in found:
            wanted.select(self.model.index(place, 0), self.model.index(place, 0))
        model.select(wanted, flags.ClearAndSelect)
        if found:
            first = self.model.index(min(found), 0)
            model.setCurrentIndex(first, flags.NoUpdate)
            self.view.scrollTo(first)
        self.view.setFocus()

    def choose(self, name: str) -> None:
        """Make a row current, by its id."""
        place = self.model.row_of(name)
        if place < 0:
            return
        index = self.model.index(place, 0)
        self.view.selectionModel().setCurrentIndex(
            index, QItemSelectionModel.SelectionFlag.ClearAndSelect
        )
        self.view.scrollTo(index)

    def renew_icons(self) -> None:
        """Draw icons and cells in the theme's colours."""
        self.more.setIcon(icon("more"))
        self.person_mark.update()
        self.view.viewport().update()
        self.view.horizontalHeader().viewport().update()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._tell()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._tell()

    def close(self) -> bool:
        """Put away."""
        self._session.board_changed.disconnect(self.take)
        self._session.selection_changed.disconnect(self._mark)
        self._telling.stop()
        if self._selecting is not None:
            self._selecting.cancel()
        return super().close()

    def _fill(self, *, keep: bool = False) -> None:
        view = self._session.board
        if view is None:
            return
        rows = shown_rows(view.board, self._filter, self.typed.text())
        self.view.take(view.board, rows, keep=keep)
        self._choose_page()
        if not self._telling.isActive():
            self._telling.start()

    def _choose_page(self) -> None:
        view = self._session.board
        some = view is not None and bool(view.board.rows)
        self.bar.setVisible(some)
        if not some:
            self._pages.setCurrentWidget(self.empty)
        else:
            self._pages.setCurrentWidget(self.view if self.model.rows else self.nothing)

    def _say_missing(self, view: BoardView | None) -> None:
        """Say why there is nothing, and how scans get in."""
        missing = missing_words(view, self._facility, self._session.selected)
        if missing == self._missing:
            return
        self._missing = missing
        actions = tuple(
            (self._book[key].text(), self._book[key].trigger) for key in missing.actions
        )
        fresh = centred(EmptyState(missing.title, missing.words, actions))
        self._pages.addWidget(fresh)
        self._pages.removeWidget(self.empty)
        self.empty.deleteLater()
        self.empty = fresh
        self._choose_page()

    # -- choosing ----------------------------------------------------------------------

    def _chosen(self, now: QModelIndex, _: QModelIndex) -> None:
        if not now.isValid():
            return
        row: Row = now.data(ROW_ROLE)
        self._row = row.id
        self.view.viewport().update()
        self.row_chosen.emit(row.id)
        self._selecting = self._tasks.start(
            self._select(row.path), f"Selecting {row.title}", instead_of=self._selecting
        )

    async def _select(self, path: Path) -> None:
        """Select the scan in the whole window, if its file is there."""
        if await asyncio.to_thread(path.exists) and self._row_path() == path:
            self._session.select(path)

    def _row_path(self) -> Path | None:
        row = self.current
        return row.path if row is not None else None

    def _mark(self, path: Path | None) -> None:
        """Follow the selection of the window."""
        if path is not None and path != self._row_path():
            found = next((row.id for row in self.model.rows if row.path == path), "")
            if found:
                self.choose(found)
        self._say_missing(self._session.board)

    def _tell(self) -> None:
        """Say what is chosen; nothing can be asked of what is out of sight."""
        chosen = self.chosen if self.isVisible() else Chosen()
        self._session.set_on_board(on_board(chosen))

    def _take_first(self) -> None:
        if self.model.rows:
            self.choose(self.model.rows[0].id)
            self.view.setFocus()

    def _menu(self, at: QPoint) -> None:
        index = self.view.indexAt(at)
        if index.isValid() and not self.view.selectionModel().isSelected(index):
            self.view.setCurrentIndex(index)
        self._popup(self.view.viewport().mapToGlobal(at))

    def _show_more(self) -> None:
        self._popup(self.more.mapToGlobal(self.more.rect().bottomLeft()))

    def _popup(self, at: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for key in _MENU:
            if key:
                menu.addAction(self._book[key])
            else:
                menu.addSeparator()
        menu.popup(at)
