"""The rotation axis in words and figures, one convention everywhere. Pure.

A centre is a column of the full detector, counted from the left edge; column 0 is the middle of
the first pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from alsct_gui.model.center import CenterEstimate, CenterResult
from alsct_gui.model.recipe import Correction, Recipe, Region, Rotation

AGREE_PX = 1.0
"""Confident methods further apart than this are told of."""
CONFIDENT = 0.4
"""As in `recon.center.find`."""
REACH_PX, STEP_PX = 20.0, 0.25
"""The slider's reach to either side, and its step."""
METHODS = {
    "phase-correlation": ("Correlation", "Phase correlation of opposite views"),
    "sinogram": ("Vo", "Symmetry of the sinogram (Vo)"),
    "image-metric": ("Image metric", "Sharpness and negativity of trial slices"),
}
"""Methods in the order in which they are shown: short name, and what they look at."""
CONVENTION = (
    "Column of the rotation axis in px, counted from the left edge of the full detector; "
    "0 is the middle of its first column."
)


SearchedWith = tuple[Region, Correction, Rotation, float | None]


def searched_with(recipe: Recipe) -> SearchedWith:
    """Return everything in a recipe that the search for the axis depends on."""
    return recipe.region, recipe.correction, recipe.rotation, recipe.center.search_px


@dataclass(frozen=True, slots=True)
class AxisView:
    """What the tool shows."""

    center_px: float | None
    """None while nobody knows."""
    source: Literal["given", "found", "unknown"]
    spread: str
    """``± 0.05``; empty when there is nothing to tell it from."""
    sentence: str
    """What a person should know; empty when all is well."""
    warns: bool = False
    """Whether the sentence is a warning."""


def axis_view(
    recipe: Recipe,
    result: CenterResult | None,
    previewed_px: float | None,
    *,
    searching: bool,
    trouble: str,
) -> AxisView:
    """Gather what is known of the axis.

    Parameters
    ----------
    recipe
        As it is now.
    result
        What the methods found for this scan.
    previewed_px
        The axis that the newest slice was made with; None when there is none.
    searching
        Whether the methods are at work.
    trouble
        Why they found nothing; empty when they did.
    """
    spread, sentence, warns = "", "", False
    if result is not None:
        if sum(item.confidence >= CONFIDENT for item in result.estimates) > 1:
            spread = f"± {max(result.disagreement_px / 2, 0.01):.2f}"
        sentence = disagreement(result)
        warns = bool(sentence)
    if searching:
        sentence, warns = "Looking for the axis …", False
    elif trouble:
        sentence, warns = trouble, True
    if recipe.center.method == "manual" and recipe.center.center_px is not None:
        return AxisView(recipe.center.center_px, "given", spread, sentence, warns)
    found = result.center_px if result is not None else previewed_px
    return AxisView(found, "unknown" if found is None else "found", spread, sentence, warns)


def disagreement(result: CenterResult) -> str:
    """Say that confident methods disagree, or that none is confident; empty otherwise."""
    sure = [item for item in result.estimates if item.confidence >= CONFIDENT]
    if not sure:
        return "No method is sure. Look at the overlay or move the slider."
    if result.disagreement_px > AGREE_PX:
        low = min(sure, key=lambda item: item.center_px)
        high = max(sure, key=lambda item: item.center_px)
        return (
            f"{method_name(low.method)} and {method_name(high.method)} are "
            f"{result.disagreement_px:.1f} px apart. Compare the slices before the run."
        )
    return ""


def method_name(method: str) -> str:
    """Short name of a method."""
    return METHODS.get(method, (method, ""))[0]


def estimate_tip(estimate: CenterEstimate) -> str:
    """Say what a row is, and what a click does."""
    words = METHODS.get(estimate.method, ("", estimate.method))[1]
    return (
        f"{words}: {estimate.center_px:.2f} px, {estimate.confidence:.0%} sure. "
        "A click takes this value."
    )


def slider_steps(center_px: float, base_px: float) -> int:
    """Return the slider's place for a centre, in steps from its middle, within its reach."""
    most = round(REACH_PX / STEP_PX)
    return max(-most, min(most, round((center_px - base_px) / STEP_PX)))


def nudged(center_px: float, by_px: float) -> float:
    """Return a centre moved by a key, kept on whole hundredths."""
    return round(center_px + by_px, 2)
