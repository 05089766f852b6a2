"""`alsct replay`: the same voxels again, or the same recipe on another scan."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from alsct_gui.cli.console import JsonFlag, err
from alsct_gui.cli.options import (
    MemoryOption,
    QuantityOption,
    RangeOption,
    SinogramFlag,
    ThreadsOption,
    thread_count,
)
from alsct_gui.cli.running import cancelled_by_signals, run_and_tell
from alsct_gui.files.checked import opened


def replay(
    product: Annotated[Path, typer.Argument(help="A volume that this program made.")],
    scan_path: Annotated[
        Path | None,
        typer.Argument(metavar="[SCAN]", help="Scan to take; the product's own if not given."),
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Volume to write.")] = None,
    threads: ThreadsOption = 0,
    memory_gb: MemoryOption = 4.0,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Move an existing volume of that name aside.")
    ] = False,
    range_deg: RangeOption = None,
    quantity: QuantityOption = None,
    sinogram: SinogramFlag = False,
    json: JsonFlag = False,
) -> None:
    """Make a volume again from the recipe inside it, or apply that to another scan.

    On the same scan everything that was found is taken over, so the voxels are the same; on
    another one the axis is found anew.
    """
    from alsct_gui.files.identity import quick_identity
    from alsct_gui.files.names import product_name
    from alsct_gui.files.provenance import read_provenance
    from alsct_gui.recon.job import prepare_job
    from alsct_gui.recon.versions import software_versions

    made = read_provenance(product)
    path = scan_path or Path(made.input_path)
    with (
        cancelled_by_signals() as token,
        opened(path, range_deg, quantity, sinogram) as scan,
    ):
        same = quick_identity(scan) == made.input_identity
        recipe = made.resolved if same else made.recipe
        if same and software_versions() != dict(made.versions):
            err.print(
                "warning: the versions of this program or its libraries differ from those "
                "the volume was made with; values may differ in the last digits",
                style="yellow",
            )
        name = product_name(f"{path.stem}_replay", recipe.output.format)
        job = prepare_job(
            scan, recipe, threads=thread_count(threads), budget_bytes=int(memory_gb * 1e9),
            batch_slices=made.batch_slices, cancel=token,
        )  # fmt: skip
        run_and_tell(
            job, output or path.with_name(name), token,
            resume=False, overwrite=overwrite, as_json=json,
        )  # fmt: skip
