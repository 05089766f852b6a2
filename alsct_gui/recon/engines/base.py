"""The Protocol that every reconstruction engine fulfils.

An engine turns corrected sinograms into slices. It is registered under the entry-point
group ``alsct_gui.engines`` and knows nothing of files, recipes or the pipeline.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.recipe import EngineSettings

Float32Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class SliceGeometry:
    """Geometry of one parallel-beam slice, in columns of the sinogram at hand."""

    angles_deg: NDArray[np.float64]
    """Shape (angle,), in the sense of `alsct_gui.model.geometry`; need not be even."""
    n_columns: int
    """Columns of the sinogram."""
    center_px: float | NDArray[np.float64]
    """Rotation axis as a column of the sinogram (0 is the centre of the first column):
    one value, or one per slice of shape (slice,)."""
    n_pixels: int | None = None
    """Edge of the square slice; None means ``n_columns``. The axis passes through the
    point ``(n_pixels - 1) / 2`` of a slice, counted in pixels from the first centre."""

    @property
    def size(self) -> int:
        """Edge of the square slice in pixels."""
        return self.n_columns if self.n_pixels is None else self.n_pixels

    def centers(self, n_slices: int) -> NDArray[np.float64]:
        """Return one centre per slice, shape (slice,)."""
        return np.broadcast_to(np.asarray(self.center_px, dtype=np.float64), (n_slices,))


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an engine can do."""

    name: str
    """As in a recipe's ``engine.name``."""
    title: str
    """One line for people."""
    algorithms: tuple[str, ...]
    """Values that ``engine.algorithm`` may take; the first is the default."""
    filters: tuple[str, ...] = ()
    """Values that ``engine.filter`` may take; empty for iterative engines."""
    iterative: bool = False
    """True when it takes a number of iterations and seconds a slice rather than ms."""
    device: str = "cpu"
    """``cpu`` or ``gpu``."""
    own_process: bool = False
    """True when it must run in a process of its own (holds the GIL, or may abort)."""
    quantitative: bool = True
    """False when values are off by more than 1 % on a known object; see `note`."""
    note: str = ""
    """What a person should know before choosing it."""


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether an engine can run on this machine."""

    ok: bool
    """True when it can run here."""
    version: str = ""
    """Version of the library behind it."""
    reason: str = ""
    """Why not, in a sentence; empty when ok."""
    fix: str = ""
    """What to do about it; empty when ok."""
    details: dict[str, str] = field(default_factory=dict)
    """Further facts, for example the GPU's name."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a call would cost, told before it is made."""

    memory_bytes: int
    """Memory at the peak, beside input and output."""
    disk_bytes: int
    """Temporary or cached files that it writes."""
    seconds: float
    """Run time on one thread; right within a factor of two or three."""


@runtime_checkable
class Engine(Protocol):
    """Turns sinograms into slices."""

    def capabilities(self) -> Capabilities:
        """Say what it can do; cheap, imports nothing heavy."""

    def check(self) -> Availability:
        """Say whether it can run here, and if not, why; never raises."""

    def memory_needed(
        self, geometry: SliceGeometry, n_slices: int, settings: EngineSettings
    ) -> int:
        """Bytes beside input and output for a call with so many slices."""

    def reconstruct(
        self,
        sinograms: Float32Array,
        geometry: SliceGeometry,
        settings: EngineSettings,
        *,
        out: Float32Array | None = None,
        threads: int = 1,
    ) -> Float32Array:
        """Reconstruct a batch of slices.

        Parameters
        ----------
        sinograms
            Line integrals (-log of transmission), shape (slice, angle, column); not changed.
        geometry
            Angles and centre of these sinograms.
        settings
            Algorithm, filter, padding, iterations; checked against `capabilities`.
        out
            Where to put the slices, shape (slice, size, size); made when None.
        threads
            How many threads it may use.

        Returns
        -------
        slices
            Attenuation per pixel edge (1/pixel), shape (slice, y, x), float32; row 0 is
            the top (largest y). Nothing is masked: pixels outside the circle that the
            detector sees hold whatever the method gives.
        """


@runtime_checkable
class Estimating(Protocol):
    """An engine that is slow or large enough to tell its cost first."""

    def estimate(self, geometry: SliceGeometry, n_slices: int, settings: EngineSettings) -> Cost:
        """Estimate the cost of a call with so many slices."""


@runtime_checkable
class Cancellable(Protocol):
    """An engine whose calls take so long that they can be ended from another thread."""

    def cancel(self) -> None:
        """End all calls under way; each raises `CancelledError`."""
