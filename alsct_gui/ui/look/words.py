"""Figures as they are shown, and as they are copied. Pure."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence

import numpy as np

from alsct_gui.files.masks import ValueMask
from alsct_gui.ui.look.profiles import Histogram, Profile, Statistics

NOTHING = "–"
_THIN = "\N{NARROW NO-BREAK SPACE}"

Row = tuple[str, str]
"""A noun, and its value with the unit."""


def figure(value: float | None, unit: str = "", digits: int = 4) -> str:
    """Say a value to some significant digits: ``0.4123 1/cm``."""
    if value is None or not math.isfinite(value):
        return NOTHING
    text = f"{value:.{digits}g}"
    if 10**digits <= abs(value) < 1e7:
        text = f"{value:,.0f}".replace(",", _THIN)
    return f"{text}{_THIN}{unit}".rstrip() if unit else text


def number(count: int) -> str:
    """Say a number of things with its thousands apart: ``1 204``."""
    return f"{count:,}".replace(",", _THIN)


def length_words(length: float, unit: str) -> str:
    """Say a length: ``812.4 µm``, ``3.25 mm``."""
    if unit == "µm" and abs(length) >= 10_000:
        return figure(length / 1000, "mm")
    return figure(length, unit)


def share_words(part: int, whole: int) -> str:
    """Say a share: ``0.02 %``, and never nothing for something."""
    share = 100 * part / whole if whole else 0.0
    if part and share < 0.01:
        return "under 0.01 %"
    return f"{share:.2f} %" if share < 10 else f"{share:.0f} %"


def mask_words(mask: ValueMask) -> str:
    """Say what cannot be: ``1 204 negative values (0.02 %), no NaN``."""
    whole = mask.labels.size

    def said(count: int, one: str, many: str, none: str) -> str:
        if not count:
            return none
        noun = one if count == 1 else many
        return f"{number(count)} {noun} ({share_words(count, whole)})"

    negative = said(mask.n_negative, "negative value", "negative values", "no negative values")
    missing = said(mask.n_not_finite, "NaN or infinite value", "NaN or infinite values", "no NaN")
    return f"{negative}, {missing}"


def bin_words(found: Histogram, value: float, unit: str) -> str:
    """Say how often a value occurs; empty beside the histogram."""
    edges = found.edges
    if not found.n_sample or not edges[0] <= value < edges[-1]:
        return ""
    place = int(((value - edges[0]) / (edges[-1] - edges[0])) * found.counts.size)
    count = int(found.counts[min(place, found.counts.size - 1)])
    noun = "pixel" if count == 1 else "pixels"
    share = share_words(count, found.n_sample)
    return f"{figure(value, unit)} · {number(count)} {noun} · {share}"


def statistics_rows(found: Statistics, unit: str) -> tuple[Row, ...]:
    """Figures of a region for a table."""
    size = f"{number(found.columns)} × {number(found.rows)} px"
    rows: list[Row] = [
        ("Mean", figure(found.mean, unit, 5)),
        ("Deviation", figure(found.std, unit)),
        ("Median", figure(found.median, unit, 5)),
        ("Minimum", figure(found.minimum, unit)),
        ("Maximum", figure(found.maximum, unit)),
        ("Pixels", number(found.n)),
        ("Without value", number(found.n_missing)),
        ("Size", size),
    ]
    if found.area_um2 is not None and found.width_um is not None and found.height_um is not None:
        width, height = length_words(found.width_um, "µm"), length_words(found.height_um, "µm")
        rows[-1:] = [("Width", width), ("Height", height), ("Area", area_words(found.area_um2))]
    return tuple(rows)


def area_words(area_um2: float) -> str:
    """Say an area: ``1 250 µm²``, ``2.4 mm²``."""
    if area_um2 >= 1e5:
        return figure(area_um2 / 1e6, "mm²")
    return figure(area_um2, "µm²")


def profile_rows(profile: Profile, unit: str, noun: str = "Length") -> tuple[Row, ...]:
    """What a profile amounts to: its length and the values along it."""
    known = profile.values[np.isfinite(profile.values)]
    some = bool(known.size)
    return (
        (noun, length_words(float(profile.distance[-1]), profile.length_unit)),
        ("Mean", figure(float(known.mean()) if some else None, unit, 5)),
        ("Deviation", figure(float(known.std()) if some else None, unit)),
        ("Minimum", figure(float(known.min()) if some else None, unit)),
        ("Maximum", figure(float(known.max()) if some else None, unit)),
    )


def profile_table(profile: Profile, unit: str) -> list[list[str]]:
    """Header and rows of a profile, for copying and for files."""
    value = f"value ({unit})" if unit else "value"
    header = [f"distance ({profile.length_unit})", value]
    columns: list[Sequence[float]] = [profile.distance.tolist(), profile.values.tolist()]
    if profile.deviation is not None and profile.counts is not None:
        header += [value.replace("value", "standard deviation"), "pixels"]
        columns += [profile.deviation.tolist(), profile.counts.tolist()]
    return [header, *([_plain(item) for item in row] for row in zip(*columns, strict=True))]


def statistics_table(found: Statistics, unit: str) -> list[list[str]]:
    """Header and one row of figures, for copying and for files."""
    of = f" ({unit})" if unit else ""
    table = [
        ("mean" + of, found.mean), ("standard deviation" + of, found.std),
        ("median" + of, found.median), ("minimum" + of, found.minimum),
        ("maximum" + of, found.maximum), ("pixels", found.n),
        ("pixels without value", found.n_missing), ("columns", found.columns),
        ("rows", found.rows),
    ]  # fmt: skip
    if found.area_um2 is not None:
        table.append(("area (µm²)", found.area_um2))
    return [[name for name, _ in table], [_plain(value) for _, value in table]]


def as_tabs(table: Sequence[Sequence[str]]) -> str:
    """Text for a clipboard: columns apart by tabs, as spreadsheets take them."""
    return "".join("\t".join(row) + "\n" for row in table)


def as_csv(table: Sequence[Sequence[str]]) -> str:
    """Text for a file."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(table)
    return text.getvalue()


def _plain(value: float) -> str:
    return repr(value) if isinstance(value, int) else f"{value:.9g}"
