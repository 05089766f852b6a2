"""Options that several commands share, and how they become a scan and a recipe."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import typer

from alsct_gui.model.errors import RecipeError

if TYPE_CHECKING:
    from alsct_gui.model.recipe import Recipe

ScanPath = Annotated[Path, typer.Argument(help="Scan: an HDF5 file, or a TIFF file or folder.")]
RecipeName = Annotated[
    str,
    typer.Option(
        "--recipe", "-r", help="Preset (standard-8.3.2, quick-look, …) or a JSON or YAML file."
    ),
]
Assignments = Annotated[
    list[str] | None,
    typer.Option("--set", "-s", help="Change a setting: rings.0.sigma=4, region.binning=2 …"),
]
CenterOption = Annotated[
    float | None,
    typer.Option("--center", help="Rotation axis: columns from the left edge, full detector."),
]
RowsOption = Annotated[
    str | None, typer.Option("--rows", help="Detector rows START:STOP, STOP excluded.")
]
RowOption = Annotated[
    int | None, typer.Option("--row", help="Detector row; the middle one if not given.")
]
EngineOption = Annotated[str | None, typer.Option("--engine", help="One of `alsct engines`.")]
FormatOption = Annotated[str | None, typer.Option("--format", help="ome-zarr or tiff.")]
ForceFlag = Annotated[
    bool, typer.Option("--force", help="Reconstruct though `alsct check` finds errors.")
]
ThreadsOption = Annotated[
    int, typer.Option("--threads", min=0, help="Processor threads; 0 for all.")
]
MemoryOption = Annotated[
    float, typer.Option("--memory-gb", min=0.3, help="Memory not to be exceeded, in GB.")
]
RangeOption = Annotated[
    float | None,
    typer.Option("--range-deg", help="Turn of a TIFF scan, which has no angles: 180 or 360."),
]
QuantityOption = Annotated[
    str | None,
    typer.Option("--quantity", help="Of a TIFF scan: counts, transmission or line-integrals."),
]
SinogramFlag = Annotated[
    bool, typer.Option("--sinogram", help="The TIFF is one sinogram (angle, column).")
]


def thread_count(threads: int) -> int:
    """Return the number of threads to use; 0 means every processor this process may use."""
    if threads:
        return threads
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def apply_assignments(data: dict[str, Any], assignments: list[str]) -> dict[str, Any]:
    """Change plain recipe data by ``path=value`` texts; values are read as YAML.

    Raises
    ------
    RecipeError
        The text has no ``=``, or its path leads nowhere.
    """
    from alsct_gui.model.settings_path import assign

    for text in assignments:
        path, equals, value = text.partition("=")
        if not equals:
            raise RecipeError(
                f"{text!r} has no '='", where="--set", fix="Write it as rings.0.sigma=4"
            )
        assign(data, path.strip(), parse_value(value))
    return data


def parse_value(text: str) -> Any:
    """Read a value as YAML does: 3, 0.5, true, null, [1, 2], a word.

    Raises
    ------
    RecipeError
        It is not YAML.
    """
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise RecipeError(f"cannot read the value {text!r}", where="--set") from error


def parse_range(text: str | None, option: str) -> tuple[int, int] | None:
    """``"10:20"`` to (10, 20); None stays None.

    Raises
    ------
    RecipeError
        It is not a range.
    """
    if text is None:
        return None
    start, colon, stop = text.partition(":")
    if not (colon and start.isdecimal() and stop.isdecimal()):
        raise RecipeError(f"{text!r} is not a range", where=option, fix="Write it as 100:120")
    return int(start), int(stop)


def build_recipe(
    name: str,
    assignments: list[str] | None = None,
    *,
    center_px: float | None = None,
    rows: str | None = None,
    engine: str | None = None,
) -> Recipe:
    """Load a preset or file and apply what the command line changes of it."""
    from alsct_gui.files.recipes import load_recipe
    from alsct_gui.model.recipe import recipe_from_dict, recipe_to_dict

    data: dict[str, Any] = dict(recipe_to_dict(load_recipe(name)))
    apply_assignments(data, assignments or [])
    if center_px is not None:
        data["center"] = {**data["center"], "method": "manual", "center_px": center_px}
    if rows is not None:
        data["region"]["rows"] = parse_range(rows, "--rows")
    if engine is not None:
        data["engine"]["name"] = engine
    return recipe_from_dict(data)


def with_format(recipe: Recipe, output_format: str | None) -> Recipe:
    """Return the recipe with the format that `FormatOption` names, if it names one."""
    if output_format is None:
        return recipe
    kind = cast(Literal["ome-zarr", "tiff"], output_format)
    return replace(recipe, output=replace(recipe.output, format=kind))
