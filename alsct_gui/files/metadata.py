"""All metadata of an HDF5 file as one flat table, within bounds whatever the file holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import h5py
import numpy as np

from alsct_gui.files.findings import finding
from alsct_gui.files.hdf5 import H5_ERRORS, Hdf5Source, open_object
from alsct_gui.model.errors import UnsafeInputError
from alsct_gui.model.finding import Finding

MAX_OBJECTS = 20_000
"""Groups, datasets and attributes looked at; a scan of 8.3.2 has about 100."""
MAX_DEPTH = 32
"""Groups within groups."""
MAX_VALUES = 4096
"""Numbers of one key; longer lists are described, not read."""
MAX_TEXT = 65_536
"""Characters kept of one text."""

Value = int | float | bool | str | list[Any]


@dataclass
class Metadata:
    """What a walk through a file found."""

    values: dict[str, Value] = field(default_factory=dict)
    """Path -> value; an attribute's path ends in ``@name``."""
    findings: list[Finding] = field(default_factory=list)
    """What was left out, and why."""
    dangling: list[str] = field(default_factory=list)
    """External links to files that are not there."""
    seen: int = 0
    """Objects looked at."""


def collect(source: Hdf5Source) -> Metadata:
    """Flatten every key of the scan's own file; frames and linked files are left alone."""
    found = Metadata()
    visited: set[Any] = set()
    pending: list[tuple[h5py.Group, str, int]] = [(source.root, "", 0)]
    while pending and found.seen < MAX_OBJECTS:
        group, path, depth = pending.pop()
        try:
            info = h5py.h5o.get_info(group.id)
            if (info.fileno, info.addr) in visited:
                continue
            visited.add((info.fileno, info.addr))
            collect_attributes(group, path, found)
            names = names_in(group, MAX_OBJECTS - found.seen)
        except H5_ERRORS as error:
            found.findings.append(finding("unreadable", f"{error}"[:200], where=path or "/"))
            continue
        children = [_child(source, group, name, f"{path}/{name}", found) for name in names]
        for child, child_path in reversed(children):
            if isinstance(child, h5py.Group):
                if depth < MAX_DEPTH:
                    pending.append((child, child_path, depth + 1))
                else:
                    found.seen = MAX_OBJECTS
    _report(found)
    return found


def _report(found: Metadata) -> None:
    if found.seen >= MAX_OBJECTS:
        found.findings.append(finding("metadata-bounded", f"Over {MAX_OBJECTS} keys, or too deep"))
    if found.dangling:
        text = f"{len(found.dangling)} external links lead nowhere, first {found.dangling[0]}"
        found.findings.append(finding("external-link-dangling", text))


def names_in(group: h5py.Group, most: int) -> list[str]:
    """Names in a group, at most so many: the library would list millions."""
    names: list[str] = []

    def note(name: bytes) -> bool | None:
        names.append(name.decode("utf-8", "surrogateescape"))
        return True if len(names) >= most else None

    if most > 0:
        group.id.links.iterate(note)
    return names


def _child(
    source: Hdf5Source, group: h5py.Group, name: str, path: str, found: Metadata
) -> tuple[Any, str]:
    """Note a child's values; return it when it is a group to walk into."""
    found.seen += 1
    try:
        link = group.get(name, getlink=True)
        if isinstance(link, h5py.ExternalLink):
            if source.link_target(group, link, path) is None:
                found.dangling.append(path)
        elif isinstance(link, h5py.SoftLink):
            source.resolve(name, base=group)  # says so when it leads in a circle or outside
        elif link is not None:
            child = open_object(group, name)
            if isinstance(child, h5py.Dataset):
                collect_attributes(child, path, found)
                found.values[path] = describe(child)
            return child, path
    except UnsafeInputError as error:
        found.findings.append(finding(error.name, error.what, where=path))
    except H5_ERRORS as error:
        found.findings.append(finding("unreadable", f"{error}"[:200], where=path))
    return None, path


def collect_attributes(item: Any, path: str, found: Metadata) -> None:
    """Note the attributes of a group or dataset under ``path@name``."""
    names: list[bytes] = []

    def note(name: bytes) -> bool | None:
        names.append(name)
        found.seen += 1
        return True if found.seen >= MAX_OBJECTS else None

    h5py.h5a.iterate(item.id, note)
    for raw in names:
        attribute = h5py.h5a.open(item.id, raw)
        key = f"{path}@{raw.decode('utf-8', 'replace')}"
        if attribute.get_storage_size() > MAX_TEXT:
            found.values[key] = f"{attribute.get_storage_size()} bytes, not read"
            continue
        try:
            found.values[key] = plain(item.attrs[raw.decode("utf-8", "surrogateescape")])
        except H5_ERRORS as error:
            found.values[key] = f"unreadable: {error}"[:200]


def describe(dataset: h5py.Dataset) -> Value:
    """Value of a small dataset; of a large one its shape and type."""
    dtype, shape = dataset.dtype, dataset.shape
    count = int(np.prod(shape, dtype=np.float64)) if shape is not None else 0
    if shape is None:
        return ""
    too_large = count > MAX_VALUES or count * dtype.itemsize > 16 * MAX_TEXT
    if too_large or dtype.kind not in "biufSUO" or dataset.id.get_storage_size() == 0:
        return f"{dtype} {shape}"
    return plain(dataset[()])


def plain(value: Any) -> Value:
    """Turn what h5py returns into a number, a text or a list of them."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")[:MAX_TEXT].rstrip("\x00\r\n ")
    if isinstance(value, str):
        return value[:MAX_TEXT].rstrip("\x00\r\n ")
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, np.ndarray):
        if value.dtype.kind in "biuf":
            numbers: list[Any] = value.ravel()[:MAX_VALUES].tolist()
            return numbers[0] if len(numbers) == 1 else numbers
        items = [plain(item) for item in value.ravel()[:MAX_VALUES]]
        return items[0] if len(items) == 1 else items
    if isinstance(value, bool | int | float):
        return value
    return str(type(value).__name__)
