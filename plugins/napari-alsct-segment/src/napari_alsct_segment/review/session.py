"""One proof-reading: the objects of an array of labels, what was seen, done and taken back."""

from __future__ import annotations

import numpy as np

from napari_alsct_segment.review import edits
from napari_alsct_segment.review.edits import Box, Labels, Patch, Place
from napari_alsct_segment.review.history import History
from napari_alsct_segment.review.objects import (
    Order,
    find_objects,
    inner_place,
    object_sizes,
    ordered,
    update_boxes,
)


class Review:
    """Edits labels in place and knows their objects.

    Parameters
    ----------
    labels
        Integers, shape (slice, y, x).

    Raises
    ------
    InputError
        They are negative, or too many.
    """

    def __init__(self, labels: Labels) -> None:
        self.labels = labels
        self._boxes: dict[int, Box] = find_objects(labels)
        self._sizes = object_sizes(labels, self._boxes)
        self.history = History(labels)
        self.seen: set[int] = set()
        """Objects that were looked at."""
        self.words: list[str] = []
        """What was done, in words."""

    def __contains__(self, number: object) -> bool:
        return number in self._boxes

    def sequence(self, order: Order) -> tuple[int, ...]:
        """Return the objects in the order in which they are gone through."""
        return ordered(self._boxes, order, self._sizes)

    def size(self, number: int) -> int:
        """Return how many voxels an object has."""
        return self._sizes.get(number, 0)

    def place(self, number: int) -> Place:
        """Return a voxel of an object to look at."""
        return inner_place(self.labels, number, self._boxes[number])

    def delete(self, number: int) -> None:
        """Delete an object; raises as `edits.delete`."""
        self._do(edits.delete(self.labels, self._boxes, number))

    def merge(self, keep: int, other: int) -> None:
        """Merge an object into another; raises as `edits.merge`."""
        self._do(edits.merge(self.labels, self._boxes, keep, (other,)))

    def relabel(self, number: int, new: int) -> None:
        """Give an object another number; raises as `edits.relabel`."""
        self._do(edits.relabel(self.labels, self._boxes, number, new))

    def split(self, number: int, markers: tuple[Place, ...]) -> None:
        """Part an object; new parts get numbers above all others; raises as `edits.split`."""
        new = max(self._boxes, default=0) + 1
        self._do(edits.split(self.labels, self._boxes, number, markers, new))

    def undo(self) -> Patch | None:
        """Take the last edit back; see `History.undo`."""
        return self._moved(self.history.undo(), "undo ")

    def redo(self) -> Patch | None:
        """Do again what was taken back; see `History.redo`."""
        return self._moved(self.history.redo(), "redo ")

    def _do(self, patch: Patch) -> None:
        self._changed(self.history.do(patch), patch.words)

    def _moved(self, patch: Patch | None, word: str) -> Patch | None:
        if patch is not None:
            self._changed(patch, word + patch.words)
        return patch

    def _changed(self, patch: Patch, words: str) -> None:
        self._boxes = update_boxes(self._boxes, self.labels, patch.box)
        # A patch's own count tells the sizes, whichever way it was gone.
        now = self.labels[patch.box]
        before = patch.before if np.array_equal(now, patch.after) else patch.after
        for part, sign in ((before, -1), (now, 1)):
            numbers, counts = np.unique(part, return_counts=True)
            for number, count in zip(numbers.tolist(), counts.tolist(), strict=True):
                self._sizes[number] = self._sizes.get(number, 0) + sign * count
        self.words.append(words)
