"""Two volumes that are open together, and what is drawn of them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.files.compare import (
    Comparison,
    Difference,
    common_limits,
    compare_volumes,
    difference,
    difference_figures,
)
from alsct_gui.files.cuts import Cut
from alsct_gui.ui.viewer.contrast import Limits
from alsct_gui.ui.viewer.opened import OpenedVolume, Plane
from alsct_gui.ui.viewer.planes import PlaneReader

_SAMPLE_STEP = 3
_LARGE_PERCENT = 99.5


@dataclass(frozen=True, eq=False)
class Both:
    """A slice of each, and their difference where it was asked for."""

    first: Plane
    second: Plane
    delta: NDArray[np.float32] | None = None
    """First less second."""
    figures: Difference | None = None
    """Of the whole slices; None for coarse ones."""


@dataclass(frozen=True, eq=False)
class Pair:
    """Readers of the first and the second volume."""

    first: PlaneReader
    second: PlaneReader
    comparison: Comparison
    limits: Limits
    """Greys that suit both."""
    delta_limits: Limits
    """About zero; suits the difference."""

    @property
    def start(self) -> int:
        """The first slice of the first volume that the second has too."""
        return max(0, -self.comparison.slice_offset)

    def indices(self, index: int) -> tuple[int, int]:
        """Slices of the first and the second for the shared slice of a number."""
        first = self.start + index
        return first, first + self.comparison.slice_offset

    def swapped(self) -> Pair:
        """The second as the first."""
        low, high = self.delta_limits
        comparison = compare_volumes(self.second.opened.volume, self.first.opened.volume)
        return replace(
            self, first=self.second, second=self.first, comparison=comparison,
            delta_limits=(-high, -low),
        )  # fmt: skip

    def common_level(self, level: int) -> int:
        """The level, or the finest one where the pyramids are not alike."""
        a, b = self.first.opened.shapes, self.second.opened.shapes
        alike = level < min(len(a), len(b)) and a[level][1:] == b[level][1:]
        return level if alike else 0

    async def read(self, index: int, level: int, *, subtract: bool) -> Both:
        """Read a shared slice of both.

        Parameters
        ----------
        index
            From 0 to the number of shared slices less one.
        level
            Of both pyramids.
        subtract
            Whether the difference is wanted.
        """
        at, beside = self.indices(index)
        first, second = await asyncio.gather(
            self.first.read(Cut("slice", at), level), self.second.read(Cut("slice", beside), level)
        )
        if not subtract:
            return Both(first, second)
        return await asyncio.to_thread(_subtract, first, second)

    def read_ahead(self, indices: list[int], level: int) -> None:
        """Read what is likely wanted next."""
        at = [self.indices(index) for index in indices]
        self.first.read_ahead([Cut("slice", first) for first, _ in at], level)
        self.second.read_ahead([Cut("slice", second) for _, second in at], level)

    def close(self) -> None:
        """Close both; waits for reads under way: call in a thread."""
        self.first.close()
        self.second.close()


def open_pair(first: Path, second: Path) -> Pair:
    """Open two volumes and find out whether they can be compared.

    Raises
    ------
    InputError
        One of them cannot be opened.
    """
    a = OpenedVolume(first)
    try:
        b = OpenedVolume(second)
    except BaseException:
        a.close()
        raise
    pair = Pair(PlaneReader(a), PlaneReader(b), compare_volumes(a.volume, b.volume),
                a.limits, (-1.0, 1.0))  # fmt: skip
    try:
        return _with_limits(pair) if pair.comparison.comparable else pair
    except BaseException:
        pair.close()
        raise


def _with_limits(pair: Pair) -> Pair:
    """Find greys for both from the slice in the middle."""
    at, beside = pair.indices(pair.comparison.n_shared // 2)
    step = slice(None, None, _SAMPLE_STEP)
    a = pair.first.opened.plane(Cut("slice", at)).image[step, step]
    b = pair.second.opened.plane(Cut("slice", beside)).image[step, step]
    size = np.abs(difference(a, b))
    finite = size[np.isfinite(size)]
    large = float(np.percentile(finite, _LARGE_PERCENT)) if finite.size else 0.0
    large = large or _least(common_limits(a, b))
    return replace(pair, limits=common_limits(a, b), delta_limits=(-large, large))


def _least(limits: Limits) -> float:
    """What is taken for a difference where there is none: a thousandth of the greys."""
    return 1e-3 * max(limits[1] - limits[0], 1e-6)


def _subtract(first: Plane, second: Plane) -> Both:
    whole = first.level == 0
    delta: Any = difference(first.image, second.image)
    figures = difference_figures(first.image, second.image) if whole else None
    return Both(first, second, delta, figures)
