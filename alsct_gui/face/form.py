"""A form of a step's parameters: rows by tier, marked where they are wrong."""

from __future__ import annotations

from typing import Any

import yaml
from qtpy.QtCore import QObject, QSignalBlocker, Signal
from qtpy.QtWidgets import QCheckBox, QGridLayout, QLabel, QLineEdit, QWidget

from alsct_gui.face.parts import GAP_PX, Choice, Number, Whole, colour_wrong, label, name_label
from alsct_gui.model.errors import RecipeError
from alsct_gui.steps.settings import (
    TIERS,
    Setting,
    Tier,
    parameters_from,
    parameters_to_plain,
    settings_of,
)

_FAR = 1e12


class Field(QObject):
    """One parameter; `changed` is emitted when a person has set it."""

    changed = Signal()

    def __init__(self, setting: Setting, parent: QObject) -> None:
        super().__init__(parent)
        self.setting = setting
        self.editor = self._make()
        self.editor.setToolTip(tip_of(setting))

    def value(self) -> Any:
        """Return plain data as it stands there; not checked.

        Raises
        ------
        RecipeError
            A list of numbers cannot be read.
        """
        editor = self.editor
        if isinstance(editor, Choice):
            return editor.currentData()
        if isinstance(editor, QCheckBox):
            return editor.isChecked()
        if isinstance(editor, QLineEdit):
            return read_text(self.setting, editor.text())
        return editor.value()

    def show_value(self, value: Any) -> None:
        """Show plain data without telling of a change."""
        editor = self.editor
        with QSignalBlocker(editor):
            if isinstance(editor, Choice):
                editor.setCurrentIndex(editor.findData(value))
            elif isinstance(editor, QCheckBox):
                editor.setChecked(bool(value))
            elif isinstance(editor, QLineEdit):
                editor.setText(write_text(value))
            else:
                editor.setValue(value)

    def _make(self) -> Any:
        setting = self.setting
        if setting.kind == "choice":
            choice = Choice()
            if setting.optional:
                choice.addItem(setting.empty or "none", None)
            for value, words in setting.choices:
                choice.addItem(words, value)
            choice.currentIndexChanged.connect(lambda _: self.changed.emit())
            return choice
        if setting.kind == "switch":
            box = QCheckBox()
            box.toggled.connect(lambda _: self.changed.emit())
            return box
        if setting.kind in ("text", "numbers") or setting.optional:
            line = QLineEdit()
            line.setPlaceholderText(setting.empty)
            line.editingFinished.connect(self.changed.emit)
            return line
        whole = setting.kind == "integer"
        box = Whole() if whole else Number()
        low = -_FAR if setting.minimum is None else setting.minimum
        high = _FAR if setting.maximum is None else setting.maximum
        most = 2**31 - 1
        if whole:
            box.setRange(int(max(low, -most)), int(min(high, most)))
            box.setSingleStep(2 if setting.odd else 1)
        else:
            box.setRange(low, high)
        box.valueChanged.connect(lambda _: self.changed.emit())
        return box


