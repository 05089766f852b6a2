"""Which metadata key of a file goes where in a record: a table, and what it makes of a scan.

The tables are data (``resources/scicat``), one for each layout. A key that no table knows goes
in all the same, under its own name; a key that a file lacks is absent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from alsct_gui.files.plaintext import read_plain
from alsct_gui.files.resources import resource_names, resource_path
from alsct_gui.model.codec import from_plain
from alsct_gui.model.scan import Scan
from alsct_gui.superfacility.metadata.base import clean, clean_text, unescape_key

MAX_OTHER = 500
"""Keys beside those of the table that are taken; the rest of a strange file is left out."""
MAX_TEXT = 2000
"""Characters of a text that are taken."""
MAX_VALUES = 16
"""Values of a list that are taken as they are; a longer one is summed up."""

Field = Literal["", "proposal", "principal_investigator", "email", "instrument", "sample"]


@dataclass(frozen=True, slots=True)
class Entry:
    """Where one key goes."""

    field: Field = ""
    """Field of the record; empty for its scientific metadata."""
    unit: str = ""
    """Unit of the values, as SciCat's (mathjs) calls it; empty when they have none."""
    series: bool = False
    """Whether there is a value for each frame, so that the list is summed up."""


@dataclass(frozen=True, slots=True)
class Table:
    """All keys of a layout."""

    layout: str
    """As `Scan.layout` calls it."""
    data_format: str = ""
    """What a record calls the format of the file; empty for the layout's name."""
    keys: Mapping[str, Entry] = field(default_factory=dict)
    """By path in the file."""


@cache
def load_table(layout: str) -> Table:
    """Return the table of a layout; one without keys for a layout that has none."""
    if layout not in resource_names("scicat"):
        return Table(layout)
    path = resource_path("scicat", f"{layout}.yaml")
    return from_plain(Table, read_plain(path), where=f"scicat {layout}")


def field_of(table: Table, scan: Scan, name: Field) -> str:
    """Return a field of the record: what the table's key says, else what the reader found."""
    for key, entry in table.keys.items():
        if entry.field == name and key in scan.metadata:
            value = scan.metadata[key]
            text = str(value[0] if isinstance(value, list) and value else value)
            return clean_text(text).strip()[:MAX_TEXT]
    return clean_text(str(getattr(scan.people, name))).strip()[:MAX_TEXT]


def scientific_of(table: Table, scan: Scan) -> dict[str, Any]:
    """Return the scientific metadata of a scan, ready for JSON, by the keys of its file."""
    found: dict[str, Any] = {}
    others = 0
    for key, value in scan.metadata.items():
        entry = table.keys.get(key)
        if entry is None:
            others += 1
            if others > MAX_OTHER:
                continue
            entry = Entry()
        if not entry.field:
            found[unescape_key(clean_text(key))] = _told(value, entry)
    return dict(clean(found))


def _told(value: Any, entry: Entry) -> Any:
    """Return a value as a record tells it."""
    if isinstance(value, list) and (entry.series or len(value) > MAX_VALUES):
        told = summary(value)
        return {**told, "unit": entry.unit} if entry.unit and "mean" in told else told
    if isinstance(value, str):
        return value[:MAX_TEXT]
    if entry.unit and (_is_number(value) or isinstance(value, list)):
        return {"value": value, "unit": entry.unit}
    return value


def summary(values: Sequence[Any]) -> dict[str, Any]:
    """Sum a list up. No entry begins with v or u but ``unit``: SciCat would convert it."""
    ends: dict[str, Any] = {"count": len(values)}
    if values:
        ends |= {"first": values[0], "last": values[-1]}
    numbers = [float(item) for item in values if _is_number(item) and math.isfinite(item)]
    if numbers:
        mean = math.fsum(numbers) / len(numbers)
        ends |= {"min": min(numbers), "max": max(numbers), "mean": mean}
    return ends


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
