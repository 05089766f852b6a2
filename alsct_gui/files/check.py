"""Is the scan whole? Findings with names, never an exception, whatever the file is.

Opening a scan already tells what its structure and metadata lack (`open_scan`); this adds
what only the angles and the pixels tell. Every name is explained in docs/checks.md.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.files.findings import broken, finding, finding_of
from alsct_gui.files.isolated import WorkerLostError, run_module
from alsct_gui.files.open import open_scan
from alsct_gui.files.superblock import read_superblock
from alsct_gui.model.errors import InputError
from alsct_gui.model.finding import Finding, Severity
from alsct_gui.model.scan import FrameStack, Scan

SAMPLED_PROJECTIONS = 12
"""Projections that are read when the check is not thorough; first and last among them."""
SAMPLED_OTHERS = 4
"""Flats, and darks, that are read then."""
SATURATED_SHARE = 0.01
"""Share of pixels at the detector's maximum from which frames count as saturated."""
SILENCE_S = 60.0
"""A process that reads no frame for so long is taken for hung."""
SETTLED_S = 10.0
"""A file that nobody touched for so long is taken for closed."""

_FULL_SCALES = tuple(float(2**bits - 1) for bits in (8, 10, 12, 14, 16))
_STEP_TOLERANCE = 1e-3
_UNFINISHED = {"still-being-written", "truncated", "shape-absurd", "frame-count-mismatch",
               "not-found", "frames-zero"}  # fmt: skip


class FileState(StrEnum):
    """Whether a file may be worked on."""

    ARRIVING = "arriving"  # not whole yet
    COMPLETE = "complete"  # closed by its writer, all announced frames there and readable
    BROKEN = "broken"  # will not get better by waiting


@dataclass(frozen=True, slots=True)
class Stamp:
    """What changes while a file is written."""

    size_bytes: int
    """Length, for a folder of all its files."""
    modified_ns: int
    """Time of the latest change."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One look at a file that may still be arriving."""

    state: FileState
    """Whether it may be worked on."""
    stamp: Stamp | None
    """To be given to the next look; None when there is no file."""
    findings: tuple[Finding, ...]
    """Why it is not complete, and all else."""


@dataclass
class _Survey:
    """What the pixels of some frames of a stack show."""

    mean: float = 0.0
    saturated: float = 0.0
    """Share of pixels at full scale in the frame that has most of them."""
    negative: bool = False
    not_finite: int = 0
    zero: list[int] = field(default_factory=list)
    """Indices of the frames that are zero everywhere."""
    good: list[int] = field(default_factory=list)
    """Indices of the others."""


def check_scan(path: str | Path, *, thorough: bool = False) -> tuple[Finding, ...]:
    """Check a scan; never raises, hangs or crashes, whatever is in the file.

    The file is looked at in a process of its own (`files.isolated`), for a damaged file can
    make the HDF5 library loop for ever.

    Parameters
    ----------
    path
        A file or folder as `open_scan` takes it.
    thorough
        Read every frame, not a sample.

    Returns
    -------
    findings
        Gravest first; one of severity error means that it cannot be reconstructed as it is.
    """
    words = [os.path.abspath(path), "thorough" if thorough else "quick"]  # noqa: PTH100 (keeps links)
    try:
        printed = run_module("alsct_gui.files.check_worker", words, silence_s=SILENCE_S)
        rows = json.loads(printed.decode().splitlines()[-1])
    except (WorkerLostError, ValueError, OSError) as error:
        return (finding("reader-lost", f"The process that read the file was lost: {error}"),)
    return tuple(Finding(**{**row, "severity": Severity(row["severity"])}) for row in rows)


def inspect_scan(
    path: Path, *, thorough: bool = False, beat: Callable[[], None] | None = None
) -> tuple[Finding, ...]:
    """Check a scan in this process; see `check_scan`. `beat` is called for every frame."""
    before = stamp_of(path)
    findings: list[Finding] = []
    try:
        with open_scan(path) as scan:
            findings += scan.warnings
            findings += _writer(path)
            findings += check_angles(scan)
            findings += check_frames(scan, thorough=thorough, beat=beat)
    except InputError as error:
        findings.append(finding_of(error))
    except (MemoryError, RecursionError) as error:
        findings.append(finding_of(broken("shape-absurd", f"{type(error).__name__} {error}")))
    if stamp_of(path) != before:
        findings.append(finding("still-being-written", "It changed while it was checked"))
    order = list(Severity)
    return tuple(sorted(dict.fromkeys(findings), key=lambda item: order.index(item.severity)))


def file_state(path: str | Path, since: Stamp | None = None) -> Arrival:
    """Tell whether a file has arrived: closed by its writer, as announced, readable.

    Parameters
    ----------
    path
        The scan.
    since
        Stamp of an earlier look. Without one, or when it differs, the file counts as
        closed only when it was not touched for `SETTLED_S`.
    """
    stamp = stamp_of(Path(path))
    findings = check_scan(path)
    errors = {item.name for item in findings if item.severity is Severity.ERROR}
    unfinished = {item.name for item in findings} & _UNFINISHED
    settled = stamp is not None and (
        stamp == since or time.time_ns() - stamp.modified_ns > SETTLED_S * 1e9
    )
    if errors - _UNFINISHED:
        state = FileState.BROKEN
    elif unfinished or not settled:
        state = FileState.ARRIVING
    else:
        state = FileState.COMPLETE
    return Arrival(state, stamp, findings)


def stamp_of(path: Path) -> Stamp | None:
    """Size and time of the last change; None when there is nothing."""
    try:
        if not path.is_dir():
            status = path.stat()
            return Stamp(status.st_size, status.st_mtime_ns)
        statuses = [item.stat() for item in path.iterdir()]
    except (OSError, ValueError):
        return None
    times = [status.st_mtime_ns for status in statuses]
    return Stamp(sum(status.st_size for status in statuses), max(times, default=0))


