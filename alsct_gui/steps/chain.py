"""How a product came to be, from its beginning: walked back through what it tells of itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alsct_gui.files.identity import file_checksum
from alsct_gui.files.open import is_volume, open_volume
from alsct_gui.files.provenance import MAX_BYTES, made_from_plain
from alsct_gui.files.tables import read_about
from alsct_gui.model.errors import InputError, RecipeError
from alsct_gui.model.product import Provenance, StepProvenance

_MAX_DEPTH = 200
_TABLE = ".csv"


@dataclass(frozen=True, slots=True)
class Link:
    """One product of a chain."""

    path: Path
    """The product, as it was named when the next was made of it."""
    made: Provenance | StepProvenance
    """How it was made."""
    inputs: Mapping[str, Path] = field(default_factory=dict)
    """What it was made of, by the names of the step's inputs: other products of the chain, or
    files whose making is not known. A reconstruction's only one is called ``scan``."""


def told_by(path: Path) -> Mapping[str, Any]:
    """Return what a product tells of its making, plain data; empty when it tells nothing.

    Raises
    ------
    InputError
        It cannot be read.
    """
    if not path.exists():
        raise InputError("there is no such file or folder", where=str(path), fix="Check the path")
    if path.suffix == _TABLE:
        return read_about(path)
    if is_volume(path):
        with open_volume(path) as volume:
            return dict(volume.provenance)
    about = path.with_name(f"{path.name}.json")
    if not about.is_file():
        return {}
    try:
        if about.stat().st_size > MAX_BYTES:
            raise ValueError(f"it has more than {MAX_BYTES} bytes")
        found = json.loads(about.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"it cannot be read ({error})"[:200], where=str(about)) from error
    return found if isinstance(found, dict) else {}


def chain_of(path: str | Path) -> tuple[Link, ...]:
    """Return the products that lead to one, the first of them first, itself last.

    Parameters
    ----------
    path
        A volume, labels, a table or a report of this program; what it was made of need not be
        there any more.

    Raises
    ------
    InputError
        It does not tell how it was made, or not in a way that can be understood.
    """
    path = Path(path).absolute()
    links: dict[Path, Link] = {}
    _walk(path, told_by(path), links)
    if path not in links:
        raise InputError(
            "the product does not tell how it was made", where=str(path),
            fix="Take a product that this program has written",
        )  # fmt: skip
    return tuple(links.values())


def changed_code(told: Mapping[str, Any]) -> list[str]:
    """Return the files of one's own code that are gone or not what they were."""
    record = told.get("record")
    known = record.get("sha256") if isinstance(record, Mapping) else None
    if not isinstance(known, Mapping):
        return []
    return [str(name) for name, sha256 in known.items() if _checksum(Path(name)) != sha256]


def _checksum(path: Path) -> str:
    try:
        return file_checksum(path) if path.is_file() else ""
    except OSError:  # as good as gone
        return ""


def _walk(path: Path, told: Mapping[str, Any], links: dict[Path, Link], depth: int = 0) -> None:
    """Add what leads to a product, then the product; nothing when it tells nothing."""
    if path in links or not ("step" in told or "recipe" in told):
        return
    if depth > _MAX_DEPTH:
        raise InputError(f"its chain has more than {_MAX_DEPTH} links", where=str(path))
    try:
        made = made_from_plain(told)
    except RecipeError as error:
        raise InputError(f"{error.where}: {error.what}", where=str(path), fix=error.fix) from error
    inputs = {"scan": _scan(made, path)} if isinstance(made, Provenance) else {}
    if isinstance(made, StepProvenance):
        for mark in made.inputs:
            inputs[mark.name] = Path(mark.path)
            _walk(inputs[mark.name], mark.made, links, depth + 1)
    links[path] = Link(path, made, inputs)


def _scan(made: Provenance, product: Path) -> Path:
    """The scan as it was named; beside the product, where that is what the name fits."""
    named = Path(made.input_path)
    beside = product.parent / named
    return beside if not named.is_absolute() and beside.exists() else named
