"""How long a job may take, from the size of its scan, before it is submitted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from alsct_gui.superfacility.errors import RefusedError


@dataclass(frozen=True, slots=True)
class ScanSize:
    """What the time depends on."""

    n_angles: int
    """Projections."""
    n_rows: int
    """Detector rows that are reconstructed, one slice each."""
    n_columns: int
    """Detector columns; a slice has as many, twice."""
    bytes_raw: int
    """Size of the raw file."""


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast a place is; from the profile, set right by runs that were seen there."""

    start_s: float = field(default=60.0, metadata={"min": 0})
    """From the start of the job to its first slice: image, imports, axis."""
    copy_bytes_per_s: float = field(default=0.5e9, metadata={"min": 1e6})
    """From the community file system to scratch."""
    values_per_s: float = field(default=1.5e8, metadata={"min": 1e5})
    """Values of sinograms corrected, filtered and transformed in a second, on one node."""
    voxels_per_s: float = field(default=1.5e8, metadata={"min": 1e5})
    """Voxels reconstructed and written in a second, on one node."""
    margin: float = field(default=2.0, metadata={"min": 1})
    """The limit is this many times the estimate: a job that is cut off has been for nothing."""


USUAL = (1313, 2560)
"""Projections and columns of a usual scan."""
QUANTUM_S = 300
"""Limits are multiples of this, so that scans of about one size ask for the same."""


def size_from(metadata: Mapping[str, str], bytes_raw: int) -> ScanSize:
    """Return the size of a scan from its metadata; guess what they do not tell.

    Parameters
    ----------
    metadata
        With ``n_angles``, ``n_rows`` and ``n_columns`` where they are known.
    bytes_raw
        Size of the raw file: two bytes for each value.
    """
    try:
        n_angles, n_rows, n_columns = (
            int(metadata[name]) for name in ("n_angles", "n_rows", "n_columns")
        )
    except (KeyError, ValueError):
        n_angles, n_columns = USUAL
        n_rows = max(1, bytes_raw // (2 * n_angles * n_columns))
    return ScanSize(n_angles, n_rows, n_columns, bytes_raw)


def run_time_s(size: ScanSize, speed: Speed, *, stage: bool) -> float:
    """Estimate how long a job runs once it has started.

    Parameters
    ----------
    size
        Of the scan.
    speed
        Of the place.
    stage
        Whether the scan is copied first.
    """
    values = size.n_angles * size.n_rows * size.n_columns
    voxels = size.n_rows * size.n_columns**2
    copy_s = size.bytes_raw / speed.copy_bytes_per_s if stage else 0.0
    return speed.start_s + copy_s + values / speed.values_per_s + voxels / speed.voxels_per_s


def time_limit_s(size: ScanSize, speed: Speed, *, stage: bool, longest_s: int) -> int:
    """Time to ask for: the estimate with its margin, in steps of five minutes.

    Parameters
    ----------
    size, speed, stage
        As for `run_time_s`.
    longest_s
        The most that the queue gives.

    Raises
    ------
    RefusedError
        The bare estimate is above what the queue gives.
    """
    bare_s = run_time_s(size, speed, stage=stage)
    if bare_s > longest_s:
        raise RefusedError(
            f"the job needs about {bare_s / 60:.0f} minutes and the queue gives "
            f"{longest_s / 60:.0f}",
            where="profile: queue", fix="Take another queue, or fewer rows",
        )  # fmt: skip
    wanted = math.ceil(bare_s * speed.margin / QUANTUM_S) * QUANTUM_S
    return min(wanted, longest_s)
