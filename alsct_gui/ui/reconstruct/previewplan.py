"""When the slice is made anew, and how coarsely. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from alsct_gui.model.recipe import Output, Recipe

if TYPE_CHECKING:
    from alsct_gui.recon.desk.answers import Look

COARSE_FROM_PX = 900
"""Slices with so many columns are made coarse first while a value is being moved."""
HASTY_S = 0.35
"""Changes that follow one another so soon are of one movement."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A slice that somebody wants to see."""

    path: Path
    row: int
    recipe: Recipe

    @property
    def key(self) -> Wish:
        """The wish without what makes no difference to the picture."""
        told = self.recipe.output
        shown = Output(circular_mask=told.circular_mask, units=told.units)
        return replace(self, recipe=replace(self.recipe, name="", description="", output=shown))


@dataclass(frozen=True, slots=True)
class PreviewState:
    """How the slice in view stands to the recipe."""

    making: bool = False
    """It is being made."""
    stale: bool = False
    """What is in view is not of this recipe and row."""
    trouble: str = ""
    """Why it could not be made, a sentence with the way out."""
    waits: str = ""
    """What a person has to do to get it; empty when it comes by itself."""


def is_scan(look: Look | None) -> bool:
    """Whether what is selected is a scan that can be reconstructed."""
    return look is not None and look.kind == "scan" and look.ok


def coarse_binning(recipe: Recipe, n_columns: int, *, hasty: bool) -> int | None:
    """Return the binning of a first, quick picture; None when the whole one is asked for at once.

    Parameters
    ----------
    recipe
        As it is now.
    n_columns
        Of the detector.
    hasty
        Whether a value is being moved.
    """
    binning = recipe.region.binning
    region = recipe.region.columns
    used = (region[1] - region[0]) if region is not None else n_columns
    if not hasty or used // binning < COARSE_FROM_PX or 2 * binning > 16:
        return None
    return 2 * binning


def waiting_words(engine: str) -> str:
    """Say what to do for a slice by a slow engine."""
    return f"Press Space to make the slice with {engine}."
