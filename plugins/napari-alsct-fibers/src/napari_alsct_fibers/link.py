"""Fibres from slice to slice: spots that are each other's nearest, where the fibre is expected.

A track goes on at its own pace and direction over slices in which it has no spot, so that a
break does not end it; pieces of tracks that continue each other are joined afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Float64Array = NDArray[np.float64]

_REACH = 0.7
"""How far from where it is expected a spot may lie, over the radius of a fibre."""
_MEMORY = 12
"""Spots that a track's direction is taken from."""
_APART = 1.0
"""Two tracks nearer than this over most of the shorter one are one fibre, over the radius."""
_PROBES = 200
"""Heights at which tracks are compared."""
_SHORTEST = 6
"""Spots that a track has at least."""
_AIM = 0.004
"""How far the extrapolation of a track goes astray with each slice, over the radius."""


@dataclass(slots=True)
class Track:
    """The spots of one fibre."""

    heights: list[float] = field(default_factory=list)
    """Slices, ascending."""
    places: list[Float64Array] = field(default_factory=list)
    """(y, x) at each."""

    def expected(self, height: float, lean: Float64Array) -> Float64Array:
        """Where it is at a height after its end, or before its beginning."""
        if height >= self.heights[-1]:
            heights, places = self.heights[-_MEMORY:], self.places[-_MEMORY:]
        else:
            heights, places = self.heights[:_MEMORY], self.places[:_MEMORY]
        z, yx = np.array(heights), np.array(places)
        middle, center = z.mean(), yx.mean(axis=0)
        spread = ((z - middle) ** 2).sum()
        # A few spots tell a direction badly; the common lean stands in for the missing ones.
        stiff = (len(z) * 10.0) ** 2 / max(1, len(z) - 1)
        slope = (((z - middle)[:, None] * (yx - center)).sum(axis=0) + stiff * lean) / (
            spread + stiff
        )
        found: Float64Array = center + slope * (height - middle)
        return found


class Linker:
    """Takes the spots of one slice after the other, and makes tracks of them.

    Parameters
    ----------
    radius_px
        Of a fibre.
    lean
        (dy, dx) that fibres go sideways with each slice.
    patience
        Slices that a track goes on for without a spot.
    """

    def __init__(self, radius_px: float, lean: tuple[float, float], patience: float) -> None:
        self._radius, self._patience = radius_px, patience
        self._lean = np.array(lean, np.float64)
        self._active: list[Track] = []
        self._ended: list[Track] = []

    def add(self, height: float, places: Float64Array) -> None:
        """Add the spots of a slice; slices come in ascending order.

        Parameters
        ----------
        height
            The slice.
        places
            (y, x), shape (spot, 2).
        """
        from scipy.spatial import KDTree

        going: list[Track] = []
        for track in self._active:
            waits = height - track.heights[-1] > self._patience
            (self._ended if waits else going).append(track)
        taken = np.zeros(len(places), np.bool_)
        if going and len(places):
            expected = np.array([track.expected(height, self._lean) for track in going])
            far, nearest = KDTree(places).query(expected)
            _, back = KDTree(expected).query(places)
            for index, (track, spot) in enumerate(zip(going, nearest.tolist(), strict=True)):
                missed = height - track.heights[-1]
                reach = self._radius * min(1.0, _REACH + _AIM * missed)
                if back[spot] == index and far[index] < reach:
                    track.heights.append(height)
                    track.places.append(places[spot])
                    taken[spot] = True
        self._active = going
        for place in places[~taken]:
            self._active.append(Track([height], [place]))

    def finish(self) -> list[Track]:
        """Return the tracks: joined where they continue each other, without doubles."""
        tracks = [*self._ended, *self._active]
        tracks = [track for track in tracks if len(track.heights) >= _SHORTEST]
        tracks = self._joined(tracks)
        return self._single(tracks)

    def _joined(self, tracks: list[Track]) -> list[Track]:
        """Join each end with the beginning that it meets best, the best pairs first."""
        pairs = []
        for a, first in enumerate(tracks):
            for b, second in enumerate(tracks):
                gap = second.heights[0] - first.heights[-1]
                if a == b or not -2 * self._patience / 3 < gap < 4 * self._patience:
                    continue
                if np.abs(second.places[0] - first.places[-1]).max() > 4 * self._radius:
                    continue
                middle = (second.heights[0] + first.heights[-1]) / 2
                far = np.linalg.norm(
                    _anywhere(first, middle, self._lean) - _anywhere(second, middle, self._lean)
                )
                if far < self._radius * _REACH:
                    pairs.append((float(far), a, b))
        follower: dict[int, int] = {}
        leader: dict[int, int] = {}
        for _, a, b in sorted(pairs):
            if a not in follower and b not in leader:
                follower[a], leader[b] = b, a
        whole = []
        for start in range(len(tracks)):
            if start in leader:
                continue
            parts, here = [tracks[start]], start
            while here in follower:
                here = follower[here]
                parts.append(tracks[here])
            whole.append(_chained(parts))
        return whole

    def _single(self, tracks: list[Track]) -> list[Track]:
        """Drop the shorter of two tracks that run on top of each other."""
        tracks = sorted(tracks, key=lambda track: -len(track.heights))
        if not tracks:
            return []
        first = min(track.heights[0] for track in tracks)
        last = max(track.heights[-1] for track in tracks)
        at = np.linspace(first, last, _PROBES)
        where = np.stack([_within(track, at) for track in tracks])
        kept: list[int] = []
        for index, own in enumerate(where):
            far = np.linalg.norm(where[kept] - own, axis=2)
            common = np.isfinite(far)
            # At least half of the shorter track runs beside the longer one.
            beside = common.sum(axis=1) >= 0.5 * np.isfinite(own[:, 0]).sum()
            near = (far < _APART * self._radius).sum(axis=1) > 0.5 * common.sum(axis=1)
            if not (beside & near).any():
                kept.append(index)
        found = [tracks[index] for index in kept]
        return sorted(found, key=lambda track: (track.places[0][0], track.places[0][1]))


def _within(track: Track, at: Float64Array) -> Float64Array:
    """Places of a track at heights, NaN beyond its ends; shape (height, 2)."""
    places = np.array(track.places)
    columns = [
        np.interp(at, track.heights, places[:, k], left=np.nan, right=np.nan) for k in (0, 1)
    ]
    return np.stack(columns, axis=1)


def _anywhere(track: Track, height: float, lean: Float64Array) -> Float64Array:
    """Where a track is, or would be, at any height."""
    if track.heights[0] <= height <= track.heights[-1]:
        places = np.array(track.places)
        return np.array([np.interp(height, track.heights, places[:, k]) for k in (0, 1)])
    return track.expected(height, lean)


def _chained(parts: list[Track]) -> Track:
    """One track of several; where they overlap, in the order of height."""
    rows = sorted(
        ((z, place) for part in parts for z, place in zip(part.heights, part.places, strict=True)),
        key=lambda row: row[0],
    )  # fmt: skip
    return Track([row[0] for row in rows], [row[1] for row in rows])
