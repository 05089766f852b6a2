"""What every command shares: where words, numbers, progress and errors go.

Standard output carries the result: words and tables for people, or with ``--json`` one
object and nothing else. Progress, warnings and errors go to standard error.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from alsct_gui.model.errors import AlsctError
from alsct_gui.model.finding import Finding, Severity
from alsct_gui.model.progress import Progress as Step
from alsct_gui.model.progress import ProgressCallback

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "dim"}


def emit_json(data: Mapping[str, Any]) -> None:
    """Print one JSON object on standard output; numbers that are not finite become null."""
    sys.stdout.write(json.dumps(_plain(data), indent=2, ensure_ascii=False) + "\n")


def show_error(error: AlsctError, *, as_json: bool) -> None:
    """Say an error: one line for people, one object for programs."""
    if as_json:
        emit_json(
            {"error": {"message": error.what, "where": error.where, "fix": error.fix,
                       "exit_code": error.exit_code}}
        )  # fmt: skip
    err.print(f"alsct: {error.sentence}", style="red", markup=False)


def show_findings(findings: Iterable[Finding]) -> None:
    """Print findings for people, worst first."""
    order = list(Severity)
    for finding in sorted(findings, key=lambda item: order.index(item.severity)):
        where = f" ({finding.where})" if finding.where else ""
        err.print(
            f"{finding.severity}: {finding.name}{where}: {finding.message} {finding.fix}".rstrip(),
            style=_COLOURS[finding.severity],
            markup=False,
        )


def finding_rows(findings: Iterable[Finding]) -> list[dict[str, str]]:
    """Findings as rows of JSON."""
    return [
        {
            "name": item.name,
            "severity": str(item.severity),
            "message": item.message,
            "fix": item.fix,
            "where": item.where,
        }
        for item in findings
    ]


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str = "") -> None:
    """Print a plain table; numbers are right-aligned."""
    body = [list(row) for row in rows]
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
    for index, column in enumerate(columns):
        numeric = bool(body) and all(isinstance(row[index], int | float) for row in body)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in body:
        table.add_row(*(_cell(value) for value in row))
    out.print(table)


@contextmanager
def progress_bars(*, quiet: bool) -> Iterator[ProgressCallback]:
    """Progress bars on standard error, one per stage; nothing when quiet."""
    if quiet:
        yield lambda step: None
        return
    bars = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=not err.is_terminal,
        disable=not err.is_terminal,
    )
    tasks: dict[str, TaskID] = {}

    def show(step: Step) -> None:
        if step.stage not in tasks:
            tasks[step.stage] = bars.add_task(step.stage, total=step.total)
        bars.update(tasks[step.stage], completed=step.done, total=step.total)

    with bars:
        yield show


def counted(show: ProgressCallback, stage: str) -> Callable[[int, int], None]:
    """Turn a callback of steps into one of (done, total)."""
    began = time.monotonic()

    def tell(done: int, total: int) -> None:
        elapsed = time.monotonic() - began
        eta = elapsed / done * (total - done) if done else None
        show(Step(stage, done, total, elapsed, eta))

    return tell


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, Path):
        return str(value)
    return value if value is None or isinstance(value, str | int | bool) else str(value)
