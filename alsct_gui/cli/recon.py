"""`alsct recon`: the volume."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from alsct_gui.cli.console import JsonFlag, emit_json
from alsct_gui.cli.options import (
    Assignments,
    CenterOption,
    EngineOption,
    ForceFlag,
    FormatOption,
    MemoryOption,
    QuantityOption,
    RangeOption,
    RecipeName,
    RowsOption,
    ScanPath,
    SinogramFlag,
    ThreadsOption,
    build_recipe,
    thread_count,
    with_format,
)
from alsct_gui.cli.running import (
    cancelled_by_signals,
    plan_facts,
    run_and_tell,
    show_plan,
)
from alsct_gui.files.checked import opened


def recon(
    path: ScanPath,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Volume to write; rec<scan>.zarr beside the scan."),
    ] = None,
    recipe: RecipeName = "standard-8.3.2",
    settings: Assignments = None,
    center: CenterOption = None,
    rows: RowsOption = None,
    engine: EngineOption = None,
    output_format: FormatOption = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Show what would be done, and do nothing.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with what a killed run left.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Move an existing volume of that name aside.")
    ] = False,
    force: ForceFlag = False,
    threads: ThreadsOption = 0,
    memory_gb: MemoryOption = 4.0,
    range_deg: RangeOption = None,
    quantity: QuantityOption = None,
    sinogram: SinogramFlag = False,
    progress_file: Annotated[
        Path | None,
        typer.Option("--progress-file", help="Keep one line of JSON there: how far the run is."),
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Reconstruct a scan: correct, remove rings, find the axis, write the volume."""
    from alsct_gui.files.names import product_name
    from alsct_gui.files.open import open_volume
    from alsct_gui.recon.job import prepare_job
    from alsct_gui.superfacility.compute.progress import ProgressFile

    wanted = build_recipe(recipe, settings, center_px=center, rows=rows, engine=engine)
    wanted = with_format(wanted, output_format)
    # Whoever describes a TIFF knows more about it than the check does.
    described = bool(range_deg or quantity or sinogram)
    place = output or path.with_name(product_name(path.stem, wanted.output.format))
    with (
        cancelled_by_signals() as token,
        ProgressFile(None if plan else progress_file) as told,
        opened(path, range_deg, quantity, sinogram, whole=not (force or described)) as scan,
    ):
        job = prepare_job(
            scan, wanted, threads=thread_count(threads), budget_bytes=int(memory_gb * 1e9),
            cancel=token,
        )  # fmt: skip
        if not plan:
            result = run_and_tell(
                job, place, token, resume=resume, overwrite=overwrite, as_json=json, also=told.show
            )
            with open_volume(result.output) as volume:
                told.finish(volume.shape[0])
        elif json:
            emit_json(plan_facts(job))
        else:
            show_plan(job)
