"""The volume: a preset and one button, the settings that matter, or the whole recipe as text."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent, QTimer, Signal
from qtpy.QtWidgets import QFileDialog, QLineEdit, QPushButton

from alsct_gui.face.form import Form
from alsct_gui.face.layerdata import free_name, volume_layer
from alsct_gui.face.parts import Choice, Tabs, label, name_label
from alsct_gui.face.runrow import RunRow
from alsct_gui.face.script import ScriptView
from alsct_gui.face.stepface import TABS
from alsct_gui.files.names import product_name
from alsct_gui.files.open import open_volume
from alsct_gui.files.recipes import load_recipe, preset_names
from alsct_gui.model.errors import AlsctError
from alsct_gui.model.recipe import recipe_from_dict, recipe_to_dict
from alsct_gui.recon.export import DEFAULT_PRESET, command_line, python_script
from alsct_gui.steps.settings import Tier
from napari_alsct_recon.panel import Panel, row_of
from napari_alsct_recon.process import ReconProcess, ReconView
from napari_alsct_recon.quick import Quick, quick_of, with_quick

if TYPE_CHECKING:
    import napari

LOOK_MS = 200


class ReconstructWidget(Panel):
    """Reconstructs the scan into a volume, in a process of its own."""

    finished = Signal(object)
    """Path of the volume; its layer is in the viewer."""

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__(viewer, "Reconstructs a raw scan into a volume.")
        self._process: ReconProcess | None = None
        self._closing: list[ReconProcess] = []
        self._make()
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self._look)
        self._connect()
        self.finish()
        self.show_tier("newbie")
        self._show_recipe()

    def run(self) -> None:
        """Begin."""
        path, output = self.session.path, self.output_path()
        if path is None or output is None or self._process is not None:
            return
        try:
            self._process = process = ReconProcess(self.session.recipe, path, output)
        except AlsctError as error:
            self.lines.complain(error.sentence)
            return
        self._closing.append(process)
        self.lines.started()
        self._timer.start()

    def cancel(self) -> None:
        """End it; nothing half-written is left."""
        if self._process is not None:
            self._process.cancel()

    def output_path(self) -> Path | None:
        """Return where the volume goes: as typed, else beside the scan, else beside napari."""
        text = self.output.text().strip()
        if text:
            return Path(text).expanduser().absolute()
        path = self.session.path
        if path is None:
            return None
        name = product_name(path.stem, self.session.recipe.output.format)
        folder = path.parent if os.access(path.parent, os.W_OK) else Path.cwd()
        return free_name(folder.absolute() / name)

    def show_tier(self, tier: str) -> None:
        """Show more, or less."""
        chosen: Tier = next(key for key, _, _ in TABS if key == tier)
        self.tabs.buttons[chosen].setChecked(True)
        self.form.show_tier(chosen)
        self.form.setVisible(chosen != "power")
        self.script.setVisible(chosen == "power")

    def scan_came(self) -> None:
        """Propose a name for the new volume."""
        self._renew()

    def event(self, event: Any) -> bool:
        """End the run when it is taken out of the window."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            _close_all(self._closing)
        return super().event(event)

    def _make(self) -> None:
        self.tabs = Tabs(TABS, self.theme)
        self.presets = Choice()
        for name in preset_names():
            self.presets.addItem(name, name)
        self.words = label("", wrap=True, faint=True)
        self.form = Form(Quick, self.theme)
        self.script = ScriptView(
            recipe_from_dict, recipe_to_dict, self.theme, self._command, self._python,
            title="Recipe, as in a file for --recipe",
        )  # fmt: skip
        self.output, choose = QLineEdit(), QPushButton("Choose…")
        choose.clicked.connect(self._choose_output)
        self.lines = RunRow(self.theme, "Reconstruct")
        self.column.addWidget(self.tabs)
        self.column.addLayout(row_of(name_label("Recipe", self.presets), self.presets))
        self.column.addWidget(self.words)
        self.column.addWidget(self.form)
        self.column.addWidget(self.script)
        self.column.addLayout(row_of(name_label("Output", self.output), self.output, choose))
        self.column.addWidget(self.lines)

    def _connect(self) -> None:
        self.destroyed.connect(partial(_close_all, self._closing))
        self.tabs.chosen.connect(self.show_tier)
        self.presets.activated.connect(
            lambda _: self.session.set_recipe(load_recipe(self.presets.currentText()))
        )
        self.form.changed.connect(
            lambda: self.session.set_recipe(with_quick(self.session.recipe, self.form.parameters()))
        )
        self.script.changed.connect(self.session.set_recipe)
        self.session.recipe_changed.connect(self._show_recipe)
        self.lines.run.connect(self.run)
        self.lines.cancel.connect(self.cancel)

    def _show_recipe(self) -> None:
        recipe = self.session.recipe
        self.form.show_parameters(quick_of(recipe))
        if not self.script.text.hasFocus():
            self.script.show_parameters(recipe)
        place = self.presets.findData(recipe.name)
        self.presets.setCurrentIndex(place if place >= 0 else self.presets.findData(DEFAULT_PRESET))
        self.words.setText(recipe.description)
        self.words.setVisible(bool(recipe.description))
        self._renew()

    def _renew(self) -> None:
        self.lines.run_button.setEnabled(self.session.ready and self._process is None)
        path = self.output_path() if not self.output.text() else None
        self.output.setPlaceholderText(path.name if path is not None else "")

    def _look(self) -> None:
        process = self._process
        if process is None:
            return
        view: ReconView = process.look()
        if view.state == "running":
            if view.progress is not None:
                self.lines.show_progress(view.progress)
            return
        self._timer.stop()
        self._process = None
        process.close()
        self._closing.remove(process)
        self.lines.ended()
        self.lines.complain(view.error)
        self.lines.say("Cancelled; nothing is left of it." if view.state == "cancelled" else "")
        if view.output is not None:
            self._show_volume(view.output)
        self._renew()

    def _show_volume(self, path: Path) -> None:
        self.session.hide_projections()
        data, about, _ = volume_layer(open_volume(path))
        self.session.viewer.add_image(data, **about)
        self.session.viewer.reset_view()
        self.lines.say(f"Made {path.name}.")
        self.finished.emit(path)

    def _choose_output(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, "Output", str(self.output_path() or ""))
        if name:
            self.output.setText(name)

    def _command(self) -> str:
        return command_line(self.session.recipe, *self._named())

    def _python(self) -> str:
        return python_script(self.session.recipe, *self._named())

    def _named(self) -> tuple[str | Path, str | Path]:
        return self.session.path or "scan.h5", self.output_path() or "rec.zarr"


def _close_all(processes: list[ReconProcess], _: object = None) -> None:
    for process in processes:
        process.close()
