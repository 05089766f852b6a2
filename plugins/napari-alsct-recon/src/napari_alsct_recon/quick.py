"""The settings of a recipe that are changed most, as one flat form. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

from alsct_gui.model.recipe import (
    Center,
    FilterName,
    Phase,
    Recipe,
    RingFilter,
    RingMethod,
    Zingers,
)
from alsct_gui.steps.settings import setting

Rings = Literal["none", "sorting", "wavelet-fourier", "titarenko", "vo-all", "several"]
_RING_WORDS = {
    "sorting": "gentle: sorting", "wavelet-fourier": "standard: wavelet",
    "titarenko": "smooth: Titarenko", "vo-all": "strong: Vo, all", "several": "as in the recipe",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Quick:
    """Part of a recipe; `quick_of` and `with_quick` go between the two."""

    rings: Rings = setting(
        "wavelet-fourier", label="Rings", tier="newbie", words=_RING_WORDS,
        help="Filter that takes rings away.",
    )  # fmt: skip
    delta_beta: float | None = setting(
        None, label="Phase δ/β", tier="newbie", min=0, empty="no phase retrieval",
        help="Ratio of refraction to absorption for Paganin's phase retrieval.",
    )  # fmt: skip
    center_px: float | None = setting(
        None, label="Axis", unit="px", empty="found",
        help="Column of the rotation axis on the full detector.",
    )  # fmt: skip
    zingers: bool = setting(
        False, label="Zingers", help="Takes bright specks of stray X-rays away."
    )
    filter: FilterName = setting("ramp", label="Filter", help="Window on the ramp filter.")
    cutoff: float = setting(
        1.0, label="Cut-off", min=0.01, max=1, help="Of the window, as a share; lower is smoother."
    )
    rows: tuple[int, int] | None = setting(
        None, label="Rows", empty="all", help="Detector rows, hence slices: start, stop."
    )
    binning: int = setting(
        1, label="Binning", unit="px", min=1, max=16, help="Averages n x n pixels into one."
    )
    dtype: Literal["float32", "uint16", "uint8"] = setting(
        "float32", label="Type", help="Stored type; integers are scaled.",
        words={"float32": "32 bits", "uint16": "16 bits", "uint8": "8 bits"},
    )  # fmt: skip


def quick_of(recipe: Recipe) -> Quick:
    """Return what a recipe has for the form."""
    methods = [ring.method for ring in recipe.rings]
    rings: Rings = "none" if not methods else methods[0] if len(methods) == 1 else "several"
    return Quick(
        rings=rings,
        delta_beta=recipe.phase.delta_beta if recipe.phase is not None else None,
        center_px=recipe.center.center_px if recipe.center.method == "manual" else None,
        zingers=recipe.zingers is not None,
        filter=recipe.engine.filter,
        cutoff=recipe.engine.cutoff,
        rows=recipe.region.rows,
        binning=recipe.region.binning,
        dtype=recipe.output.dtype,
    )


def with_quick(recipe: Recipe, quick: Quick) -> Recipe:
    """Return a recipe with what the form says; what the form does not show stays."""
    phase = None
    if quick.delta_beta is not None:
        phase = replace(recipe.phase or Phase(), delta_beta=quick.delta_beta)
    center = recipe.center
    if quick.center_px is not None:
        center = replace(center, method="manual", center_px=quick.center_px)
    elif center.method == "manual":
        center = Center()
    return replace(
        recipe,
        rings=_rings(recipe, quick.rings),
        phase=phase,
        center=center,
        zingers=(recipe.zingers or Zingers()) if quick.zingers else None,
        engine=replace(recipe.engine, filter=quick.filter, cutoff=quick.cutoff),
        region=replace(recipe.region, rows=quick.rows, binning=quick.binning),
        output=replace(recipe.output, dtype=quick.dtype),
    )


def with_center(recipe: Recipe, center_px: float) -> Recipe:
    """Return a recipe whose axis is given."""
    return with_quick(recipe, replace(quick_of(recipe), center_px=center_px))


def _rings(recipe: Recipe, wanted: Rings) -> tuple[RingFilter, ...]:
    if wanted in (quick_of(recipe).rings, "several"):
        return recipe.rings
    return tuple(RingFilter(method=method) for method in get_args(RingMethod) if method == wanted)
