"""Numbers of a report as people read them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from alsct_gui.files.report.content import Rows
from alsct_gui.model.table import Table

MOST_ROWS = 100
"""Rows of a table that a report shows; the whole table is beside it."""


def figure(value: float, unit: str = "", digits: int = 4) -> str:
    """Return a number with so many significant digits and its unit; a dash for none."""
    if not math.isfinite(value):
        return "–"
    if value == int(value) and abs(value) < 1e9:
        text = f"{int(value):,}"
    elif 1e-3 <= abs(value) < 1e9:
        decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
        text = f"{value:,.{decimals}f}"
    else:
        text = f"{value:.{digits - 1}e}"
    return f"{text} {unit}" if unit and unit not in "%°" else f"{text}{' ' * (unit == '%')}{unit}"


def percent(share: float) -> str:
    """Return a share as percent, to a hundredth."""
    return f"{100 * share:.2f} %" if math.isfinite(share) else "–"


def made_rows(made: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return how a product was made, from its provenance as plain data: names and words."""
    rows = []
    if made.get("step"):
        rows.append(("Step", f"{made.get('title', '')} ({made['step']})"))
    if made.get("parameters"):
        rows.append(("Parameters", _listed(made["parameters"])))
    for item in made.get("inputs") or ():
        rows.append((f"Input, {item.get('name', '')}", str(item.get("path", ""))))
        if item.get("sha256"):
            rows.append(("SHA-256 of its values", str(item["sha256"])))
    if made.get("voxel_um"):
        edges = " × ".join(f"{edge:g}" for edge in made["voxel_um"])
        rows.append(("Voxel, z × y × x", f"{edges} µm"))
    if made.get("versions"):
        rows.append(("Versions", _listed(made["versions"])))
    if made.get("created"):
        rows.append(("Made at", str(made["created"])))
    return rows


def _listed(values: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name} {'none' if value is None else value}" for name, value in values.items()
    )


def table_rows(table: Table, names: tuple[str, ...] = (), *, whole: str = "") -> Rows:
    """Return the first rows of a table.

    Parameters
    ----------
    table
        The table.
    names
        Columns that are shown; none for all.
    whole
        File with the whole table, said when rows are left out.
    """
    columns = [item for item in table.columns if not names or item.name in names]
    heads = [heading(item.name, item.unit) for item in columns]
    shown = min(table.n_rows, MOST_ROWS)
    values = [table.column(item.name)[:shown].tolist() for item in columns]
    cells = [[_cell(value) for value in row] for row in zip(*values, strict=True)]
    caption = ""
    if shown < table.n_rows:
        rest = f"; all are in {whole}" if whole else ""
        caption = f"The first {shown} of {table.n_rows:,} rows{rest}."
    return Rows(heads, cells, caption)


def heading(name: str, unit: str = "") -> str:
    """Return a column's heading: ``volume (µm³)`` of ``volume_um3``, ``breaks`` of ``n_breaks``."""
    ascii_unit = unit.replace("µ", "u").replace("³", "3").replace("²", "2").replace("°", "deg")
    words = name.removesuffix(f"_{ascii_unit}").removeprefix("n_").replace("_", " ")
    return f"{words} ({unit})" if unit else words


def _cell(value: object) -> str:
    return figure(value) if isinstance(value, float | int) else str(value)
