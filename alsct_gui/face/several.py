"""The widget of a step that runs on every layer that is selected, one after the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtCore import QTimer

from alsct_gui.face.layerdata import free_name
from alsct_gui.face.resultface import ResultFace
from alsct_gui.face.sources import file_of, fits
from alsct_gui.steps.writing import default_name


class SeveralFace(ResultFace):
    """Runs on the layer that is chosen, or on all that are selected in the viewer's list.

    One that fails keeps no other one from being done; Cancel ends all of it. An output that is
    named is then the folder of all.
    """

    _left: list[Any]
    """Layers that are still to be done."""
    _count = 0
    """How many there are in all; 0 when one runs by itself."""
    _failed: list[str]
    """What went wrong, for people."""

    def selected(self) -> list[Any]:
        """Return the selected layers that the first input can be, in the viewer's order."""
        port = self.step.inputs[0]
        chosen = self.viewer.layers.selection
        return [layer for layer in self.viewer.layers if layer in chosen and fits(layer, port)]

    def run(self) -> None:
        """Run the step on the chosen inputs, or once for every layer that is selected."""
        layers = self.selected()
        if self._work.running or self.inputs.missing() or len(layers) < 2:
            super().run()
            return
        self._left, self._count, self._failed = layers, len(layers), []
        self._next()

    def cancel(self) -> None:
        """End the step, and begin no other."""
        self._left.clear()
        super().cancel()

    def output_path(self) -> Path | None:
        """Return where the product goes; into the folder that is named, when there are several."""
        text = self.output.text().strip()
        if not text or self._count < 2:
            return super().output_path()
        layer = self.inputs.main()
        path = file_of(layer)
        stem = path.name.removesuffix(".zarr").removesuffix(".labels") if path else layer.name
        return free_name(Path(text).expanduser().absolute() / default_name(self.step, stem))

    def _connect(self) -> None:
        self._left, self._failed = [], []
        super()._connect()
        self._backstage.ears.listen(self.viewer.layers.selection.events.changed, self._selected)
        self._selected()

    def _selected(self, _: object = None) -> None:
        count = len(self.selected())
        self.run_button.setText(f"Run on {count} layers" if count > 1 else "Run")

    def _next(self) -> None:
        layer = self._left.pop(0)
        self.inputs.choose(self.step.inputs[0].name, layer)
        self.cancel_button.setText(f"Cancel ({self._count - len(self._left)} of {self._count})")
        super().run()

    def _ended(self, *, said: str = "", wrong: str = "") -> None:
        super()._ended(said=said, wrong=wrong)
        if not self._count:
            return
        if wrong:
            self._failed.append(f"{self.inputs.main().name}: {wrong}")
        self._left = [layer for layer in self._left if layer in self.viewer.layers]
        if self._left:
            QTimer.singleShot(0, self, self._next)
            return
        if self._failed:
            self._say(f"{len(self._failed)} of {self._count} failed.")
            self._complain("\n".join(self._failed))
        self._count = 0
        self.cancel_button.setText("Cancel")
