"""What is measured on: simulated data of known truth, made anew from the same seed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from alsct_bench.context import Size
from alsct_gui.recon.parallel import run_split
from alsct_gui.simulator.camera import DARK, FLAT, PROJECTION
from alsct_gui.simulator.frames import FrameSource
from alsct_gui.simulator.physics import Beam, Physics, Rings
from alsct_gui.simulator.shapes import CM_PER_UM
from alsct_gui.simulator.spec import SimulationSpec
from alsct_gui.simulator.write import simulate_scan

Float32Array = NDArray[np.float32]
UInt16Array = NDArray[np.uint16]

OFFSET_PX = 7.3
"""How far the rotation axis lies from the middle, where a test is not to be too easy."""
BRIGHT_PHOTONS, FEW_PHOTONS = 20000.0, 1000.0
_MAKER_THREADS = 2


@dataclass(frozen=True, eq=False)
class SmoothSlices:
    """Exact sinograms of a phantom without edges, and what they should come out as."""

    sinograms: Float32Array
    """Shape (slice, angle, column)."""
    truth: Float32Array
    """True first slice in 1/pixel, shape (y, x)."""
    angles_deg: NDArray[np.float64]
    """Shape (angle,), a half turn without its end."""
    center_px: float
    """The middle of the columns, so that peers that know no other centre can take part."""


@lru_cache(maxsize=2)
def smooth_slices(size: Size, n_slices: int = 16) -> SmoothSlices:
    """Project a smooth phantom; the slices repeat after the fourth."""
    spec = SimulationSpec(
        phantom="smooth", n_columns=size.n_columns, n_rows=4, n_angles=size.n_angles,
        endpoint=False, seed=1,
    )  # fmt: skip
    phantom, angles = spec.build(), spec.angles_deg
    frames = np.empty((angles.size, 4, size.n_columns), np.float32)

    def work(start: int, stop: int) -> None:
        frames[start:stop] = phantom.project(spec.detector, angles[start:stop])

    run_split(angles.size, _MAKER_THREADS, work)
    four = np.ascontiguousarray(np.swapaxes(frames, 0, 1))
    truth = phantom.voxels(spec.detector, slice(0, 1))[0] * spec.pixel_size_um * CM_PER_UM
    return SmoothSlices(
        np.tile(four, (n_slices // 4, 1, 1)), truth, angles, spec.detector.center_px
    )


@dataclass(frozen=True, eq=False)
class RawFrames:
    """A band of detector rows of a noisy scan with rings, as the camera gives it."""

    frames: UInt16Array
    """Shape (angle, row, column)."""
    flats: UInt16Array
    """Shape (flat, row, column)."""
    darks: UInt16Array
    """Shape (dark, row, column)."""
    angles_deg: NDArray[np.float64]
    """Shape (angle,)."""
    center_px: float
    """True rotation axis."""


@lru_cache(maxsize=2)
def raw_frames(size: Size, n_rows: int = 8, photons: float = BRIGHT_PHOTONS) -> RawFrames:
    """Simulate a band of rows in memory."""
    spec = _noisy(size, n_rows, photons)
    source = FrameSource(spec, spec.build())
    stacks = {
        kind: np.empty((count, n_rows, spec.n_columns), np.uint16)
        for kind, count in source.counts.items()
    }
    for kind, stack in stacks.items():

        def work(start: int, stop: int, kind: int = kind, stack: UInt16Array = stack) -> None:
            for index in range(start, stop):
                stack[index] = source.make(kind, index)

        run_split(len(stack), _MAKER_THREADS, work)
    return RawFrames(
        stacks[PROJECTION], stacks[FLAT], stacks[DARK], spec.angles_deg, spec.detector.center_px
    )


def corrected_sinograms(raw: RawFrames) -> Float32Array:
    """Line integrals of raw frames in plain numpy, shape (row, angle, column)."""
    dark = raw.darks.mean(axis=0, dtype=np.float32)
    flat = raw.flats.mean(axis=0, dtype=np.float32) - dark
    transmission = np.maximum((raw.frames - dark) / flat, np.float32(0.01))
    return np.ascontiguousarray(np.swapaxes(-np.log(transmission), 0, 1))


def opposite_views(size: Size) -> tuple[Float32Array, Float32Array, float]:
    """Line integrals of the whole detector at 0 and 180 degrees, and the true axis."""
    spec = replace(_noisy(size, size.n_rows, BRIGHT_PHOTONS), n_angles=2)
    source = FrameSource(spec, spec.build())
    dark = source.make(DARK, 0).astype(np.float32)
    flat = source.make(FLAT, 0) - dark
    first, second = (
        -np.log(np.maximum((source.make(PROJECTION, index) - dark) / flat, np.float32(0.01)))
        for index in range(2)
    )
    return first, second, spec.detector.center_px


@dataclass(frozen=True, slots=True)
class ScanFile:
    """A simulated scan on disk."""

    path: Path
    """The file."""
    rows: tuple[int, int]
    """Detector rows [start, stop) that hold data."""
    center_px: float
    """True rotation axis."""


def band_file(folder: Path, size: Size) -> ScanFile:
    """Make a scan of full width and few rows, or find the one that an earlier run made."""
    rows = size.run_rows
    path = folder / f"scan-{size.n_columns}x{rows}x{size.n_angles}.h5"
    spec = replace(_noisy(size, rows, BRIGHT_PHOTONS), repeat_rows=min(16, rows))
    if not path.exists():
        simulate_scan(path, spec, threads=_MAKER_THREADS)
    return ScanFile(path, (0, rows), spec.detector.center_px)


def tall_file(folder: Path, size: Size) -> ScanFile:
    """Make a scan of full width and height, or find the one that an earlier run made.

    Only a band of rows in the middle, and the frames at the ends of the turn (which the
    centre is found from), are written; the rest of the file are holes, which read as zeros.
    So rows lie as far apart as in a real file, but neither disk nor page cache are filled.
    """
    band = band_file(folder, size)
    start = (size.n_rows - size.run_rows) // 2
    rows = (start, start + size.run_rows)
    path = folder / f"scan-{size.n_columns}x{size.n_rows}x{size.n_angles}.h5"
    if not path.exists():
        _widen(band.path, path, size.n_rows, rows)
    return ScanFile(path, rows, band.center_px)


def _noisy(size: Size, n_rows: int, photons: float) -> SimulationSpec:
    physics = Physics(
        beam=Beam(photons=photons), rings=Rings(gain=12, wide=3, nonlinear=2, partial=2)
    )
    return SimulationSpec(
        phantom="asymmetric", n_columns=size.n_columns, n_rows=n_rows, n_angles=size.n_angles,
        center_px=(size.n_columns - 1) / 2 + OFFSET_PX, physics=physics, seed=2,
    )  # fmt: skip


def _widen(narrow: Path, path: Path, n_rows: int, rows: tuple[int, int]) -> None:
    """Copy a scan of a band of rows into one of full height, by holes."""
    import h5py

    partial = path.with_suffix(".partial")
    with h5py.File(narrow, "r") as band, h5py.File(partial, "w") as wide:

        def copy(name: str, item: object) -> None:
            if not isinstance(item, h5py.Dataset):
                return
            if item.ndim != 3:
                wide[name] = item[...]
                return
            # Contiguous as at the beamline; allocated late, so that what is not written is a hole.
            tall = wide.create_dataset(
                name, (len(item), n_rows, item.shape[2]), item.dtype, fillvalue=None
            )
            ends = {0, 1, 2, len(item) - 3, len(item) - 2, len(item) - 1}
            for index in range(len(item)):
                frame = item[index]
                if len(item) < 100 or index in ends:
                    copies = -(-n_rows // len(frame))
                    tall[index] = np.tile(frame, (copies, 1))[:n_rows]
                tall[index, rows[0] : rows[1]] = frame

        band.visititems(copy)
        wide["measurement/instrument/detector/dimension_y"][...] = n_rows
    partial.replace(path)
