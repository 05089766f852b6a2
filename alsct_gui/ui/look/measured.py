"""What a figure over a picture measures. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from alsct_gui.ui.look.figures import Kind, Place
from alsct_gui.ui.look.profiles import (
    Histogram,
    Profile,
    Statistics,
    histogram,
    line_profile,
    radial_profile,
    region_of,
    region_statistics,
)
from alsct_gui.ui.look.words import (
    Row,
    profile_rows,
    profile_table,
    statistics_rows,
    statistics_table,
)
from alsct_gui.ui.picture import Picture


@dataclass(frozen=True, eq=False)
class Question:
    """What is to be measured."""

    picture: Picture
    kind: Kind
    first: Place
    """In pixels of the picture."""
    second: Place
    width_px: int = 1
    """Over which a line averages."""


@dataclass(frozen=True, eq=False)
class Measured:
    """What was measured."""

    kind: Kind
    title: str
    """Of the picture."""
    unit: str
    """Of the values."""
    rows: tuple[Row, ...]
    """Figures for people."""
    table: list[list[str]]
    """Header and rows for copying."""
    profile: Profile | None = None
    """Of a line or a circle."""
    histogram: Histogram | None = None
    """Of a region; None when it holds no pixel."""
    statistics: Statistics | None = None
    """Of a region."""


def measure(question: Question) -> Measured:
    """Measure in a picture."""
    picture, first, second = question.picture, question.first, question.second
    image, edges, unit = picture.image, picture.pixel_um, picture.units
    if question.kind is Kind.REGION:
        found = region_statistics(image, first, second, edges)
        part = region_of(image, first, second)
        return Measured(
            question.kind, picture.title, unit, statistics_rows(found, unit),
            statistics_table(found, unit), statistics=found,
            histogram=histogram(part, bins=128) if part.size else None,
        )  # fmt: skip
    if question.kind is Kind.RADIAL:
        edge_row, edge_column = edges or (1.0, 1.0)
        down, across = second[0] - first[0], second[1] - first[1]
        radius_px = math.hypot(down * edge_row, across * edge_column) / edge_column
        profile = radial_profile(image, first, radius_px, edges)
    else:
        profile = line_profile(image, first, second, question.width_px, edges)
    noun = "Radius" if question.kind is Kind.RADIAL else "Length"
    return Measured(
        question.kind, picture.title, unit, profile_rows(profile, unit, noun),
        profile_table(profile, unit), profile=profile,
    )  # fmt: skip
