"""One look at a file that may still be written: how many frames are in it, and a small picture.

Nothing here takes a lock or writes: a reader must never get in the way of the acquisition.
Files are opened as `files.hdf5` does, without locking. Runs in the process of `beamline.eye`,
for a damaged file can make the HDF5 library hang or crash.
"""

from __future__ import annotations

import fcntl
import math
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.beamline.looks import Depth, Kind, Look, StackCount, Summary
from alsct_gui.files.check import inspect_scan, stamp_of
from alsct_gui.files.findings import broken, finding_of
from alsct_gui.files.identity import quick_identity
from alsct_gui.files.open import open_scan, open_volume
from alsct_gui.files.superblock import Superblock, read_superblock
from alsct_gui.model.errors import InputError
from alsct_gui.model.finding import Finding
from alsct_gui.model.scan import FrameStack, Scan
from alsct_gui.model.volume import Volume

THUMBNAIL_PX = 96
"""Greatest width and height of a small picture."""
MAX_TEXT = 200
"""Longest text of a summary; what is longer in a file is cut."""

Picture = NDArray[np.uint8]
Beat = Callable[[], None]

_ANNOUNCED = {
    "projections": ("/process/acquisition/rotation/num_angles", "/nangles", "nangles"),
    "flats": ("/process/acquisition/flat_fields/num_flat_fields",),
    "darks": ("/process/acquisition/dark_fields/num_dark_fields",),
}
"""Metadata that announce the frames of a kind, by layout."""
_PROJECTIONS = "/exchange/data"
_PERCENT = (1.0, 99.0)


def look_at(
    path: Path, kind: Kind, *, depth: Depth, thumbnail: bool, beat: Beat
) -> tuple[Look, Picture | None]:
    """Look at a scan or volume.

    Parameters
    ----------
    path, kind
        What to look at.
    depth
        How closely; see `looks.Depth`.
    thumbnail
        Whether a picture is wanted.
    beat
        Called for every frame that is read: proves that the work is alive.

    Returns
    -------
    look
        What was found; what is wrong with the file is in its findings.
    picture
        uint8 of shape (row, column), at most `THUMBNAIL_PX` wide and high: the latest
        projection, or the middle one once all are there; of a volume its middle slice.

    Raises
    ------
    InputError
        There is nothing at that path.
    """
    stamp = stamp_of(path)
    if stamp is None:
        raise broken("not-found", "There is nothing at this path", where=path.name)
    common: dict[str, Any] = {
        "kind": kind, "size_bytes": stamp.size_bytes, "modified_ns": stamp.modified_ns,
        "depth": depth,
    }  # fmt: skip
    try:
        if kind == "volume":
            with open_volume(path) as volume:
                return _look_at_volume(volume, common, thumbnail=thumbnail)
        common |= _writer(path)
        with open_scan(path) as scan:
            return _look_at_scan(scan, common, thumbnail=thumbnail, beat=beat)
    except InputError as error:
        found: Finding = finding_of(error)
    except OSError as error:
        found = finding_of(broken("unreadable", f"The system says: {error}", where=path.name))
    except (MemoryError, RecursionError) as error:
        found = finding_of(broken("shape-absurd", f"{type(error).__name__} {error}"))
    stacks = _planned(path) if kind == "scan" and found.name == "shape-absurd" else ()
    return Look(**common, findings=(found,), stacks=stacks), None


def _look_at_scan(
    scan: Scan, common: dict[str, Any], *, thumbnail: bool, beat: Beat
) -> tuple[Look, Picture | None]:
    stacks = count_stacks(scan, beat)
    findings, identity = scan.warnings, ""
    if common["depth"] == "full":
        findings = inspect_scan(scan.path, beat=beat)
    if common["depth"] != "count":
        identity = quick_identity(scan)
    picture = None
    done = stacks[0].done
    if thumbnail and done:
        index = done // 2 if done >= stacks[0].expected else done - 1
        beat()
        picture = small_picture(scan.projections.read(slice(index, index + 1))[0])
    look = Look(
        **common, stacks=stacks, findings=findings, identity=identity, summary=_summary(scan)
    )
    return look, picture


