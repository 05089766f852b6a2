"""What is laid over a picture to measure with, and how it is dragged. Pure.

Places are (row, column) in the viewer's world: µm, or pixels of a picture without a scale.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum

Place = tuple[float, float]


class Kind(StrEnum):
    """What is laid over the picture."""

    LINE = "line"
    RADIAL = "radial"
    REGION = "region"


@dataclass(frozen=True, slots=True)
class Figure:
    """A line by its ends, a circle by centre and rim, a rectangle by two opposite corners."""

    kind: Kind
    first: Place
    second: Place

    @property
    def radius(self) -> float:
        """Distance of the two places."""
        return math.dist(self.first, self.second)

    @property
    def handles(self) -> tuple[Place, ...]:
        """Where it can be taken hold of: its two places, then a rectangle's other corners."""
        first, second = self.first, self.second
        if self.kind is not Kind.REGION:
            return first, second
        return first, second, (first[0], second[1]), (second[0], first[1])


@dataclass(frozen=True, slots=True)
class Grip:
    """What the mouse has taken hold of."""

    handle: int | None
    """Number of the handle; None for the whole figure."""
    at: Place
    """Where."""


def first_figure(kind: Kind, top_left: Place, bottom_right: Place) -> Figure:
    """Return a figure in the middle of what is seen."""
    height, width = bottom_right[0] - top_left[0], bottom_right[1] - top_left[1]

    def place(down: float, across: float) -> Place:
        return top_left[0] + down * height, top_left[1] + across * width

    if kind is Kind.LINE:
        return Figure(kind, place(0.5, 0.25), place(0.5, 0.75))
    if kind is Kind.REGION:
        return Figure(kind, place(0.375, 0.375), place(0.625, 0.625))
    center = place(0.5, 0.5)
    return Figure(kind, center, (center[0], center[1] + 0.25 * min(height, width)))


def grip_at(figure: Figure, at: Place, reach: float) -> Grip | None:
    """What of a figure is under the mouse.

    Parameters
    ----------
    figure
        The figure.
    at
        Where the mouse is.
    reach
        How far from a handle or a line it may be.
    """
    distances = [math.dist(handle, at) for handle in figure.handles]
    nearest = min(range(len(distances)), key=distances.__getitem__)
    if distances[nearest] <= reach:
        return Grip(nearest, at)
    if figure.kind is Kind.RADIAL:
        # Anywhere on the circle, its radius is what one pulls at.
        on_rim = abs(math.dist(figure.first, at) - figure.radius) <= reach
        return Grip(1, at) if on_rim else None
    if figure.kind is Kind.LINE:
        return Grip(None, at) if _to_segment(figure, at) <= reach else None
    (top, bottom), (left, right) = (
        sorted(pair) for pair in zip(figure.first, figure.second, strict=True)
    )
    inside = top <= at[0] <= bottom and left <= at[1] <= right
    return Grip(None, at) if inside else None


def dragged(figure: Figure, grip: Grip, to: Place) -> Figure:
    """Return the figure after its grip was dragged to a place."""
    by = (to[0] - grip.at[0], to[1] - grip.at[1])
    moves_all = grip.handle is None or (figure.kind is Kind.RADIAL and grip.handle == 0)
    if moves_all:
        return replace(figure, first=_add(figure.first, by), second=_add(figure.second, by))
    if figure.kind is Kind.RADIAL:
        return replace(figure, second=to)
    handle = figure.handles[grip.handle or 0]
    moved = _add(handle, by)
    if grip.handle == 0:
        return replace(figure, first=moved)
    if grip.handle == 1:
        return replace(figure, second=moved)
    if grip.handle == 2:
        return replace(figure, first=(moved[0], figure.first[1]),
                       second=(figure.second[0], moved[1]))  # fmt: skip
    return replace(figure, first=(figure.first[0], moved[1]),
                   second=(moved[0], figure.second[1]))  # fmt: skip


def _add(place: Place, by: Place) -> Place:
    return place[0] + by[0], place[1] + by[1]


def _to_segment(figure: Figure, at: Place) -> float:
    (r0, c0), (r1, c1) = figure.first, figure.second
    length_2 = (r1 - r0) ** 2 + (c1 - c0) ** 2
    share = 0.0
    if length_2:
        share = ((at[0] - r0) * (r1 - r0) + (at[1] - c0) * (c1 - c0)) / length_2
        share = min(1.0, max(0.0, share))
    return math.dist(at, (r0 + share * (r1 - r0), c0 + share * (c1 - c0)))
