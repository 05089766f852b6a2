"""What goes into a step and comes out of it, besides `Volume` and `Table`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.files.lazyarray import DiskArray, Ranges
from alsct_gui.model.errors import InputError
from alsct_gui.model.volume import LazyArray, Volume, to_physical

LAYER_PATH = "alsct_path"
"""Entry of a napari layer's metadata: the file that holds exactly what the layer shows."""
IN_MEMORY = Path("memory")
"""Path of a volume that lies on no disk."""


@dataclass(frozen=True, slots=True, eq=False)
class MadeVolume:
    """A volume that a step makes; the output of kind ``volume``."""

    values: LazyArray | NDArray[Any]
    """Shape (slice, y, x): float32, uint16 or uint8 to be stored as it is; bool as uint8; any
    other type becomes float32."""
    units: str | None = None
    """Unit of the values; None for that of the first input."""
    scale: tuple[float, float] | None = None
    """Offset and step of integers that stand for values; None when they are values."""
    voxel_um: tuple[float, float, float] | None = None
    """Edges of a voxel; None for that of the first input."""
    same_voxels: bool = True
    """Whether its voxels are those of the first input; else their edges are unknown, unless they
    are given."""


@dataclass(frozen=True, slots=True, eq=False)
class MadeLabels:
    """Labels that a step makes; the output of kind ``labels``."""

    values: LazyArray | NDArray[Any]
    """Integers or booleans, shape (slice, y, x)."""
    same_voxels: bool = True
    """Whether its voxels are those of the first input; else their edges are unknown."""


@dataclass(frozen=True, slots=True, eq=False)
class MadeFile:
    """A file that a step makes; the output of kind ``report`` or ``model``."""

    suffix: str
    """``.html``, ``.safetensors`` …"""
    write: Callable[[Path, Mapping[str, Any]], None]
    """Called with the path and the provenance, plain data, which belongs into the file."""


class PhysicalArray(DiskArray):
    """Stored values as float32 in the volume's unit."""

    def __init__(self, array: LazyArray, scale: tuple[float, float] | None) -> None:
        z, y, x = array.shape
        super().__init__((z, y, x), np.dtype(np.float32))
        self._array, self._scale = array, scale

    def _read(self, ranges: Ranges) -> NDArray[Any]:
        stored = self._array[tuple(slice(r.start, r.stop, r.step) for r in ranges)]
        return np.ascontiguousarray(to_physical(stored, self._scale), np.float32)


def physical_array(volume: Volume) -> LazyArray:
    """Return the finest level of a volume as float32 in its unit, read as it is asked for.

    Raises
    ------
    InputError
        The volume's scale is none.
    """
    return PhysicalArray(volume.levels[0], volume.scale)


def array_volume(
    array: NDArray[Any],
    *,
    voxel_um: tuple[float, float, float] | None = None,
    units: str = "",
    path: Path = IN_MEMORY,
) -> Volume:
    """Return an array of shape (slice, y, x), or one slice, in the clothes of a volume.

    Raises
    ------
    InputError
        It has neither three axes nor two.
    """
    if array.ndim not in (2, 3):
        raise InputError(
            f"an array of {array.ndim} axes is no volume", where=str(path),
            fix="Give one of shape (slice, y, x)",
        )  # fmt: skip
    levels: tuple[LazyArray, ...] = (array if array.ndim == 3 else array[None],)
    return Volume(path=path, layout="memory", levels=levels, voxel_um=voxel_um, units=units)


def as_input(value: Any) -> Any:
    """Return what a step takes: arrays become volumes, all else stays as it is."""
    return array_volume(value) if isinstance(value, np.ndarray) else value
