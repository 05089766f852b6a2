"""One parameter of a sweep: which, from where, to where, how many."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from alsct_gui.model.errors import RecipeError
from alsct_gui.model.recipe import Recipe
from alsct_gui.ui.reconstruct.editors import CalmCombo, ValueEdit
from alsct_gui.ui.reconstruct.fields import FieldInfo, sweepable
from alsct_gui.ui.reconstruct.sweepplan import Span, usual_span
from alsct_gui.ui.reconstruct.values import number_text, parse
from alsct_gui.ui.theme.style import digits_font
from alsct_gui.ui.widgets.parts import GAP_PX, label, set_state

_MOST = 200


class SpanRow(QWidget):
    """Choice of a parameter and its range; a new choice is prefilled around the present value.

    Parameters
    ----------
    optional
        Whether “none” can be chosen.
    """

    changed = Signal()

    def __init__(self, *, optional: bool) -> None:
        super().__init__()
        self._optional = optional
        self._recipe = Recipe()
        self._center_px: float | None = None
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GAP_PX)
        self.combo = CalmCombo()
        self.combo.setMinimumWidth(176)
        self.combo.setAccessibleName("Second parameter" if optional else "Parameter")
        self.combo.setToolTip(
            "A second parameter: one picture for each pair of values"
            if optional
            else "Parameter that has another value in each picture"
        )
        row.addWidget(self.combo, 1)
        self.start, self.stop, self.count = ValueEdit(), ValueEdit(), ValueEdit()
        self._fields: list[QWidget] = []
        for words, edit, wide, tip in (
            ("from", self.start, 80, "First value"), ("to", self.stop, 80, "Last value"),
            ("in", self.count, 48, "How many values, both ends among them"),
        ):  # fmt: skip
            name = label(words, "faint")
            edit.setFont(digits_font(edit.font()))
            edit.setFixedWidth(wide)
            edit.setToolTip(tip)
            edit.setAccessibleName(tip)
            edit.textChanged.connect(lambda _: self.changed.emit())
            for part in (name, edit):
                policy = part.sizePolicy()
                policy.setRetainSizeWhenHidden(True)
                part.setSizePolicy(policy)
            self._fields += [name, edit]
            row.addWidget(name)
            row.addWidget(edit)
        self._unit = label("", "faint")
        self._unit.setFixedWidth(28)
        row.addWidget(self._unit)
        self.combo.activated.connect(lambda _: self._fill())

    @property
    def info(self) -> FieldInfo | None:
        """The chosen parameter."""
        chosen: FieldInfo | None = self.combo.currentData()
        return chosen

    def offer(self, recipe: Recipe, center_px: float | None) -> None:
        """Offer what can be swept with a recipe; a choice that still holds stays as it is."""
        self._recipe, self._center_px = recipe, center_px
        kept = self.info
        with QSignalBlocker(self.combo):
            self.combo.clear()
            if self._optional:
                self.combo.addItem("no second parameter", None)
            for info in sweepable(recipe):
                self.combo.addItem(f"{info.section}: {info.label}", info)
            paths = [
                None if self.combo.itemData(k) is None else self.combo.itemData(k).path
                for k in range(self.combo.count())
            ]
            wanted = kept.path if kept is not None else None
            self.combo.setCurrentIndex(paths.index(wanted) if wanted in paths else 0)
        if kept is None or self.info is None or kept.path != self.info.path:
            self._fill()

    def choose(self, path: str) -> None:
        """Choose a parameter by its path."""
        for k in range(self.combo.count()):
            info = self.combo.itemData(k)
            if info is not None and info.path == path:
                self.combo.setCurrentIndex(k)
                self._fill()

    def span(self) -> Span | None:
        """Return what is asked for; None when no parameter is chosen.

        Raises
        ------
        RecipeError
            A number cannot be read.
        """
        info = self.info
        if info is None:
            return None
        numbers = []
        for edit in (self.start, self.stop, self.count):
            try:
                value = parse(_plain(info), edit.text())
            except RecipeError as error:
                set_state(edit, "state", "wrong")
                raise RecipeError(f"{info.label}: {error.what}", fix=error.fix) from error
            set_state(edit, "state", "")
            numbers.append(value)
        count = int(numbers[2])
        if not 2 <= count <= _MOST:
            raise RecipeError(f"{info.label}: {count} values are not from 2 to {_MOST}")
        return Span(info, float(numbers[0]), float(numbers[1]), count)

    def _fill(self) -> None:
        info = self.info
        for part in self._fields:
            part.setVisible(info is not None)
        self._unit.setText(info.unit if info is not None else "")
        if info is not None:
            span = usual_span(info, self._recipe, self._center_px)
            self.start.setText(number_text(span.start))
            self.stop.setText(number_text(span.stop))
            self.count.setText(str(span.count))
            self.combo.setToolTip(info.tip)
        self.changed.emit()


def _plain(info: FieldInfo) -> FieldInfo:
    """The setting as a number that must be given."""
    return FieldInfo(info.path, info.section, info.label, info.unit, "", "number", info.tier)
