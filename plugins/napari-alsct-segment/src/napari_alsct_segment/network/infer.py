"""A network at work on the CPU: slice by slice, rows shared among threads, within a budget."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.files.lazyarray import DiskArray, Ranges
from alsct_gui.model.errors import InputError, ResourceError
from alsct_gui.model.volume import LazyArray
from alsct_gui.recon.parallel import split
from alsct_gui.steps.reporter import Reporter
from napari_alsct_segment.network import kernels
from napari_alsct_segment.network.model import Network
from napari_alsct_segment.surrounded import Mirrored

Float32Array = NDArray[np.float32]

_LEAST_ROWS = 32
"""Rows that a band of a slice has at least besides its surroundings."""


class NetworkVolume(DiskArray):
    """What a network makes of a volume, computed when it is read.

    Slices that do not fit into the memory that may be used are made in bands of rows with all
    of the surroundings that the network looks at, so that no seam is seen.

    Parameters
    ----------
    array
        Grey values, shape (slice, y, x).
    network
        A network that was checked.
    reporter
        Threads, memory; its cancel is looked at before each slice.

    Raises
    ------
    InputError
        The slices are smaller than the distance of the network's taps.
    """

    def __init__(
        self, array: LazyArray | NDArray[Any], network: Network, reporter: Reporter
    ) -> None:
        z, y, x = array.shape
        super().__init__((z, y, x), np.dtype(np.uint8 if network.labels else np.float32))
        if min(y, x) <= network.design.dilations:
            raise InputError(
                f"slices of {y} x {x} are too small for the network", where="volume",
                fix=f"It needs more than {network.design.dilations} pixels along y and x",
            )  # fmt: skip
        self._wide = Mirrored(array, (network.neighbours, 0, 0))
        self._network, self._reporter = network, reporter

    def _read(self, ranges: Ranges) -> NDArray[Any]:
        network, (z, y, x) = self._network, ranges
        out = np.empty([len(axis) for axis in ranges], self.dtype)
        labels = np.array(network.labels, np.uint8)
        with ThreadPoolExecutor(self._reporter.threads, "alsct-network") as pool:
            for place, index in enumerate(z):
                self._reporter.check()
                planes = network.grey.into(self._wide[index : index + network.design.inputs])
                made = run_plane(network, planes, pool, self._reporter)
                part = made[:, y.start : y.stop : y.step, x.start : x.stop : x.step]
                if network.labels:
                    out[place] = labels[part.argmax(axis=0)]
                else:
                    grey = network.grey
                    out[place] = part[0] * np.float32(grey.span) + np.float32(grey.offset)
        return out


def run_plane(
    network: Network, planes: Float32Array, pool: Executor, reporter: Reporter
) -> Float32Array:
    """Run a network on one slice.

    Parameters
    ----------
    network
        The network.
    planes
        What goes in, scaled as the network has it: float32, shape (input, y, x).
    pool
        Threads.
    reporter
        Says how many there are and how much memory may be used.

    Returns
    -------
    made
        What the last layer gives, float32, shape (output, y, x).

    Raises
    ------
    ResourceError
        Not even a narrow band of the slice fits into memory.
    """
    rows, columns = planes.shape[1:]
    reach = network.design.reach_px
    row_bytes = 4 * network.design.channels * (columns + 2 * network.design.dilations)
    fitting = reporter.memory_bytes // row_bytes
    if fitting >= rows:
        return _run_band(network, planes, pool, reporter.threads)
    step = fitting - 2 * reach
    if step < _LEAST_ROWS:
        needed = (2 * reach + _LEAST_ROWS) * row_bytes
        raise ResourceError(
            f"the network needs {needed / 1e9:.1f} GB for slices of this width, "
            f"{reporter.memory_bytes / 1e9:.1f} GB may be used", where="network",
            fix="Allow more memory, or take a network with fewer layers",
        )  # fmt: skip
    out = np.empty((network.design.outputs, rows, columns), np.float32)
    for first in range(0, rows, step):
        reporter.check()
        stop = min(first + step, rows)
        low, high = max(0, first - reach), min(rows, stop + reach)
        band = _run_band(network, planes[:, low:high], pool, reporter.threads)
        out[:, first:stop] = band[:, first - low : stop - low]
    return out


def _run_band(network: Network, planes: Float32Array, pool: Executor, threads: int) -> Float32Array:
    design = network.design
    n_inputs, rows, columns = planes.shape
    pad = design.dilations
    pictures = np.empty((design.channels, rows, columns + 2 * pad), np.float32)
    pictures[:n_inputs, :, pad : pad + columns] = planes
    for picture in pictures[:n_inputs]:
        kernels.mirror_rows(picture, pad, 0, rows)
    bands = split(rows, threads)
    weights, biases, last, last_biases = network.parts
    for number in range(design.depth):
        first, stop = design.offset(number), design.offset(number + 1)
        work = partial(
            kernels.layer, pictures, n_inputs + number, design.dilation(number),
            weights[first:stop], biases[number], pad,
        )  # fmt: skip
        _on_all(pool, work, bands)
    out = np.empty((design.outputs, rows, columns), np.float32)
    _on_all(pool, partial(kernels.last_layer, pictures, last, last_biases, pad, out), bands)
    return out


def _on_all(
    pool: Executor, work: Callable[[int, int], None], bands: Sequence[tuple[int, int]]
) -> None:
    """Call a kernel on each band of rows, and wait."""
    for future in [pool.submit(work, *band) for band in bands]:
        future.result()
