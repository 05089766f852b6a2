"""The same fibres and the same breaks, found again at another load.

Between two loads the specimen has moved, turned a little and grown longer. Fibres are matched by
their pattern in the cross-section: a vote over shifts at a few angles, then the nearest fibres
under an affine map that is fitted again and again (Besl and McKay, IEEE PAMI 14, 239-256, 1992).
Along the fibres, the breaks themselves tell shift and stretch: a fibre that is broken stays broken.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.errors import InputError

Float64Array = NDArray[np.float64]
IntArray = NDArray[np.intp]

_ANGLES_DEG = np.arange(-3.0, 3.01, 0.5)
_FARTHEST = 0.3
"""Largest shift across the fibres, as a share of the extent."""
_ROUNDS = 20
_NEAR = (0.5, 0.35)
"""How far from where it is expected a fibre may be, over the diameter: at first, at the end."""
_LEAST_SHARE = 0.5
"""Of the fibres, so many must be found again; of two patterns of chance a fifth or so is."""
_FEWEST_PAIRS = 3


@dataclass(frozen=True, eq=False)
class FibreMatch:
    """Fibres of two loads."""

    first: IntArray
    """Number of the fibre at the first load, shape (pair,)."""
    second: IntArray
    """The same fibre's number at the second."""
    affine: Float64Array
    """Place at the second load = affine[:, :2] @ place + affine[:, 2]; shape (2, 3)."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Height at the second load = shift + factor * height at the first."""

    shift: float
    factor: float
    n_pairs: int
    """Pairs of breaks that tell it; 0 when it is taken as none at all."""


def match_fibres(first: Float64Array, second: Float64Array, spacing: float) -> FibreMatch:
    """Match fibres by their places in the cross-section.

    Parameters
    ----------
    first, second
        Places of the fibres at each load, shape (fibre, 2), any unit of length.
    spacing
        About the diameter of a fibre.

    Raises
    ------
    InputError
        The patterns have nothing in common.
    """
    from scipy.spatial import KDTree

    affine = _first_guess(first, second, spacing)
    tree = KDTree(second)
    pairs = np.empty((0, 2), np.intp)
    for turn in range(_ROUNDS):
        reach = _NEAR[0] if turn < _ROUNDS // 2 else _NEAR[1]
        moved = first @ affine[:, :2].T + affine[:, 2]
        far, there = tree.query(moved)
        _, back = KDTree(moved).query(second)
        mutual = (back[there] == np.arange(len(first))) & (far < reach * spacing)
        found = np.column_stack([np.flatnonzero(mutual), there[mutual]])
        settled = len(found) == len(pairs) and (found == pairs).all()
        if settled and reach == _NEAR[1]:
            break
        pairs = found
        if len(pairs) >= 6:
            affine = _fitted(first[pairs[:, 0]], second[pairs[:, 1]])
    if len(pairs) < max(_FEWEST_PAIRS, _LEAST_SHARE * min(len(first), len(second))):
        raise InputError(
            f"only {len(pairs)} of {len(first)} fibres are found again", where="loads",
            fix="Give results of one specimen, in the order of the loads",
        )  # fmt: skip
    return FibreMatch(pairs[:, 0], pairs[:, 1], affine)


def find_stretch(
    heights: list[tuple[Float64Array, Float64Array]], tolerance: float, farthest: float
) -> Stretch:
    """Find shift and stretch along the fibres from breaks of the same fibres.

    Parameters
    ----------
    heights
        For each matched fibre, heights of its breaks at the first and at the second load.
    tolerance
        How well two heights must agree.
    farthest
        Largest shift.
    """
    pairs = np.array([(a, b) for one, other in heights for a in one for b in other]).reshape(-1, 2)
    pairs = pairs[np.abs(pairs[:, 1] - pairs[:, 0]) <= farthest]
    if len(pairs) < _FEWEST_PAIRS:
        return Stretch(0.0, 1.0, 0)
    apart = np.sort(pairs[:, 1] - pairs[:, 0])
    # The densest window: true pairs agree, the others lie anywhere.
    window = 2 * tolerance
    inside = np.searchsorted(apart, apart + window, "right") - np.arange(len(apart))
    best = int(inside.argmax())
    if inside[best] < _FEWEST_PAIRS:
        return Stretch(0.0, 1.0, 0)
    shift = float(np.median(apart[best : best + inside[best]]))
    factor = 1.0
    for _ in range(_ROUNDS):
        near = np.abs(pairs[:, 1] - shift - factor * pairs[:, 0]) <= tolerance
        if near.sum() < _FEWEST_PAIRS or np.ptp(pairs[near, 0]) < 4 * tolerance:
            break
        slope, start = np.polyfit(pairs[near, 0], pairs[near, 1], 1)
        if abs(slope - 1) > 0.05:  # no composite stretches so far
            break
        factor, shift = float(slope), float(start)
    near = np.abs(pairs[:, 1] - shift - factor * pairs[:, 0]) <= tolerance
    return Stretch(shift, factor, int(near.sum()))


def pair_heights(first: Float64Array, second: Float64Array, reach: Float64Array) -> IntArray:
    """Pair breaks of one fibre by their heights, the nearest first.

    Parameters
    ----------
    first
        Heights at the first load, brought to the second, shape (n,).
    second
        Heights at the second load, shape (m,).
    reach
        How far apart a pair may be, shape (n, m).

    Returns
    -------
    pairs
        Indices, shape (pair, 2).
    """
    far = np.abs(first[:, None] - second[None])
    order = np.argsort(far, axis=None, kind="stable")
    used_first, used_second = set[int](), set[int]()
    pairs: list[tuple[int, int]] = []
    for place in order.tolist():
        a, b = divmod(place, max(1, len(second)))
        if far[a, b] <= reach[a, b] and a not in used_first and b not in used_second:
            used_first.add(a)
            used_second.add(b)
            pairs.append((a, b))
    return np.array(pairs, np.intp).reshape(-1, 2)


def _first_guess(first: Float64Array, second: Float64Array, spacing: float) -> Float64Array:
    """The turn and the shift under which most fibres meet one another."""
    extent = max(float(np.ptp(first, axis=0).max()), spacing)
    reach = max(_FARTHEST * extent, 3 * spacing)
    step = spacing / 3
    n = 2 * int(reach / step) + 1
    edges = (np.arange(n + 1) - n / 2) * step
    center = first.mean(axis=0)
    best, guess = -1.0, np.eye(2, 3)
    for angle in np.deg2rad(_ANGLES_DEG).tolist():
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        turned = (first - center) @ turn.T + center
        apart = (second[None] - turned[:, None]).reshape(-1, 2)
        votes, _, _ = np.histogram2d(apart[:, 0], apart[:, 1], [edges, edges])
        # A true shift may fall on the corner of four bins.
        votes = votes[:-1, :-1] + votes[1:, :-1] + votes[:-1, 1:] + votes[1:, 1:]
        at = np.unravel_index(int(votes.argmax()), votes.shape)
        if votes[at] > best:
            best = float(votes[at])
            shift = np.array([edges[at[0] + 1], edges[at[1] + 1]])
            guess = np.column_stack([turn, shift + center - turn @ center])
    return guess


def _fitted(first: Float64Array, second: Float64Array) -> Float64Array:
    ones = np.column_stack([first, np.ones(len(first))])
    found, *_ = np.linalg.lstsq(ones, second, rcond=None)
    return np.asarray(found.T)
