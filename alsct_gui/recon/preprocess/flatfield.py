"""Flats and darks of a scan, made into what a frame is divided by.

Flats are averaged within their group; along the scan they are interpolated between groups
(``i0cycle`` > 0 at 8.3.2), because the beam drifts. Frames that differ grossly from the rest
of their group (shutter closed, sample in the beam, beam lost) are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.finding import Finding, Severity
from alsct_gui.model.recipe import Correction
from alsct_gui.model.scan import FlatGroup, FrameStack, Scan
from alsct_gui.recon.preprocess.binning import bin_picture

Float32Array = NDArray[np.float32]

_SAMPLE_ROWS = 64  # rows looked at to judge a frame
_GROSS_SHARE = 0.05  # a frame this far from its group's median may be bad ...
_GROSS_SIGMAS = 8.0  # ... when it is also this many robust deviations away
_LEAST_COUNTS = 2.0  # ... and so many counts: darks may be all alike


@dataclass(frozen=True, eq=False)
class FlatField:
    """What raw frames of a region are corrected by."""

    dark: Float32Array
    """Mean dark, counts, shape (row, column)."""
    flats: Float32Array
    """Mean flat minus dark of each group, counts, shape (group, row, column)."""
    at_projection: NDArray[np.float64]
    """Projection index at which each group was taken, ascending, shape (group,)."""
    rows: tuple[int, int]
    """Detector rows covered, before binning."""
    findings: tuple[Finding, ...] = ()
    """What was missing or left out."""

    def blend(
        self, projections: NDArray[np.intp], how: str
    ) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """Group before each projection, and the weight of the group after it.

        Parameters
        ----------
        projections
            Projection indices, shape (angle,).
        how
            ``linear``, ``nearest`` or ``mean`` (then there is one group).
        """
        last = len(self.at_projection) - 1
        before = np.searchsorted(self.at_projection, projections, side="right") - 1
        before = np.clip(before, 0, max(0, last - 1))
        if last == 0:
            return before, np.zeros(len(projections), np.float32)
        start = self.at_projection[before]
        span = np.maximum(self.at_projection[before + 1] - start, 1e-9)
        weight = np.clip((projections - start) / span, 0.0, 1.0)
        if how == "nearest":
            weight = np.rint(weight)
        return before, weight.astype(np.float32)


def make_flat_field(
    scan: Scan,
    rows: tuple[int, int],
    columns: tuple[int, int],
    correction: Correction,
    binning: int = 1,
) -> FlatField:
    """Average the flats and darks of a region of the detector.

    Parameters
    ----------
    scan
        The scan; counts of flats and darks as stored.
    rows, columns
        Region [start, stop) of the full detector.
    correction
        How flats are interpolated, and whether bad frames are left out.
    binning
        The result is averaged over so many pixels along both axes.

    Returns
    -------
    flat_field
        Constants stored by the instrument stand in for frames that are missing; without
        either the dark is 0 and the flat (less the dark) 1, and a finding says so.
    """
    shape = ((rows[1] - rows[0]) // binning, (columns[1] - columns[0]) // binning)
    findings: list[Finding] = []
    if scan.quantity != "counts":
        ones = np.ones((1, *shape), np.float32)
        return FlatField(np.zeros(shape, np.float32), ones, np.zeros(1), rows)

    region = (slice(*rows), slice(*columns))
    exclude = correction.bad_frames == "exclude"
    if scan.darks is not None:
        everything = [FlatGroup(0, scan.darks.shape[0], 0.0)]
        good = _good(scan.darks, everything, region, exclude, "dark", findings)
        dark = bin_picture(_mean(scan.darks, good[0], region), binning)
    else:
        dark = np.full(shape, scan.dark_value or 0.0, np.float32)
        findings.append(_constant("darks-missing", "darks", scan.dark_value, 0.0))

    if scan.flats is not None:
        groups = list(scan.flat_groups) or [FlatGroup(0, scan.flats.shape[0], 0.0)]
        groups.sort(key=lambda group: group.at_projection)
        good = _good(scan.flats, groups, region, exclude, "flat", findings)
        kept = [(group, used) for group, used in zip(groups, good, strict=True) if used.size]
        places = np.array([group.at_projection for group, _ in kept], dtype=np.float64)
        used_in_group = [used for _, used in kept]
        if correction.flat_interpolation == "mean":
            places, used_in_group = places[:1], [np.concatenate(used_in_group)]
        flats = np.empty((len(used_in_group), *shape), np.float32)
        for index, used in enumerate(used_in_group):
            flats[index] = bin_picture(_mean(scan.flats, used, region), binning)
        flats -= dark
    else:
        places = np.zeros(1)
        flats = np.ones((1, *shape), np.float32)
        if scan.flat_value:
            flats *= np.float32(scan.flat_value)
            flats -= dark
        findings.append(_constant("flats-missing", "flats", scan.flat_value or None, 1.0))
    return FlatField(dark, flats, places, rows, tuple(findings))


def _good(
    stack: FrameStack,
    groups: list[FlatGroup],
    region: tuple[slice, slice],
    exclude: bool,
    kind: str,
    findings: list[Finding],
) -> list[NDArray[np.intp]]:
    """Indices of the good frames of each group; at least one in all."""
    good = np.ones(stack.shape[0], dtype=bool)
    if exclude:
        good = _good_frames(stack, groups, region)
        if not good.any():  # nothing to compare with: keep them all
            good[:] = True
        bad = np.flatnonzero(~good)
        if bad.size:
            findings.append(
                Finding(
                    f"bad-{kind}s-excluded",
                    Severity.WARNING,
                    f"{bad.size} of {good.size} {kind}s differ grossly from the others and were "
                    f"left out: {', '.join(map(str, bad[:10]))}{' …' if bad.size > 10 else ''}.",
                    "Keep them with correction.bad_frames = keep",
                )
            )
    indices = [np.arange(group.first, group.first + group.count) for group in groups]
    return [part[good[part]] for part in indices]


def _mean(
    stack: FrameStack, indices: NDArray[np.intp], region: tuple[slice, slice]
) -> Float32Array:
    rows, columns = region
    total = np.zeros((rows.stop - rows.start, columns.stop - columns.start))
    for index in indices:
        total += stack.read(slice(index, index + 1), rows, columns)[0]
    return (total / indices.size).astype(np.float32)


def _good_frames(
    stack: FrameStack, groups: list[FlatGroup], region: tuple[slice, slice]
) -> NDArray[np.bool_]:
    """Judge frames by their mean over a sample of rows, within their group."""
    rows, columns = region
    step = max(1, (rows.stop - rows.start) // _SAMPLE_ROWS)
    sample = slice(rows.start, rows.stop, step)
    level = np.array(
        [
            float(np.mean(stack.read(slice(i, i + 1), sample, columns), dtype=np.float64))
            for i in range(stack.shape[0])
        ]
    )
    good = np.isfinite(level)
    if not good.any():
        return good
    least = _LEAST_COUNTS if stack.dtype.kind in "ui" else 0.0
    for group in groups:
        part = slice(group.first, group.first + group.count)
        # A group of one or two cannot tell which one is bad: compare with all of them.
        peers = level[part] if group.count > 2 else level
        peers = peers[np.isfinite(peers)]
        if not peers.size:
            continue
        middle = np.median(peers)
        spread = 1.4826 * np.median(np.abs(peers - middle))
        limit = max(_GROSS_SIGMAS * spread, _GROSS_SHARE * abs(middle), least)
        good[part] &= np.abs(level[part] - middle) <= limit
    return good


def _constant(name: str, kind: str, stored: float | None, default: float) -> Finding:
    if stored is not None:
        return Finding(
            name, Severity.INFO, f"There are no {kind}; the instrument's value {stored:g} is used."
        )
    return Finding(
        name,
        Severity.WARNING,
        f"There are no {kind} and no value for them; {default:g} is used, "
        "so attenuation is not quantitative.",
        f"Record {kind} with every scan",
    )


def saturation_level(dtype: np.dtype[Any]) -> float:
    """Count at which a detector of this type saturates; infinite for floats."""
    return float(np.iinfo(dtype).max) if dtype.kind in "ui" else np.inf
