"""The list of runs in the drawer: progress, and what can be done with each."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QListView,
    QPlainTextEdit,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from alsct_gui.placement.runs.model import RunView
from alsct_gui.ui.runs.follow import RunFollower
from alsct_gui.ui.runs.rows import RunRow, row_of
from alsct_gui.ui.session import Level, Notice, Session
from alsct_gui.ui.tasks import Tasks
from alsct_gui.ui.theme.style import digits_font, tokens
from alsct_gui.ui.widgets.marks import MARK_PX, draw_mark
from alsct_gui.ui.widgets.parts import EmptyState, button

ROW_ROLE = int(Qt.ItemDataRole.UserRole)
_ROW_PX = 48
_Index = QModelIndex | QPersistentModelIndex


class RunRows(QAbstractListModel):
    """The rows, changed in place; the list is only laid out anew when runs come or go."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: tuple[RunRow, ...] = ()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 (Qt's signature)
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: _Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        if not index.isValid():
            return None
        row = self.rows[index.row()]
        if role == ROW_ROLE:
            return row
        if role == Qt.ItemDataRole.ToolTipRole:
            return row.tip
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{row.title}, {row.words}"
        return None

    def take(self, rows: tuple[RunRow, ...]) -> None:
        """Show other rows."""
        before = self.rows
        if [row.id for row in rows] != [row.id for row in before]:
            self.beginResetModel()
            self.rows = rows
            self.endResetModel()
            return
        self.rows = rows
        for place, (old, new) in enumerate(zip(before, rows, strict=True)):
            if old != new:
                self.dataChanged.emit(self.index(place), self.index(place))


class RunsPanel(QWidget):
    """Runs, newest first; buttons for the one that is selected; its log beside it."""

    def __init__(self, session: Session, tasks: Tasks, follower: RunFollower) -> None:
        super().__init__()
        self._session, self._tasks, self._follower = session, tasks, follower
        self.model = RunRows()
        self.view = QListView()
        self.view.setModel(self.model)
        self.view.setItemDelegate(_RunPainter(self.view))
        self.view.setUniformItemSizes(True)
        self.view.setAccessibleName("Runs")
        self.log = QPlainTextEdit()
        self.log.setToolTip("What the selected run wrote down")
        self.log.setAccessibleName("Log of the run")
        self.log.setReadOnly(True)
        self.log.setPlaceholderText("The log of the selected run")
        self.log.setMaximumBlockCount(2000)
        looks = "Opens it in the viewer, also while the rest of its slices is being made"
        self._show = button("Show result", self._do_show, tip=looks)
        self._cancel = button("Cancel", self._do_cancel, tip="Ends it; what it wrote is removed")
        self._retry = button("Start again", self._do_retry, tip="Goes on where it stopped")
        self._first = button("Run next", self._do_first, tip="Puts it before the others")
        self._forget = button("Remove from list", self._do_forget, tip="The result stays")
        self._copy = button("Copy log", self._do_copy, tip="With all that its process printed")
        self._pages = QStackedWidget()
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setHandleWidth(2)
        split.addWidget(self.view)
        split.addWidget(self.log)
        split.setSizes([520, 360])
        self._pages.addWidget(split)
        self._pages.addWidget(
            EmptyState("No runs yet", "“Reconstruct here” queues a whole scan on this workstation.")
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 8, 16, 8)
        column.setSpacing(8)
        column.addWidget(self._pages, 1)
        row = QHBoxLayout()
        row.setSpacing(8)
        self._buttons: tuple[QPushButton, ...] = (
            self._show, self._cancel, self._retry, self._first, self._forget, self._copy,
        )  # fmt: skip
        for part in self._buttons:
            row.addWidget(part)
        row.addStretch(1)
        column.addLayout(row)
        session.runs_changed.connect(self._take)
        self.view.selectionModel().currentChanged.connect(lambda *_: self._allow())
        self.view.doubleClicked.connect(lambda _: self._do_show())
        self._take(session.runs)

    @property
    def chosen(self) -> RunRow | None:
        """The row that is selected."""
        index = self.view.currentIndex()
        return index.data(ROW_ROLE) if index.isValid() else None

    def renew_icons(self) -> None:
        """Draw the rows in the theme's colours."""
        self.view.viewport().update()

    def close(self) -> bool:
        """Put away."""
        self._session.runs_changed.disconnect(self._take)
        return super().close()

    def _take(self, views: tuple[RunView, ...]) -> None:
        kept = self.chosen
        self.model.take(tuple(row_of(view) for view in views))
        self._pages.setCurrentIndex(0 if views else 1)
        ids = [row.id for row in self.model.rows]
        if kept is not None and kept.id in ids:
            self.view.setCurrentIndex(self.model.index(ids.index(kept.id)))
        elif ids:
            self.view.setCurrentIndex(self.model.index(0))
        self._allow()

    def _tell(self) -> None:
        """Show the log of the selected run, as far as it has come."""
        row = self.chosen
        text = row.log if row is not None else ""
        if text != self.log.toPlainText():
            self.log.setPlainText(text)
            bar = self.log.verticalScrollBar()
            bar.setValue(bar.maximum())

    def _do_copy(self) -> None:
        row = self.chosen
        if row is not None:
            self._tasks.start(self._copy_log(row), "Reading the log")

    async def _copy_log(self, row: RunRow) -> None:
        printed = await self._follower.log_of(row.id)
        QApplication.clipboard().setText(f"{row.tip}\n\n{row.log}\n\n{printed}".strip())
        self._session.notice(Notice(Level.INFO, f"Copied: the log of {row.title}."))

    def _allow(self) -> None:
        row = self.chosen
        self._show.setEnabled(row is not None and row.shows is not None)
        self._cancel.setEnabled(row is not None and row.may_cancel)
        self._retry.setEnabled(row is not None and row.may_retry)
        self._first.setEnabled(row is not None and row.may_move)
        self._forget.setEnabled(row is not None and row.may_forget)
        self._copy.setEnabled(row is not None)
        self._tell()

    def _do_show(self) -> None:
        row = self.chosen
        if row is not None and row.shows is not None:
            self._session.show_volume(row.shows)

    def _do_cancel(self) -> None:
        row = self.chosen
        if row is not None and row.may_cancel:
            self._follower.order(f"Cancelling {row.title}", lambda queue: queue.cancel(row.id))

    def _do_retry(self) -> None:
        row = self.chosen
        if row is not None and row.may_retry:
            self._follower.order(f"Starting {row.title} again", lambda queue: queue.retry(row.id))

    def _do_first(self) -> None:
        row = self.chosen
        if row is not None and row.may_move:
            self._follower.order(f"Moving {row.title}", lambda queue: queue.move(row.id, 0))

    def _do_forget(self) -> None:
        row = self.chosen
        if row is not None and row.may_forget:
            self._follower.order(f"Removing {row.title}", lambda queue: queue.forget(row.id))


