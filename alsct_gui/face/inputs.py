"""Which layers or files a step gets: a row for each of its inputs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QFileDialog, QGridLayout, QLineEdit, QPushButton, QWidget

from alsct_gui.face.parts import GAP_PX, Choice, name_label
from alsct_gui.face.sources import fits
from alsct_gui.face.work import Ears
from alsct_gui.steps.step import Port, Step

_EVENTS = ("inserted", "removed", "reordered")


class Inputs(QWidget):
    """A row for each input: layers of the viewer to choose from, or a file.

    Parameters
    ----------
    step
        Whose inputs.
    viewer
        A napari viewer.
    ears
        Listens to it.
    """

    changed = Signal()

    def __init__(self, step: Step[Any], viewer: Any, ears: Ears) -> None:
        super().__init__()
        self._step, self._viewer = step, viewer
        self._held = False
        self.choices: dict[str, Choice] = {}
        self.files: dict[str, QLineEdit] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(GAP_PX)
        grid.setVerticalSpacing(GAP_PX)
        grid.setColumnStretch(1, 1)
        for row, port in enumerate(step.inputs):
            if port.kind in ("volume", "labels"):
                choice = Choice()
                grid.addWidget(name_label(port.title, choice), row, 0)
                choice.currentIndexChanged.connect(lambda _: self.changed.emit())
                self.choices[port.name] = choice
                grid.addWidget(choice, row, 1, 1, 2)
            else:
                self._add_file(grid, row, port)
        for name in _EVENTS:
            ears.listen(getattr(viewer.layers.events, name), self.refresh)
        ears.listen(viewer.layers.selection.events.active, self._follow)
        self.refresh()

    def layers(self) -> dict[str, Any]:
        """Return the chosen layers by the names of the inputs."""
        found = {name: choice.currentData() for name, choice in self.choices.items()}
        return {name: layer for name, layer in found.items() if layer is not None}

    def paths(self) -> dict[str, Path]:
        """Return the files that are named."""
        return {name: Path(line.text()).expanduser() for name, line in self.files.items()
                if line.text().strip()}  # fmt: skip

    def missing(self) -> str:
        """Return the title of the first input that is wanted and not there; empty for none."""
        there = {*self.layers(), *self.paths()}
        return next(
            (port.title for port in self._step.inputs
             if not port.optional and port.name not in there), "",
        )  # fmt: skip

    def main(self) -> Any:
        """Return the layer that the step is about; None when there is none."""
        return next(iter(self.layers().values()), None)

    def choose(self, name: str, layer: Any) -> None:
        """Take a layer for an input."""
        choice = self.choices[name]
        choice.setCurrentIndex(_place(choice, layer))

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep the choice while layers are added, which napari selects."""
        self._held = True
        try:
            yield
        finally:
            self._held = False

    def refresh(self, _: object = None) -> None:
        """Offer the layers that there are now."""
        before = self.layers()
        for name, choice in self.choices.items():
            port = next(port for port in self._step.inputs if port.name == name)
            kept = choice.currentData()
            if kept is not None and kept.ndim == 2 and not self._held:
                kept = None  # a single picture was the best there was; now there may be a volume
            with QSignalBlocker(choice):
                choice.clear()
                if port.optional:
                    choice.addItem("none", None)
                fitting = [layer for layer in reversed(self._viewer.layers) if fits(layer, port)]
                # Volumes before single pictures, the topmost first.
                for layer in sorted(fitting, key=lambda layer: -layer.ndim):
                    choice.addItem(layer.name, layer)
                choice.setCurrentIndex(max(0, _place(choice, kept)))
        if self.layers() != before:
            self.changed.emit()

    def _follow(self, _: object = None) -> None:
        """Take the layer that a person has selected for the first input that it fits."""
        active = None if self._held else self._viewer.layers.selection.active
        for choice in self.choices.values():
            place = _place(choice, active) if active is not None else -1
            if place >= 0:
                choice.setCurrentIndex(place)
                return

    def _add_file(self, grid: QGridLayout, row: int, port: Port) -> None:
        line = QLineEdit()
        grid.addWidget(name_label(port.title, line), row, 0)
        line.setPlaceholderText("none" if port.optional else "a file")
        line.editingFinished.connect(self.changed.emit)
        button = QPushButton("Choose…")

        def choose() -> None:
            name, _ = QFileDialog.getOpenFileName(self, port.title)
            if name:
                line.setText(name)
                self.changed.emit()

        button.clicked.connect(choose)
        self.files[port.name] = line
        grid.addWidget(line, row, 1)
        grid.addWidget(button, row, 2)


def _place(choice: Choice, layer: Any) -> int:
    """Index of a layer among the choices; -1 for none. Layers are compared by identity."""
    return next((k for k in range(choice.count()) if choice.itemData(k) is layer), -1)
