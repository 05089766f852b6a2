"""What is the same for every engine: checks of arguments, and words for what is missing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.errors import EngineUnavailableError, RecipeError
from alsct_gui.model.recipe import EngineSettings
from alsct_gui.recon.engines.base import Availability, Capabilities, Float32Array, SliceGeometry


def choose_algorithm(settings: EngineSettings, capabilities: Capabilities) -> str:
    """Return the algorithm that the settings ask for, or the engine's default.

    Raises
    ------
    RecipeError
        The engine has no such algorithm, or no such filter.
    """
    name = capabilities.name
    algorithm = settings.algorithm or capabilities.algorithms[0]
    if algorithm not in capabilities.algorithms:
        raise RecipeError(
            f"the engine {name!r} has no algorithm {algorithm!r}", where="recipe.engine.algorithm",
            fix=f"Choose one of {', '.join(capabilities.algorithms)}",
        )  # fmt: skip
    if capabilities.filters and settings.filter not in capabilities.filters:
        raise RecipeError(
            f"the engine {name!r} has no filter {settings.filter!r}", where="recipe.engine.filter",
            fix=f"Choose one of {', '.join(capabilities.filters)}",
        )  # fmt: skip
    return algorithm


def check_shapes(sinograms: Float32Array, geometry: SliceGeometry) -> None:
    """Check that sinograms and geometry belong together.

    Raises
    ------
    ValueError
        They do not; the message names both shapes.
    """
    wanted = (geometry.angles_deg.size, geometry.n_columns)
    if sinograms.ndim != 3 or sinograms.shape[1:] != wanted:
        raise ValueError(
            f"sinograms have the shape {sinograms.shape}, the geometry wants (slice, *{wanted})"
        )
    if sinograms.dtype != np.float32:
        raise ValueError(f"sinograms are {sinograms.dtype}, not float32")


def prepare_output(
    out: Float32Array | None, n_slices: int, geometry: SliceGeometry
) -> Float32Array:
    """Return ``out`` after a check of its shape and type, or a new array when it is None.

    Raises
    ------
    ValueError
        ``out`` is not float32 of shape (slice, size, size).
    """
    shape = (n_slices, geometry.size, geometry.size)
    if out is None:
        return np.empty(shape, np.float32)
    if out.shape != shape or out.dtype != np.float32:
        raise ValueError(f"out is {out.dtype} {out.shape}, not float32 {shape}")
    return out


def center_runs(
    centers: Sequence[float] | NDArray[np.float64], longest: int
) -> list[tuple[int, int]]:
    """Ranges [start, stop) of slices with the same centre, none longer than that."""
    runs: list[tuple[int, int]] = []
    start = 0
    for index in range(1, len(centers) + 1):
        ended = index == len(centers) or centers[index] != centers[start]
        if ended or index - start == longest:
            runs.append((start, index))
            start = index
    return runs


def unavailable(error: EngineUnavailableError) -> Availability:
    """Say in two whole sentences why an engine cannot run, and what to do about it."""
    what, fix = error.what.rstrip("."), error.fix.rstrip(".")
    return Availability(ok=False, reason=f"{what}.", fix=f"{fix}.")