class _RunPainter(QStyledItemDelegate):
    """Mark, title and state; the product at the right; a thin bar while it runs."""

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(200, _ROW_PX)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        row: RunRow = index.data(ROW_ROLE)
        now = tokens()
        box = option.rect
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(box, QColor(now.hover))
        draw_mark(
            painter, QRectF(box.left() + 8, box.top() + 7, MARK_PX, MARK_PX), row.state, row.share
        )
        title, small = QFont(option.font), digits_font(option.font)
        title.setWeight(QFont.Weight.DemiBold)
        small.setPixelSize(11)
        inner = box.adjusted(32, 5, -12, -8)
        upper = QRect(inner.left(), inner.top(), inner.width(), 18)
        lower = QRect(inner.left(), inner.top() + 18, inner.width(), 16)
        end = Qt.TextElideMode.ElideRight
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setFont(small)
        painter.setPen(QColor(now.faint))
        output_px = min(upper.width() // 2, QFontMetrics(small).horizontalAdvance(row.output))
        product = QFontMetrics(small).elidedText(
            row.output, Qt.TextElideMode.ElideMiddle, output_px
        )
        painter.drawText(upper, middle | Qt.AlignmentFlag.AlignRight, product)
        words = QFontMetrics(small).elidedText(row.words, end, lower.width())
        painter.drawText(lower, middle, words)
        painter.setFont(title)
        painter.setPen(QColor(now.text))
        room = upper.width() - output_px - 12
        painter.drawText(upper, middle, QFontMetrics(title).elidedText(row.title, end, room))
        if row.share is not None:
            track = QRect(inner.left(), box.bottom() - 6, inner.width(), 3)
            painter.fillRect(track, QColor(now.line))
            track.setWidth(round(inner.width() * row.share))
            painter.fillRect(track, QColor(now.moving))
        painter.restore()
