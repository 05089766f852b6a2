"""Where three cuts lie beside each other: xy upper left, xz below it, yz at its right. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from alsct_gui.files.cuts import Axis
from alsct_gui.ui.viewer.volumewords import Voxel

GAP_SHARE = 0.02
Place = tuple[float, float]
"""Down and across, in the canvas's units; voxel (0, 0) of the slice has its middle at 0."""


@dataclass(frozen=True, slots=True)
class CutLayout:
    """Places of three cuts that share their axes: x runs across, y down, slices away."""

    shape: Voxel
    """Voxels (slice, y, x)."""
    edges: tuple[float, float, float]
    """Edges of a voxel (slice, y, x), in the canvas's units."""

    @property
    def gap(self) -> float:
        """Room between two cuts."""
        return GAP_SHARE * max(size * edge for size, edge in zip(self.shape, self.edges,
                                                                 strict=True))  # fmt: skip

    def origin(self, axis: Axis) -> Place:
        """Where the upper left corner of a cut lies."""
        _, edge_y, edge_x = self.edges
        across = self.shape[2] * edge_x + self.gap if axis == "column" else 0.0
        down = self.shape[1] * edge_y + self.gap if axis == "row" else 0.0
        return down - 0.5 * edge_y, across - 0.5 * edge_x

    def axes(self, axis: Axis) -> tuple[int, int]:
        """Which axes of the volume run down and across in a cut."""
        return {"slice": (1, 2), "row": (0, 2), "column": (1, 0)}[axis]

    def size(self, axis: Axis) -> Place:
        """How large a cut is."""
        down, across = self.axes(axis)
        return self.shape[down] * self.edges[down], self.shape[across] * self.edges[across]

    def cut_at(self, place: Place) -> Axis | None:
        """Return which cut lies at a place; None beside all of them."""
        for axis in _ALL:
            down, across = self.origin(axis)
            height, width = self.size(axis)
            if 0 <= place[0] - down < height and 0 <= place[1] - across < width:
                return axis
        return None

    def voxel_at(self, place: Place, axis: Axis, cursor: Voxel) -> Voxel:
        """Return the voxel of a cut that is nearest to a place.

        Parameters
        ----------
        place
            Down and across.
        axis
            The cut.
        cursor
            Where the cuts cross: what the cut does not tell is taken from it.
        """
        found = list(cursor)
        for number, at, origin in zip(self.axes(axis), place, self.origin(axis), strict=True):
            index = int((at - origin) // self.edges[number])
            found[number] = min(max(0, index), self.shape[number] - 1)
        return found[0], found[1], found[2]

    def lines(self, cursor: Voxel) -> Iterator[tuple[Place, Place]]:
        """Two lines in every cut, across and down, through the cursor: start and extent."""
        for axis in _ALL:
            (down, across), (height, width) = self.origin(axis), self.size(axis)
            first, second = self.axes(axis)
            at_down = down + (cursor[first] + 0.5) * self.edges[first]
            at_across = across + (cursor[second] + 0.5) * self.edges[second]
            yield (at_down, across), (0.0, width)
            yield (down, at_across), (height, 0.0)


_ALL: tuple[Axis, ...] = ("slice", "row", "column")
