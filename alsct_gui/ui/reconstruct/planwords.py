"""What a whole run would do and need, in words; and where its product goes. Pure."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from alsct_gui.files.names import product_name
from alsct_gui.model.recipe import Recipe
from alsct_gui.ui.words import count_words, size_words

if TYPE_CHECKING:
    from alsct_gui.recon.desk.answers import PlanView


def run_time_words(seconds: float | None) -> str:
    """Say how long a run takes, rounded up, for an estimate is no promise: ``6 min``."""
    if seconds is None:
        return "time unknown"
    minutes = math.ceil(seconds / 60)
    if seconds < 55:
        return "under a minute"
    if minutes < 60:
        return f"{minutes} min"
    # Five minutes more or less say nothing after an hour.
    minutes = 5 * math.ceil(minutes / 5)
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def plan_lines(plan: PlanView) -> tuple[str, ...]:
    """Say a plan in lines: what is made, how long it takes, what it needs."""
    if not plan.slices:
        return ()
    disk = plan.output_bytes + plan.scratch_bytes
    return (
        f"{count_words(plan.slices, 'slice')} of {plan.size_px} × {plan.size_px} px",
        f"{run_time_words(plan.seconds_estimate)} here · {size_words(plan.memory_bytes)} memory",
        f"{size_words(disk)} on disk · {size_words(plan.disk_free_bytes)} free",
    )


def plan_tip(plan: PlanView) -> str:
    """Say the rest: what the disk space is for, which engine, which axis."""
    scratch = f", of which {size_words(plan.scratch_bytes)} only while it runs"
    return (
        f"Engine {plan.engine}, axis at {plan.center_px:.2f} px. Of the memory "
        f"{size_words(plan.memory_available_bytes)} are free. On disk before compression"
        f"{scratch if plan.scratch_bytes else ''}."
    )


def product_path(scan: Path, recipe: Recipe, folder: str, scratch: Path | None) -> Path:
    """Return where the product goes: a person's folder, else beside the scan.

    Parameters
    ----------
    scan
        File or folder of the scan.
    recipe
        Whose format decides the name's ending.
    folder
        `Settings.output_folder`; empty when a person chose none.
    scratch
        The beamline's folder for reconstructions, or None.
    """
    name = product_name(scan.stem, recipe.output.format)
    return Path(folder or scratch or scan.parent) / name


def other_format(path: Path, recipe: Recipe) -> Path:
    """Return a path that a person chose with the ending that the recipe's format wants."""
    bare = path.with_suffix("") if path.suffix == ".zarr" else path
    return bare.with_name(f"{bare.name}.zarr") if recipe.output.format == "ome-zarr" else bare
