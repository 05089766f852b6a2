"""One scan, however it is stored: lazy frames, geometry, who and what, warnings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.finding import Finding
from alsct_gui.model.geometry import Geometry


class FrameStack(Protocol):
    """A lazy stack of frames of shape (frame, row, column).

    Nothing is read before `read`; safe to call from several threads.
    """

    @property
    def shape(self) -> tuple[int, int, int]:
        """Frames, rows, columns."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the stored values."""

    def read(
        self,
        frames: slice | NDArray[np.intp] = slice(None),
        rows: slice = slice(None),
        columns: slice = slice(None),
        *,
        out: NDArray[Any] | None = None,
    ) -> NDArray[Any]:
        """Read a block, shape (frame, row, column), in the stored type.

        Parameters
        ----------
        frames, rows, columns
            What to read; slices have positive steps, an index array is ascending.
        out
            Array of the right shape and type to read into.

        Raises
        ------
        InputError
            The bytes cannot be read (file cut short, unknown filter, vanished).
        """


@dataclass(frozen=True, slots=True)
class FlatGroup:
    """Flats taken together, between two projections."""

    first: int
    """Index of the group's first frame in `Scan.flats`."""
    count: int
    """Number of frames in the group."""
    at_projection: float
    """Projection index at which it was taken: 0 before the scan, n_angles after it."""


@dataclass(frozen=True, slots=True)
class People:
    """Who, for what, and with what: the catalogue's fields. Empty when unknown."""

    sample: str = ""
    proposal: str = ""
    principal_investigator: str = ""
    experiment_lead: str = ""
    experimenter: str = ""
    email: str = ""
    beamline: str = ""
    instrument: str = ""
    start_time: str = ""
    """ISO 8601, with zone where the file tells it."""


@dataclass(frozen=True, eq=False)
class Scan:
    """A raw scan, opened lazily. Use as a context manager, or call `close`."""

    path: Path
    """The file or folder that was opened."""
    layout: str
    """``als-8.3.2``, ``als-8.3.2-legacy``, ``dxchange``, ``nxtomo`` or ``tiff``."""
    projections: FrameStack
    """Frames through the sample, shape (angle, row, column)."""
    flats: FrameStack | None
    """Frames without sample, shape (flat, row, column); None when there are none."""
    darks: FrameStack | None
    """Frames without beam, shape (dark, row, column); None when there are none."""
    geometry: Geometry
    """Sizes, angles, distances."""
    quantity: Literal["counts", "transmission", "line-integrals"] = "counts"
    """What a projection's values are: raw counts, counts already divided by the flats, or
    line integrals (-log of transmission), which need no further correction."""
    flat_groups: tuple[FlatGroup, ...] = ()
    """How the flats lie between the projections; empty when there are no flats."""
    flat_value: float | None = None
    """A constant to take for flats when no flat frames exist (stored by the instrument)."""
    dark_value: float | None = None
    """A constant to take for darks when no dark frames exist."""
    people: People = field(default_factory=People)
    """Who, for what, with what."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """Every metadata key of the file, flattened: path -> number, string or list."""
    per_frame: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    """One value per projection, shape (angle,), by key; ``beam_current_ma``, ``time_s`` …"""
    warnings: tuple[Finding, ...] = ()
    """What was missing or odd when it was opened."""
    closer: Any = None
    """Callable that frees the file handles; None when there are none."""

    def close(self) -> None:
        """Free the file handles."""
        if self.closer is not None:
            self.closer()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
