"""What all lazy arrays on disk share: numpy's basic indexing, worked out once."""

from __future__ import annotations

import math
import operator
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Ranges = tuple[range, range, range]
"""Indices that are read along (slice, y, x), each with a positive step."""


class DiskArray(ABC):
    """A three-dimensional array on disk; a subclass reads blocks of it.

    Takes integers, slices with positive steps and one ellipsis, as zarr's basic indexing
    does, and returns arrays of native byte order that are the caller's own.
    """

    ndim = 3

    def __init__(self, shape: tuple[int, int, int], dtype: np.dtype[Any]) -> None:
        self._shape = shape
        self._dtype = dtype.newbyteorder("=")

    @property
    def shape(self) -> tuple[int, ...]:
        """Slices, y, x."""
        return self._shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values as they are returned."""
        return self._dtype

    @property
    def size(self) -> int:
        """Number of values."""
        return math.prod(self._shape)

    def __getitem__(self, key: Any) -> NDArray[Any]:
        """Read a block.

        Raises
        ------
        IndexError
            The key is out of bounds, or no integer, slice or ellipsis.
        InputError
            The bytes cannot be read.
        """
        ranges, drop = resolve_key(key, self._shape)
        block = self._read(ranges)
        return block[tuple(0 if gone else slice(None) for gone in drop)]

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("an array on disk is always copied when it becomes one in memory")
        return self[...].astype(dtype or self._dtype, copy=False)

    @abstractmethod
    def _read(self, ranges: Ranges) -> NDArray[Any]:
        """Read a block, shape (slice, y, x) by the lengths of the ranges."""


def resolve_key(key: Any, shape: tuple[int, int, int]) -> tuple[Ranges, tuple[bool, bool, bool]]:
    """Work out a key of basic indexing.

    Returns
    -------
    ranges
        What is read along each axis.
    drop
        Which axes have one element and go, because the key had an integer there.

    Raises
    ------
    IndexError
        As for `DiskArray.__getitem__`.
    """
    parts = list(key) if isinstance(key, tuple) else [key]
    places = [place for place, part in enumerate(parts) if part is Ellipsis]
    if len(places) > 1:
        raise IndexError("an index can only have one ellipsis")
    place = places[0] if places else len(parts)
    named = len(parts) - len(places)
    if named > len(shape):
        raise IndexError(f"{named} indices for an array of {len(shape)} axes")
    parts[place : place + 1] = [slice(None)] * (len(shape) - named)
    z, y, x = (_axis(part, size) for part, size in zip(parts, shape, strict=True))
    drop = [not isinstance(part, slice) for part in parts]
    return (z, y, x), (drop[0], drop[1], drop[2])


def _axis(part: Any, size: int) -> range:
    if isinstance(part, slice):
        start, stop, step = part.indices(size)
        if step < 1:
            raise IndexError(f"the step {step} of a slice must be positive")
        return range(start, max(start, stop), step)
    if isinstance(part, bool | np.bool_):
        raise IndexError("an index must be an integer or a slice, not a truth value")
    try:
        index = operator.index(part)
    except TypeError as error:
        raise IndexError(
            f"an index must be an integer or a slice, not {type(part).__name__}"
        ) from error
    if not -size <= index < size:
        raise IndexError(f"index {index} of an axis of {size}")
    index += size if index < 0 else 0
    return range(index, index + 1)
