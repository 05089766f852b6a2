"""What was done, and can be taken back and done again, within a budget of memory."""

from __future__ import annotations

import numpy as np

from napari_alsct_segment.review.edits import Labels, Patch

MEMORY_BYTES = 512 * 2**20
"""Patches that are kept; the oldest go first."""


class History:
    """A stack of patches over one array of labels.

    Parameters
    ----------
    labels
        Integers, changed in place by what is done here.
    memory_bytes
        Not to be exceeded by what is kept; the last patch is always kept.
    """

    def __init__(self, labels: Labels, memory_bytes: int = MEMORY_BYTES) -> None:
        self.labels = labels
        self._memory_bytes = memory_bytes
        self._done: list[Patch] = []
        self._undone: list[Patch] = []

    @property
    def undo_words(self) -> str:
        """What undo would take back; empty for nothing."""
        return self._done[-1].words if self._done else ""

    @property
    def redo_words(self) -> str:
        """What redo would do again; empty for nothing."""
        return self._undone[-1].words if self._undone else ""

    def do(self, patch: Patch) -> Patch:
        """Make a change; what was undone before is gone."""
        patch.apply(self.labels)
        self._undone.clear()
        self._done.append(patch)
        while len(self._done) > 1 and sum(p.n_bytes for p in self._done) > self._memory_bytes:
            self._done.pop(0)
        return patch

    def undo(self) -> Patch | None:
        """Take the last change back; None when there is none.

        What was painted by hand meanwhile within the patch's box would be lost: then nothing
        is taken back, and the patches are forgotten.
        """
        return self._move(self._done, self._undone, back=True)

    def redo(self) -> Patch | None:
        """Do again what was taken back last; None when there is nothing."""
        return self._move(self._undone, self._done, back=False)

    def _move(self, source: list[Patch], target: list[Patch], *, back: bool) -> Patch | None:
        if not source:
            return None
        patch = source[-1]
        expected = patch.after if back else patch.before
        if not np.array_equal(self.labels[patch.box], expected):
            self._done.clear()
            self._undone.clear()
            return None
        if back:
            patch.take_back(self.labels)
        else:
            patch.apply(self.labels)
        target.append(source.pop())
        return patch
