"""What a network learns from: slices that go in, and what should come out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.errors import InputError
from alsct_gui.model.volume import LazyArray
from napari_alsct_segment.network.model import Scaling
from napari_alsct_segment.surrounded import Mirrored

Float32Array = NDArray[np.float32]
Target = NDArray[np.float32] | NDArray[np.int64]
Span = tuple[slice, slice]
"""Part of a slice, along y and x."""

_SAMPLED_SLICES = 8


class Pairs(Protocol):
    """Pairs of planes to learn from."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Slices, y, x."""

    @property
    def n_inputs(self) -> int:
        """Planes that go in for each slice."""

    @property
    def grey(self) -> Scaling:
        """How grey values are counted."""

    def read(self, index: int, part: Span, draw: int) -> tuple[Float32Array, Target]:
        """Read one pair.

        Parameters
        ----------
        index
            Slice.
        part
            Which part of it.
        draw
            A number from 0 on that chooses where there are several pairs of one slice.

        Returns
        -------
        planes
            What goes in, scaled, shape (input, y, x).
        target
            What should come out: scaled grey values as float32, or classes as int64 with -1
            where there is none; shape (y, x).
        """


@dataclass(frozen=True, eq=False)
class VolumePairs:
    """A poor volume and a good one of the same sample: to learn what makes it good."""

    poor: Mirrored
    good: LazyArray | NDArray[Any]
    grey: Scaling
    n_inputs: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """Slices, y, x."""
        z, y, x = self.good.shape
        return z, y, x

    def read(self, index: int, part: Span, draw: int) -> tuple[Float32Array, Target]:
        """Read a pair; there is one of each slice."""
        planes = self.poor[index : index + self.n_inputs, part[0], part[1]]
        good = np.asarray(self.good[index, part[0], part[1]], np.float32)
        return self.grey.into(planes), self.grey.into(good)


@dataclass(frozen=True, eq=False)
class LabelPairs:
    """A volume and its labels: to learn to label."""

    volume: Mirrored
    labels: LazyArray | NDArray[Any]
    classes: tuple[int, ...]
    """Labels that count; all others are passed over."""
    grey: Scaling
    n_inputs: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """Slices, y, x."""
        z, y, x = self.labels.shape
        return z, y, x

    def read(self, index: int, part: Span, draw: int) -> tuple[Float32Array, Target]:
        """Read a pair; there is one of each slice."""
        planes = self.volume[index : index + self.n_inputs, part[0], part[1]]
        found = np.asarray(self.labels[index, part[0], part[1]], np.int64)
        place = np.searchsorted(self.classes, found).clip(max=len(self.classes) - 1)
        known = np.asarray(self.classes)[place] == found
        return self.grey.into(planes), np.where(known, place, -1)


@dataclass(frozen=True, eq=False)
class SplitPairs:
    """Reconstructions of one scan from separate sets of angles: Noise2Inverse.

    What goes in is the mean of all but one, what should come out is the one: their noise has
    nothing to do with each other, so the network learns what they share (Hendriksen, Pelt and
    Batenburg, IEEE Trans. Comput. Imaging 6, 1320, 2020; the strategy X:1).
    """

    splits: tuple[LazyArray | NDArray[Any], ...]
    """At least two, of one shape."""
    grey: Scaling
    n_inputs: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """Slices, y, x."""
        z, y, x = self.splits[0].shape
        return z, y, x

    def read(self, index: int, part: Span, draw: int) -> tuple[Float32Array, Target]:
        """Read a pair; `draw` chooses the split that should come out."""
        chosen = draw % len(self.splits)
        reach = (self.n_inputs // 2, 0, 0)
        others = [
            Mirrored(split, reach)[index : index + self.n_inputs, part[0], part[1]]
            for number, split in enumerate(self.splits)
            if number != chosen
        ]
        good = np.asarray(self.splits[chosen][index, part[0], part[1]], np.float32)
        return self.grey.into(np.mean(others, axis=0)), self.grey.into(good)


def volume_pairs(
    poor: LazyArray | NDArray[Any], good: LazyArray | NDArray[Any], *, neighbours: int = 0
) -> VolumePairs:
    """Pair a poor volume with a good one.

    Raises
    ------
    InputError
        They are of different shapes.
    """
    _same_shape(poor, good)
    return VolumePairs(
        Mirrored(poor, (neighbours, 0, 0)), good, scaling_of(good), 2 * neighbours + 1
    )


def label_pairs(
    volume: LazyArray | NDArray[Any],
    labels: LazyArray | NDArray[Any],
    *,
    neighbours: int = 0,
    zero_counts: bool = False,
) -> LabelPairs:
    """Pair a volume with its labels.

    Parameters
    ----------
    zero_counts
        Whether label 0 is a class; else it stands for what nobody has labelled.

    Raises
    ------
    InputError
        They are of different shapes, or there are fewer than two classes.
    """
    _same_shape(volume, labels)
    found: set[int] = set()
    for index in range(labels.shape[0]):
        found.update(int(value) for value in np.unique(np.asarray(labels[index])))
    classes = tuple(sorted(value for value in found if value or zero_counts))
    if len(classes) < 2 or classes[0] < 0 or classes[-1] > 255:
        raise InputError(
            f"it has the labels {', '.join(map(str, classes[:5])) or 'none'}", where="labels",
            fix="Give at least two classes with labels from 1 to 255",
        )  # fmt: skip
    return LabelPairs(
        Mirrored(volume, (neighbours, 0, 0)), labels, classes, scaling_of(volume),
        2 * neighbours + 1,
    )  # fmt: skip


def split_pairs(splits: Sequence[LazyArray | NDArray[Any]], *, neighbours: int = 0) -> SplitPairs:
    """Pair reconstructions of separate sets of angles with each other.

    Raises
    ------
    InputError
        There are fewer than two, or they are of different shapes.
    """
    if len(splits) < 2:
        raise InputError("at least two sets of angles are needed", where="splits")
    for split in splits[1:]:
        _same_shape(splits[0], split)
    return SplitPairs(tuple(splits), scaling_of(splits[0]), 2 * neighbours + 1)


def scaling_of(array: LazyArray | NDArray[Any]) -> Scaling:
    """Return mean and standard deviation of a few slices, without what is exactly zero."""
    last = array.shape[0] - 1
    chosen = sorted({round(i * last / (_SAMPLED_SLICES - 1)) for i in range(_SAMPLED_SLICES)})
    parts = []
    for index in chosen:
        values = np.asarray(array[index], np.float64)
        parts.append(values[np.isfinite(values) & (values != 0)])
    sample = np.concatenate(parts)
    if not sample.size or sample.std() == 0:
        return Scaling()
    return Scaling(float(sample.mean()), float(sample.std()))


def _same_shape(one: LazyArray | NDArray[Any], other: LazyArray | NDArray[Any]) -> None:
    if tuple(one.shape) != tuple(other.shape):
        raise InputError(
            f"volumes of {tuple(one.shape)} and {tuple(other.shape)} are no pair", where="pair",
            fix="Give two volumes of the same sample, slice by slice",
        )  # fmt: skip
