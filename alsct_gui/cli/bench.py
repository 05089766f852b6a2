"""`alsct bench`: this program and its peers, measured side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alsct_gui.cli.console import JsonFlag, emit_json, err, out
from alsct_gui.cli.options import ThreadsOption

if TYPE_CHECKING:
    from alsct_bench.measurement import Measurement


def bench(
    groups: Annotated[
        list[str] | None,
        typer.Argument(
            help="engine, correction, rings, phase, center, preview, end-to-end, memory, write, "
            "ui, placement; all these if none is given. And soak: whether anything is lost."
        ),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Small sizes: shows that it works; times mean little.")
    ] = False,
    full: Annotated[
        bool, typer.Option("--full", help="The soak in its full length: an hour or so.")
    ] = False,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Of the soak: repeats one that was played.")
    ] = None,
    threads: ThreadsOption = 0,
    peer_python: Annotated[
        list[Path] | None,
        typer.Option("--peer-python", help="Python of an environment with peers, e.g. tomopy."),
    ] = None,
    workdir: Annotated[
        Path | None,
        typer.Option("--workdir", help="Keep the scans that are made here, for the next run."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder for the rows as JSON and Markdown."),
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Measure speed, accuracy and memory beside every peer that can be imported."""
    from alsct_bench.report import table_rows, text_lines
    from alsct_bench.run import run_bench, store_record

    def show(row: Measurement) -> None:
        if not json:
            cells = next(table_rows([row], full_size=not quick))
            err.print("  ".join(filter(None, cells)), style="dim", markup=False)

    record = run_bench(
        groups or (),
        quick=quick,
        threads=threads,
        peer_pythons=peer_python or (),
        workdir=workdir,
        full=full,
        seed=seed,
        show=show,
    )
    if output is not None:
        for path in store_record(record, output):
            err.print(f"wrote {path}", markup=False)
    if json:
        emit_json(record.plain())
        return
    facts = record.machine
    out.print(f"{facts['cores']} cores of {facts['cpu']} ({facts['simd']}), {record.size.text}")
    for line in text_lines(record.rows, full_size=not quick):
        out.print(line.rstrip(), markup=False)
    for note in dict.fromkeys(row.note for row in record.rows if row.note):
        out.print(f"  {note}", markup=False)
    for library, reason in record.missing.items():
        out.print(f"  without {library}: {reason}", markup=False)
