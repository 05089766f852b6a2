"""Which voxels of a layer are marked, kept up to date slice by slice."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_alsct_segment.classifier.samples import Scribbles


class Marks:
    """The marked voxels of an array that somebody paints on.

    Parameters
    ----------
    labels
        Integers, shape (slice, y, x), or (y, x) of one slice; looked at, never changed.
    """

    def __init__(self, labels: NDArray[Any]) -> None:
        self._labels = labels if labels.ndim == 3 else labels[None]
        self._slices: dict[int, tuple[NDArray[np.int64], NDArray[np.int64]]] = {}

    @property
    def slices(self) -> tuple[int, ...]:
        """Slices with marks in them."""
        return tuple(sorted(self._slices))

    def look_at_all(self) -> None:
        """Look at every slice."""
        self.look(range(len(self._labels)))

    def look(self, slices: Iterable[int]) -> bool:
        """Look at some slices, and again at those with marks; returns whether any changed."""
        changed = False
        for index in {*slices, *self._slices}:
            y, x = np.nonzero(self._labels[index])
            values = self._labels[index][y, x].astype(np.int64)
            places = np.stack([np.full(y.size, index), y, x], axis=1)
            old = self._slices.pop(index, None)
            if values.size:
                self._slices[index] = places, values
            same = old is not None and np.array_equal(old[0], places)
            if not (same and old is not None and np.array_equal(old[1], values)):
                changed = changed or old is not None or bool(values.size)
        return changed

    def scribbles(self) -> Scribbles:
        """Return what is marked."""
        parts = [self._slices[index] for index in self.slices]
        if not parts:
            return Scribbles(np.empty((0, 3), np.int64), np.empty(0, np.int64))
        return Scribbles(
            np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])
        )