def _look_at_volume(
    volume: Volume, common: dict[str, Any], *, thumbnail: bool
) -> tuple[Look, Picture | None]:
    picture = None
    if thumbnail or common["depth"] != "count":
        coarsest = volume.levels[-1]
        picture = small_picture(coarsest[coarsest.shape[0] // 2])
    slices, n_rows, n_columns = volume.shape
    summary = Summary(
        layout=volume.layout, n_rows=n_rows, n_columns=n_columns,
        pixel_size_um=volume.voxel_um[2] if volume.voxel_um else None,
    )  # fmt: skip
    stacks = (StackCount("slices", slices, slices),)
    look = Look(**common, stacks=stacks, findings=volume.warnings, summary=summary)
    return look, picture


def count_stacks(scan: Scan, beat: Beat) -> tuple[StackCount, ...]:
    """Count the frames of each kind that have been written, projections first.

    Raises
    ------
    InputError
        Frames cannot be read.
    """
    named = {"projections": scan.projections, "flats": scan.flats, "darks": scan.darks}
    counts = []
    for name, stack in named.items():
        if stack is None:
            continue
        # Zero is a value like others in darks, and in frames that are not counts.
        zeros_count = name == "darks" or scan.quantity != "counts"
        done = _written(stack, zeros_count=zeros_count, beat=beat)
        counts.append(StackCount(name, done, _expected(scan, name, stack.shape[0])))
    return tuple(counts)


def _expected(scan: Scan, name: str, there: int) -> int:
    for key in _ANNOUNCED[name]:
        announced = _whole_number(scan.metadata.get(key))
        if announced:
            # Flats are announced for each of their groups.
            return math.ceil(there / announced) * announced if name == "flats" else announced
    return there


def _whole_number(value: Any) -> int | None:
    if isinstance(value, list | tuple) and value:
        value = value[0]
    try:
        number = int(float(str(value).strip()))
    except (ValueError, OverflowError):
        return None
    return number if 0 < number < 1_000_000 else None


def _written(stack: FrameStack, *, zeros_count: bool, beat: Beat) -> int:
    """Count the frames at the beginning of a stack that hold values.

    A frame that was announced but not written reads as zeros; frames come in order.
    """
    n_frames = stack.shape[0]
    never = int(getattr(stack, "never_written", np.empty(0)).size)
    if never:
        return n_frames - never
    missing: tuple[str, ...] = getattr(stack, "missing_filters", ())
    if zeros_count or missing:
        return n_frames

    def has_values(index: int) -> bool:
        beat()
        middle = stack.shape[1] // 2
        if np.any(stack.read(slice(index, index + 1), slice(middle, middle + 1))):
            return True
        return bool(np.any(stack.read(slice(index, index + 1))))

    if has_values(n_frames - 1):
        return n_frames
    last_good, first_zero = -1, n_frames - 1
    while first_zero - last_good > 1:
        between = (last_good + first_zero) // 2
        if has_values(between):
            last_good = between
        else:
            first_zero = between
    return last_good + 1


def _planned(path: Path) -> tuple[StackCount, ...]:
    """Announced projections of a scan whose first one is not written yet."""
    from alsct_gui.files.hdf5 import Hdf5Source
    from alsct_gui.files.readers.keys import Keys

    try:
        source = Hdf5Source(path)
    except InputError:
        return ()
    try:
        dataset = source.dataset(_PROJECTIONS)
        if dataset is None or not dataset.shape or dataset.id.get_storage_size():
            return ()
        announced = _whole_number(Keys(source).number(_ANNOUNCED["projections"][0]))
        return (StackCount("projections", 0, announced or int(dataset.shape[0])),)
    except InputError:
        return ()
    finally:
        source.close()


def _writer(path: Path) -> dict[str, Any]:
    """Tell what speaks for a writer: marks in the file, and locks that others hold."""
    block: Superblock | None = read_superblock(path)
    return {
        "expected_bytes": block.end_bytes if block else 0,
        "open_for_write": block.open_for_write if block else False,
        "locked": is_locked(path),
    }


def is_locked(path: Path) -> bool:
    """Say whether a process holds a lock for writing on a file, without taking one.

    Two places are asked: the kernel's list, which has the flock of HDF5 writers on this
    machine, and the file server, which has those of other machines where it is told.
    """
    status = path.stat()
    name = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    try:
        lines = Path("/proc/locks").read_text(encoding="ascii").splitlines()
    except OSError:
        lines = []
    if any("WRITE" in line and name in line.split() for line in lines):
        return True
    question = struct.pack("hhqqi", fcntl.F_RDLCK, os.SEEK_SET, 0, 0, 0)
    with path.open("rb") as file:
        try:
            answer = fcntl.fcntl(file, fcntl.F_GETLK, question)
        except OSError:  # a file system without locks has no locked files
            return False
    return bool(struct.unpack("hhqqi", answer)[0] == fcntl.F_WRLCK)


def small_picture(frame: NDArray[Any]) -> Picture:
    """Average a frame down to a small grey picture; what is not finite is black.

    Parameters
    ----------
    frame
        Shape (row, column), any real type.

    Returns
    -------
    picture
        uint8, at most `THUMBNAIL_PX` wide and high, contrast between common percentiles.
    """
    step = max(1, math.ceil(max(frame.shape) / THUMBNAIL_PX))
    steps = [min(step, size) for size in frame.shape]  # a frame may have a single row
    rows, columns = (size // along for size, along in zip(frame.shape, steps, strict=True))
    part = frame[: rows * steps[0], : columns * steps[1]]
    with np.errstate(all="ignore"):
        blocks = part.reshape(rows, steps[0], columns, steps[1])
        values = blocks.mean(axis=(1, 3), dtype=np.float64)
        finite = values[np.isfinite(values)]
        low, high = np.percentile(finite, _PERCENT) if finite.size else (0.0, 0.0)
        span = high - low if high > low else 1.0
        grey = np.nan_to_num((values - low) * (255.0 / span), nan=0.0)
    return np.clip(grey, 0, 255).astype(np.uint8)


def _summary(scan: Scan) -> Summary:
    people, geometry = scan.people, scan.geometry
    return Summary(
        sample=_text(people.sample),
        proposal=_text(people.proposal),
        start_time=_text(people.start_time),
        layout=scan.layout,
        n_rows=geometry.n_rows,
        n_columns=geometry.n_columns,
        pixel_size_um=_finite(geometry.pixel_size_um),
        energy_kev=_finite(geometry.energy_kev),
        range_deg=_finite(geometry.range_deg),
    )


def _text(text: str) -> str:
    shown = "".join(char if char.isprintable() else " " for char in text[: 2 * MAX_TEXT])
    return " ".join(shown.split())[:MAX_TEXT]


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None
