"""Rows of label and field for single settings: shown from the recipe, marked where wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QStandardItemModel, QWheelEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QGridLayout, QLineEdit, QWidget

from alsct_gui.model.errors import RecipeError
from alsct_gui.model.recipe import Recipe
from alsct_gui.ui.reconstruct.fields import FieldInfo
from alsct_gui.ui.reconstruct.values import (
    is_on,
    parse,
    short_sentence,
    stepped,
    text_of,
    trouble,
    value_at,
)
from alsct_gui.ui.theme.style import digits_font
from alsct_gui.ui.widgets.parts import GAP_PX, ElidedCombo, label, set_state

LABEL_PX = 96
UNIT_PX = 24
Change = Callable[[FieldInfo, Any], None]
Settle = Callable[[], None]


class CalmCombo(ElidedCombo):
    """A choice that the wheel does not change while one scrolls past it."""

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(4)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


class ValueEdit(QLineEdit):
    """A line for a value: Enter or leaving takes it, Esc gives the old one back, arrows step."""

    taken = Signal()
    dropped = Signal()
    stepped = Signal(int)
    left = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1, Qt.Key.Key_PageUp: 10,
                 Qt.Key.Key_PageDown: -10}  # fmt: skip
        key = Qt.Key(event.key())
        if key in steps:
            self.stepped.emit(steps[key])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
            self.taken.emit()
        elif key == Qt.Key.Key_Escape and self.isModified():
            self.dropped.emit()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self.taken.emit()
            self.left.emit()


class FieldRow(QWidget):
    """Label, field, unit; below them what is wrong. Subclasses make the field.

    Parameters
    ----------
    info
        The setting.
    change
        Gives it a value; raises `RecipeError` when that does not fit.
    settle
        Called when editing ends, so that the next change is undone by itself.
    """

    def __init__(self, info: FieldInfo, change: Change, settle: Settle) -> None:
        super().__init__()
        self.info, self._change, self._settle = info, change, settle
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(GAP_PX)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnMinimumWidth(0, LABEL_PX)
        self._grid.setColumnStretch(1, 1)
        self.name = label(info.label, "faint")
        self.name.setToolTip(info.tip)
        self._grid.addWidget(self.name, 0, 0)
        self.wrong = label("", "wrong", wrap=True)
        self.wrong.hide()
        self._grid.addWidget(self.wrong, 1, 1, 1, 2)
        # Numbers leave room for a unit also where there is none, so that they end in one line.
        self._has_unit = info.kind in ("number", "integer", "pair")

    def _place(self, field: QWidget) -> None:
        field.setToolTip(self.info.tip)
        field.setAccessibleName(self.info.label)
        self.name.setBuddy(field)
        self._grid.addWidget(field, 0, 1, 1, 1 if self._has_unit else 2)
        if self._has_unit:
            unit = label(self.info.unit, "faint")
            unit.setFixedWidth(UNIT_PX)
            self._grid.addWidget(unit, 0, 2)
        self.setFocusProxy(field)

    def show_recipe(self, recipe: Recipe) -> None:
        """Show the setting as the recipe has it."""
        raise TypeError(f"{type(self).__name__} shows nothing")

    def _try(self, value: Any) -> bool:
        """Give the setting a value; marks the field when it does not fit."""
        try:
            self._change(self.info, value)
        except RecipeError as error:
            self.mark(short_sentence(error))
            return False
        self.mark("")
        return True

    def mark(self, words: str) -> None:
        """Say what is wrong with what stands there; empty words for nothing."""
        self.wrong.setText(words)
        self.wrong.setVisible(bool(words))
        field = self.focusProxy()
        if field is not None:
            set_state(field, "state", "wrong" if words else "")


class TextRow(FieldRow):
    """A number, a pair, a list or a text."""

    def __init__(self, info: FieldInfo, change: Change, settle: Settle) -> None:
        super().__init__(info, change, settle)
        self.edit = ValueEdit()
        if info.kind != "text":
            self.edit.setFont(digits_font(self.edit.font()))
            self.edit.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.edit.setPlaceholderText(info.empty)
        self._place(self.edit)
        self._recipe = Recipe()
        self._value: Any = None
        self.edit.textEdited.connect(lambda text: self.mark(trouble(self._recipe, info, text)))
        self.edit.taken.connect(self._take)
        self.edit.dropped.connect(self._drop)
        self.edit.left.connect(settle)
        self.edit.stepped.connect(self._step)

    def show_recipe(self, recipe: Recipe) -> None:
        self._recipe = recipe
        value = value_at(recipe, self.info.path)
        if self.edit.isModified() and value == self._value:
            return  # what is being typed is not taken away by a change elsewhere
        self._value = value
        self._drop()

    def _take(self) -> None:
        if not self.edit.isModified():
            return
        try:
            value = parse(self.info, self.edit.text())
        except RecipeError as error:
            self.mark(short_sentence(error))
            return
        if self._try(value):
            self._settle()
            self._drop()

    def _drop(self) -> None:
        text = text_of(self.info, self._value)
        if text != self.edit.text():
            self.edit.setText(text)
        self.edit.setModified(False)
        self.mark("")

    def _step(self, steps: int) -> None:
        if self.info.kind in ("number", "integer"):
            self._take()
            if not self.edit.isModified():
                self._try(stepped(self.info, self._value, steps))


class ChoiceRow(FieldRow):
    """One of a few words."""

    def __init__(self, info: FieldInfo, change: Change, settle: Settle) -> None:
        super().__init__(info, change, settle)
        self.combo = CalmCombo()
        self._place(self.combo)
        self.set_choices(info.choices)
        self.combo.activated.connect(self._chosen)

    def set_choices(
        self, choices: Sequence[tuple[Any, str]], barred: Sequence[tuple[Any, str]] = ()
    ) -> None:
        """Offer other choices; barred ones are shown with the reason and cannot be taken."""
        reasons = dict(barred)
        with QSignalBlocker(self.combo):
            kept = self.combo.currentData()
            self.combo.clear()
            for value, words in choices:
                self.combo.addItem(words, value)
                self.combo.setItemData(
                    self.combo.count() - 1, reasons.get(value, ""), Qt.ItemDataRole.ToolTipRole
                )
                model = self.combo.model()
                if value in reasons and isinstance(model, QStandardItemModel):
                    model.item(self.combo.count() - 1).setEnabled(False)
            self._show(kept)

    def show_recipe(self, recipe: Recipe) -> None:
        self._show(value_at(recipe, self.info.path))

    def _show(self, value: Any) -> None:
        with QSignalBlocker(self.combo):
            place = next(
                (k for k in range(self.combo.count()) if self.combo.itemData(k) == value), -1
            )
            if place < 0 and value is not None:
                self.combo.addItem(str(value), value)
                place = self.combo.count() - 1
            self.combo.setCurrentIndex(place)

    def _chosen(self) -> None:
        if self._try(self.combo.currentData()):
            self._settle()


class SwitchRow(FieldRow):
    """On or off; of a part of the recipe, whether it is there."""

    def __init__(self, info: FieldInfo, change: Change, settle: Settle) -> None:
        super().__init__(info, change, settle)
        self.box = QCheckBox("on")
        self._place(self.box)
        self.box.clicked.connect(self._clicked)

    def show_recipe(self, recipe: Recipe) -> None:
        on = is_on(value_at(recipe, self.info.path))
        with QSignalBlocker(self.box):
            self.box.setChecked(on)
        self.box.setText("on" if on else "off")

    def _clicked(self, on: bool) -> None:
        if self._try(on):
            self._settle()


def row_for(info: FieldInfo, change: Change, settle: Settle) -> FieldRow:
    """Make the row that a setting wants."""
    if info.kind == "choice":
        return ChoiceRow(info, change, settle)
    if info.kind in ("switch", "group"):
        return SwitchRow(info, change, settle)
    return TextRow(info, change, settle)
