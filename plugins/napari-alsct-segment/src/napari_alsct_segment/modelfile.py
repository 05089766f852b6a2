"""Models on disk: arrays and a description in one safetensors file, never a pickle.

The description is JSON under the key ``alsct`` of the file's metadata. A file from outside is
hostile until checked: sizes first, then the library's own checks of the header, then names,
types and shapes, and what uses the arrays checks their numbers.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.files.provenance import json_safe
from alsct_gui.model.errors import InputError, OutputError

SUFFIX = ".safetensors"
FORMAT = 1
"""Of the description."""
MAX_FILE_BYTES = 1 << 30
MAX_HEADER_BYTES = 1 << 24
_TYPES = ("float32", "int32", "uint8", "int64")
_KEY = "alsct"


@dataclass(frozen=True, eq=False)
class Stored:
    """What a model file holds."""

    about: Mapping[str, Any]
    """The description, plain data; its entries are not checked."""
    arrays: Mapping[str, NDArray[Any]]
    """Arrays of float32, int32, int64 or uint8 by name."""


def write_model(
    path: Path, kind: str, about: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> None:
    """Write a model; what has the name is replaced.

    Parameters
    ----------
    path
        Final name.
    kind
        ``pixel-classifier`` or ``network``.
    about
        Plain data.
    arrays
        As `Stored.arrays`.

    Raises
    ------
    OutputError
        The disk refuses.
    """
    from safetensors.numpy import save

    text = json.dumps({"format": FORMAT, "kind": kind, **json_safe(about)}, allow_nan=False)
    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(save(whole, metadata={_KEY: text}))
        part.replace(path)
    except OSError as error:
        raise OutputError(
            f"the model cannot be saved ({error.strerror or error})", where=str(path),
            fix="Free space or give another folder",
        ) from error  # fmt: skip
    finally:
        with suppress(OSError):  # there is no such folder: nothing was written
            part.unlink(missing_ok=True)


def read_model(path: Path, kind: str) -> Stored:
    """Read a model of a kind.

    Raises
    ------
    InputError
        It is no such model, or is damaged.
    """
    from safetensors import SafetensorError, safe_open

    where = str(path)
    try:
        size, header = path.stat().st_size, _header_bytes(path)
        if size > MAX_FILE_BYTES or not 0 < header <= min(size, MAX_HEADER_BYTES):
            raise _broken("its size is not that of a model", where)
        with safe_open(path, framework="numpy") as file:
            about = _description((file.metadata() or {}).get(_KEY, ""), kind, where)
            for name in file.keys():  # noqa: SIM118 (no mapping)
                if file.get_slice(name).get_dtype() not in ("F32", "I32", "U8", "I64"):
                    raise _broken(f"the array {name[:40]!r} is of another type", where)
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError as error:
        raise InputError("there is no such file", where=where, fix="Check the path") from error
    except (OSError, SafetensorError, struct.error) as error:
        raise _broken(f"{error}"[:200], where) from error
    return Stored(about, arrays)


def _header_bytes(path: Path) -> int:
    with path.open("rb") as file:
        length: int = struct.unpack("<Q", file.read(8))[0]
    return length


def _description(text: str, kind: str, where: str) -> Mapping[str, Any]:
    try:
        about = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _broken("it does not describe itself", where) from error
    if not isinstance(about, dict) or about.get("kind") != kind:
        said = str(about.get("kind", ""))[:40] if isinstance(about, dict) else ""
        raise InputError(
            f"it is a {said or 'file of another program'}, not a {kind}", where=where,
            fix=f"Take a model of the kind {kind}",
        )  # fmt: skip
    if about.get("format") != FORMAT:
        raise InputError(
            f"its format is {str(about.get('format'))[:20]}, this program reads {FORMAT}",
            where=where, fix="Update the program, or train the model again",
        )  # fmt: skip
    return about


def _broken(what: str, where: str) -> InputError:
    return InputError(
        f"it cannot be read as a model: {what}", where=where,
        fix="Train the model again, or take another file",
    )  # fmt: skip


def array_of(
    stored: Stored, name: str, dtype: str, shape: tuple[int | None, ...], where: str
) -> NDArray[Any]:
    """Return one array once its type and shape are as they should be.

    Parameters
    ----------
    stored
        As read.
    name, dtype
        Of the array.
    shape
        Its shape; None for any length.

    Raises
    ------
    InputError
        It is missing, or another.
    """
    array = stored.arrays.get(name)
    if array is None:
        raise _broken(f"the array {name!r} is missing", where)
    fits = len(shape) == array.ndim and all(
        wanted in (None, size) for wanted, size in zip(shape, array.shape, strict=False)
    )
    if array.dtype.name != dtype or not fits:
        raise _broken(f"the array {name!r} is {array.dtype.name} of {array.shape}", where)
    return np.ascontiguousarray(array)
