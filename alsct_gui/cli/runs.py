"""`alsct runs`: the queue of reconstructions, the same one that the window shows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alsct_gui.cli.console import JsonFlag, emit_json, out
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
    with_format,
)
from alsct_gui.model.errors import InputError

if TYPE_CHECKING:
    from alsct_gui.placement.runs.model import RunView
    from alsct_gui.placement.runs.queue import RunQueue

RunIds = Annotated[list[str], typer.Argument(metavar="ID…", help="Runs, as `alsct runs` lists.")]

runs = typer.Typer(
    name="runs",
    help="Reconstructions in the background: list, submit, cancel, retry, forget.",
    invoke_without_command=True,
    rich_markup_mode=None,
)


@runs.callback()
def listing(
    context: typer.Context,
    folder: Annotated[
        Path | None,
        typer.Option("--folder", help="Folder of the runs; that of this user if not given."),
    ] = None,
    json: JsonFlag = False,
) -> None:
    """List the runs, newest first; with a command, do something with them."""
    from alsct_gui.placement.runs.queue import RunQueue

    context.obj = queue = RunQueue(folder)
    if context.invoked_subcommand is not None:
        return
    queue.wake()
    views = queue.views()
    if json:
        emit_json({"folder": queue.folder, "runs": [run_facts(view) for view in views]})
        return
    if not views:
        out.print("no runs; alsct runs submit FILE makes one")
    for view in views:
        _show(view)


@runs.command()
def submit(
    context: typer.Context,
    path: ScanPath,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o",
            help="Volume to write; rec<scan>.zarr beside the scan. A name that is taken gets a "
            "number.",
        ),
    ] = None,
    recipe: RecipeName = "standard-8.3.2",
    settings: Assignments = None,
    center: CenterOption = None,
    rows: RowsOption = None,
    engine: EngineOption = None,
    output_format: FormatOption = None,
    title: Annotated[str | None, typer.Option("--title", help="Name in the list.")] = None,
    force: ForceFlag = False,
    threads: ThreadsOption = 0,
    memory_gb: MemoryOption = 4.0,
    range_deg: RangeOption = None,
    quantity: QuantityOption = None,
    sinogram: SinogramFlag = False,
    json: JsonFlag = False,
) -> None:  # fmt: skip
    """Queue a reconstruction and return at once; it goes on when the terminal is closed."""
    from alsct_gui.files.names import product_name
    from alsct_gui.placement.runs.model import RunRequest

    if not path.exists():
        raise InputError("there is no such file or folder", where=str(path))
    wanted = build_recipe(recipe, settings, center_px=center, rows=rows, engine=engine)
    wanted = with_format(wanted, output_format)
    request = RunRequest(
        scan=path,
        recipe=wanted,
        output=output or path.with_name(product_name(path.stem, wanted.output.format)),
        title=title or path.stem,
        threads=threads,
        memory_bytes=int(memory_gb * 1e9),
        range_deg=range_deg,
        quantity=quantity,
        sinogram=sinogram,
        force=force,
    )
    queue = _queue(context)
    _tell(queue, [queue.submit(request)], json=json)


@runs.command()
def cancel(context: typer.Context, ids: RunIds, json: JsonFlag = False) -> None:
    """End queued or running runs; nothing half-written is left."""
    queue = _queue(context)
    for run_id in ids:
        queue.cancel(run_id)
    _tell(queue, ids, json=json)


@runs.command()
def retry(
    context: typer.Context,
    ids: RunIds,
    anew: Annotated[
        bool, typer.Option("--anew", help="Make again what the last attempt has stored, too.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Queue runs again that failed, were lost or cancelled; they go on where they stopped."""
    queue = _queue(context)
    for run_id in ids:
        queue.retry(run_id, anew=anew)
    _tell(queue, ids, json=json)


@runs.command()
def forget(context: typer.Context, ids: RunIds, json: JsonFlag = False) -> None:
    """Take runs that have ended off the list; their products stay."""
    queue = _queue(context)
    for run_id in ids:
        queue.forget(run_id)
    if json:
        emit_json({"forgotten": ids})


def run_facts(view: RunView) -> dict[str, Any]:
    """A run as plain data."""
    error = view.error
    return {
        "id": view.id,
        "title": view.request.title if view.request else None,
        "scan": view.request.scan if view.request else None,
        "output": view.output,
        "state": str(view.state),
        "position": view.position,
        "cancelling": view.cancelling,
        "stage": view.stage,
        "share": view.share,
        "eta_s": view.eta_s,
        "elapsed_s": view.elapsed_s,
        "slices_done": view.slices_done,
        "slices_total": view.slices_total,
        "attempt": view.attempt,
        "error": error and {"message": error.what, "where": error.where, "fix": error.fix},
    }


def _show(view: RunView) -> None:
    """Print a run on two lines."""
    state = "cancelling" if view.cancelling else str(view.state)
    title = view.request.title if view.request else "its request cannot be read"
    out.print(f"{view.id}  {state:<10}  {title}", markup=False)
    words = _words(view)
    if words:
        out.print(f"    {words}", markup=False)


def _words(view: RunView) -> str:
    """What there is to say of a run in its present state."""
    from alsct_gui.placement.runs.model import RunState

    if view.error is not None:
        return f"{view.error.what}. {view.error.fix}".strip(" .") + "."
    if view.state is RunState.QUEUED:
        return f"number {view.position} of the queue" if view.position else ""
    if view.state is RunState.RUNNING:
        left = "" if view.eta_s is None else f", {view.eta_s:.0f} s left"
        return f"{view.stage}: {view.share:.0%}{left}"
    return str(view.output) if view.state is RunState.FINISHED else ""


def _tell(queue: RunQueue, ids: list[str], *, json: bool) -> None:
    views = [view for view in queue.views() if view.id in ids]
    if json:
        emit_json({"folder": queue.folder, "runs": [run_facts(view) for view in views]})
        return
    for view in views:
        out.print(f"{view.id}  {view.output}", markup=False)


def _queue(context: typer.Context) -> RunQueue:
    queue: RunQueue = context.obj
    return queue
