"""How a scan was taken: sizes, angles, distances, all with units.

Conventions, the same in every room (docs/decisions/0002-conventions.md):

* Frames are ordered (angle, row, column); sinograms (row, angle, column);
  volumes (slice, y, x), where slice k is detector row k.
* Column k means the centre of the k-th column, counted from 0 at the left edge
  of the full, unbinned, uncropped detector. A rotation centre is given so, and only so.
* At angle a the pixel (x right, y up, from the rotation axis) is seen in the column
  ``center_px + x cos(a) + y sin(a)``; a picture is shown with row 0 on top. Angles on a
  `Geometry` are already in this sense; readers turn the stage's sign.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Window:
    """Columns of the full detector that an array holds, after crop and binning.

    Column ``j`` of the array covers the full-detector columns
    ``start + j * binning`` to ``start + (j + 1) * binning - 1``.
    """

    start: int = 0
    """First full-detector column."""
    binning: int = 1
    """How many full-detector columns make one column of the array."""

    def to_local(self, column_px: float) -> float:
        """Full-detector column as a (fractional) column of the array."""
        return (column_px - self.start - (self.binning - 1) / 2) / self.binning

    def to_full(self, column: float) -> float:
        """Column of the array as a (fractional) full-detector column."""
        return self.start + column * self.binning + (self.binning - 1) / 2


@dataclass(frozen=True, eq=False)
class Geometry:
    """Geometry of a parallel-beam scan."""

    angles_deg: NDArray[np.float64]
    """Angle of each projection, shape (angle,), in the sense of this module's text."""
    n_rows: int
    """Detector rows of a frame."""
    n_columns: int
    """Detector columns of a frame."""
    pixel_size_um: float | None = None
    """Edge of a detector pixel in the sample's plane; None when unknown."""
    distance_mm: float | None = None
    """Sample to detector; None when unknown."""
    energy_kev: float | None = None
    """Photon energy (a mean, for white beam); None when unknown."""
    white_beam: bool = False
    """True when the beam was polychromatic."""
    tilt_deg: float = 0.0
    """Rotation axis against the detector's columns, positive clockwise in a frame."""

    @property
    def n_angles(self) -> int:
        """Number of projections."""
        return int(self.angles_deg.size)

    @property
    def range_deg(self) -> float:
        """Span of the angles plus one step: 180 for a half turn, 360 for a full one."""
        if self.n_angles < 2:
            return 0.0
        span = float(np.ptp(self.angles_deg))
        return span * self.n_angles / (self.n_angles - 1)
