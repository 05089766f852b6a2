"""Cuts through a volume, and which level of its pyramid serves a view.

The choices are pure functions of shapes and figures; `read_cut` alone reads.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray

from alsct_gui.model.errors import InputError
from alsct_gui.model.volume import Volume

Axis = Literal["slice", "row", "column"]
AXES: tuple[Axis, ...] = ("slice", "row", "column")
"""Names of the axes (slice, y, x): a cut along one shows the other two."""

Shape = tuple[int, ...]

MEMORY_SHARE = 0.25
"""Share of the memory there is that the voxels of a 3-D view may take as float32: as many
again are needed for their upload, and the rest of the program lives on."""
FLOAT_BYTES = 4
_MEMINFO = Path("/proc/meminfo")


@dataclass(frozen=True, slots=True)
class Cut:
    """A plane through a volume at one index of an axis of the finest level."""

    axis: Axis
    index: int


@dataclass(frozen=True, slots=True, eq=False)
class CutImage:
    """A cut as it was read."""

    cut: Cut
    level: int
    index: int
    """Index along the axis in this level."""
    values: NDArray[Any]
    """Stored values: (y, x) of a slice, (slice, x) at a row, (slice, y) at a column."""
    pixel_um: tuple[float, float] | None
    """Edges of a pixel (down, across); None when the volume has no voxel size."""

    @property
    def extent_um(self) -> tuple[float, float] | None:
        """Size of the image (down, across); None when the volume has no voxel size."""
        if self.pixel_um is None:
            return None
        down, across = self.values.shape
        return down * self.pixel_um[0], across * self.pixel_um[1]


@dataclass(frozen=True, slots=True)
class LevelChoice:
    """The level that a 3-D view takes, or why there is none."""

    level: int | None
    """None when no level fits."""
    bytes: int
    """Bytes of the level as float32; of the coarsest one when none fits."""
    sentence: str
    """For people, with the figures."""


def read_cut(volume: Volume, cut: Cut, level: int = 0) -> CutImage:
    """Read a cut at a level of the pyramid.

    Raises
    ------
    InputError
        The cut or the level does not lie in the volume, or the bytes cannot be read.
    """
    if not 0 <= level < len(volume.levels):
        raise InputError(
            f"there is no level {level}", where=str(volume.path),
            fix=f"Give a level from 0 to {len(volume.levels) - 1}",
        )  # fmt: skip
    axis = AXES.index(cut.axis)
    size = volume.shape[axis]
    if not 0 <= cut.index < size:
        raise InputError(
            f"there is no {cut.axis} {cut.index}", where=str(volume.path),
            fix=f"Give one from 0 to {size - 1}",
        )  # fmt: skip
    array = volume.levels[level]
    index = index_at_level(cut.index, size, array.shape[axis])
    key: list[Any] = [slice(None)] * 3
    key[axis] = index
    return CutImage(cut, level, index, array[tuple(key)], _pixel_um(volume, level, axis))


def plane_shape(shape: Shape, axis: Axis) -> tuple[int, int]:
    """Return the pixels (down, across) of a cut."""
    down, across = (size for number, size in enumerate(shape) if number != AXES.index(axis))
    return down, across


def index_at_level(index: int, finest_size: int, size: int) -> int:
    """Return the index, along an axis of a coarser level, of the voxel that holds a fine one."""
    return min(index // _factor(finest_size, size), size - 1)


def level_for(shapes: Sequence[Shape], axis: Axis, screen_px: tuple[int, int]) -> int:
    """Return the coarsest level that shows a whole cut as sharp as the screen can.

    Parameters
    ----------
    shapes
        Shapes (slice, y, x) of the levels, finest first.
    axis
        Axis of the cut.
    screen_px
        Pixels (down, across) of the area into which the whole cut is fitted with its
        proportions kept. Of a cut that is magnified: the area that the whole would take.
    """
    down, across = plane_shape(shapes[0], axis)
    magnification = min(screen_px[0] / down, screen_px[1] / across)
    chosen = 0
    for level, shape in enumerate(shapes):
        pixels = plane_shape(shape, axis)
        if pixels[0] >= down * magnification and pixels[1] >= across * magnification:
            chosen = level
    return chosen


def level_for_3d(
    shapes: Sequence[Shape],
    memory_bytes: int,
    texture_limit_px: int = 2048,
    share: float = MEMORY_SHARE,
) -> LevelChoice:
    """Choose the finest level that a 3-D view can hold.

    Parameters
    ----------
    shapes
        Shapes (slice, y, x) of the levels, finest first.
    memory_bytes
        Memory there is, of the machine or of the graphics card, whichever is less.
    texture_limit_px
        Longest edge of a 3-D texture (``GL_MAX_3D_TEXTURE_SIZE``).
    share
        Part of the memory that the voxels may take as float32.
    """
    allowed = int(memory_bytes * share)
    for level, shape in enumerate(shapes):
        needed = math.prod(shape) * FLOAT_BYTES
        if needed <= allowed and max(shape) <= texture_limit_px:
            text = f"3-D shows {_voxels(shape)}, {_size(needed)}"
            if level:
                text += f"; {_obstacle(shapes[level - 1], allowed, texture_limit_px)}"
            return LevelChoice(level, needed, f"{text}.")
    coarsest = shapes[-1]
    why = _obstacle(coarsest, allowed, texture_limit_px)
    fix = "Show a part of it, or make a volume with coarser levels"
    if max(coarsest) <= texture_limit_px:
        fix = "Close other programs or volumes, or show a part of it"
    return LevelChoice(
        None, math.prod(coarsest) * FLOAT_BYTES, f"The volume does not fit in 3-D: {why}. {fix}."
    )


def available_memory_bytes() -> int:
    """Return the memory that programs can still take without swapping.

    Linux says so itself (MemAvailable); elsewhere it is the free pages, else half of all.
    """
    try:
        for line in _MEMINFO.read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass  # not Linux, or an unknown wording: the next source answers
    page_bytes = os.sysconf("SC_PAGE_SIZE")
    if "SC_AVPHYS_PAGES" in os.sysconf_names:
        return os.sysconf("SC_AVPHYS_PAGES") * page_bytes
    return os.sysconf("SC_PHYS_PAGES") * page_bytes // 2


def _factor(finest_size: int, size: int) -> int:
    """Return how many fine voxels a coarse one spans along an axis: a power of two."""
    factor, halved = 1, finest_size
    while halved > size:
        factor, halved = factor * 2, (halved + 1) // 2
    # Pyramids of other programs may round down.
    return factor if halved == size else 2 ** max(0, round(math.log2(finest_size / size)))


def _pixel_um(volume: Volume, level: int, axis: int) -> tuple[float, float] | None:
    if volume.voxel_um is None:
        return None
    finest, shape = volume.shape, volume.levels[level].shape
    edges = [
        edge * _factor(fine, coarse)
        for edge, fine, coarse in zip(volume.voxel_um, finest, shape, strict=True)
    ]
    down, across = (edge for number, edge in enumerate(edges) if number != axis)
    return down, across


def _obstacle(shape: Shape, allowed_bytes: int, texture_limit_px: int) -> str:
    """Say why a level cannot be shown."""
    needed = math.prod(shape) * FLOAT_BYTES
    if needed > allowed_bytes:
        return f"{_voxels(shape)} need {_size(needed)}, {_size(allowed_bytes)} may be taken"
    return f"{_voxels(shape)} exceed the graphics card's edge of {texture_limit_px}"


def _voxels(shape: Shape) -> str:
    return f"{' × '.join(map(str, shape))} voxels"


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.1f} MB"
