"""The recipe's settings as data: what the panel shows, and how a value is read and written. Pure.

Types, bounds, choices and explanations come from `model.recipe`; the table here adds what only
people need: a noun, a place and a tier. A test walks every setting of the recipe.
"""

from __future__ import annotations

import ast
import inspect
import re
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from alsct_gui.model import recipe as recipe_module
from alsct_gui.model.recipe import BeamHardening, Phase, Recipe, Zingers

Kind = Literal["number", "integer", "choice", "switch", "pair", "numbers", "text", "group"]
Tier = Literal["simple", "more", "all"]
TIERS: tuple[Tier, ...] = ("simple", "more", "all")

UNSHOWN = {"version": "It tells the format of the file, and nothing of the reconstruction."}
"""Settings without a field, and why."""


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """One setting as people meet it."""

    path: str
    """As in `model.settings_path`."""
    section: str
    """Heading it stands under."""
    label: str
    """A noun."""
    unit: str
    """Of its value; empty for none."""
    tip: str
    """What it does, its unit, its bounds and its usual value."""
    kind: Kind
    """``group`` switches a part of the recipe on or off; ``numbers`` is a list of any length."""
    tier: Tier
    """From which tier on it is shown."""
    whole: bool = False
    """Whether the numbers of a pair are whole."""
    optional: bool = False
    """Whether it may be left open."""
    empty: str = ""
    """What is taken when it is left open."""
    minimum: float | None = None
    maximum: float | None = None
    odd: bool = False
    default: Any = None
    """Its usual value."""
    choices: tuple[tuple[Any, str], ...] = ()
    """Values and what they are called; empty for a choice that the machine decides."""
    shown_when: Callable[[Recipe], bool] = lambda _: True
    """Whether it matters with this recipe."""


@dataclass(frozen=True, slots=True)
class _Words:
    """What the table adds to a setting of the model."""

    section: str
    label: str
    tier: Tier = "all"
    unit: str = ""
    empty: str = ""
    choices: tuple[tuple[Any, str], ...] = ()
    when: Callable[[Recipe], bool] | None = None


RINGS, PHASE, ZINGERS = "Rings", "Phase retrieval", "Zingers"
CORRECTION, REGION, AXIS, ENGINE, OUTPUT, NAME = (
    "Correction", "Region", "Axis", "Engine", "Output", "Name"
)  # fmt: skip
SECTIONS = (RINGS, PHASE, ENGINE, CORRECTION, ZINGERS, AXIS, REGION, OUTPUT, NAME)

RING_CHOICES: tuple[tuple[str | None, str], ...] = (
    (None, "off"),
    ("sorting", "gentle: sorting"),
    ("wavelet-fourier", "standard: wavelet"),
    ("titarenko", "smooth: Titarenko"),
    ("vo-all", "strong: Vo, all"),
)
"""Ring filters from none to the strongest, as the simple tier offers them."""


def _rings(*methods: str) -> Callable[[Recipe], bool]:
    return lambda recipe: bool(recipe.rings) and recipe.rings[0].method in methods


def _engine(*names: str) -> Callable[[Recipe], bool]:
    return lambda recipe: recipe.engine.name in names


def _with_phase(recipe: Recipe) -> bool:
    return recipe.phase is not None


def _with_zingers(recipe: Recipe) -> bool:
    return recipe.zingers is not None


def _filters(recipe: Recipe) -> bool:
    return recipe.engine.name != "mbir"


def _iterates(recipe: Recipe) -> bool:
    return recipe.engine.name == "mbir" or recipe.engine.algorithm in ("sirt", "cgls")


