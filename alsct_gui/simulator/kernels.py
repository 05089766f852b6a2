"""Compiled loops of the phantoms: chords of quadrics and cylinders, and voxel values.

All lengths are in pixels of the grid that is filled. The kernels add to what the array
holds, take no lock (`nogil`), and are called from several threads on different arrays.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

Float64Array = NDArray[np.float64]
Float32Array = NDArray[np.float32]

GAUSSIAN_REACH = 42.0
"""Squared distance in sigmas at which a Gaussian is cut: exp(-21) is below 1e-9."""
_TINY = 1e-12


@njit(cache=True, nogil=True)
def _span(low: float, high: float, size: int) -> tuple[int, int]:
    """Integers within [low, high] and 0 <= i < size, as start and stop."""
    start = max(0, math.ceil(max(low, -1.0)))
    stop = min(size, math.floor(min(high, float(size))) + 1)
    return start, stop


@njit(cache=True, nogil=True, error_model="numpy")
def project_quadrics(frame: Float32Array, terms: Float64Array, gaussian: bool) -> None:
    """Add the line integrals of ellipsoids or Gaussians to a frame.

    Parameters
    ----------
    frame
        Shape (row, column).
    terms
        Shape (body, 6): column and row of the centre, then a, b, d of
        ``Q = a dc^2 + 2 b dc dr + d dr^2``, then the integral through the centre.
    gaussian
        False: ``peak * sqrt(1 - Q)`` inside Q < 1. True: ``peak * exp(-Q / 2)``.
    """
    rows, columns = frame.shape
    limit = GAUSSIAN_REACH if gaussian else 1.0
    for body in range(terms.shape[0]):
        column_0, row_0, a, b, d, peak = terms[body]
        across = d - b * b / a
        reach = math.sqrt(limit / across)
        first, last = _span(row_0 - reach, row_0 + reach, rows)
        for row in range(first, last):
            step = row - row_0
            least = across * step * step
            half = math.sqrt(max(0.0, limit - least) / a)
            middle = column_0 - b * step / a
            start, stop = _span(middle - half, middle + half, columns)
            if gaussian:
                for column in range(start, stop):
                    offset = column - middle
                    frame[row, column] += peak * math.exp(-0.5 * (least + a * offset * offset))
            else:
                inside = 1.0 - least
                for column in range(start, stop):
                    offset = column - middle
                    frame[row, column] += peak * math.sqrt(max(0.0, inside - a * offset * offset))


@njit(cache=True, nogil=True, error_model="numpy")
def project_cylinders(frame: Float32Array, terms: Float64Array) -> None:
    """Add the line integrals of capped cylinders to a frame.

    Parameters
    ----------
    frame
        Shape (row, column).
    terms
        Shape (body, 8): column and row of the centre, the axis (a unit vector) along
        columns, rows and the beam, radius, half length, and attenuation per pixel.
    """
    rows, columns = frame.shape
    for body in range(terms.shape[0]):
        column_0, row_0, n_column, n_row, n_beam, radius, half, value = terms[body]
        flat = n_column * n_column + n_row * n_row
        reach_row = half * abs(n_row) + radius * math.sqrt(max(0.0, 1.0 - n_row * n_row))
        reach_column = half * abs(n_column) + radius * math.sqrt(
            max(0.0, 1.0 - n_column * n_column)
        )
        first, last = _span(row_0 - reach_row, row_0 + reach_row, rows)
        for row in range(first, last):
            step = row - row_0
            low, high = -reach_column, reach_column
            if abs(n_row) > 1e-6:  # the shadow is a strip along the axis
                middle = step * n_column / n_row
                width = radius * math.sqrt(flat) / abs(n_row)
                low, high = max(low, middle - width), min(high, middle + width)
            start, stop = _span(column_0 + low, column_0 + high, columns)
            for column in range(start, stop):
                offset = column - column_0
                along = offset * n_column + step * n_row
                beside = offset * offset + step * step - along * along - radius * radius
                enter, leave = -1e30, 1e30
                if flat > _TINY:
                    root = along * along * n_beam * n_beam - flat * beside
                    if root <= 0.0:
                        continue
                    root = math.sqrt(root)
                    enter = (along * n_beam - root) / flat
                    leave = (along * n_beam + root) / flat
                elif beside > 0.0:
                    continue
                if abs(n_beam) > _TINY:
                    one, other = (-half - along) / n_beam, (half - along) / n_beam
                    enter, leave = max(enter, min(one, other)), min(leave, max(one, other))
                elif abs(along) > half:
                    continue
                if leave > enter:
                    frame[row, column] += value * (leave - enter)


@njit(cache=True, nogil=True, error_model="numpy")
def fill_quadrics(
    picture: Float32Array, z: float, step: float, terms: Float64Array, gaussian: bool
) -> None:
    """Add ellipsoids or Gaussians to one slice.

    Parameters
    ----------
    picture
        Shape (y, x), row 0 at the top, the axis in its middle.
    z, step
        Height of the slice and edge of a pixel, in micrometre.
    terms
        Shape (body, 11): centre x, y, z; inverse of the shape matrix xx, xy, xz, yy, yz,
        zz; reach in x and y as one radius; value.
    """
    size_y, size_x = picture.shape
    middle_y, middle_x = (size_y - 1) / 2, (size_x - 1) / 2
    limit = GAUSSIAN_REACH if gaussian else 1.0
    for body in range(terms.shape[0]):
        x_0, y_0, z_0, xx, xy, xz, yy, yz, zz, reach, value = terms[body]
        dz = z - z_0
        if abs(dz) > reach:
            continue
        top, bottom = _span(
            middle_y - (y_0 + reach) / step, middle_y - (y_0 - reach) / step, size_y
        )
        left, right = _span(
            middle_x + (x_0 - reach) / step, middle_x + (x_0 + reach) / step, size_x
        )
        for row in range(top, bottom):
            dy = (middle_y - row) * step - y_0
            rest = yy * dy * dy + 2 * yz * dy * dz + zz * dz * dz
            slope = 2 * (xy * dy + xz * dz)
            for column in range(left, right):
                dx = (column - middle_x) * step - x_0
                distance = xx * dx * dx + slope * dx + rest
                if distance <= limit:
                    if gaussian:
                        picture[row, column] += value * math.exp(-0.5 * distance)
                    else:
                        picture[row, column] += value


@njit(cache=True, nogil=True, error_model="numpy")
def fill_cylinders(picture: Float32Array, z: float, step: float, terms: Float64Array) -> None:
    """Add capped cylinders to one slice.

    Parameters
    ----------
    picture, z, step
        As for `fill_quadrics`.
    terms
        Shape (body, 9): centre x, y, z; axis x, y, z (a unit vector); radius; half
        length; value. Lengths in micrometre.
    """
    size_y, size_x = picture.shape
    middle_y, middle_x = (size_y - 1) / 2, (size_x - 1) / 2
    for body in range(terms.shape[0]):
        x_0, y_0, z_0, n_x, n_y, n_z, radius, half, value = terms[body]
        dz = z - z_0
        if abs(dz) > half * abs(n_z) + radius * math.sqrt(max(0.0, 1 - n_z * n_z)):
            continue
        # Where the axis crosses the slice, and how far the cut reaches from there.
        reach_x = half * abs(n_x) + radius * math.sqrt(max(0.0, 1 - n_x * n_x))
        reach_y = half * abs(n_y) + radius * math.sqrt(max(0.0, 1 - n_y * n_y))
        if abs(n_z) > 0.5:
            x_0, y_0 = x_0 + dz * n_x / n_z, y_0 + dz * n_y / n_z
            reach_x = min(reach_x, radius / abs(n_z))
            reach_y = min(reach_y, radius / abs(n_z))
            lift = dz / n_z
            dz = 0.0
        else:
            lift = 0.0
        top, bottom = _span(
            middle_y - (y_0 + reach_y) / step, middle_y - (y_0 - reach_y) / step, size_y
        )
        left, right = _span(
            middle_x + (x_0 - reach_x) / step, middle_x + (x_0 + reach_x) / step, size_x
        )
        for row in range(top, bottom):
            dy = (middle_y - row) * step - y_0
            for column in range(left, right):
                dx = (column - middle_x) * step - x_0
                along = dx * n_x + dy * n_y + dz * n_z
                beside = dx * dx + dy * dy + dz * dz - along * along
                if beside <= radius * radius and abs(along + lift) <= half:
                    picture[row, column] += value
