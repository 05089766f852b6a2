"""A volume of three phases, the third of which differs from the first in texture alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MATRIX, METAL, WOVEN = 1, 2, 3
"""Labels: plain matrix; bright bodies; as bright as the matrix, but with a grain."""

_BODY_PX = 10.0
_GRAIN_PX = 1.5
_GRAIN, _NOISE = 0.25, 0.15
_STROKE_STEPS = 24
_BRUSH_PX = 3


@dataclass(frozen=True, eq=False)
class Textured:
    """A volume and its truth."""

    values: NDArray[np.float32]
    """Grey values, shape (slice, y, x): 1 in the matrix, 1.5 in the bright bodies."""
    truth: NDArray[np.uint8]
    """Label of each voxel."""


def textured_volume(edge_px: int, seed: int = 0) -> Textured:
    """Make a cube of three phases; the same seed gives the same."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(seed)
    shape = (edge_px, edge_px, edge_px)

    def cloud(sigma_px: float) -> NDArray[np.float32]:
        field = rng.standard_normal(shape, dtype=np.float32)
        gaussian_filter(field, sigma_px, output=field, mode="wrap")
        return np.asarray(field / field.std(), np.float32)

    truth = np.full(shape, MATRIX, np.uint8)
    truth[cloud(_BODY_PX) > 0.5] = WOVEN
    truth[cloud(_BODY_PX) > 0.6] = METAL
    values = np.where(truth == METAL, np.float32(1.5), np.float32(1.0))
    values += np.where(truth == WOVEN, np.float32(_GRAIN) * cloud(_GRAIN_PX), np.float32(0))
    values += np.float32(_NOISE) * rng.standard_normal(shape, dtype=np.float32)
    return Textured(values, truth)


def scribble(truth: NDArray[np.uint8], voxels: int, seed: int = 0) -> NDArray[np.uint8]:
    """Paint short strokes of each phase into three slices, as a person does.

    Parameters
    ----------
    truth
        Label of each voxel, shape (slice, y, x).
    voxels
        How many are painted in all.

    Returns
    -------
    labels
        Zero but where a stroke is.
    """
    rng = np.random.default_rng([seed, 1])
    painted = np.zeros_like(truth)
    slices = [len(truth) // 4, len(truth) // 2, 3 * len(truth) // 4]
    phases = np.unique(truth)
    for number, phase in enumerate(phases):
        left = voxels // len(phases) + (number < voxels % len(phases))
        while left > 0:
            index = slices[int(rng.integers(len(slices)))]
            left -= _stroke(painted[index], truth[index], int(phase), left, rng)
    return painted


def _stroke(
    painted: NDArray[np.uint8], truth: NDArray[np.uint8], phase: int, most: int,
    rng: np.random.Generator,
) -> int:  # fmt: skip
    """Draw one stroke that stays within its phase; return how many voxels it painted."""
    places = np.argwhere(truth == phase)
    place = places[int(rng.integers(len(places)))].astype(np.float64)
    angle, count = rng.uniform(0, 2 * np.pi), 0
    for _ in range(_STROKE_STEPS):
        y, x = (int(at) for at in place)
        dab: tuple[Any, Any] = slice(max(0, y - 1), y + 2), slice(max(0, x - 1), x + 2)
        wanted = (truth[dab] == phase) & (painted[dab] == 0)
        room = np.flatnonzero(wanted)[: most - count]
        painted[dab].flat[room] = phase
        count += len(room)
        angle += rng.normal(0, 0.3)
        place += (np.sin(angle), np.cos(angle))
        inside = (place >= 0).all() and (place < truth.shape).all()
        if count >= most or not inside or truth[tuple(place.astype(int))] != phase:
            break
    return count


def dice(found: NDArray[Any], truth: NDArray[Any], phase: int) -> float:
    """Return twice the share that two bodies have in common of what they have in all."""
    one, other = found == phase, truth == phase
    return float(2 * (one & other).sum() / max(1, one.sum() + other.sum()))
