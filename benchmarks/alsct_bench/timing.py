"""Times that can be compared: warmed up, taken in turns, with their spread."""

from __future__ import annotations

import importlib.util
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """Repeats of one measurement."""

    seconds: tuple[float, ...]
    """Wall time of each repeat, at least one."""

    @property
    def median_s(self) -> float:
        """Median of the repeats."""
        return statistics.median(self.seconds)

    @property
    def spread(self) -> float | None:
        """(largest - smallest) / median; None for a single repeat."""
        if len(self.seconds) < 2:
            return None
        return (max(self.seconds) - min(self.seconds)) / self.median_s


Timer = Callable[[], float]
"""Does the work once and returns the seconds that it took."""


def timer(work: Callable[[], object], before: Callable[[], object] | None = None) -> Timer:
    """Turn a call into one that returns how long it took, without what goes before it."""

    def run() -> float:
        if before is not None:
            before()
        began = time.perf_counter()
        work()
        return time.perf_counter() - began

    return run


def take_turns(timers: Sequence[Timer], repeats: Sequence[int]) -> list[Timing]:
    """Run each timer so many times, in turns, so that a slow spell of the machine hits all."""
    taken: list[list[float]] = [[] for _ in timers]
    for turn in range(max(repeats)):
        for index, (run, count) in enumerate(zip(timers, repeats, strict=True)):
            if turn < count:
                taken[index].append(run())
    return [Timing(tuple(seconds)) for seconds in taken]


@contextmanager
def blas_threads(count: int) -> Iterator[None]:
    """Hold this process's matrix products to so many threads, where threadpoolctl is there.

    They would take all processors otherwise, and a time on one thread would be none.
    """
    if not blas_can_be_held():
        yield
        return
    from threadpoolctl import threadpool_limits

    with threadpool_limits(count):
        yield


def blas_can_be_held() -> bool:
    """Whether `blas_threads` does anything here."""
    return importlib.util.find_spec("threadpoolctl") is not None
