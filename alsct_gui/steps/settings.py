"""Parameters of a step as data: what a form shows, and how a value is read.

A parameter type is a frozen dataclass::

    @dataclass(frozen=True, slots=True)
    class Median:
        size_px: int = setting(3, label="Window", unit="px", tier="newbie", min=3, max=15,
                               odd=True, help="Edge of the window.")

Its types may be int, float, bool, str, a Literal of texts, a tuple of numbers, and any of
these or None. ``__post_init__`` may refuse combinations with a `RecipeError`.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from dataclasses import field as dataclass_field
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from alsct_gui.model.codec import from_plain, to_plain

P = TypeVar("P")

Tier = Literal["newbie", "average", "power"]
TIERS: tuple[Tier, ...] = ("newbie", "average", "power")
SettingKind = Literal["number", "integer", "switch", "choice", "text", "numbers"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One parameter as people meet it."""

    name: str
    """Of the field, and the key in JSON."""
    kind: SettingKind
    label: str
    """A noun."""
    unit: str
    """Of its value; empty for none."""
    help: str
    """What it does; a sentence."""
    tier: Tier
    """From which tier on it is shown."""
    default: Any
    minimum: float | None = None
    maximum: float | None = None
    odd: bool = False
    optional: bool = False
    """Whether it may be None."""
    empty: str = ""
    """What is taken when it is None, for people."""
    choices: tuple[tuple[str, str], ...] = ()
    """Values and what they are called."""
    length: int | None = None
    """Of ``numbers``: how many; None for any."""
    whole: bool = False
    """Of ``numbers``: whether they are whole."""


def setting(
    default: Any,
    *,
    label: str = "",
    unit: str = "",
    help: str = "",  # noqa: A002 (the word of forms)
    tier: Tier = "average",
    min: float | None = None,  # noqa: A002 (as model.codec has it)
    max: float | None = None,  # noqa: A002
    odd: bool = False,
    empty: str = "",
    words: Mapping[str, str] | None = None,
) -> Any:
    """Make a field of a parameter type.

    Parameters
    ----------
    default
        Its usual value.
    label
        A noun; made of the field's name when empty.
    unit
        Of the value.
    help
        What it does.
    tier
        From which tier on it is shown.
    min, max, odd
        Bounds; checked wherever the value comes from.
    empty
        What None means, for people: "found in the volume".
    words
        What the values of a Literal are called.
    """
    rows = {
        "label": label, "unit": unit, "help": help, "tier": tier, "min": min, "max": max,
        "odd": odd, "empty": empty, "words": words,
    }  # fmt: skip
    return dataclass_field(
        default=default, metadata={key: value for key, value in rows.items() if value}
        | {key: value for key, value in {"min": min, "max": max}.items() if value is not None},
    )  # fmt: skip


def settings_of(parameters: type[Any]) -> tuple[Setting, ...]:
    """Return the parameters of a type in the order in which they were written."""
    hints = get_type_hints(parameters)
    return tuple(_setting(item, hints[item.name]) for item in fields(parameters))


def parameters_from(parameters: type[P], data: Any) -> P:
    """Build and check parameters from plain data (parsed JSON or YAML).

    Raises
    ------
    RecipeError
        Names what is wrong by its path, and what would be right.
    """
    return from_plain(parameters, data, where="parameters")


def parameters_to_plain(parameters: Any) -> dict[str, Any]:
    """Return plain data that `parameters_from` takes back unchanged."""
    plain: dict[str, Any] = to_plain(parameters)
    return plain


def _setting(item: Any, hint: Any) -> Setting:
    inner = _without_none(hint)
    meta: Mapping[str, Any] = item.metadata
    kind, length, whole = _kind(inner)
    words = meta.get("words", {})
    return Setting(
        name=item.name, kind=kind, label=meta.get("label") or _noun(item.name),
        unit=meta.get("unit", ""), help=meta.get("help", ""), tier=meta.get("tier", "average"),
        default=None if item.default is MISSING else item.default,
        minimum=meta.get("min"), maximum=meta.get("max"), odd=bool(meta.get("odd")),
        optional=inner is not hint, empty=meta.get("empty", ""),
        choices=tuple((str(value), words.get(value, str(value))) for value in get_args(inner))
        if kind == "choice" else (), length=length, whole=whole,
    )  # fmt: skip


def _kind(hint: Any) -> tuple[SettingKind, int | None, bool]:
    if get_origin(hint) is Literal:
        return "choice", None, False
    if get_origin(hint) is tuple:
        arguments = get_args(hint)
        length = None if arguments[-1] is Ellipsis else len(arguments)
        return "numbers", length, arguments[0] is int
    kinds: dict[Any, SettingKind] = {
        bool: "switch", int: "integer", float: "number", str: "text",
    }  # fmt: skip
    if hint not in kinds:
        raise TypeError(f"a parameter cannot be of type {hint}")
    return kinds[hint], None, hint is int


def _without_none(hint: Any) -> Any:
    if get_origin(hint) in (Union, types.UnionType):
        return next(option for option in get_args(hint) if option is not type(None))
    return hint


def _noun(name: str) -> str:
    """A field's name as a label: ``size_px`` becomes “Size”."""
    stem = name
    for ending in ("_px", "_um", "_deg", "_s", "_bytes", "_percent"):
        stem = stem.removesuffix(ending)
    return stem.replace("_", " ").capitalize()
