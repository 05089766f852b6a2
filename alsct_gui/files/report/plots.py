"""Plots as a few lines, rectangles and words, which HTML and PDF draw each in their way."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from alsct_gui.files.report.content import Plot, Series

Float64Array = NDArray[np.float64]
Anchor = Literal["start", "middle", "end"]

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Told apart by colour-blind people too (Okabe and Ito)."""
INK, QUIET, GRID = "#22262b", "#6b737c", "#dfe3e8"

_MOST_POINTS = 2000
_LEFT, _RIGHT, _TOP, _BOTTOM = 64.0, 14.0, 14.0, 44.0
_CHARACTER = 6.2
"""Width of a small letter."""


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line through points (x, y), y downwards."""

    points: tuple[tuple[float, float], ...]
    colour: str
    width: float = 1.5


@dataclass(frozen=True, slots=True)
class Area:
    """A filled rectangle."""

    x: float
    y: float
    width: float
    height: float
    colour: str


@dataclass(frozen=True, slots=True)
class Dot:
    """A filled circle."""

    x: float
    y: float
    radius: float
    colour: str


@dataclass(frozen=True, slots=True)
class Word:
    """Text on a base line."""

    x: float
    y: float
    text: str
    anchor: Anchor = "start"
    colour: str = INK
    upright: bool = False
    """Turned by a quarter, to be read from the right."""


Mark = Stroke | Area | Dot | Word


@dataclass(frozen=True, slots=True)
class _Axis:
    low: float
    high: float
    start: float
    """Where `low` is drawn."""
    end: float

    def place(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


def draw(plot: Plot, width: float = 640.0, height: float = 300.0) -> list[Mark]:
    """Return the marks of a plot, from the back to the front, in a box of a size."""
    legend = [item for item in plot.series if item.name]
    top = _TOP + (18.0 if legend else 0.0)
    across = _axis(
        [item.x for item in plot.series], plot.x_from_zero, _LEFT, width - _RIGHT, tight=True
    )
    along = _axis(
        [item.y for item in plot.series], plot.y_from_zero, height - _BOTTOM, top, tight=False
    )
    marks: list[Mark] = [*_frame(plot, across, along, width, height)]
    for index, series in enumerate(plot.series):
        marks += _series(series, across, along, COLOURS[index % len(COLOURS)])
    x = _LEFT
    for item in legend:
        colour = COLOURS[list(plot.series).index(item) % len(COLOURS)]
        marks.append(Area(x, _TOP - 4, 14, 8, colour))
        marks.append(Word(x + 20, _TOP + 4, item.name, colour=INK))
        x += 20 + _CHARACTER * len(item.name) + 20
    return marks


def ticks(low: float, high: float, wanted: int = 6) -> list[float]:
    """Return round numbers between two bounds."""
    span = high - low
    rough = span / max(1, wanted)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    first = math.ceil(low / step - 1e-9)
    return [index * step for index in range(first, math.floor(high / step + 1e-9) + 1)]


def number(value: float, step: float = 0.0) -> str:
    """Return a number as short as its step allows."""
    if value == 0:
        return "0"
    if abs(value) >= 1e5 or abs(value) < 1e-3:
        return f"{value:.3g}"
    digits = max(0, -math.floor(math.log10(step) + 1e-9)) if step > 0 else 3
    return f"{value:,.{digits}f}"


def _axis(
    values: Sequence[Float64Array], from_zero: bool, start: float, end: float, *, tight: bool
) -> _Axis:
    known = np.concatenate(
        [np.asarray(item, np.float64).ravel() for item in values] or [np.empty(0)]
    )
    known = known[np.isfinite(known)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    if from_zero:
        low, high = min(0.0, low), max(0.0, high)
    if high <= low:
        # All values are one: an axis of some length about it.
        half = abs(low) / 10 or 0.5
        low, high = low - half, high + half
    if not tight:
        room = 0.06 * (high - low)
        low, high = (low if low == 0 and from_zero else low - room), high + room
    return _Axis(low, high, start, end)


def _frame(plot: Plot, across: _Axis, along: _Axis, width: float, height: float) -> Iterator[Mark]:
    for axis, upright in ((along, True), (across, False)):
        marks = ticks(axis.low, axis.high, 5 if upright else 7)
        step = marks[1] - marks[0] if len(marks) > 1 else 0.0
        for value in marks:
            at = axis.place(value)
            if upright:
                yield Stroke(((across.start, at), (across.end, at)), GRID, 1)
                yield Word(across.start - 6, at + 4, number(value, step), "end", QUIET)
            else:
                yield Stroke(((at, along.start), (at, along.start + 4)), QUIET, 1)
                yield Word(at, along.start + 17, number(value, step), "middle", QUIET)
    yield Stroke(((across.start, along.start), (across.end, along.start)), QUIET, 1)
    yield Word((across.start + across.end) / 2, height - 8, plot.x_label, "middle", INK)
    yield Word(14, (along.start + along.end) / 2, plot.y_label, "middle", INK, upright=True)


def _series(series: Series, across: _Axis, along: _Axis, colour: str) -> Iterator[Mark]:
    if series.kind == "bars":
        for low, high, value in zip(series.x[:-1], series.x[1:], series.y, strict=True):
            if math.isfinite(value) and value != 0:
                left, right = across.place(float(low)), across.place(float(high))
                base, top = along.place(max(along.low, 0.0)), along.place(float(value))
                gap = min(1.0, 0.1 * (right - left))
                yield Area(
                    left + gap, min(base, top), right - left - 2 * gap, abs(base - top), colour
                )
        return
    step = max(1, math.ceil(len(series.x) / _MOST_POINTS))
    run: list[tuple[float, float]] = []
    for x, y in zip(series.x[::step], series.y[::step], strict=True):
        if math.isfinite(x) and math.isfinite(y):
            run.append((across.place(float(x)), along.place(float(y))))
        elif run:
            yield from _run(series, run, colour)
            run = []
    if run:
        yield from _run(series, run, colour)


def _run(series: Series, points: list[tuple[float, float]], colour: str) -> Iterator[Mark]:
    if series.kind == "points" or len(points) == 1:
        for x, y in points:
            yield Dot(x, y, 2.5, colour)
    else:
        yield Stroke(tuple(points), colour)
