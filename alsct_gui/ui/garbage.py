"""Garbage is collected on the GUI's thread alone.

Python collects what refers to itself in circles in whatever thread happens to make objects at
that moment. Most of a window is such circles, and Qt's objects die with them; but they may die
only in the thread that they live in. A timer that dies in another one stays in the loop's list,
and the loop calls an object that is no longer there: a segmentation fault, up to minutes later
(docs/decisions/0017-window.md).
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter

from PySide6.QtCore import QObject, QTimer

_PERIOD_MS = 100
_OLDEST = 2
_RESTS = 100
"""Going through everything takes at most a hundredth of the time."""


def generation_due(
    counts: Sequence[int], thresholds: Sequence[int], *, rests: bool = False
) -> int | None:
    """Return which generation of objects is to be collected now, as Python itself would choose.

    Parameters
    ----------
    counts
        What was made since the last collection, for each generation (`gc.get_count`).
    thresholds
        How much of it is too much (`gc.get_threshold`).
    rests
        Leave the oldest for another time: there are many of them.
    """
    for generation in range(_OLDEST - rests, -1, -1):
        if counts[generation] > thresholds[generation]:
            return generation
    return None


class Collector(QObject):
    """Looks ten times a second whether something is to be collected, in the thread it lives in.

    Parameters
    ----------
    parent
        Owner.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rests_until_s = 0.0
        self._timer = QTimer(self, interval=_PERIOD_MS)
        self._timer.timeout.connect(self.collect_if_due)

    def start(self) -> None:
        """Begin to look."""
        self._timer.start()

    def stop(self) -> None:
        """Look no longer."""
        self._timer.stop()

    def collect_if_due(self) -> None:
        """Collect now what Python would have collected by itself."""
        began_s = perf_counter()
        rests = began_s < self._rests_until_s
        generation = generation_due(gc.get_count(), gc.get_threshold(), rests=rests)
        if generation is None:
            return
        gc.collect(generation)
        if generation == _OLDEST:
            ended_s = perf_counter()
            self._rests_until_s = ended_s + _RESTS * (ended_s - began_s)


@contextmanager
def collected_here() -> Iterator[Collector]:
    """Within the block no thread but this one collects garbage, while its loop turns.

    At the end, what is left of the block's objects is collected here, and Python does it by
    itself again.
    """
    collector = Collector()
    gc.disable()
    collector.start()
    try:
        yield collector
    finally:
        collector.stop()
        gc.collect()
        gc.enable()


def set_memory_aside() -> None:
    """Spare the garbage collector what lives as long as the program.

    Imports and the viewer make about a million objects. Going through all of them takes some
    0.15 s, which would be felt each time the collector does so. For a program that shows one
    window and ends with it: what is set aside is never collected.
    """
    gc.collect()
    gc.freeze()