def _writer(path: Path) -> list[Finding]:
    """Find a writer that lets others read meanwhile; any other keeps the file from opening."""
    block = read_superblock(path) if path.is_file() else None
    if block is None or not block.open_for_write:
        return []
    return [finding("still-being-written", "A writer has it open")]


def check_angles(scan: Scan) -> list[Finding]:
    """Find angles that go back and forth, repeat, or leave directions out."""
    angles = scan.geometry.angles_deg
    if angles.size < 2:
        return [finding("angles-range-short", f"There is {angles.size} angle")]
    steps = np.diff(angles)
    typical = float(np.median(np.abs(steps)))
    smallest = _STEP_TOLERANCE * typical
    backward = int(np.sum(steps * np.sign(angles[-1] - angles[0]) < -smallest))
    findings = []
    if backward:
        text = f"{backward} of {steps.size} steps go backwards"
        findings.append(finding("angles-not-monotone", text))
    repeated = int(np.sum(np.diff(np.sort(angles)) <= smallest))
    if repeated:
        findings.append(finding("angles-duplicate", f"{repeated} angles occur again"))
    if scan.geometry.range_deg < 179.0:
        text = f"The angles span {scan.geometry.range_deg:.4g} degrees"
        findings.append(finding("angles-range-short", text))
    return findings


def check_frames(
    scan: Scan, *, thorough: bool, beat: Callable[[], None] | None = None
) -> list[Finding]:
    """Find frames that are zero, unreadable, saturated or not numbers."""
    stacks = {"projections": scan.projections, "flats": scan.flats, "darks": scan.darks}
    findings: list[Finding] = []
    surveys: dict[str, _Survey] = {}
    for name, stack in stacks.items():
        missing: tuple[str, ...] = getattr(stack, "missing_filters", ())
        if stack is None or missing:
            continue
        wanted = SAMPLED_PROJECTIONS if name == "projections" else SAMPLED_OTHERS
        chosen = sample(stack.shape[0], stack.shape[0] if thorough else wanted)
        try:
            surveys[name] = _survey(stack, chosen, beat)
        except InputError as error:
            findings.append(finding_of(error))
            continue
        findings += _pixel_findings(name, stack, surveys[name], counts=scan.quantity == "counts")
    if {"flats", "darks"} <= surveys.keys():
        bright, dark = surveys["flats"].mean, surveys["darks"].mean
        if not bright > dark:
            text = f"Flats have {bright:.4g} on average, darks {dark:.4g}"
            findings.append(finding("flats-not-brighter", text))
    return findings


def sample(n_frames: int, wanted: int) -> NDArray[np.intp]:
    """Indices of evenly spread frames, first and last among them."""
    return np.unique(np.linspace(0, n_frames - 1, min(wanted, n_frames)).round().astype(np.intp))


def _pixel_findings(
    name: str, stack: FrameStack, survey: _Survey, *, counts: bool
) -> list[Finding]:
    findings = []
    never = getattr(stack, "never_written", np.empty(0))
    if never.size:
        text = f"{never.size} of {stack.shape[0]} were never written"
        findings.append(finding("frames-zero", text, where=name))
    elif survey.zero and counts and name != "darks":
        findings.append(finding("frames-zero", _zero_text(stack, survey), where=name))
    if survey.not_finite:
        text = f"{survey.not_finite} pixels of the frames read"
        findings.append(finding("frames-not-finite", text, where=name))
    saturated = {"projections": "projections-saturated", "flats": "flats-saturated"}.get(name)
    if saturated and counts and survey.saturated >= SATURATED_SHARE:
        text = f"{survey.saturated:.1%} of the pixels of a frame"
        findings.append(finding(saturated, text, where=name))
    if survey.negative and counts:
        findings.append(finding("values-negative", "Some values are below 0", where=name))
    return findings


def _zero_text(stack: FrameStack, survey: _Survey) -> str:
    last_good = max(survey.good, default=-1)
    trailing = [index for index in survey.zero if index > last_good]
    if last_good < 0 or not trailing:
        return f"{len(survey.zero)} of the {len(survey.zero) + len(survey.good)} frames read"
    # The end is zero: look for where the zeros begin.
    low, high = last_good, trailing[0]
    while high - low > 1:
        middle = (low + high) // 2
        if np.any(stack.read(slice(middle, middle + 1))):
            low = middle
        else:
            high = middle
    return f"All frames from {high} on, of {stack.shape[0]}"


def _survey(
    stack: FrameStack, chosen: NDArray[np.intp], beat: Callable[[], None] | None
) -> _Survey:
    survey = _Survey()
    total = 0.0
    for index, frame in _frames(stack, chosen):
        if beat is not None:
            beat()
        finite = frame[np.isfinite(frame)] if frame.dtype.kind == "f" else frame
        survey.not_finite += frame.size - finite.size
        if not finite.size:
            survey.good.append(index)
            continue
        top, bottom = float(finite.max()), float(finite.min())
        (survey.zero if top == bottom == 0 else survey.good).append(index)
        survey.negative = survey.negative or bottom < 0
        if top in _FULL_SCALES:
            share = np.count_nonzero(finite == top) / finite.size
            survey.saturated = max(survey.saturated, share)
        total += float(finite.mean(dtype=np.float64))
    survey.mean = total / chosen.size
    return survey


def _frames(stack: FrameStack, chosen: NDArray[np.intp]) -> Iterator[tuple[int, NDArray[Any]]]:
    frame = np.empty((1, *stack.shape[1:]), stack.dtype)
    for index in chosen.tolist():
        stack.read(np.array([index]), out=frame)
        yield index, frame[0]
