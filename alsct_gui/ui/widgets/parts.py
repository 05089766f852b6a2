"""Headings, rows of label and field, sections that fold, lines, empty states."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from alsct_gui.ui.theme.icons import icon
from alsct_gui.ui.theme.style import digits_font

MARGIN_PX = 16
GAP_PX = 8
LABEL_PX = 104
_EMPTY_PX = 600


def set_role(widget: QWidget, role: str) -> None:
    """Give a widget a role of the style sheet."""
    set_state(widget, "role", role)


def set_state(widget: QWidget, name: str, value: str) -> None:
    """Set a property that the style sheet looks at, and draw the widget anew."""
    if widget.property(name) == value:
        return
    widget.setProperty(name, value)
    widget.style().unpolish(widget)
    widget.style().polish(widget)


def label(text: str, role: str = "", *, wrap: bool = False) -> QLabel:
    """Return a label; text from outside is never taken for markup."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setWordWrap(wrap)
    if role:
        set_role(made, role)
    if role == "value":
        made.setFont(digits_font(made.font()))
    return made


def padded(spin: QSpinBox) -> QSpinBox:
    """Give a field for numbers the room at its sides that other fields have."""
    # Qt's style sheets do not reach the line inside it.
    spin.lineEdit().setTextMargins(6, 0, 6, 0)
    return spin


def line() -> QFrame:
    """Return a thin horizontal line."""
    made = QFrame()
    set_role(made, "line")
    return made


def button(text: str, does: Callable[[], object], *, role: str = "", tip: str = "") -> QPushButton:
    """Return a button; its text is a verb."""
    made = QPushButton(text)
    made.clicked.connect(lambda: does())
    made.setToolTip(tip)
    if role:
        set_role(made, role)
    return made


