"""How a product was made, stored inside it: as plain data, and read back.

An OME-Zarr volume keeps it in the group's attribute ``alsct``, a TIFF stack in the file
``provenance.json`` beside the slices.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from alsct_gui.model.codec import from_plain, to_plain
from alsct_gui.model.errors import InputError, RecipeError
from alsct_gui.model.product import Provenance, StepProvenance

ATTRIBUTE = "alsct"
TIFF_FILE = "provenance.json"
ZARR_FILE = "zarr.json"
CONVERTED = "converted"
"""Entry beside the fields of `Provenance`: the conversions a product went through."""
MAX_BYTES = 1 << 24
"""Largest metadata file that is read; ours have a few kilobytes."""

_FLOAT_FIGURES = (
    "center_confidence", "ring_strength", "noise", "saturated_share", "clipped_share",
)  # fmt: skip


def provenance_to_plain(provenance: Provenance | StepProvenance) -> dict[str, Any]:
    """Return plain data that JSON holds; `made_from_plain` takes it back."""
    plain: dict[str, Any] = json_safe(to_plain(provenance))
    return plain


def provenance_from_plain(data: Any) -> Provenance:
    """Build a provenance from plain data; an entry ``converted`` is passed over.

    Raises
    ------
    RecipeError
        Names the entry that is missing or wrong by its path.
    """
    if isinstance(data, Mapping):
        data = {key: value for key, value in data.items() if key != CONVERTED}
    if not isinstance(data, Mapping) or not isinstance(data.get("quality"), Mapping):
        return from_plain(Provenance, data, where="provenance")
    figures = dict(data["quality"])
    unknown = [name for name in _FLOAT_FIGURES if name in figures and figures[name] is None]
    figures.update(dict.fromkeys(unknown, 0.0))
    whole = from_plain(Provenance, {**data, "quality": figures}, where="provenance")
    if whole.quality is None or not unknown:
        return whole
    not_known: dict[str, Any] = dict.fromkeys(unknown, math.nan)
    return replace(whole, quality=replace(whole.quality, **not_known))


def made_from_plain(data: Any) -> Provenance | StepProvenance:
    """Build the provenance of a reconstruction or of what a step made.

    What else the product tells beside it, as labels do, is passed over.

    Raises
    ------
    RecipeError
        Names the entry that is missing or wrong by its path.
    """
    if not made_by_step(data):
        return provenance_from_plain(data)
    known = {item.name for item in fields(StepProvenance)}
    rows = {key: value for key, value in data.items() if key in known}
    return from_plain(StepProvenance, rows, where="provenance")


def made_by_step(data: Any) -> bool:
    """Say whether plain provenance is that of an analysis step."""
    return isinstance(data, Mapping) and isinstance(data.get("step"), str)


def json_safe(value: Any) -> Any:
    """Return plain data with None for every number that is not finite: JSON has no NaN."""
    if isinstance(value, Mapping):
        return {str(key): json_safe(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_safe(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def read_provenance(path: str | Path) -> Provenance:
    """Read how a reconstruction was made.

    Parameters
    ----------
    path
        An OME-Zarr volume, the folder of a TIFF stack, or one of its slices.

    Raises
    ------
    InputError
        The product does not tell, or not in a way that can be understood, or is none of a
        reconstruction.
    """
    made = read_made(path)
    if isinstance(made, StepProvenance):
        raise InputError(
            f"the step {made.step} made it, not a reconstruction", where=str(path),
            fix=f"Take the volume that it was made from: {made.inputs[0].path}"
            if made.inputs else "",
        )  # fmt: skip
    return made


def read_made(path: str | Path) -> Provenance | StepProvenance:
    """Read how a product was made, by a reconstruction or by a step.

    Raises
    ------
    InputError
        The product does not tell, or not in a way that can be understood.
    """
    path = Path(path)
    folder = path if path.is_dir() else path.parent
    with _told(str(path)):
        if (folder / ZARR_FILE).is_file():
            return made_from_plain(_read_json(folder / ZARR_FILE)["attributes"][ATTRIBUTE])
        return made_from_plain(_read_json(folder / TIFF_FILE))


def parse_provenance(text: str, where: str, *, zarr: bool) -> Provenance:
    """Understand the file of a reconstruction that tells how it was made.

    Parameters
    ----------
    text
        What ``zarr.json`` of an OME-Zarr volume holds, or ``provenance.json`` of a TIFF stack.
    where
        The product, for errors.
    zarr
        Which of the two it is.

    Raises
    ------
    InputError
        It does not tell, or not in a way that can be understood.
    """
    with _told(where):
        plain = json.loads(text)
        return provenance_from_plain(plain["attributes"][ATTRIBUTE] if zarr else plain)


@contextmanager
def _told(where: str) -> Iterator[None]:
    """Say what is wrong with a provenance in our words."""
    try:
        yield
    except (KeyError, TypeError, FileNotFoundError) as error:
        raise InputError(
            "the product does not tell how it was made", where=where,
            fix="Take a product that this program has written",
        ) from error  # fmt: skip
    except RecipeError as error:
        raise InputError(f"{error.where}: {error.what}", where=where, fix=error.fix) from error
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"its provenance cannot be read ({error})", where=where) from error


def _read_json(path: Path) -> Any:
    if not path.is_file():
        raise FileNotFoundError(path)
    with path.open("rb") as file:
        raw = file.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise ValueError(f"{path.name} is larger than {MAX_BYTES} bytes")
    return json.loads(raw)
