"""`alsct convert`: another format, another number type, a part of a volume."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, cast

import typer

from alsct_gui.cli.console import JsonFlag, emit_json, out, progress_bars
from alsct_gui.cli.options import ThreadsOption, parse_range, thread_count


def convert(
    source: Annotated[Path, typer.Argument(help="Volume: OME-Zarr or a folder of TIFF slices.")],
    target: Annotated[Path, typer.Argument(help="Volume to write.")],
    output_format: Annotated[
        str | None, typer.Option("--format", help="ome-zarr or tiff; by the name if not given.")
    ] = None,
    dtype: Annotated[
        str | None, typer.Option("--dtype", help="float32, uint16 or uint8; as it is if not given.")
    ] = None,
    slices: Annotated[str | None, typer.Option("--slices", help="START:STOP.")] = None,
    rows: Annotated[str | None, typer.Option("--rows", help="START:STOP of y.")] = None,
    columns: Annotated[str | None, typer.Option("--columns", help="START:STOP of x.")] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Move an existing volume of that name aside.")
    ] = False,
    threads: ThreadsOption = 0,
    json: JsonFlag = False,
) -> None:
    """Write a volume in another format, as other numbers, or a part of it."""
    from alsct_gui.files.convert import convert_volume
    from alsct_gui.files.open import open_volume

    kind = output_format or ("ome-zarr" if target.suffix == ".zarr" else "tiff")
    with progress_bars(quiet=json) as show:
        path = convert_volume(
            source,
            target,
            format=cast(Literal["ome-zarr", "tiff"], kind),
            dtype=dtype,
            slices=parse_range(slices, "--slices"),
            rows=parse_range(rows, "--rows"),
            columns=parse_range(columns, "--columns"),
            threads=thread_count(threads),
            replace=overwrite,
            progress=show,
        )
    with open_volume(path) as volume:
        shape, stored = volume.levels[0].shape, volume.levels[0].dtype
    if json:
        emit_json({"output": path, "shape": list(shape), "dtype": str(stored)})
    else:
        out.print(f"{path}: {' x '.join(map(str, shape))}, {stored}", markup=False)
