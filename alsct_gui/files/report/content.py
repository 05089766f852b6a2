"""What a report consists of: plain data, the same for HTML and PDF."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Float64Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Heading:
    """Title of a part."""

    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Figures of the whole, one a line."""

    rows: Sequence[tuple[str, str]]
    """Name, and value with its unit."""


@dataclass(frozen=True, slots=True)
class Rows:
    """A table as people read it."""

    heads: Sequence[str]
    """Names of the columns, with their units."""
    cells: Sequence[Sequence[str]]
    caption: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """An image."""

    pixels: NDArray[np.uint8]
    """Shape (y, x), or (y, x, 3) for red, green and blue."""
    caption: str = ""
    pixel_um: float | None = None
    """Edge of a pixel, for a scale bar; None leaves it out."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """Images side by side."""

    pictures: Sequence[Picture]


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """A curve, bars or points of a plot; what is not finite is left out."""

    name: str
    """For the legend; empty for none."""
    x: Float64Array
    """Shape (n,). Of bars: where they begin, and where the last one ends, shape (n + 1,)."""
    y: Float64Array
    """Shape (n,)."""
    kind: Literal["line", "bars", "points"] = "line"


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot with two axes."""

    x_label: str
    """With the unit."""
    y_label: str
    series: Sequence[Series]
    caption: str = ""
    x_from_zero: bool = False
    y_from_zero: bool = True


Block = Heading | Text | Facts | Rows | Picture | Pictures | Plot


@dataclass(frozen=True, slots=True)
class Report:
    """A report."""

    title: str
    sentence: str
    """What was measured, on what."""
    blocks: Sequence[Block] = field(default_factory=tuple)
    made: Mapping[str, Any] = field(default_factory=dict)
    """Provenance as plain data: recipe, versions, inputs with their checksums."""
