"""One slice with many values of a setting: a stack to go through, and one button to take one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtWidgets import QPushButton

from alsct_gui.face.parts import Choice, Number, Whole, name_label
from alsct_gui.model.recipe import Recipe
from alsct_gui.recon.desk.answers import Swept, Trial
from alsct_gui.recon.preview import CENTER_SETTING, with_setting
from napari_alsct_recon.panel import Panel, RowSpin, row_of
from napari_alsct_recon.quick import quick_of, with_center

if TYPE_CHECKING:
    import napari

LAYER = "Sweep"
_WHOLE_SIZE = 1 << 15


@dataclass(frozen=True, slots=True)
class Sweepable:
    """A setting that can be swept."""

    path: str
    label: str
    span: tuple[float, float]
    """First and last value that are proposed."""


SETTINGS = (
    Sweepable(CENTER_SETTING, "Axis", (-5.0, 5.0)),
    Sweepable("rings.0.sigma", "Rings: width", (1.0, 9.0)),
    Sweepable("rings.0.snr", "Rings: stripe ratio", (1.0, 5.0)),
    Sweepable("phase.delta_beta", "Phase δ/β", (100.0, 3000.0)),
    Sweepable("engine.cutoff", "Cut-off", (0.1, 1.0)),
)


class SweepWidget(Panel):
    """Makes a stack of slices; napari's slider goes through the values."""

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__(
            viewer, "Makes one slice with many values of a setting; go through them with the "
            "slider, and take the best.",
        )  # fmt: skip
        self._number = 0
        self._values: list[float] = []
        self._swept: Sweepable | None = None
        self._layer: Any = None
        self.row = RowSpin(self.session)
        self.setting = Choice()
        for item in SETTINGS:
            self.setting.addItem(item.label, item)
        self.first, self.last, self.count = Number(), Number(), Whole()
        for number in (self.first, self.last):
            number.setRange(-1e9, 1e9)
        self.count.setRange(2, 60)
        self.count.setValue(11)
        for text, editor in (
            ("Row", self.row), ("Setting", self.setting), ("From", self.first), ("To", self.last),
            ("Pictures", self.count),
        ):  # fmt: skip
            self.column.addLayout(row_of(name_label(text, editor), editor))
        self.go, self.take = QPushButton("Sweep"), QPushButton("Take this value")
        self.take.setEnabled(False)
        self.column.addWidget(self.go)
        self.column.addWidget(self.take)
        self.setting.currentIndexChanged.connect(self._propose)
        self.go.clicked.connect(self.ask)
        self.take.clicked.connect(self.take_value)
        self.ears.listen(self.session.viewer.dims.events.current_step, self._stepped)
        self.finish()

    def scan_came(self) -> None:
        """Propose values for the new scan."""
        self.go.setEnabled(self.session.ready)
        self.take.setEnabled(False)
        self._propose()

    def ask(self) -> None:
        """Make the stack; pictures appear as they come."""
        session = self.session
        swept: Sweepable = self.setting.currentData()
        if session.path is None:
            return
        self._number += 1
        number = self._number
        self._values = np.linspace(
            self.first.value(), self.last.value(), self.count.value()
        ).tolist()
        self._swept, self._layer = swept, None
        self.take.setEnabled(False)
        self.say("Makes pictures…")
        future = session.desk.sweep(
            session.path, session.recipe, [(swept.path, self._values)], session.row, _WHOLE_SIZE,
            lambda trial: self.later.call(self._add, (number, trial)),
            binning=session.preview_binning,
        )  # fmt: skip
        self.later.when(future, lambda done: self._came(number, done))

    def take_value(self) -> None:
        """Take the value that is looked at into the recipe."""
        value = self._at()
        if value is None or self._swept is None:
            return
        self.session.set_recipe(with_value(self.session.recipe, self._swept.path, value))
        self.say(f"{self._swept.label}: {value:.6g} is in the recipe.")

    def _add(self, both: Any) -> None:
        number, trial = both
        found: Trial = trial
        if number != self._number:
            return
        if found.error:
            self.complain(found.error)
            return
        if self._layer is None:
            stack = np.full((len(self._values), *found.image.shape), np.nan, np.float32)
            self._layer = self.session.show(
                LAYER, stack, (found.low, found.high), axis_labels=("value", "y", "x")
            )
        self._layer.data[found.index] = found.image
        self._layer.refresh()
        self.take.setEnabled(True)
        self._stepped()

    def _came(self, number: int, done: Any) -> None:
        if number != self._number:
            return
        swept: Swept | None = self.answer(done)
        if swept is not None:
            self._stepped()

    def _at(self) -> float | None:
        if self._layer is None or self._layer not in self.session.viewer.layers:
            return None
        place = round(float(self._layer.world_to_data(self.session.viewer.dims.point)[0]))
        return self._values[place] if 0 <= place < len(self._values) else None

    def _stepped(self, _: object = None) -> None:
        value = self._at()
        if value is not None and self._swept is not None:
            self.say(f"{self._swept.label}: {value:.6g}")

    def _propose(self, _: int = 0) -> None:
        swept: Sweepable = self.setting.currentData()
        low, high = swept.span
        look = self.session.look
        if swept.path == CENTER_SETTING and look is not None:
            middle = quick_of(self.session.recipe).center_px or (look.n_columns - 1) / 2
            low, high = middle + low, middle + high
        self.first.setValue(low)
        self.last.setValue(high)


def with_value(recipe: Recipe, path: str, value: float) -> Recipe:
    """Return a recipe with a swept value.

    Raises
    ------
    RecipeError
        The value does not fit.
    """
    if path == CENTER_SETTING:
        return with_center(recipe, value)
    return with_setting(recipe, path, value)
