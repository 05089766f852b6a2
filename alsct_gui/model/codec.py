"""Dataclasses to plain data and back, refusing what does not fit by its path."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from difflib import get_close_matches
from enum import Enum
from math import isfinite
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from alsct_gui.model.errors import RecipeError

T = TypeVar("T")


def to_plain(value: Any) -> Any:
    """Turn a dataclass tree into dicts, lists, numbers, strings and None."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, tuple | list):
        return [to_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    return value.value if isinstance(value, Enum) else value


def from_plain(kind: type[T], data: Any, *, where: str = "recipe") -> T:
    """Build a dataclass from plain data.

    Parameters
    ----------
    kind
        A dataclass; ``metadata`` of its fields may hold ``min``, ``max`` and ``odd``.
    data
        What a JSON or YAML file held.
    where
        Path to say in errors.

    Raises
    ------
    RecipeError
        Unknown key, wrong type, or a value out of bounds; names its path.
    """
    if not isinstance(data, Mapping):
        raise RecipeError(f"expected a group of settings, found {_say(data)}", where=where)
    hints = get_type_hints(kind)
    known = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]
    for key in data:
        if key not in known:
            near = get_close_matches(str(key), known, n=1)
            fix = f"Did you mean {near[0]!r}" if near else f"Known: {', '.join(known)}"
            raise RecipeError(f"unknown setting {str(key)[:80]!r}", where=where, fix=fix)
    values: dict[str, Any] = {}
    for name, spec in known.items():
        if name in data:
            path = f"{where}.{name}"
            value = _convert(hints[name], data[name], path)
            _check_bounds(value, spec.metadata, path)
            values[name] = value
        elif spec.default is MISSING and spec.default_factory is MISSING:
            raise RecipeError("is required", where=f"{where}.{name}")
    return kind(**values)


def _convert(hint: Any, data: Any, where: str) -> Any:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        inner = [option for option in get_args(hint) if option is not type(None)]
        if data is None:
            return None
        return _convert(inner[0], data, where)
    if origin is Literal:
        options = get_args(hint)
        if data in options and not isinstance(data, bool):
            return data
        raise RecipeError(
            f"{_say(data)} is not a choice", where=where, fix=f"Take one of {_list(options)}"
        )
    if origin is tuple:
        return _convert_tuple(get_args(hint), data, where)
    if origin is Mapping:
        return _convert_mapping(get_args(hint)[1], data, where)
    if isinstance(hint, type) and issubclass(hint, Enum):
        options = tuple(member.value for member in hint)
        return hint(_convert(Literal[options], data, where))
    if is_dataclass(hint):
        return from_plain(hint, data, where=where)  # type: ignore[arg-type]
    return _convert_scalar(hint, data, where)


def _convert_tuple(arguments: tuple[Any, ...], data: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(data, list | tuple):
        raise RecipeError(f"expected a list, found {_say(data)}", where=where)
    if arguments[-1] is Ellipsis:
        return tuple(_convert(arguments[0], v, f"{where}[{i}]") for i, v in enumerate(data))
    if len(data) != len(arguments):
        raise RecipeError(f"expected {len(arguments)} values, found {len(data)}", where=where)
    return tuple(_convert(a, v, where) for a, v in zip(arguments, data, strict=True))


def _convert_mapping(kind: Any, data: Any, where: str) -> dict[str, Any]:
    if not isinstance(data, Mapping):
        raise RecipeError(f"expected names and values, found {_say(data)}", where=where)
    return {
        _convert(str, key, where): _convert(kind, item, f"{where}.{str(key)[:80]}")
        for key, item in data.items()
    }


def _convert_scalar(kind: type, data: Any, where: str) -> Any:
    # YAML and JSON write 3 for 3.0; the other way round is a mistake worth saying.
    if kind is float and isinstance(data, int | float) and not isinstance(data, bool):
        if not isfinite(data):
            raise RecipeError("must be a finite number", where=where)
        return float(data)
    if kind is int and isinstance(data, float) and data.is_integer():
        return int(data)
    if isinstance(data, kind) and not (kind is int and isinstance(data, bool)):
        return data
    names = {float: "a number", int: "a whole number", str: "text", bool: "true or false"}
    raise RecipeError(f"expected {names.get(kind, kind.__name__)}, found {_say(data)}", where=where)


def _check_bounds(value: Any, metadata: Mapping[str, Any], where: str) -> None:
    if value is None:
        return
    if "min" in metadata and value < metadata["min"]:
        raise RecipeError(f"{value} is too small", where=where, fix=f"Least: {metadata['min']}")
    if "max" in metadata and value > metadata["max"]:
        raise RecipeError(f"{value} is too large", where=where, fix=f"Most: {metadata['max']}")
    if metadata.get("odd") and value % 2 == 0:
        raise RecipeError(f"{value} is even", where=where, fix="Take an odd number")


def _list(options: tuple[Any, ...]) -> str:
    return ", ".join(str(option) for option in options)


def _say(data: Any) -> str:
    return repr(data)[:80]