_TABLE: dict[str, _Words] = {
    "rings.0.method": _Words(RINGS, "Rings", "simple", choices=RING_CHOICES),
    "rings.0.sigma": _Words(RINGS, "Width", "more", when=_rings("wavelet-fourier")),
    "rings.0.level": _Words(RINGS, "Levels", "more", when=_rings("wavelet-fourier")),
    "rings.0.wavelet": _Words(RINGS, "Wavelet", when=_rings("wavelet-fourier")),
    "rings.0.pad": _Words(RINGS, "Padding", when=_rings("wavelet-fourier")),
    "rings.0.snr": _Words(RINGS, "Stripe ratio", "more", when=_rings("vo-all")),
    "rings.0.size_large_px": _Words(RINGS, "Large window", "more", when=_rings("vo-all")),
    "rings.0.size_small_px": _Words(
        RINGS, "Small window", "more", when=_rings("vo-all", "sorting")
    ),
    "rings.0.alpha": _Words(RINGS, "Strength", "more", when=_rings("titarenko")),
    "rings.0.blocks": _Words(RINGS, "Blocks", when=_rings("titarenko")),
    "phase": _Words(PHASE, "Phase", "simple"),
    "phase.delta_beta": _Words(PHASE, "δ/β", "simple", when=_with_phase),
    "phase.distance_mm": _Words(PHASE, "Distance", empty="of the scan", when=_with_phase),
    "phase.energy_kev": _Words(PHASE, "Energy", empty="of the scan", when=_with_phase),
    "engine.name": _Words(ENGINE, "Engine", "more"),
    "engine.algorithm": _Words(ENGINE, "Algorithm", "all"),
    "engine.filter": _Words(ENGINE, "Filter", "more", when=_filters),
    "engine.cutoff": _Words(ENGINE, "Cut-off", "more", when=_filters),
    "engine.order": _Words(
        ENGINE, "Order", when=lambda r: _filters(r) and r.engine.filter == "butterworth"
    ),
    "engine.padding": _Words(ENGINE, "Padding", "more"),
    "engine.iterations": _Words(ENGINE, "Iterations", "more", when=_iterates),
    "engine.snr_db": _Words(ENGINE, "Signal/noise", "more", when=_engine("mbir")),
    "engine.sharpness": _Words(ENGINE, "Sharpness", "more", when=_engine("mbir")),
    "engine.p": _Words(ENGINE, "Exponent p", when=_engine("mbir")),
    "engine.q": _Words(ENGINE, "Exponent q", when=_engine("mbir")),
    "engine.t": _Words(ENGINE, "Threshold T", when=_engine("mbir")),
    "correction.flat_interpolation": _Words(CORRECTION, "Flats", "more"),
    "correction.bad_frames": _Words(CORRECTION, "Bad frames", "more"),
    "correction.beam_current": _Words(CORRECTION, "Ring current", "more"),
    "correction.background_columns": _Words(CORRECTION, "Air at edges", "more", "px"),
    "correction.transmission_min": _Words(CORRECTION, "Least transm.", "all"),
    "beam_hardening": _Words(CORRECTION, "Hardening", "all"),
    "beam_hardening.coefficients": _Words(
        CORRECTION, "Coefficients", when=lambda r: r.beam_hardening is not None
    ),
    "zingers": _Words(ZINGERS, "Zingers", "more"),
    "zingers.size_px": _Words(ZINGERS, "Window", "more", when=_with_zingers),
    "zingers.threshold": _Words(ZINGERS, "Threshold", "more", when=_with_zingers),
    "rotation.tilt_deg": _Words(AXIS, "Tilt", "more"),
    "rotation.kind": _Words(AXIS, "Turn", "all"),
    "rotation.reverse": _Words(AXIS, "Reversed", "all"),
    "center.method": _Words(AXIS, "Method", "all"),
    "center.center_px": _Words(AXIS, "Centre", "all", empty="to be found"),
    "center.search_px": _Words(AXIS, "Search range", "all", empty="wide"),
    "region.binning": _Words(REGION, "Binning", "more", "px"),
    "region.rows": _Words(REGION, "Rows", "more", empty="all"),
    "region.columns": _Words(REGION, "Columns", empty="all"),
    "region.angles": _Words(REGION, "Projections", empty="all"),
    "region.angle_step": _Words(REGION, "View step"),
    "region.row_step": _Words(REGION, "Row step"),
    "output.format": _Words(OUTPUT, "Format", "more"),
    "output.dtype": _Words(OUTPUT, "Type", "more"),
    "output.value_range": _Words(
        OUTPUT, "Value range", "more", empty="found", when=lambda r: r.output.dtype != "float32"
    ),
    "output.circular_mask": _Words(OUTPUT, "Circular mask"),
    "output.units": _Words(OUTPUT, "Units"),
    "name": _Words(NAME, "Name"),
    "description": _Words(NAME, "Description"),
}

_GROUPS: dict[str, type] = {"phase": Phase, "zingers": Zingers, "beam_hardening": BeamHardening}
_UNITS = {"px": "px", "mm": "mm", "kev": "keV", "deg": "°", "db": "dB"}


def all_paths(kind: type = Recipe, prefix: str = "") -> Iterator[str]:
    """Walk every setting of the recipe by its path; optional parts are paths of their own."""
    for item, hint in _typed(kind):
        path, inner = f"{prefix}{item.name}", _without_none(hint)
        if get_origin(inner) is tuple and is_dataclass(get_args(inner)[0]):
            yield from all_paths(get_args(inner)[0], f"{path}.0.")
        elif is_dataclass(inner):
            if inner is not hint:
                yield path
            yield from all_paths(inner, f"{path}.")  # type: ignore[arg-type]
        else:
            yield path


@cache
def all_fields() -> tuple[FieldInfo, ...]:
    """Return every field, by section and within it as the table has them."""
    made = [_field(path, words) for path, words in _TABLE.items()]
    return tuple(sorted(made, key=lambda info: SECTIONS.index(info.section)))


def field(path: str) -> FieldInfo:
    """Return a field by its path."""
    return next(info for info in all_fields() if info.path == path)


def shown_fields(recipe: Recipe, tier: Tier) -> tuple[FieldInfo, ...]:
    """Return what is shown in a tier with this recipe."""
    most = TIERS.index(tier)
    return tuple(
        info for info in all_fields()
        if TIERS.index(info.tier) <= most and info.shown_when(recipe)
    )  # fmt: skip


