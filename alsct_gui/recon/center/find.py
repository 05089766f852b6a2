"""One centre from several methods.

The methods work in columns of the arrays they are given; `find_center` is the only place
that turns columns of the full detector into those and back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.center import CenterEstimate, CenterResult
from alsct_gui.model.errors import RecipeError
from alsct_gui.model.finding import Finding, Severity
from alsct_gui.model.geometry import Window
from alsct_gui.model.recipe import Center
from alsct_gui.recon.center.full_turn import axis_side, full_turn_center
from alsct_gui.recon.center.image_metric import Reconstruct, image_metric
from alsct_gui.recon.center.local import LocalEstimate
from alsct_gui.recon.center.phase_correlation import (
    OppositeViews,
    choose_pairs,
    phase_correlation,
)
from alsct_gui.recon.center.sinogram import wedge_center
from alsct_gui.recon.center.turns import is_full_turn

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]

CONFIDENT = 0.4
"""Estimates from this confidence on count for the disagreement."""
AGREE_PX = 1.0
"""Confident estimates further apart than this, in full-detector columns, are a warning."""


@dataclass(frozen=True, eq=False)
class CenterInput:
    """What a centre is found from. All arrays hold the same columns of the detector."""

    sinograms: Float32Array
    """Line integrals of a few rows, shape (row, angle, column)."""
    angles_deg: Float64Array
    """Shape (angle,)."""
    window: Window = field(default_factory=Window)
    """Which full-detector columns the arrays hold."""
    views: tuple[OppositeViews, ...] = ()
    """Whole frames (line integrals) of the pairs that `choose_pairs` names; empty takes the
    rows of the sinograms instead."""


@dataclass(frozen=True, slots=True)
class FoundCenter:
    """The centre and what to tell about it."""

    result: CenterResult
    """In full-detector columns."""
    side: str | None
    """``left`` or ``right`` for a full turn with the axis near that edge (an offset scan)."""
    findings: tuple[Finding, ...]
    """``centers-disagree`` and ``center-uncertain``, when they apply."""


def find_center(
    data: CenterInput,
    settings: Center,
    *,
    reconstruct: Reconstruct | None = None,
    threads: int = 1,
    on_estimate: Callable[[CenterEstimate], None] | None = None,
) -> FoundCenter:
    """Find the rotation centre as the recipe asks.

    Parameters
    ----------
    data
        Corrected sinograms and views.
    settings
        ``auto`` runs every method that applies; ``center_px`` and ``search_px`` bound the
        search, both in full-detector columns.
    reconstruct
        Makes trial slices; without it the image metric is left out.
    threads
        How many threads the methods may use.
    on_estimate
        Called with each method's answer as soon as there is one.

    Returns
    -------
    found
        The value to use, each method's answer, and warnings.

    Raises
    ------
    RecipeError
        No method applies to this scan, or the settings leave nothing to search.
    """
    if settings.method == "manual":
        if settings.center_px is None:
            raise RecipeError(
                "method is manual but center_px is not given",
                where="recipe.center",
                fix="Give center_px, or take method auto",
            )
        return _report(data, [CenterEstimate("manual", settings.center_px, 1.0)])
    search = _Search.of(data, settings)
    estimates = []
    for local in _run(data, settings.method, search, reconstruct, threads):
        estimates.append(local.on_full_detector(data.window))
        if on_estimate is not None:
            on_estimate(estimates[-1])
    if not estimates:
        raise RecipeError(
            f"the rotation centre cannot be found by method {settings.method!r}: the scan has "
            "no opposite views or no half turn, or there is nothing in it to compare",
            where="recipe.center",
            fix="Give center_px with method manual, or check the angles",
        )
    return _report(data, estimates)


def combine(estimates: Sequence[CenterEstimate]) -> CenterResult:
    """Weigh estimates by their confidence; those far from the weighted median drop out.

    Parameters
    ----------
    estimates
        At least one.
    """
    columns = np.array([estimate.center_px for estimate in estimates])
    weights = np.array([estimate.confidence for estimate in estimates]) + 1e-6
    order = np.argsort(columns, kind="stable")
    cumulative = np.cumsum(weights[order])
    middle = columns[order][np.searchsorted(cumulative, cumulative[-1] / 2)]
    near = np.abs(columns - middle) <= AGREE_PX
    # Squares: an estimate that is half as sure has about twice the error.
    center = float(np.average(columns[near], weights=weights[near] ** 2))
    own = float(np.average(weights[near] - 1e-6, weights=weights[near]))
    agreement = float(weights[near].sum() / weights.sum())
    confident = columns[weights >= CONFIDENT]
    return CenterResult(
        center_px=center,
        confidence=min(1.0, own * agreement),
        estimates=tuple(estimates),
        disagreement_px=float(np.ptp(confident)) if confident.size > 1 else 0.0,
    )


@dataclass(frozen=True, slots=True)
class _Search:
    """Where to look, in columns of the arrays; None where the recipe does not say."""

    low: float | None
    high: float | None

    @classmethod
    def of(cls, data: CenterInput, settings: Center) -> _Search:
        n_columns = data.sinograms.shape[2]
        start_px = settings.center_px
        if start_px is None and settings.search_px is None:
            return cls(None, None)
        middle_px = data.window.to_full((n_columns - 1) / 2)
        around_px = middle_px if start_px is None else start_px
        width_px = max(20.0, 0.05 * n_columns * data.window.binning)
        reach_px = width_px if settings.search_px is None else settings.search_px
        low = max(0.0, data.window.to_local(around_px - reach_px))
        high = min(n_columns - 1.0, data.window.to_local(around_px + reach_px))
        if low >= high:
            raise RecipeError(
                f"columns {around_px - reach_px:g} to {around_px + reach_px:g} are not on the "
                "part of the detector in use",
                where="recipe.center",
                fix="Change center_px or search_px, or widen region.columns",
            )
        return cls(low, high)


def _run(
    data: CenterInput,
    method: str,
    search: _Search,
    reconstruct: Reconstruct | None,
    threads: int,
) -> Iterator[LocalEstimate]:
    """Run the methods; the image metric last, since it starts from what the others found."""
    full_turn = is_full_turn(data.angles_deg)
    bounds = {"low": search.low, "high": search.high}
    found: list[LocalEstimate] = []
    if method in ("auto", "phase-correlation"):
        estimate = phase_correlation(_views(data), **bounds, threads=threads)
        if estimate is not None:
            found.append(estimate)
            yield estimate
    if method in ("auto", "sinogram"):
        by_sinogram = full_turn_center if full_turn else wedge_center
        estimate = by_sinogram(data.sinograms, data.angles_deg, **bounds, threads=threads)
        if estimate is not None:
            found.append(estimate)
            yield estimate
    n_columns = data.sinograms.shape[2]
    start, reach = _image_range(search, found, n_columns)
    offset = full_turn and axis_side(start, n_columns) is not None
    if method in ("auto", "image-metric") and reconstruct is not None and not offset:
        estimate = image_metric(data.sinograms, data.angles_deg, reconstruct, start, reach=reach)
        if estimate is not None:
            yield estimate


def _image_range(
    search: _Search, found: Sequence[LocalEstimate], n_columns: int
) -> tuple[float, float]:
    """Middle and half width of the trial slices, in columns of the arrays."""
    if found:
        surest = max(found, key=lambda estimate: estimate.trust / (1 + estimate.sigma_px**2))
        return surest.column, max(8.0, n_columns / 100)
    if search.low is not None and search.high is not None:
        return (search.low + search.high) / 2, (search.high - search.low) / 2
    return (n_columns - 1) / 2, n_columns / 16


def _views(data: CenterInput) -> tuple[OppositeViews, ...]:
    if data.views:
        return data.views
    return tuple(
        OppositeViews(
            data.sinograms[:, pair.first], data.sinograms[:, pair.second], pair.mismatch_deg
        )
        for pair in choose_pairs(data.angles_deg)
    )


def _report(data: CenterInput, estimates: Sequence[CenterEstimate]) -> FoundCenter:
    result = combine(estimates)
    findings = []
    if result.disagreement_px > AGREE_PX:
        answers = ", ".join(f"{e.method} {e.center_px:.2f}" for e in result.estimates)
        findings.append(
            Finding(
                "centers-disagree",
                Severity.WARNING,
                f"The methods disagree by {result.disagreement_px:.2f} columns about the "
                f"rotation centre ({answers}); slices may be smeared.",
                fix="Look at trial slices (alsct sweep) and give center_px",
            )
        )
    if result.confidence < CONFIDENT / 2:
        findings.append(
            Finding(
                "center-uncertain",
                Severity.WARNING,
                f"The rotation centre {result.center_px:.2f} is uncertain "
                f"(confidence {result.confidence:.2f}).",
                fix="Look at trial slices (alsct sweep) and give center_px",
            )
        )
    side = None
    if is_full_turn(data.angles_deg):
        side = axis_side(data.window.to_local(result.center_px), data.sinograms.shape[2])
    return FoundCenter(result, side, tuple(findings))