class Form(QWidget):
    """All parameters of a step.

    Parameters
    ----------
    parameters
        The step's parameter type.
    theme
        Name of the viewer's theme.
    """

    changed = Signal()
    """The parameters are others than before, and right."""
    wrong = Signal(str)
    """What stands there is not right; the sentence says why."""

    def __init__(self, parameters: type[Any], theme: str) -> None:
        super().__init__()
        self._type = parameters
        self._parameters: Any = parameters()
        self.fields: dict[str, Field] = {}
        self._rows: dict[str, tuple[QWidget, ...]] = {}
        self._marks: dict[str, QLabel] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(GAP_PX)
        grid.setVerticalSpacing(GAP_PX)
        grid.setColumnStretch(1, 1)
        for row, setting in enumerate(settings_of(parameters)):
            self._add(grid, 2 * row, setting, theme)
        self.show_parameters(self._parameters)
        self.show_tier("average")

    def parameters(self) -> Any:
        """Return the last ones that were right."""
        return self._parameters

    def show_parameters(self, parameters: Any) -> None:
        """Show others; tells of no change."""
        self._parameters = parameters
        for name, value in parameters_to_plain(parameters).items():
            self.fields[name].show_value(value)
        self._mark(None)

    def show_tier(self, tier: Tier) -> bool:
        """Show the rows of a tier and of those below it; returns whether there are any."""
        most = TIERS.index(tier)
        shown = False
        for name, widgets in self._rows.items():
            here = TIERS.index(self.fields[name].setting.tier) <= most
            shown = shown or here
            for widget in widgets:
                widget.setVisible(here)
            self._marks[name].setVisible(here and bool(self._marks[name].text()))
        return shown

    def _add(self, grid: QGridLayout, row: int, setting: Setting, theme: str) -> None:
        field = Field(setting, self)
        name = name_label(setting.label, field.editor, tip_of(setting))
        mark = label("", wrap=True)
        colour_wrong(mark, theme)
        grid.addWidget(name, row, 0)
        grid.addWidget(field.editor, row, 1, 1, 1 if setting.unit else 2)
        widgets: list[QWidget] = [name, field.editor]
        if setting.unit:
            widgets.append(label(setting.unit))
            grid.addWidget(widgets[-1], row, 2)
        grid.addWidget(mark, row + 1, 1, 1, 2)
        field.changed.connect(self._take)
        self.fields[setting.name] = field
        self._rows[setting.name] = tuple(widgets)
        self._marks[setting.name] = mark

    def _take(self) -> None:
        try:
            data = {name: field.value() for name, field in self.fields.items()}
            taken = parameters_from(self._type, data)
        except RecipeError as error:
            self._mark(error)
            self.wrong.emit(error.sentence)
            return
        self._mark(None)
        if taken != self._parameters:
            self._parameters = taken
            self.changed.emit()

    def _mark(self, error: RecipeError | None) -> None:
        at = error.where.removeprefix("parameters.").partition("[")[0] if error else ""
        for name, mark in self._marks.items():
            text = ""
            if error is not None and name == at:
                text = " ".join(filter(None, (f"{error.what}.", f"{error.fix}." * bool(error.fix))))
            mark.setText(text[:1].upper() + text[1:])
            mark.setVisible(bool(text))


def tip_of(setting: Setting) -> str:
    """What a parameter does, its bounds, its usual value."""
    parts = [setting.help or f"{setting.label}."]
    low, high = setting.minimum, setting.maximum
    if low is not None and high is not None:
        parts.append(f"From {low:g} to {high:g}{', odd' if setting.odd else ''}.")
    elif low is not None:
        parts.append(f"At least {low:g}.")
    if setting.optional and setting.empty:
        parts.append(f"Empty: {setting.empty}.")
    elif setting.default is not None and setting.kind in ("number", "integer"):
        parts.append(f"Usually {setting.default:g}.")
    return " ".join(parts)


def read_text(setting: Setting, text: str) -> Any:
    """Read what was typed: numbers parted by commas, a number, a text, or nothing.

    Raises
    ------
    RecipeError
        It cannot be read.
    """
    if not text.strip() and setting.optional:
        return None
    if setting.kind == "text":
        return text
    try:
        value = yaml.safe_load(f"[{text.strip('[] ')}]")
    except yaml.YAMLError as error:
        raise RecipeError(
            f"{text!r} cannot be read", where=f"parameters.{setting.name}",
            fix="Write numbers parted by commas",
        ) from error  # fmt: skip
    return value if setting.kind == "numbers" else value[0] if len(value) == 1 else text


def write_text(value: Any) -> str:
    """Write a value as `read_text` reads it."""
    if value is None:
        return ""
    return ", ".join(f"{item:g}" for item in value) if isinstance(value, list) else str(value)
