"""Dataclasses to facts and arrays, and back."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.codec import to_plain
from alsct_gui.model.errors import RemoteError

T = TypeVar("T")


def pack(value: Any) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Split a dataclass into plain facts and arrays, both by the names of its fields."""
    facts: dict[str, Any] = {}
    arrays: dict[str, NDArray[Any]] = {}
    for spec in fields(value):
        item = getattr(value, spec.name)
        if isinstance(item, np.ndarray):
            arrays[spec.name] = item
        else:
            facts[spec.name] = to_plain(item)
    return facts, arrays


def unpack(kind: type[T], facts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> T:
    """Build a dataclass from what `pack` made of one.

    Raises
    ------
    RemoteError
        It is not what `pack` makes of this class.
    """
    try:
        hints = get_type_hints(kind)
        values = {name: _build(hints[name], item) for name, item in facts.items()}
        return kind(**values, **arrays)
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise RemoteError(f"an answer is no {kind.__name__} ({error!r})"[:300]) from error


def _build(hint: Any, data: Any) -> Any:
    origin = get_origin(hint)
    if data is None or hint is Any or origin in (Literal, Mapping):
        return data
    if origin in (Union, types.UnionType):
        return _build(next(o for o in get_args(hint) if o is not type(None)), data)
    if origin is tuple:
        inner = get_args(hint)
        kinds = [inner[0]] * len(data) if inner[-1] is Ellipsis else inner
        return tuple(_build(kind, item) for kind, item in zip(kinds, data, strict=True))
    if is_dataclass(hint):
        hints = get_type_hints(hint)
        values = {name: _build(hints[name], item) for name, item in data.items()}
        return hint(**values)  # type: ignore[operator]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(data)
    return data
