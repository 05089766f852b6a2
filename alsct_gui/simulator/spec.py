"""What to simulate: sizes, angles, geometry, flats, physics, and how to store it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import isfinite
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.errors import RecipeError
from alsct_gui.simulator.phantoms import FieldOfView, build_phantom
from alsct_gui.simulator.physics import Physics
from alsct_gui.simulator.shapes import Detector, Phantom

Storage = Literal["contiguous", "chunked", "gzip"]

_UINT16_BITS = 16


@dataclass(frozen=True, slots=True)
class SimulationSpec:
    """Everything about one simulated scan; the same spec gives the same frames."""

    phantom: str | Phantom = "asymmetric"
    """A name of `phantoms.PHANTOMS`, or a phantom built elsewhere."""
    n_columns: int = 256
    """Columns of the detector."""
    n_rows: int = 32
    """Rows of the detector."""
    n_angles: int = 181
    """Projections."""
    range_deg: float = 180.0
    """Stage turn during the scan; 360 with an offset axis for a wide sample."""
    endpoint: bool = True
    """Whether the last projection is taken at ``range_deg`` itself, as at the beamline."""
    start_deg: float = 0.0
    """Stage angle of the first projection."""
    center_px: float | None = None
    """Column of the rotation axis at the middle row; None is the detector's middle."""
    tilt_deg: float = 0.0
    """Rotation axis against the columns, positive clockwise in a frame."""
    pixel_size_um: float = 0.65
    """Edge of a pixel in the sample's plane."""
    distance_mm: float = 50.0
    """Sample to detector."""
    energy_kev: float = 25.0
    """Photon energy."""
    optical_depth: float = 1.5
    """Line integral of a body that fills the field of view."""
    n_flats: int = 10
    """Flats in a group."""
    n_darks: int = 10
    """Darks."""
    i0cycle: int = 0
    """Projections between flat groups; 0 takes flats before the scan only."""
    flats_after: bool = False
    """Whether a flat group follows the last projection (always with ``i0cycle``)."""
    exposure_s: float = 0.1
    """Time of a frame."""
    oversample: int = 1
    """Rays across a pixel, and samples across it for fringes."""
    physics: Physics = field(default_factory=Physics)
    """Beam, detector, fringes."""
    seed: int = 0
    """Of the phantom and of all noise."""
    title: str = "simulated"
    """Free text of the scan's name."""
    proposal: str = "BLS-00000"
    """Proposal that the file names."""
    start_time: str = "2026-02-03T04:05:06"
    """When the first frame was taken, ISO 8601, UTC."""
    storage: Storage = "contiguous"
    """How frames lie in the file; the beamline writes them contiguous."""
    repeat_rows: int | None = None
    """For benches: so many rows are computed and repeated over the height."""

    def __post_init__(self) -> None:
        checks = [
            ("n_columns", self.n_columns >= 2, "at least 2"),
            ("n_rows", self.n_rows >= 1, "at least 1"),
            ("n_angles", self.n_angles >= 1, "at least 1"),
            ("pixel_size_um", self.pixel_size_um > 0, "more than 0"),
            ("energy_kev", self.energy_kev > 0, "more than 0"),
            ("distance_mm", self.distance_mm >= 0, "at least 0"),
            ("n_flats", self.n_flats >= 0, "at least 0"),
            ("n_darks", self.n_darks >= 0, "at least 0"),
            ("i0cycle", self.i0cycle >= 0, "at least 0"),
            ("oversample", 1 <= self.oversample <= 8, "from 1 to 8"),
            ("exposure_s", self.exposure_s > 0, "more than 0"),
            ("seed", self.seed >= 0, "at least 0"),
            ("title", not set(self.title) & set("/\\\0"), "text without slashes"),
            ("range_deg", isfinite(self.range_deg), "a finite number"),
            ("tilt_deg", abs(self.tilt_deg) <= 45, "from -45 to 45"),
            ("physics.camera.bits", 1 <= self.physics.camera.bits <= _UINT16_BITS, "from 1 to 16"),
            ("physics.beam.photons", self.physics.beam.photons > 0, "more than 0"),
            (
                "repeat_rows",
                self.repeat_rows is None or 1 <= self.repeat_rows <= self.n_rows,
                "from 1 to n_rows",
            ),
            (
                "center_px",
                self.center_px is None or 0 <= self.center_px <= self.n_columns - 1,
                "on the detector",
            ),
        ]
        for name, good, wanted in checks:
            if not good:
                raise RecipeError(
                    "the value is out of bounds", where=f"simulate.{name}",
                    fix=f"It must be {wanted}",
                )  # fmt: skip
        try:
            datetime.fromisoformat(self.start_time)
        except ValueError as error:
            raise RecipeError(
                f"{self.start_time[:40]!r} is not a time", where="simulate.start_time",
                fix="Write it like 2026-02-03T04:05:06",
            ) from error  # fmt: skip
        if self.repeat_rows is not None and (self.physics.phase or self.tilt_deg):
            raise RecipeError(
                "repeated rows go neither with fringes nor with a tilt",
                where="simulate.repeat_rows", fix="Leave one of them out",
            )  # fmt: skip

    @property
    def started(self) -> datetime:
        """When the first frame was taken, in UTC."""
        return datetime.fromisoformat(self.start_time).replace(tzinfo=UTC)

    @property
    def file_name(self) -> str:
        """Name as the beamline gives it: ``YYYYMMDD_HHMMSS_<title>.h5``."""
        return f"{self.started:%Y%m%d_%H%M%S}_{self.title}.h5"

    @property
    def detector(self) -> Detector:
        """Where the pixels are."""
        middle = (self.n_columns - 1) / 2
        center = middle if self.center_px is None else self.center_px
        return Detector(self.n_rows, self.n_columns, self.pixel_size_um, center, self.tilt_deg)

    @property
    def view(self) -> FieldOfView:
        """Room for the sample: what a half turn sees, or a full turn when that is asked for."""
        center = self.detector.center_px
        sides = (center + 0.5, self.n_columns - 0.5 - center)
        reach_px = max(sides) if self.range_deg > 359.0 else min(sides)
        return FieldOfView(
            reach_px * self.pixel_size_um,
            self.n_rows * self.pixel_size_um / 2,
            self.optical_depth,
        )

    def build(self) -> Phantom:
        """Return the phantom."""
        if isinstance(self.phantom, Phantom):
            return self.phantom
        return build_phantom(self.phantom, self.view, seed=self.seed)

    @property
    def stage_deg(self) -> NDArray[np.float64]:
        """Angle of the stage at each projection, as the file tells it, shape (angle,)."""
        return self.start_deg + np.linspace(
            0.0, self.range_deg, self.n_angles, endpoint=self.endpoint
        )

    @property
    def angles_deg(self) -> NDArray[np.float64]:
        """Angle of each projection in the sense of `model.geometry`, shape (angle,).

        The stage turns against that sense, which is why readers negate the file's angles.
        """
        return -self.stage_deg

    @property
    def flat_groups_at(self) -> tuple[int, ...]:
        """Projection index before which each flat group is taken; n_angles is after all."""
        if self.n_flats == 0:
            return ()
        if self.i0cycle > 0:
            return (*range(0, self.n_angles, self.i0cycle), self.n_angles)
        return (0, self.n_angles) if self.flats_after else (0,)
