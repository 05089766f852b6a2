"""The two cuts along a fibre through a break, as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.files.report.images import grey_image
from alsct_gui.model.volume import LazyArray
from napari_alsct_fibers.direction import Axis, Turned, turned_edges

_DIAMETERS = 4.0


def cuts_through(
    volume: LazyArray,
    axis: Axis,
    place_um: Sequence[float],
    voxel_um: Sequence[float],
    diameter_um: float,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the planes along a fibre through a place, across both other axes.

    Parameters
    ----------
    volume
        Shape (slice, y, x).
    axis
        Axis that fibres run along; it is shown upright.
    place_um
        (z, y, x) in the volume.
    voxel_um
        Edges of a voxel (z, y, x).
    diameter_um
        Of a fibre; four to either side are shown.

    Returns
    -------
    first, second
        Grey, shape (along, across); what lies outside of the volume is black.
    """
    z, y, x = (float(value) for value in voxel_um)
    edges = turned_edges((z, y, x), axis)
    where = np.array(place_um, np.float64) / np.array([z, y, x])
    turned = volume if axis == "z" else Turned(volume, axis)
    order = {"z": (0, 1, 2), "y": (1, 0, 2), "x": (2, 0, 1)}[axis]
    middle = [round(float(where[number])) for number in order]
    reach = [max(2, round(_DIAMETERS * diameter_um / edge)) for edge in edges]
    one = _plane(turned, middle, reach, across=2)
    other = _plane(turned, middle, reach, across=1)
    known = np.concatenate([one[np.isfinite(one)], other[np.isfinite(other)]])
    low, high = np.percentile(known, (1, 99.5)) if len(known) else (0.0, 1.0)
    return grey_image(one, float(low), float(high)), grey_image(other, float(low), float(high))


def _plane(volume: Any, middle: list[int], reach: list[int], across: int) -> NDArray[np.float32]:
    """Values about a place along the first axis and another one, NaN outside the volume."""
    out = np.full((2 * reach[0] + 1, 2 * reach[across] + 1), np.nan, np.float32)
    first = [middle[0] - reach[0], middle[across] - reach[across]]
    spans = [
        (max(0, start), min(volume.shape[axis], start + 2 * reach[axis] + 1))
        for start, axis in zip(first, (0, across), strict=True)
    ]
    fixed = 3 - across
    if spans[0][0] >= spans[0][1] or spans[1][0] >= spans[1][1]:
        return out
    if not 0 <= middle[fixed] < volume.shape[fixed]:
        return out
    key: list[slice | int] = [slice(*spans[0]), 0, 0]
    key[across], key[fixed] = slice(*spans[1]), middle[fixed]
    part = np.asarray(volume[tuple(key)], np.float32)
    rows = slice(spans[0][0] - first[0], spans[0][1] - first[0])
    columns = slice(spans[1][0] - first[1], spans[1][1] - first[1])
    out[rows, columns] = part
    return out
