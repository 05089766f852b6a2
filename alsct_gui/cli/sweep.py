"""`alsct sweep`: one slice for every value of a setting, on a contact sheet."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from alsct_gui.cli.console import JsonFlag, emit_json, out, progress_bars
from alsct_gui.cli.options import (
    Assignments,
    CenterOption,
    EngineOption,
    QuantityOption,
    RangeOption,
    RecipeName,
    RowOption,
    ScanPath,
    SinogramFlag,
    ThreadsOption,
    build_recipe,
    parse_value,
    thread_count,
)
from alsct_gui.files.checked import opened
from alsct_gui.model.errors import RecipeError

MOST_VALUES = 200


def sweep(
    path: ScanPath,
    setting: Annotated[
        str, typer.Argument(help="Setting: center.center_px, rings.0.sigma, phase.delta_beta …")
    ],
    values: Annotated[
        str, typer.Argument(help="A list 1,2,5 or a range START:STOP:COUNT with both ends.")
    ],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="PNG to write.")] = None,
    row: RowOption = None,
    recipe: RecipeName = "standard-8.3.2",
    settings: Assignments = None,
    center: CenterOption = None,
    engine: EngineOption = None,
    threads: ThreadsOption = 0,
    range_deg: RangeOption = None,
    quantity: QuantityOption = None,
    sinogram: SinogramFlag = False,
    json: JsonFlag = False,
) -> None:
    """Reconstruct one slice with each value of a setting, as a contact sheet."""
    from alsct_gui.files.montage import montage
    from alsct_gui.files.names import safe_stem
    from alsct_gui.recon.preview import sweep as make_sweep

    began = time.perf_counter()
    wanted = build_recipe(recipe, settings, center_px=center, engine=engine)
    tried = parse_values(values)
    with (
        opened(path, range_deg, quantity, sinogram) as scan,
        progress_bars(quiet=json) as show,
    ):
        trials = make_sweep(
            scan, wanted, setting, tried, row, threads=thread_count(threads), progress=show
        )
    place = output or Path(f"{safe_stem(path.stem)}_sweep.png")
    name = setting.rpartition(".")[2]
    montage(
        [trial.picture for trial in trials],
        [f"{name} = {_short(trial.value)}" for trial in trials],
        place,
        pixel_um=trials[0].pixel_um,
        units=trials[0].units,
        title=f"{path.name}: {setting}",
    )
    if json:
        emit_json(
            {
                "output": place,
                "parameter": setting,
                "values": tried,
                "slice": scan.projections.shape[1] // 2 if row is None else row,
                "center_px": trials[0].resolved.center.center_px,
                "engine": wanted.engine.name,
                "seconds": {"total": time.perf_counter() - began},
            }
        )
    else:
        out.print(f"{place}: {len(trials)} pictures", markup=False)


def parse_values(text: str) -> list[Any]:
    """``"1,2,5"`` or ``"280:300:11"`` to a list.

    Raises
    ------
    RecipeError
        It is neither, or there are none or too many.
    """
    wrong = RecipeError(
        f"{text!r} is neither a list nor a range", where="VALUES",
        fix="Write 1,2,5 or START:STOP:COUNT, for example 280:300:11",
    )  # fmt: skip
    if ":" in text:
        try:
            start, stop, count = text.split(":")
            first, last, number = float(start), float(stop), int(count)
        except ValueError as error:
            raise wrong from error
        if not 2 <= number <= MOST_VALUES:
            raise RecipeError(f"COUNT is {number}", where="VALUES", fix="Take 2 to 200")
        return [first + (last - first) * i / (number - 1) for i in range(number)]
    values = [parse_value(part) for part in text.split(",")]
    if not text.strip() or len(values) > MOST_VALUES:
        raise wrong
    return values


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
