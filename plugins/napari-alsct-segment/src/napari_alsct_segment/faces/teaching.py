"""How a step's parameters are set in a widget of one's own: presets, form, text; in three tiers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from alsct_gui.face.form import Form
from alsct_gui.face.parts import GAP_PX, Choice, Tabs, label, name_label
from alsct_gui.face.script import ScriptView
from alsct_gui.face.stepface import TABS
from alsct_gui.steps.settings import Tier, parameters_from, parameters_to_plain
from alsct_gui.steps.step import Step


class Teaching(QWidget):
    """Parameters of a step, as simple or as full as a person likes.

    Parameters
    ----------
    step
        Whose parameters.
    theme
        Name of the viewer's theme.
    command, python
        Return the texts that can be copied.
    """

    changed = Signal()

    def __init__(
        self, step: Step[Any], theme: str, command: Callable[[], str], python: Callable[[], str]
    ) -> None:
        super().__init__()
        self._step = step
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2 * GAP_PX)
        self.tabs = Tabs(TABS, theme)
        self.tabs.chosen.connect(self.show_tier)
        column.addWidget(self.tabs)
        column.addWidget(self._make_presets())
        self.form = Form(step.parameters, theme)
        self.script = ScriptView(
            partial(parameters_from, step.parameters), parameters_to_plain, theme, command, python
        )
        column.addWidget(self.form)
        column.addWidget(self.script)
        self.presets.currentIndexChanged.connect(self._preset_chosen)
        self.form.changed.connect(self._form_changed)
        self.script.changed.connect(self._script_changed)
        self.show_tier("newbie")
        self._preset_chosen()

    def parameters(self) -> Any:
        """Return the parameters as they stand there."""
        return self.form.parameters()

    def show_tier(self, tier: Tier) -> None:
        """Show more, or less."""
        self.tabs.buttons[tier].setChecked(True)
        self._preset_row.setVisible(tier == "newbie")
        self.form.setVisible(tier == "average")
        if tier == "average":
            self.form.show_tier("power")
        self.script.setVisible(tier == "power")

    def _make_presets(self) -> QWidget:
        self._preset_row = QWidget()
        column = QVBoxLayout(self._preset_row)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP_PX)
        self.presets = Choice()
        for preset in self._step.presets:
            self.presets.addItem(preset.name, preset)
        self._words = label("", wrap=True, faint=True)
        row = QHBoxLayout()
        row.setSpacing(GAP_PX)
        row.addWidget(name_label("Preset", self.presets))
        row.addWidget(self.presets, 1)
        column.addLayout(row)
        column.addWidget(self._words)
        return self._preset_row

    def _preset_chosen(self, _: int = 0) -> None:
        preset = self.presets.currentData()
        self._words.setText(preset.sentence)
        parameters = self._step.preset(preset.name)
        self.form.show_parameters(parameters)
        self.script.show_parameters(parameters)
        self.changed.emit()

    def _form_changed(self) -> None:
        self.script.show_parameters(self.form.parameters())
        self.changed.emit()

    def _script_changed(self, parameters: Any) -> None:
        self.form.show_parameters(parameters)
        self.changed.emit()
