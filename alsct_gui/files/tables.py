"""Tables on disk: a CSV file, and beside it a JSON file with units and provenance.

The CSV file has the names of the columns in its first line and nothing else but figures, so
that every program reads it; what the columns mean stands in ``<name>.json``.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from alsct_gui.files.provenance import json_safe
from alsct_gui.files.writers.partial import make_way
from alsct_gui.model.codec import to_plain
from alsct_gui.model.errors import InputError, OutputError
from alsct_gui.model.table import Column, Table

TABLE_VERSION = 1
MAX_BYTES = 1 << 30
"""Largest table that is read."""
MAX_JSON_BYTES = 1 << 24


def write_table(
    path: Path, table: Table, made: Mapping[str, Any] | None = None, *, replace: bool = False
) -> Path:
    """Write a table; both files get their names when they are whole.

    Parameters
    ----------
    path
        The CSV file; ``<name>.json`` goes beside it.
    table
        What is written. Numbers that are not finite become empty cells.
    made
        How it was made, plain data; see `alsct_gui.files.provenance`.
    replace
        Move files of these names aside.

    Raises
    ------
    OutputError
        A name is taken, or the disk refuses.
    """
    about = {
        "kind": "table",
        "version": TABLE_VERSION,
        "rows": table.n_rows,
        "columns": to_plain(table.columns),
        "objects": table.objects,
        "facts": to_plain(table.facts),
        **(made or {}),
    }
    text = json.dumps(json_safe(about), indent=2, allow_nan=False, default=_number) + "\n"
    contents = {path.with_suffix(".json"): text, path: _as_csv(table)}
    for name in contents:
        make_way(name, replace=replace)
    try:
        for name, content in contents.items():
            part = name.with_name(f".{name.name}.part")
            part.write_text(content, encoding="utf-8")
            part.rename(name)
    except OSError as error:
        raise OutputError(
            f"the table cannot be written ({error.strerror or error})", where=str(path),
            fix="Free space or give another folder",
        ) from error  # fmt: skip
    return path


def read_table(path: str | Path) -> Table:
    """Read a table that `write_table` has written.

    Raises
    ------
    InputError
        It is none, or its two files do not fit each other.
    """
    path = Path(path)
    about = read_about(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(f"it has more than {MAX_BYTES} bytes")
        rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))
        columns = tuple(Column(**item) for item in about["columns"])
        if not rows or rows[0] != [column.name for column in columns]:
            raise ValueError("its columns are not those of the JSON file beside it")
        cells = list(zip(*rows[1:], strict=True)) or [()] * len(columns)
        return Table(
            columns, tuple(_column(cell) for cell in cells),
            dict(about.get("facts", {})), str(about.get("objects", "")),
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise InputError(f"it is no table ({error})"[:300], where=str(path)) from error


def read_about(path: str | Path) -> dict[str, Any]:
    """Return what the JSON file beside a table says: columns, facts, provenance.

    Raises
    ------
    InputError
        There is none, or it cannot be read.
    """
    file = Path(path).with_suffix(".json")
    try:
        if file.stat().st_size > MAX_JSON_BYTES:
            raise ValueError(f"it has more than {MAX_JSON_BYTES} bytes")
        about = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(about, dict) or about.get("kind") != "table":
            raise ValueError("it does not describe a table")
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(
            f"its description cannot be read ({error})"[:300], where=str(file),
            fix="Keep the CSV file and the JSON file of the same name together",
        ) from error  # fmt: skip
    return about


def _as_csv(table: Table) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.name for column in table.columns])
    for row in zip(*(values.tolist() for values in table.values), strict=True):
        writer.writerow([_cell(value) for value in row])
    return text.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return repr(value) if np.isfinite(value) else ""
    return value


def _column(cells: tuple[str, ...]) -> np.ndarray[Any, np.dtype[Any]]:
    """Whole numbers where all are, else numbers with NaN for empty cells, else texts."""
    try:
        return np.array([int(cell) for cell in cells], np.int64)
    except ValueError:
        pass  # not all are whole numbers
    try:
        return np.array([float(cell) if cell else np.nan for cell in cells], np.float64)
    except ValueError:
        return np.array(cells, np.str_)


def _number(value: Any) -> Any:
    """A number of numpy's as one of Python's."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is no plain data")
