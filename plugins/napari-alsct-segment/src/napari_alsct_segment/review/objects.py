"""Where objects lie, and in which order they are gone through."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from alsct_gui.model.errors import InputError
from napari_alsct_segment.review.edits import Box, Place

Order = Literal["number", "size", "slice"]
MOST_OBJECTS = 5_000_000


def find_objects(labels: NDArray[np.integer[Any]]) -> dict[int, Box]:
    """Return the bounding box of every object, by its label, growing.

    Parameters
    ----------
    labels
        Integers from 0 on, shape (slice, y, x); 0 is no object.

    Raises
    ------
    InputError
        Labels are negative, or too many.
    """
    largest = int(labels.max(initial=0))
    if int(labels.min(initial=0)) < 0 or largest > MOST_OBJECTS:
        raise InputError(
            f"labels go from 0 to {MOST_OBJECTS:,}", where="labels", fix="Number them anew"
        )
    bounds = _bounds(labels, largest)
    found = np.flatnonzero(bounds[:, 1] > 0)
    return {int(label): _box(bounds[label]) for label in found}


def update_boxes(
    boxes: dict[int, Box], labels: NDArray[np.integer[Any]], box: Box
) -> dict[int, Box]:
    """Return the boxes after a change within one box.

    Only objects that lie wholly in the box, or touch it, are looked at again: of those that
    reach beyond it the part outside is kept.

    Parameters
    ----------
    boxes
        As they were.
    labels
        After the change.
    box
        Where it was; it holds the whole of every object that was changed.
    """
    inside = find_objects(labels[box])
    found = {label: old for label, old in boxes.items() if label in inside or not _within(old, box)}
    for label, own in inside.items():
        moved = _moved(own, box)
        old = boxes.get(label)
        found[label] = moved if old is None or _within(old, box) else _joined(old, moved)
    return dict(sorted(found.items()))


def ordered(
    boxes: dict[int, Box], order: Order, sizes: dict[int, int] | None = None
) -> tuple[int, ...]:
    """Return the objects in the order in which they are gone through.

    Parameters
    ----------
    boxes
        Of `find_objects`.
    order
        ``number``; ``size``: the largest first; ``slice``: by their first slice.
    sizes
        Voxels of each object; needed for ``size``.
    """
    if order == "size":
        counts = sizes or {}
        return tuple(sorted(boxes, key=lambda label: (-counts.get(label, 0), label)))
    if order == "slice":
        return tuple(sorted(boxes, key=lambda label: (boxes[label][0].start, label)))
    return tuple(sorted(boxes))


def object_sizes(labels: NDArray[np.integer[Any]], boxes: dict[int, Box]) -> dict[int, int]:
    """Return how many voxels each object has."""
    counts = np.zeros(max(boxes, default=0) + 1, np.int64)
    for plane in labels:
        counts += np.bincount(plane.ravel(), minlength=len(counts))[: len(counts)]
    return {label: int(counts[label]) for label in boxes}


def neighbour(sequence: tuple[int, ...], current: int | None, step: int) -> int | None:
    """Return the object before or after another, round and round; None when there is none."""
    if not sequence:
        return None
    if current not in sequence:
        return sequence[0 if step > 0 else -1]
    return sequence[(sequence.index(current) + step) % len(sequence)]


def inner_place(labels: NDArray[np.integer[Any]], label: int, box: Box) -> Place:
    """Return a voxel of an object to look at: the one nearest to its middle."""
    places = np.argwhere(labels[box] == label)
    middle = places.mean(axis=0)
    nearest = places[((places - middle) ** 2).sum(axis=1).argmin()]
    z, y, x = (int(at) + axis.start for at, axis in zip(nearest, box, strict=True))
    return z, y, x


@njit(nogil=True, cache=True)
def _bounds(labels: NDArray[np.integer[Any]], largest: int) -> NDArray[np.int64]:
    """First and last + 1 along each axis for every label; zeros where there is none."""
    bounds = np.zeros((largest + 1, 6), np.int64)
    slices, rows, columns = labels.shape
    for z in range(slices):
        for y in range(rows):
            for x in range(columns):
                label = labels[z, y, x]
                if label == 0:
                    continue
                own = bounds[label]
                if own[1] == 0:
                    own[0], own[2], own[4] = z, y, x
                    own[1], own[3], own[5] = z + 1, y + 1, x + 1
                    continue
                own[1] = z + 1
                own[2] = min(own[2], y)
                own[3] = max(own[3], y + 1)
                own[4] = min(own[4], x)
                own[5] = max(own[5], x + 1)
    return bounds


def _box(bounds: NDArray[np.int64]) -> Box:
    z0, z1, y0, y1, x0, x1 = (int(value) for value in bounds)
    return slice(z0, z1), slice(y0, y1), slice(x0, x1)


def _within(inner: Box, outer: Box) -> bool:
    return all(a.start >= b.start and a.stop <= b.stop for a, b in zip(inner, outer, strict=True))


def _moved(box: Box, by: Box) -> Box:
    z, y, x = (slice(a.start + b.start, a.stop + b.start) for a, b in zip(box, by, strict=True))
    return z, y, x


def _joined(one: Box, other: Box) -> Box:
    z, y, x = (
        slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(one, other, strict=True)
    )
    return z, y, x