def sweepable(recipe: Recipe) -> tuple[FieldInfo, ...]:
    """Return the numeric fields that matter with this recipe, the centre first."""
    numeric = [
        info for info in all_fields()
        if info.kind in ("number", "integer") and info.shown_when(recipe)
    ]  # fmt: skip
    return tuple(sorted(numeric, key=lambda info: info.path != "center.center_px"))


def _field(path: str, words: _Words) -> FieldInfo:
    item, hint, doc = _place(path)
    kind, whole = _kind(path, hint)
    meta: Mapping[str, Any] = item.metadata
    optional = hint is not _without_none(hint)
    choices = words.choices or tuple((value, str(value)) for value in _literals(hint))
    default = item.default if item.default is not MISSING else None
    made = FieldInfo(
        path=path, section=words.section, label=words.label,
        unit=words.unit or _UNITS.get(path.rpartition("_")[2], ""), tip="", kind=kind,
        tier=words.tier, whole=whole, optional=optional, empty=words.empty,
        minimum=meta.get("min"), maximum=meta.get("max"), odd=bool(meta.get("odd")),
        default=default, choices=choices, shown_when=words.when or (lambda _: True),
    )  # fmt: skip
    return FieldInfo(**{**_values(made), "tip": _tip(made, doc)})


def _values(info: FieldInfo) -> dict[str, Any]:
    return {item.name: getattr(info, item.name) for item in fields(info)}


def _tip(info: FieldInfo, doc: str) -> str:
    """The model's words, then unit, bounds and usual value."""
    # What None stands for in the model is an empty field here.
    parts = [re.sub(r"; None [^.]*", "", doc) if doc else f"{info.label}."]
    if info.unit:
        parts.append(f"In {'degrees' if info.unit == '°' else info.unit}.")
    if info.minimum is not None and info.maximum is not None:
        parts.append(f"From {info.minimum:g} to {info.maximum:g}{', odd' if info.odd else ''}.")
    elif info.minimum is not None:
        parts.append(f"At least {info.minimum:g}.")
    if info.optional and info.empty:
        parts.append(f"Empty: {info.empty}.")
    elif info.kind in ("number", "integer", "choice") and info.default not in (None, ""):
        usual = info.default
        parts.append(f"Usually {usual if isinstance(usual, str) else format(usual, 'g')}.")
    return " ".join(parts)


def _kind(path: str, hint: Any) -> tuple[Kind, bool]:
    inner = _without_none(hint)
    if path in _GROUPS:
        return "group", False
    if get_origin(inner) is Literal or path in ("engine.name", "engine.algorithm"):
        return "choice", False
    if get_origin(inner) is tuple:
        arguments = get_args(inner)
        if arguments[-1] is Ellipsis:
            return "numbers", False
        return "pair", arguments[0] is int
    kinds: dict[type, Kind] = {bool: "switch", int: "integer", float: "number", str: "text"}
    return kinds[inner], inner is int


def _place(path: str) -> tuple[Field[Any], Any, str]:
    """Find a setting in the model: its dataclass field, its type, its explanation."""
    kind: Any = Recipe
    keys = [key for key in path.split(".") if not key.isdigit()]
    for key in keys[:-1]:
        inner = _without_none(dict(_hints(kind))[key])
        kind = get_args(inner)[0] if get_origin(inner) is tuple else inner
    item = next(f for f in fields(kind) if f.name == keys[-1])
    doc = inspect.getdoc(_GROUPS[path]) if path in _GROUPS else None
    return item, _hints(kind)[keys[-1]], doc or _docs().get((kind.__name__, keys[-1]), "")


@cache
def _docs() -> dict[tuple[str, str], str]:
    """The texts below the model's fields, which Python itself does not keep."""
    found = {}
    for node in ast.parse(inspect.getsource(recipe_module)).body:
        if not isinstance(node, ast.ClassDef):
            continue
        for item, text in zip(node.body, node.body[1:], strict=False):
            if (
                isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
                and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
            ):  # fmt: skip
                words = " ".join(str(text.value.value).split()).replace("``", "")
                found[node.name, item.target.id] = words.replace("`", "")
    return found


def _typed(kind: type) -> Iterator[tuple[Field[Any], Any]]:
    hints = _hints(kind)
    for item in fields(kind):
        yield item, hints[item.name]


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _without_none(hint: Any) -> Any:
    if get_origin(hint) in (Union, types.UnionType):
        return next(option for option in get_args(hint) if option is not type(None))
    return hint


def _literals(hint: Any) -> tuple[Any, ...]:
    inner = _without_none(hint)
    return get_args(inner) if get_origin(inner) is Literal else ()


def further_rings_words(recipe: Recipe) -> str:
    """Say which ring filters follow the one that has fields; empty when there are none."""
    further = recipe.rings[1:]
    if not further:
        return ""
    noun = "filter follows" if len(further) == 1 else "filters follow"
    names = ", then ".join(dict(RING_CHOICES).get(step.method, step.method) for step in further)
    return f"{len(further)} more {noun}: {names}. The recipe as text (All) changes them."
