"""The widget of a step: three tiers, a preview, one button. A plugin's own is two lines::

class MedianWidget(StepFace):
    step_name = "filter.median"
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from qtpy.QtCore import QEvent, Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from alsct_gui.face.form import Form
from alsct_gui.face.inputs import Inputs
from alsct_gui.face.layerdata import free_name
from alsct_gui.face.parts import GAP_PX, MARGIN_PX, Choice, Tabs, label, name_label
from alsct_gui.face.peek import Peek, Wanted
from alsct_gui.face.results import add_products
from alsct_gui.face.runrow import RunRow
from alsct_gui.face.script import ScriptView
from alsct_gui.face.sources import file_of, plain_viewer
from alsct_gui.face.words import result_words
from alsct_gui.face.work import Backstage, Files, Work
from alsct_gui.model.errors import AlsctError
from alsct_gui.steps.export import command_line, python_script
from alsct_gui.steps.jobs import JobView, StepRequest
from alsct_gui.steps.registry import get_step
from alsct_gui.steps.settings import Tier, parameters_from, parameters_to_plain
from alsct_gui.steps.step import Step
from alsct_gui.steps.writing import default_name

if TYPE_CHECKING:
    import napari

TABS: tuple[tuple[Tier, str, str], ...] = (
    ("newbie", "Simple", "A preset and one button"),
    ("average", "More", "All that matters, with a preview"),
    ("power", "Script", "Everything as text; the same as a command and as Python"),
)


class StepFace(QWidget):
    """The widget of one step in a napari viewer.

    Parameters
    ----------
    viewer
        The viewer that it was opened in; napari hands it in.
    step
        Another step than that of the class.

    Raises
    ------
    EngineUnavailableError
        The step is not installed.
    """

    step_name: ClassVar[str]
    """The step that a plugin's widget is of."""

    finished = Signal(object)
    """Products by the names of the outputs; their layers are in the viewer."""

    def __init__(self, viewer: napari.viewer.Viewer, step: Step[Any] | None = None) -> None:
        super().__init__()
        self.step: Step[Any] = step or get_step(self.step_name)
        self.viewer: Any = plain_viewer(viewer)
        self._backstage = Backstage()
        self._work = Work(self._backstage, self)
        self._files = Files(self._backstage, self)
        self._make()
        self.peek = Peek(self.step, self.viewer, self._backstage, self._wanted, self)
        self._connect()
        self.show_tier("newbie")
        self._presets_chosen()
        # Not by a method of this widget, which is half gone by then.
        backstage = self._backstage
        self.destroyed.connect(lambda _=None: backstage.close())

    def parameters(self) -> Any:
        """Return the parameters as they stand there."""
        return self.form.parameters()

    def show_parameters(self, parameters: Any) -> None:
        """Show others everywhere."""
        self.form.show_parameters(parameters)
        self.script.show_parameters(parameters)
        self._parameters_changed()

    def show_tier(self, tier: Tier) -> None:
        """Show more, or less."""
        self._tier = tier
        self.tabs.buttons[tier].setChecked(True)
        self._preset_row.setVisible(tier == "newbie")
        self.form.setVisible(self.form.show_tier(tier) and tier != "power")
        self.script.setVisible(tier == "power")
        if tier == "average":
            self.form.show_tier("power")

    def run(self) -> None:
        """Run the step on the chosen inputs, beside the window."""
        if self._work.running or self.inputs.missing():
            return
        self._say("Writes the layer to a file…")
        self.run_button.setEnabled(False)
        self._files.of(self.inputs.layers(), self._run_on)

    def cancel(self) -> None:
        """End the step."""
        self._work.cancel()

    def output_path(self) -> Path | None:
        """Return where the product goes; None for a place of the program's own."""
        text = self.output.text().strip()
        if text:
            return Path(text).expanduser().absolute()
        main = self.inputs.main()
        source = (
            file_of(main) if main is not None else next(iter(self.inputs.paths().values()), None)
        )
        if source is None or not os.access(source.parent, os.W_OK):
            return None
        stem = source.name.removesuffix(".zarr").removesuffix(".labels").removesuffix(".csv")
        return free_name(source.with_name(default_name(self.step, stem)))

    def event(self, event: Any) -> bool:
        """End what goes on behind it when it is taken out of the window."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.preview.setChecked(False)
            self._backstage.rest()
        return bool(super().event(event))

    def make_inputs(self) -> Any:
        """Return what inputs are chosen with: a widget with all that `Inputs` offers."""
        return Inputs(self.step, self.viewer, self._backstage.ears)

    def wanted_words(self, missing: str) -> str:
        """Say what to do about an input that is missing, given by its title."""
        return f"Open a layer that can be the {missing.lower()}."

    def add_outputs(self, outputs: Mapping[str, Path]) -> None:
        """Show products; volumes and labels become layers. A plugin may do more with them."""
        add_products(self.viewer, self.step, outputs, self.inputs.main())

    def _make(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(MARGIN_PX, MARGIN_PX, MARGIN_PX, MARGIN_PX)
        column.setSpacing(2 * GAP_PX)
        column.addWidget(label(self.step.sentence, wrap=True))
        self.inputs = self.make_inputs()
        column.addWidget(self.inputs)
        theme = str(self.viewer.theme)
        self.tabs = Tabs(TABS, theme)
        self.tabs.chosen.connect(self.show_tier)
        column.addWidget(self.tabs)
        column.addWidget(self._make_presets())
        self.form = Form(self.step.parameters, theme)
        column.addWidget(self.form)
        self.script = ScriptView(
            partial(parameters_from, self.step.parameters), parameters_to_plain, theme,
            self._command, self._python,
        )  # fmt: skip
        column.addWidget(self.script)
        column.addLayout(self._make_preview())
        column.addLayout(self._make_output())
        self._row = RunRow(theme)
        self.run_button, self.cancel_button = self._row.run_button, self._row.cancel_button
        self.bar, self.status, self.wrong = self._row.bar, self._row.status, self._row.wrong
        column.addWidget(self._row)
        column.addStretch(1)

    def _make_presets(self) -> QWidget:
        self._preset_row = QWidget()
        column = QVBoxLayout(self._preset_row)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP_PX)
        self.presets = Choice()
        for preset in self.step.presets:
            self.presets.addItem(preset.name, preset)
        self._preset_words = label("", wrap=True, faint=True)
        row = QHBoxLayout()
        row.setSpacing(GAP_PX)
        row.addWidget(name_label("Preset", self.presets))
        row.addWidget(self.presets, 1)
        column.addLayout(row)
        column.addWidget(self._preset_words)
        return self._preset_row

    def _make_preview(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.preview = QCheckBox("Preview")
        self.preview.setToolTip("One slice, made anew with every change and every slice you go to")
        self.preview.setVisible(self.step.preview != "none")
        self.preview_words = label("", faint=True)
        self.preview_words.setVisible(self.step.preview != "none")
        row.addWidget(self.preview)
        row.addWidget(self.preview_words, 1, Qt.AlignmentFlag.AlignRight)
        return row

    def _make_output(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(GAP_PX)
        self.output = QLineEdit()
        choose = QPushButton("Choose…")
        choose.clicked.connect(self._choose_output)
        row.addWidget(name_label("Output", self.output))
        row.addWidget(self.output, 1)
        row.addWidget(choose)
        return row

    def _connect(self) -> None:
        self.inputs.changed.connect(self._inputs_changed)
        self.presets.currentIndexChanged.connect(self._presets_chosen)
        self.form.changed.connect(self._form_changed)
        self.script.changed.connect(self._script_changed)
        self.preview.toggled.connect(self.peek.switch)
        self.peek.said.connect(self.preview_words.setText)
        self.peek.failed.connect(self._preview_failed)
        self._row.run.connect(self.run)
        self._row.cancel.connect(self.cancel)
        self._work.changed.connect(self._followed)
        self._inputs_changed()

    def _presets_chosen(self, _: int = 0) -> None:
        preset = self.presets.currentData()
        self._preset_words.setText(preset.sentence)
        self._preset_words.setVisible(bool(preset.sentence))
        self.show_parameters(self.step.preset(preset.name))

    def _form_changed(self) -> None:
        self.script.show_parameters(self.form.parameters())
        self._parameters_changed()

    def _script_changed(self, parameters: Any) -> None:
        self.form.show_parameters(parameters)
        self._parameters_changed()

    def _parameters_changed(self) -> None:
        self._complain("")
        self.peek.renew()

    def _inputs_changed(self) -> None:
        missing = self.inputs.missing()
        self.run_button.setEnabled(not missing and not self._work.running)
        self.preview.setEnabled(not missing)
        self._say(self.wanted_words(missing) if missing else "")
        path = self.output_path() if not self.output.text().strip() else None
        self.output.setPlaceholderText(path.name if path is not None else "kept by the program")
        self.peek.renew()

    def _wanted(self) -> Wanted | None:
        if self.inputs.missing() or not self.inputs.layers():
            return None
        return Wanted(self.parameters(), self.inputs.layers(), self.inputs.paths())

    def _run_on(self, found: dict[str, Path] | AlsctError) -> None:
        if isinstance(found, AlsctError):
            self._ended(wrong=found.sentence)
            return
        output = self.output_path()
        paths = {name: str(path) for name, path in {**found, **self.inputs.paths()}.items()}
        try:
            self._work.start(
                StepRequest(
                    self.step.key, parameters_to_plain(self.parameters()), paths,
                    str(output) if output is not None else "",
                )
            )  # fmt: skip
        except AlsctError as error:
            self._ended(wrong=error.sentence)
            return
        self._row.started()

    def _followed(self, view: JobView) -> None:
        if not view.ended:
            if view.progress is not None:
                self._row.show_progress(view.progress)
            return
        if view.state == "finished":
            self.preview.setChecked(False)
            with self.inputs.held():
                self.add_outputs(view.outputs)
            self._ended(said=result_words(view))
            self.finished.emit(dict(view.outputs))
        elif view.error is not None:
            self._ended(wrong=view.error.sentence)
        else:
            self._ended(said="Cancelled; nothing is left of it.")

    def _ended(self, *, said: str = "", wrong: str = "") -> None:
        self._row.ended()
        self._inputs_changed()
        self._say(said)
        self._complain(wrong)

    def _preview_failed(self, words: str) -> None:
        self.preview_words.setText("")
        self._complain(words)

    def _choose_output(self) -> None:
        path = self.output_path()
        name, _ = QFileDialog.getSaveFileName(self, "Output", str(path or default_name(self.step)))
        if name:
            self.output.setText(name)

    def _command(self) -> str:
        return command_line(self.step, self.parameters(), *self._named())

    def _python(self) -> str:
        return python_script(self.step, self.parameters(), *self._named())

    def _named(self) -> tuple[dict[str, str | Path], str | Path]:
        """Inputs and output as a script names them; what lies in memory has to be saved first."""
        inputs: dict[str, str | Path] = {
            name: file_of(layer) or f"{layer.name}.zarr"
            for name, layer in self.inputs.layers().items()
        }
        return {**inputs, **self.inputs.paths()}, self.output_path() or default_name(self.step)

    def _say(self, words: str) -> None:
        self._row.say(words)

    def _complain(self, words: str) -> None:
        self._row.complain(words)
