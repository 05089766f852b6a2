"""Threads that share out the blocks of a kernel."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from alsct_gui.recon.engines.base import Float32Array

Kernel = Callable[[int, int, Float32Array], None]
"""Does the blocks [start, stop) with a work space of its own."""


def run_blocks(
    kernel: Kernel, n_blocks: int, portion: int, scratch_size: int, threads: int
) -> None:
    """Run a kernel that frees the GIL over all blocks.

    Parameters
    ----------
    kernel
        Called with start, stop and a flat float32 work space of `scratch_size`.
    n_blocks
        How many blocks there are; they must not depend on each other.
    portion
        Blocks a thread takes at a time.
    threads
        How many threads; with one, the calling thread does it all.
    """
    starts = iter(range(0, n_blocks, portion))
    lock = threading.Lock()

    def work(_: int) -> None:
        scratch = np.empty(scratch_size, np.float32)
        while True:
            with lock:
                start = next(starts, None)
            if start is None:
                return
            kernel(start, min(start + portion, n_blocks), scratch)

    if threads == 1:
        work(0)
        return
    with ThreadPoolExecutor(threads, thread_name_prefix="fourier") as pool:
        list(pool.map(work, range(threads)))
