"""Figures that are taken in a process of their own, above all those of windows."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from alsct_bench.measurement import Measurement, Target
from alsct_gui.model.errors import AlsctError

Row = tuple[str, str, Target | None, str]
"""Name, unit, target and note of a figure."""


def measured_apart(
    group: str, module: str, words: Sequence[str], folder: Path, rows: Sequence[Row]
) -> Iterator[Measurement]:
    """Run a module that prints its figures as JSON, under Xvfb where there is no screen.

    Parameters
    ----------
    group
        Of the measurements.
    module, words
        What runs, and its arguments.
    folder
        Where it works; removed afterwards.
    rows
        The figures.

    Raises
    ------
    AlsctError
        It failed; its last words are in the message.
    """
    found = json.loads(last_line(["-m", module, *words], folder, "window", group))
    for name, unit, target, note in rows:
        yield Measurement(group, name, float(found[name]), unit, target=target, note=note)


def last_line(words: Sequence[str], made: Path, what: str, group: str) -> str:
    """Run Python to its end and return the last line that it printed.

    Parameters
    ----------
    words
        Its arguments.
    made
        What it makes; removed afterwards.
    what, group
        What is measured, and in which group, for the error.

    Raises
    ------
    AlsctError
        It failed; its last words are in the message.
    """
    try:
        run = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    if run.returncode:
        lines = run.stderr.strip().splitlines() or ["no message"]
        raise AlsctError(f"the {what} to be measured failed: {lines[-1]}", where=f"bench {group}")
    return run.stdout.strip().splitlines()[-1]