class ElidedLabel(QLabel):
    """A label of one line that shortens its text in the middle and tells it all in its tip."""

    def __init__(self, text: str = "", role: str = "") -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._whole = text
        if role:
            set_role(self, role)
        self.set_text(text)

    def set_text(self, text: str) -> None:
        """Show another text."""
        self._whole = text
        self.setToolTip(text)
        self._shorten()

    @property
    def whole(self) -> str:
        """The text before shortening."""
        return self._whole

    def minimumSizeHint(self) -> QSize:
        return QSize(24, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._shorten()

    def _shorten(self) -> None:
        room = max(8, self.width() - 2)
        metrics = QFontMetrics(self.font())
        one_line = " ".join(self._whole.split())
        self.setText(metrics.elidedText(one_line, Qt.TextElideMode.ElideMiddle, room))


class Reading(QLabel):
    """Words that change with every move: as wide as its longest ones were.

    Any other label has the window laid out and painted anew whenever its text changes.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        set_role(self, "value")
        self.setFont(digits_font(self.font()))
        self.clear()

    def clear(self) -> None:
        """Say nothing, and take no room."""
        super().clear()
        self.setFixedSize(0, 0)

    def set_text(self, text: str) -> None:
        """Say something else."""
        self._make_room(text)
        self.setText(text)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange) and self.text():
            self.setFixedSize(0, 0)
            self._make_room(self.text())

    def _make_room(self, text: str) -> None:
        needed = self.fontMetrics().size(0, text) + QSize(2, 0)
        self.setFixedSize(needed.expandedTo(self.minimumSize()))


class ElidedCombo(QComboBox):
    """A choice that shortens its text in the middle: names of runs differ at their ends."""

    _PAD_PX = 4

    def paintEvent(self, _: QPaintEvent) -> None:
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        room = self.style().subControlRect(
            QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, self
        )
        option.currentText = option.fontMetrics.elidedText(
            option.currentText, Qt.TextElideMode.ElideMiddle, room.width() - self._PAD_PX
        )
        painter = QStylePainter(self)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
        painter.end()


class Panel(QWidget):
    """A panel with one job and a heading that says it.

    Parameters
    ----------
    heading
        A noun.
    """

    def __init__(self, heading: str = "") -> None:
        super().__init__()
        self.setObjectName("panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(MARGIN_PX, GAP_PX, MARGIN_PX, GAP_PX)
        self.column.setSpacing(GAP_PX)
        self.header = QHBoxLayout()
        self.header.setSpacing(4)
        if heading:
            self.header.addWidget(label(heading.upper(), "heading"))
            self.header.addStretch(1)
            self.column.addLayout(self.header)


class Rows(QWidget):
    """One column of labels, one of fields."""

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(GAP_PX)
        self._grid.setVerticalSpacing(GAP_PX)
        self._grid.setColumnMinimumWidth(0, LABEL_PX)
        self._grid.setColumnStretch(1, 1)

    def add(self, name: str, field: QWidget, unit: str = "", tip: str = "") -> QLabel:
        """Add a row; returns its label. The tip names the unit."""
        row = self._grid.rowCount()
        words = label(name, "faint")
        words.setBuddy(field)
        for part in (words, field):
            if tip:
                part.setToolTip(tip)
        self._grid.addWidget(words, row, 0)
        self._grid.addWidget(field, row, 1)
        if unit:
            self._grid.addWidget(label(unit, "faint"), row, 2)
        return words


class Section(QWidget):
    """A heading that folds what is below it.

    Parameters
    ----------
    heading
        A noun.
    unfolded
        Whether it starts open.
    """

    def __init__(self, heading: str, *, unfolded: bool = False) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP_PX)
        self._head = QToolButton()
        self._head.setText(heading)
        self._head.setCheckable(True)
        self._head.setToolTip(f"{heading}: folds in or out (Space)")
        self._head.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        set_role(self._head, "section")
        self.body = QWidget()
        self.rows = QVBoxLayout(self.body)
        self.rows.setContentsMargins(0, 0, 0, 0)
        self.rows.setSpacing(GAP_PX)
        column.addWidget(self._head)
        column.addWidget(self.body)
        self._head.toggled.connect(self._fold)
        self._head.setChecked(unfolded)
        self._fold(unfolded)

    def unfold(self, on: bool = True) -> None:
        """Open or close it."""
        self._head.setChecked(on)

    def renew_icons(self) -> None:
        """Draw the arrow in the theme's colours."""
        self._head.setIcon(icon("unfolded" if self._head.isChecked() else "folded"))

    def _fold(self, on: bool) -> None:
        self.body.setVisible(on)
        self.renew_icons()


class EmptyState(QWidget):
    """What stands where there is nothing yet: why, and what to do.

    Parameters
    ----------
    title
        What is missing.
    words
        How it comes.
    actions
        Button texts and what they do; the first is the usual one.
    """

    def __init__(
        self, title: str, words: str, actions: tuple[tuple[str, Callable[[], object]], ...] = ()
    ) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(MARGIN_PX, MARGIN_PX, MARGIN_PX, MARGIN_PX)
        column.setSpacing(GAP_PX)
        column.addStretch(2)
        self.title = label(title, "title")
        self.words = label(words, "faint", wrap=True)
        for part in (self.title, self.words):
            part.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            column.addWidget(part)
        row = QHBoxLayout()
        row.addStretch(1)
        for position, (text, does) in enumerate(actions):
            row.addWidget(button(text, does, role="" if position else "primary"))
        row.addStretch(1)
        column.addSpacing(GAP_PX)
        column.addLayout(row)
        column.addStretch(3)

    def say(self, title: str, words: str) -> None:
        """Show other words."""
        self.title.setText(title)
        self.words.setText(words)


def centred(state: QWidget) -> QWidget:
    """Keep the lines of an empty state short, however wide the panel is."""
    state.setMaximumWidth(_EMPTY_PX)
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.addStretch(1)
    row.addWidget(state, 4)
    row.addStretch(1)
    return holder
