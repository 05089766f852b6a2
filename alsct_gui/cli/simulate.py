"""`alsct simulate`: a scan whose truth is known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from alsct_gui.cli.console import JsonFlag, counted, emit_json, out, progress_bars
from alsct_gui.cli.options import Assignments, ThreadsOption, apply_assignments, thread_count


def simulate(
    output: Annotated[Path, typer.Argument(help="File to write, for example scan.h5.")],
    phantom: Annotated[
        str, typer.Option("--phantom", help="ellipsoids, asymmetric, smooth, foam, fibres, spheres")
    ] = "foam",
    columns: Annotated[int, typer.Option("--columns", help="Detector columns.")] = 512,
    rows: Annotated[int, typer.Option("--rows", help="Detector rows.")] = 64,
    angles: Annotated[int, typer.Option("--angles", help="Projections.")] = 361,
    range_deg: Annotated[float, typer.Option("--range-deg", help="Turn: 180 or 360.")] = 180.0,
    center: Annotated[
        float | None, typer.Option("--center", help="Column of the axis; the middle if not given.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of the sample and of all noise.")] = 0,
    settings: Assignments = None,
    threads: ThreadsOption = 0,
    json: JsonFlag = False,
) -> None:
    """Simulate a scan in the 8.3.2 layout, with noise, rings and all; the truth lies beside it."""
    from alsct_gui.model.codec import from_plain, to_plain
    from alsct_gui.simulator.spec import SimulationSpec
    from alsct_gui.simulator.write import simulate_scan

    data: dict[str, Any] = to_plain(
        SimulationSpec(
            phantom=phantom,
            n_columns=columns,
            n_rows=rows,
            n_angles=angles,
            range_deg=range_deg,
            center_px=center,
            seed=seed,
        )
    )
    spec = from_plain(SimulationSpec, apply_assignments(data, settings or []), where="simulate")
    with progress_bars(quiet=json) as show:
        path = simulate_scan(
            output, spec, progress=counted(show, "frames"), threads=thread_count(threads)
        )
    if json:
        emit_json({"output": path, "shape": [angles, rows, columns], "spec": to_plain(spec)})
    else:
        out.print(f"{path}: {angles} projections of {rows} x {columns}", markup=False)
