"""Edits of labels as pure functions: each returns what would change, and changes nothing.

An edit works within the bounding box of the objects that it is about, so that it is quick in a
volume of any size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.errors import RecipeError

Labels = NDArray[np.integer[Any]]
Place = tuple[int, int, int]
Box = tuple[slice, slice, slice]


@dataclass(frozen=True, eq=False)
class Patch:
    """A change of labels within a box."""

    words: str
    """What it does, for the list of what can be taken back: "merge 3 and 7"."""
    box: Box
    """Where."""
    before: Labels
    """What was in the box."""
    after: Labels
    """What is to be in it."""

    @property
    def n_bytes(self) -> int:
        """Memory that it takes."""
        return self.before.nbytes + self.after.nbytes

    def apply(self, labels: Labels) -> None:
        """Make the change, in place."""
        labels[self.box] = self.after

    def take_back(self, labels: Labels) -> None:
        """Undo the change, in place."""
        labels[self.box] = self.before


def merge(labels: Labels, boxes: dict[int, Box], keep: int, others: tuple[int, ...]) -> Patch:
    """Give objects the label of another.

    Parameters
    ----------
    labels
        Integers, shape (slice, y, x).
    boxes
        Where objects lie; see `objects.find_objects`.
    keep
        The label that they get.
    others
        Those that get it.

    Raises
    ------
    RecipeError
        One of them is not there.
    """
    box = _hull(boxes, (keep, *others))
    before = labels[box].copy()
    after = np.where(np.isin(before, others), np.array(keep, labels.dtype), before)
    return Patch(f"merge {', '.join(map(str, others))} into {keep}", box, before, after)


def delete(labels: Labels, boxes: dict[int, Box], label: int) -> Patch:
    """Remove an object: its voxels become 0.

    Raises
    ------
    RecipeError
        It is not there.
    """
    box = _hull(boxes, (label,))
    before = labels[box].copy()
    after = np.where(before == label, np.array(0, labels.dtype), before)
    return Patch(f"delete {label}", box, before, after)


def relabel(labels: Labels, boxes: dict[int, Box], label: int, new: int) -> Patch:
    """Give an object another label.

    Raises
    ------
    RecipeError
        It is not there, or the new label does not fit the labels' type.
    """
    _require_fit(labels, new)
    box = _hull(boxes, (label,))
    before = labels[box].copy()
    after = np.where(before == label, np.array(new, labels.dtype), before)
    return Patch(f"relabel {label} as {new}", box, before, after)


def split(
    labels: Labels, boxes: dict[int, Box], label: int, markers: tuple[Place, ...], new: int
) -> Patch:
    """Part an object at its waists, one part for each marker.

    The parts are the basins of the distance to the object's surface that the markers lie in:
    watershed by flooding (Vincent and Soille, IEEE Trans. PAMI 13, 583, 1991).

    Parameters
    ----------
    label
        The object; the part of the first marker keeps its label.
    markers
        At least two places (slice, y, x) within it.
    new
        Label of the second part; the following ones count on from it.

    Raises
    ------
    RecipeError
        There are fewer than two markers, one lies outside of the object, or the labels' type
        has no room for so many.
    """
    if len(markers) < 2:
        raise RecipeError(
            "one marker parts nothing", where="split", fix="Set a marker in each part"
        )
    for place in markers:
        inside = all(0 <= at < size for at, size in zip(place, labels.shape, strict=True))
        if not inside or labels[place] != label:
            raise RecipeError(
                f"the marker at {place} lies outside of object {label}", where="split",
                fix="Set the markers within the object",
            )  # fmt: skip
    _require_fit(labels, new + len(markers) - 2)
    box = _hull(boxes, (label,))
    before = labels[box].copy()
    parts = _basins(before == label, [_within(place, box) for place in markers])
    names = np.array([0, label, *range(new, new + len(markers) - 1)], labels.dtype)
    after = np.where(parts > 0, names[parts], before)
    return Patch(f"split {label} into {len(markers)}", box, before, after)


def _basins(inside: NDArray[np.bool_], markers: list[Place]) -> NDArray[np.int64]:
    from scipy.ndimage import distance_transform_edt
    from skimage.segmentation import watershed

    distance = distance_transform_edt(np.pad(inside, 1))[1:-1, 1:-1, 1:-1]
    seeds = np.zeros(inside.shape, np.int32)
    for number, place in enumerate(markers, start=1):
        seeds[place] = number
    parts: NDArray[np.int64] = watershed(-distance, seeds, mask=inside).astype(np.int64)
    # What hangs together with no marker stays with the first part.
    parts[inside & (parts == 0)] = 1
    return parts


def _within(place: Place, box: Box) -> Place:
    z, y, x = (at - axis.start for at, axis in zip(place, box, strict=True))
    return z, y, x


def _hull(boxes: dict[int, Box], chosen: tuple[int, ...]) -> Box:
    missing = [label for label in chosen if label not in boxes]
    if missing:
        raise RecipeError(
            f"there is no object {missing[0]}", where="labels", fix="Choose one that is there"
        )
    z, y, x = (
        slice(
            min(boxes[label][axis].start for label in chosen),
            max(boxes[label][axis].stop for label in chosen),
        )
        for axis in range(3)
    )
    return z, y, x


def _require_fit(labels: Labels, value: int) -> None:
    most = np.iinfo(labels.dtype).max
    if not 1 <= value <= most:
        raise RecipeError(
            f"{value} is no label of this layer, which takes 1 to {most}", where="labels",
            fix="Take a smaller one, or convert the labels to a wider type",
        )  # fmt: skip
