"""What the widgets of one viewer share: scan, recipe, row, and the process that answers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject, Signal

from alsct_gui.face.later import Later
from alsct_gui.files.recipes import load_recipe
from alsct_gui.model.recipe import Recipe
from alsct_gui.recon.desk.answers import Look
from alsct_gui.recon.desk.client import Desk, start_desk
from alsct_gui.recon.export import DEFAULT_PRESET

PREVIEW_COLUMNS = 1100
"""Previews are binned until they are not wider than this."""

_sessions: dict[int, Session] = {}


class Session(QObject):
    """One for each viewer; made with its first widget, closed with its last."""

    scan_changed = Signal()
    """Another scan, or what was found out about it."""
    recipe_changed = Signal()
    row_changed = Signal()

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self.viewer = viewer
        self.path: Path | None = None
        self.look: Look | None = None
        """What lies there; None until it has been looked at."""
        self.recipe: Recipe = load_recipe(DEFAULT_PRESET)
        self.row: int | None = None
        self._users = 0
        self._desk: Desk | None = None
        self._later = Later(self)
        self._layers: dict[str, Any] = {}

    @property
    def desk(self) -> Desk:
        """Looks at scans and makes slices; its process starts with the first question."""
        if self._desk is None:
            self._desk = start_desk()
        return self._desk

    @property
    def ready(self) -> bool:
        """Whether there is a scan that can be worked on."""
        return self.look is not None and self.look.kind == "scan"

    @property
    def trouble(self) -> str:
        """Why there is none; a sentence, empty when there is one or when it is being looked at."""
        if self.path is None:
            return "Open a raw scan, or choose its file."
        if self.look is None or self.ready:
            return ""
        first = next(iter(self.look.findings), None)
        return f"{first.message} {first.fix}".strip() if first else "It is no raw scan."

    @property
    def preview_binning(self) -> int:
        """Binning of previews."""
        columns = self.look.n_columns if self.look is not None else 0
        return max(self.recipe.region.binning, -(-columns // PREVIEW_COLUMNS), 1)

    @property
    def preview_um(self) -> float | None:
        """Edge of a preview's pixel."""
        edge = self.look.pixel_um if self.look is not None else None
        return None if edge is None else edge * self.preview_binning

    def set_scan(self, path: Path) -> None:
        """Take another scan; it is looked at in the desk's process."""
        if path == self.path:
            return
        self.path, self.look, self.row = path, None, None
        self.scan_changed.emit()
        self._later.when(self.desk.look(path, channel="look"), self._looked)

    def set_recipe(self, recipe: Recipe) -> None:
        """Take another recipe."""
        if recipe != self.recipe:
            self.recipe = recipe
            self.recipe_changed.emit()

    def set_row(self, row: int) -> None:
        """Take another row."""
        if row != self.row:
            self.row = row
            self.row_changed.emit()

    def show(self, name: str, image: Any, limits: tuple[float, float], **options: Any) -> Any:
        """Show a picture as a layer of its own, which is made with the first one.

        Projections are hidden by the first: they are measured in other axes.
        """
        layer = self._layers.get(name)
        edge = self.preview_um or 1.0
        # A stack takes the whole of a slider that is as long as there are projections.
        scale = (max(1.0, self._slider() / len(image)),) * (image.ndim - 2) + (edge, edge)
        if layer is not None and layer in self.viewer.layers and layer.ndim == image.ndim:
            layer.data, layer.scale, layer.contrast_limits = image, scale, limits
            for key, value in options.items():
                setattr(layer, key, value)
            return layer
        self.hide_projections()
        unit = "pixel" if self.preview_um is None else "um"
        units = ("pixel",) * (image.ndim - 2) + (unit, unit)
        layer = self.viewer.add_image(
            image, name=name, scale=scale, units=units, contrast_limits=limits, **options
        )
        self._layers[name] = layer
        self.viewer.reset_view()
        return layer

    def join(self) -> None:
        """A widget uses it."""
        self._users += 1

    def leave(self) -> None:
        """A widget is gone; with the last one the process ends."""
        self._users -= 1
        if self._users == 0:
            _sessions.pop(id(self.viewer), None)
            if self._desk is not None:
                self._desk.close()
                self._desk = None

    def _looked(self, done: Any) -> None:
        if done.exception() is None:
            look: Look = done.result()
            if self.path is not None and look.path == str(self.path.absolute()):
                self.look = look
                self.row = look.n_rows // 2
                self.scan_changed.emit()

    def _slider(self) -> float:
        lengths = [layer.data.shape[0] for layer in self.viewer.layers
                   if layer.metadata.get("scan_part")]  # fmt: skip
        return float(max(lengths, default=0)) or 1.0

    def hide_projections(self) -> None:
        """Hide the projections of scans, whose axes are others than those of slices."""
        for layer in self.viewer.layers:
            if layer.metadata.get("scan_part"):
                layer.visible = False


def session_of(viewer: Any) -> Session:
    """Return the session of a viewer."""
    if id(viewer) not in _sessions:
        _sessions[id(viewer)] = Session(viewer)
    return _sessions[id(viewer)]


def scan_of(layer: Any) -> Path | None:
    """Return the scan that a layer shows; None for other layers."""
    named = layer.metadata.get("scan_path") or layer.source.path
    if named is None:
        return None
    path = Path(named)
    raw = layer.metadata.get("scan_part") or re.search(r"\.(h5|hdf5?|nxs?)$", path.name, re.I)
    return path if raw else None
