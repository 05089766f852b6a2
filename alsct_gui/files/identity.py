"""What makes a scan that scan: its content, not its path nor how it is stored."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.files.check import sample
from alsct_gui.model.progress import CancelToken, Progress, ProgressCallback
from alsct_gui.model.scan import FrameStack, Scan
from alsct_gui.model.volume import LazyArray

BLOCK_BYTES = 4 << 20
"""Most bytes that are held in memory."""
SAMPLED_FRAMES = 4
"""Projections that the quick identity reads."""


def scan_checksum(
    scan: Scan,
    *,
    progress: ProgressCallback | None = None,
    cancel: CancelToken | None = None,
) -> str:
    """SHA-256 over projections, flats, darks and angles, as 64 hexadecimal digits.

    Each stack goes in as its name, shape and type on a line of JSON, then its values in
    C order, little-endian; the angles as float64 in degrees, in the sense of
    `model.geometry`. So it is the same for a copy, a renamed file, other chunks,
    compression or byte order, and differs when one pixel differs.

    Raises
    ------
    InputError
        A frame cannot be read.
    CancelledError
        It was cancelled.
    """
    digest = hashlib.sha256(b"alsct scan 1\n")
    stacks = _stacks(scan)
    total = sum(stack.shape[0] for stack in stacks.values())
    done, started = 0, time.monotonic()
    for name, stack in stacks.items():
        digest.update(_header(name, stack.shape, stack.dtype))
        frame_bytes = stack.shape[1] * stack.shape[2] * stack.dtype.itemsize
        step = max(1, BLOCK_BYTES // frame_bytes)
        for first in range(0, stack.shape[0], step):
            if cancel is not None:
                cancel.check()
            block = stack.read(slice(first, first + step))
            digest.update(_little_endian(block))
            done += len(block)
            if progress is not None:
                elapsed = time.monotonic() - started
                eta = elapsed * (total - done) / done
                progress(Progress("checksum", done, total, elapsed, eta))
    _add_angles(digest, scan)
    return digest.hexdigest()


def array_checksum(array: LazyArray, *, cancel: CancelToken | None = None) -> str:
    """SHA-256 over shape, type and all values of a volume, as 64 hexadecimal digits.

    As for a scan it does not depend on how the values are stored.

    Raises
    ------
    InputError
        A slice cannot be read.
    CancelledError
        It was cancelled.
    """
    digest = hashlib.sha256(b"alsct volume values 1\n")
    digest.update(_header("values", array.shape, array.dtype))
    plane_bytes = array.shape[1] * array.shape[2] * array.dtype.itemsize
    step = max(1, BLOCK_BYTES // max(1, plane_bytes))
    for first in range(0, array.shape[0], step):
        if cancel is not None:
            cancel.check()
        digest.update(_little_endian(array[first : first + step]))
    return digest.hexdigest()


def file_checksum(path: Path) -> str:
    """SHA-256 over the bytes of a file, as 64 hexadecimal digits.

    Raises
    ------
    OSError
        It cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def quick_identity(scan: Scan) -> str:
    """SHA-256 over start time, shapes, angles and a few frames, as 64 hexadecimal digits.

    Tells scans apart within a fraction of a second, so that a path seen twice is known to
    be one scan; it does not prove that two files are equal.

    Raises
    ------
    InputError
        A frame cannot be read.
    """
    digest = hashlib.sha256(b"alsct identity 1\n")
    digest.update(scan.people.start_time.encode() + b"\n")
    for name, stack in _stacks(scan).items():
        digest.update(_header(name, stack.shape, stack.dtype))
    for index in sample(scan.projections.shape[0], SAMPLED_FRAMES).tolist():
        digest.update(_little_endian(scan.projections.read(slice(index, index + 1))))
    _add_angles(digest, scan)
    return digest.hexdigest()


def _stacks(scan: Scan) -> dict[str, FrameStack]:
    named = {"projections": scan.projections, "flats": scan.flats, "darks": scan.darks}
    return {name: stack for name, stack in named.items() if stack is not None}


def _header(name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> bytes:
    return json.dumps([name, list(shape), dtype.newbyteorder("<").str]).encode() + b"\n"


def _add_angles(digest: Any, scan: Scan) -> None:
    angles = scan.geometry.angles_deg
    digest.update(_header("angles", angles.shape, np.dtype(np.float64)))
    digest.update(_little_endian(angles))


def _little_endian(block: NDArray[Any]) -> memoryview:
    stored = np.ascontiguousarray(block, dtype=block.dtype.newbyteorder("<"))
    return stored.reshape(-1).view(np.uint8).data
