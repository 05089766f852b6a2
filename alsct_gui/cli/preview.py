"""`alsct preview`: one slice as a picture."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from alsct_gui.cli.console import JsonFlag, emit_json, out, show_findings
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
    thread_count,
)
from alsct_gui.files.checked import opened


def preview(
    path: ScanPath,
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
    """Reconstruct one slice and write it as a picture."""
    began = time.perf_counter()
    from alsct_gui.files.montage import montage
    from alsct_gui.files.names import safe_stem
    from alsct_gui.recon.preview import preview as make_preview

    wanted = build_recipe(recipe, settings, center_px=center, engine=engine)
    with opened(path, range_deg, quantity, sinogram) as scan:
        trial = make_preview(scan, wanted, row, threads=thread_count(threads))
    seconds = time.perf_counter() - began
    place = output or Path(f"{safe_stem(path.stem)}_preview.png")
    center_px = trial.resolved.center.center_px
    caption = f"row {_row(row, scan.projections.shape[1])}, axis {center_px:.2f}"
    montage(
        [trial.picture], [caption], place,
        pixel_um=trial.pixel_um, units=trial.units, title=path.name,
    )  # fmt: skip
    if json:
        emit_json(
            {
                "output": place,
                "slices": 1,
                "center_px": center_px,
                "confidence": trial.resolved.center.confidence,
                "engine": wanted.engine.name,
                "seconds": {"slice": trial.seconds, "total": seconds},
                "minimum": float(trial.picture.min()),
                "maximum": float(trial.picture.max()),
                "units": trial.units,
            }
        )
        return
    show_findings(trial.resolved.findings)
    out.print(f"{place}: axis at column {center_px:.2f}, {trial.seconds:.2f} s", markup=False)


def _row(row: int | None, n_rows: int) -> int:
    return n_rows // 2 if row is None else row
