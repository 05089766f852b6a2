"""Sharing work among threads whose kernels release the GIL.

Numba's own parallel loops are not used where several threads may call them at once: its
portable scheduler aborts the process on concurrent use, and the others need libraries that
a bare machine lacks. Kernels are compiled with ``nogil=True`` and called on ranges instead.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


def split(count: int, parts: int) -> list[tuple[int, int]]:
    """Cut ``range(count)`` into at most ``parts`` contiguous [start, stop) of like size."""
    parts = max(1, min(parts, count))
    bounds = [count * part // parts for part in range(parts + 1)]
    return [(a, b) for a, b in itertools.pairwise(bounds) if a < b]


def run_split(count: int, threads: int, work: Callable[[int, int], None]) -> None:
    """Call ``work(start, stop)`` over ``range(count)`` on so many threads.

    An error in any part is raised here, after all parts have ended.
    """
    ranges = split(count, threads)
    if len(ranges) <= 1:
        for start, stop in ranges:
            work(start, stop)
        return
    with ThreadPoolExecutor(len(ranges), thread_name_prefix="alsct-split") as pool:
        futures = [pool.submit(work, start, stop) for start, stop in ranges]
    for future in futures:
        future.result()
