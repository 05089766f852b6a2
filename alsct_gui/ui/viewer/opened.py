"""A volume that is open for the viewer, finished or still being made; read from threads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Condition
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.files.cuts import AXES, Cut, index_at_level, level_for, read_cut
from alsct_gui.files.lazyarray import Ranges
from alsct_gui.files.partialvolume import PartialVolume, Run, State, open_partial_volume
from alsct_gui.files.volumes import open_volume
from alsct_gui.model.errors import InputError
from alsct_gui.model.volume import Volume

DISPLAY_PERCENT = (0.5, 99.5)
_SAMPLES = 100_000


@dataclass(frozen=True, eq=False)
class Plane:
    """A cut as it is drawn."""

    cut: Cut
    level: int
    image: NDArray[Any]
    """Physical values; shape (y, x), (slice, x) or (slice, y)."""
    pixel_um: tuple[float, float] | None
    """Edges of its pixels (down, across); None when unknown."""
    factors: tuple[int, int]
    """Finest voxels along the edges of a pixel (down, across)."""


class OpenedVolume:
    """Keeps the files open until nobody reads any more.

    Everything but the properties may take long: it is called from threads.

    Parameters
    ----------
    path
        A volume, or the folder of one that is being made.
    n_slices
        Slices that the latter will have; 0 when that is not known.

    Raises
    ------
    InputError
        It cannot be opened.
    """

    def __init__(self, path: Path, n_slices: int = 0) -> None:
        self.path = path
        self._readers = 0
        self._closed = False
        self._free = Condition()
        self.partial: PartialVolume | None = None
        if is_partial(path):
            self.partial = open_partial_volume(path, n_slices=n_slices or None)
            self.volume: Volume = self.partial.volume
        else:
            self.volume = open_volume(path)
        try:
            self.limits = self._find_limits()
        except BaseException:
            self.close()
            raise

    @property
    def name(self) -> str:
        """As people know it."""
        return self.partial.path.name if self.partial is not None else self.path.name

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Shapes (slice, y, x) of the levels, finest first."""
        return tuple(tuple(level.shape) for level in self.volume.levels)

    @property
    def finished(self) -> tuple[Run, ...]:
        """Slices that can be read."""
        if self.partial is None:
            return ((0, self.volume.shape[0]),)
        return self.partial.finished

    @property
    def state(self) -> State:
        """Whether it is still being made."""
        return "finished" if self.partial is None else self.partial.state

    def has(self, index: int) -> bool:
        """Whether a slice is finished."""
        return any(first <= index < stop for first, stop in self.finished)

    def plane(self, cut: Cut, level: int = 0) -> Plane:
        """Read a cut."""
        with self._reading():
            read = read_cut(self.volume, cut, level)
            image = self.volume.physical(read.values)
        z, y, x = self.factors(level)
        factors = {"slice": (y, x), "row": (z, x), "column": (z, y)}[cut.axis]
        return Plane(cut, level, image, read.pixel_um, factors)

    def block(self, level: int, first: int, stop: int) -> NDArray[np.float32]:
        """Read slices of a level as physical values."""
        with self._reading():
            stored = self.volume.levels[level][first:stop]
            return self.volume.physical(stored).astype(np.float32, copy=False)

    def values(self, level: int, ranges: Ranges) -> NDArray[Any]:
        """Read a part of a level as physical values."""
        key = tuple(slice(axis.start, axis.stop, axis.step) for axis in ranges)
        with self._reading():
            return self.volume.physical(self.volume.levels[level][key])

    def refresh(self, announced: Iterable[Run]) -> None:
        """Look again which slices are finished."""
        if self.partial is not None:
            with self._reading():
                before = self.partial.n_finished
                self.partial.refresh(announced)
                if not before and self.partial.n_finished:
                    self.limits = self._find_limits()

    def factors(self, level: int) -> tuple[int, int, int]:
        """Finest voxels along the edges (slice, y, x) of a voxel of a level."""
        coarse = self.volume.levels[level].shape
        z, y, x = (_factor(a, b) for a, b in zip(self.volume.shape, coarse, strict=True))
        return z, y, x

    def close(self) -> None:
        """Wait for whoever reads and free the files; idempotent."""
        with self._free:
            already, self._closed = self._closed, True
            self._free.wait_for(lambda: not self._readers)
        if not already:
            (self.partial or self.volume).close()

    @contextmanager
    def _reading(self) -> Iterator[None]:
        with self._free:
            if self._closed:
                raise InputError("it was closed", where=str(self.path), fix="Open it again")
            self._readers += 1
        try:
            yield
        finally:
            with self._free:
                self._readers -= 1
                self._free.notify_all()

    def level_at(self, zoom: float) -> int:
        """Coarsest level of a slice that looks as sharp, at so many screen pixels a micrometre."""
        if self.volume.voxel_um is None:
            return 0
        _, height, width = self.volume.shape
        _, down_um, across_um = self.volume.voxel_um
        screen = (round(height * down_um * zoom), round(width * across_um * zoom))
        return level_for(self.shapes, "slice", screen)

    def _find_limits(self) -> tuple[float, float]:
        """Greys that suit the middle of the volume, from the coarsest level of some size."""
        runs = self.finished
        if not runs:
            return 0.0, 1.0
        first, stop = max(runs, key=lambda run: run[1] - run[0])
        level = max(k for k, shape in enumerate(self.shapes) if k == 0 or min(shape[1:]) >= 128)
        shape = self.volume.levels[level].shape
        index = index_at_level((first + stop) // 2, self.volume.shape[0], shape[0])
        return robust_limits(self.volume.physical(self.volume.levels[level][index]))


def is_partial(path: Path) -> bool:
    """Whether a path is the folder of a product that is being made."""
    return path.name.startswith(".") and path.name.endswith(".partial")


def robust_limits(values: NDArray[Any]) -> tuple[float, float]:
    """Percentiles of a sample of the finite values; (0, 1) when there are none.

    Parameters
    ----------
    values
        Any shape.
    """
    flat = values.ravel()
    sample = flat[:: max(1, flat.size // _SAMPLES)]
    finite = sample[np.isfinite(sample)]
    if not finite.size:
        return 0.0, 1.0
    low, high = np.percentile(finite, DISPLAY_PERCENT)
    return float(low), float(high)


def _factor(fine: int, coarse: int) -> int:
    """Levels halve, odd sizes rounded up."""
    factor, size = 1, fine
    while size > coarse:
        factor, size = 2 * factor, (size + 1) // 2
    return factor


def middle_of(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """The voxel in the middle: slice, y, x."""
    z, y, x = (size // 2 for size in shape)
    return z, y, x


def cuts_at(cursor: tuple[int, int, int]) -> tuple[Cut, Cut, Cut]:
    """The three cuts through a voxel."""
    z, y, x = (Cut(axis, index) for axis, index in zip(AXES, cursor, strict=True))
    return z, y, x
