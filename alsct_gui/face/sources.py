"""Layers of a viewer as inputs of a step: which fit, and which file holds what one shows.

Nothing here imports napari; a layer is what has its public attributes.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.files.labels import save_labels
from alsct_gui.files.names import safe_stem
from alsct_gui.files.open import open_volume
from alsct_gui.files.writers.base import create_volume
from alsct_gui.model.errors import AlsctError
from alsct_gui.model.volume import Volume
from alsct_gui.steps.step import Port
from alsct_gui.steps.values import LAYER_PATH, array_volume

_STORED = ("float32", "uint16", "uint8")
_SLAB_SLICES = 16
OWN = "alsct_preview"
"""Entry of the metadata of layers that are a preview, and no input of anything."""


def plain_viewer(viewer: Any) -> Any:
    """Return the viewer itself.

    Napari hands plugins a proxy of it, a new one each time, whose layers are proxies as well: the
    same layer would then be two.
    """
    return getattr(viewer, "__wrapped__", viewer)


def layer_kind(layer: Any) -> str:
    """Return ``image``, ``labels`` … in napari's own words."""
    return str(layer.as_layer_data_tuple()[2])


def fits(layer: Any, port: Port) -> bool:
    """Say whether a step can take a layer as an input."""
    if layer.metadata.get(OWN) or layer.ndim not in (2, 3):
        return False
    if port.kind == "labels":
        return layer_kind(layer) == "labels"
    return port.kind == "volume" and layer_kind(layer) == "image" and not layer.rgb


def finest(layer: Any) -> Any:
    """Return the array of a layer, of its finest level."""
    return layer.data[0] if getattr(layer, "multiscale", False) else layer.data


def voxel_um(layer: Any) -> tuple[float, float, float] | None:
    """Return the edges of a layer's voxel in micrometre; None when it has no unit of length."""
    return edges_um(layer.scale, layer.units)


def edges_um(scale: Sequence[float], units: Sequence[Any]) -> tuple[float, float, float] | None:
    """Return edges (slice, y, x) in micrometre from napari's scale and units of two or three axes.

    None when one of them is no length.
    """
    factors = [_micrometres(unit) for unit in units]
    if None in factors:
        return None
    edges = [float(edge) * float(factor or 1) for edge, factor in
             zip(scale, factors, strict=True)]  # fmt: skip
    return (edges[-2], edges[-2], edges[-1]) if len(edges) == 2 else (edges[0], edges[1], edges[2])


def file_of(layer: Any) -> Path | None:
    """Return the file that holds exactly what a layer shows; None when it must be written.

    Arrays in memory may have been painted on since they were read, so they have none.
    """
    array = finest(layer)
    if type(array) is np.ndarray:
        return None
    named = layer.metadata.get(LAYER_PATH)
    if named is not None:
        return Path(named)
    if layer.source.path is None:
        return None
    try:
        with open_volume(layer.source.path) as volume:
            same = volume.shape == tuple(array.shape) and volume.dtype == array.dtype
    except AlsctError:
        return None
    return Path(layer.source.path) if same else None


def value_units(layer: Any) -> str:
    """Return the unit of a layer's values; empty when unknown."""
    return str(layer.metadata.get("value_units", ""))


class Spills:
    """Writes layers that lie in memory to files that go with it.

    A layer is written again when it was changed; `written` is called in a thread that may
    take its time.
    """

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._count = 0
        self._known: dict[int, tuple[object, Path]] = {}
        self._changes: dict[int, int] = {}

    def watch(self, layer: Any) -> None:
        """Notice when a layer changes."""
        key = id(layer)
        if key in self._changes:
            return
        self._changes[key] = 0

        def changed(_: object = None) -> None:
            self._changes[key] = self._changes.get(key, 0) + 1

        for name in ("data", "paint", "labels_update"):
            event = getattr(layer.events, name, None)
            if event is not None:
                event.connect(changed)

    def known(self, layer: Any) -> Path | None:
        """Return the file that a layer was written to, if it has not changed since."""
        mark, path = self._known.get(id(layer), (None, None))
        return path if mark == self._mark(layer) else None

    def write(self, layer: Any) -> Path:
        """Write a layer.

        Raises
        ------
        OutputError
            The disk refuses.
        """
        mark = self._mark(layer)
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="alsct-layers-"))
        self._count += 1
        path = self._folder / f"{safe_stem(layer.name)}-{self._count}.zarr"
        array = finest(layer)
        array = array if array.ndim == 3 else np.asarray(array)[None]
        if layer_kind(layer) == "labels":
            about = Volume(path=path, layout="memory", levels=(array,), voxel_um=voxel_um(layer))
            save_labels(array, about, path)
        else:
            _write_image(array, path, voxel_um(layer), value_units(layer))
        self._known[id(layer)] = (mark, path)
        return path

    def close(self) -> None:
        """Remove the files."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
        self._known.clear()

    def _mark(self, layer: Any) -> object:
        return id(finest(layer)), self._changes.get(id(layer), 0)


def _write_image(
    array: NDArray[Any], path: Path, edges: tuple[float, float, float] | None, units: str
) -> None:
    dtype = array.dtype.name if array.dtype.name in _STORED else "float32"
    volume = array_volume(array)
    with create_volume(
        path, shape=volume.shape, dtype=dtype, voxel_um=edges, provenance={"units": units}
    ) as writer:
        for first in range(0, volume.shape[0], _SLAB_SLICES):
            slab = np.asarray(array[first : first + _SLAB_SLICES])
            writer.write(first, np.ascontiguousarray(slab, dtype))
        writer.finish()


def _micrometres(unit: Any) -> float | None:
    """Length of one of napari's units, which are pint's, in micrometre; None for pixels."""
    try:
        return float((1 * unit).to("micrometer").magnitude)
    except Exception:  # noqa: BLE001 - pint has its own errors; what is no length has no answer
        return None
