"""What a sweep tries: sensible ranges, the values, their words, the way about the sheet. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from alsct_gui.model.errors import RecipeError
from alsct_gui.model.recipe import Recipe
from alsct_gui.ui.reconstruct.fields import FieldInfo
from alsct_gui.ui.reconstruct.values import changed, short_sentence, value_at

MOST_PICTURES = 200
"""As the desk takes them."""
USUAL_COUNT = 9


@dataclass(frozen=True, slots=True)
class Span:
    """One parameter of a sweep."""

    info: FieldInfo
    start: float
    stop: float
    count: int

    @property
    def values(self) -> tuple[Any, ...]:
        """The values, both ends among them; whole ones where the setting is whole."""
        if self.count < 2:
            return (self._fit(self.start),)
        step = (self.stop - self.start) / (self.count - 1)
        return tuple(dict.fromkeys(self._fit(self.start + k * step) for k in range(self.count)))

    def _fit(self, value: float) -> Any:
        if self.info.kind != "integer":
            return round(value, 6)
        whole = round(value)
        return whole + 1 if self.info.odd and whole % 2 == 0 else whole


def usual_span(info: FieldInfo, recipe: Recipe, center_px: float | None) -> Span:
    """Return a sensible range around the present value.

    Parameters
    ----------
    info
        The setting.
    recipe
        As it is now.
    center_px
        Where the axis is, for a sweep of the centre that the recipe leaves open.
    """
    value = value_at(recipe, info.path)
    if info.path == "center.center_px":
        middle = round((value if value is not None else center_px or 0.0) * 2) / 2
        return Span(info, middle - 4, middle + 4, 17)
    if value is None:
        value = info.default if info.default is not None else 1.0
    if info.kind == "integer":
        reach = max(2, round(abs(value) / 2))
        start, stop = value - reach, value + reach
    elif info.path == "phase.delta_beta":
        start, stop = value / 4, value * 2
    elif info.path == "rotation.tilt_deg":
        start, stop = value - 0.5, value + 0.5
    elif value == 0:
        start, stop = -1.0, 1.0
    else:
        start, stop = value - abs(value) / 2, value + abs(value) / 2
    if info.minimum is not None:
        start = max(info.minimum, start)
    if info.maximum is not None:
        stop = min(info.maximum, stop)
    count = USUAL_COUNT
    if info.kind == "integer":
        count = max(2, min(USUAL_COUNT, round(stop - start) // (2 if info.odd else 1) + 1))
    return Span(info, round(start, 4), round(stop, 4), count)


def trouble(recipe: Recipe, spans: tuple[Span, ...]) -> str:
    """Return why these cannot be swept, a sentence; empty when they can."""
    if not spans:
        return "Choose a parameter."
    if len(spans) == 2 and spans[0].info.path == spans[1].info.path:
        return "Choose two different parameters."
    count = 1
    for span in spans:
        if span.count < 2 or span.start == span.stop:
            return f"{span.info.label}: give two values or more, from the first to the last."
        for end in (span.values[0], span.values[-1]):
            try:
                changed(recipe, span.info, end)
            except RecipeError as error:
                return f"{span.info.label}: {short_sentence(error)}"
        count *= len(span.values)
    if count > MOST_PICTURES:
        return f"These are {count} pictures; {MOST_PICTURES} are the most. Take fewer values."
    return ""


def value_words(info: FieldInfo, value: Any) -> str:
    """Write a value as it stands on its picture: ``1283.25 px``."""
    if info.path == "center.center_px":
        return f"{value:.2f} px"
    text = f"{value:.5g}" if isinstance(value, float) else str(value)
    return f"{text} {info.unit}".strip()


def pictures_words(spans: tuple[Span, ...]) -> str:
    """Say how many pictures there will be: ``17 pictures``, ``5 × 7 = 35 pictures``."""
    counts = [len(span.values) for span in spans]
    if len(counts) == 2:
        return f"{counts[0]} × {counts[1]} = {counts[0] * counts[1]} pictures"
    return f"{counts[0]} pictures" if counts else ""


def nearest(grid: Sequence[Sequence[float]], present: Sequence[float]) -> int:
    """Return the picture whose values are nearest to the present ones, each by its own range."""
    spans = [
        max(max(values[k] for values in grid) - min(values[k] for values in grid), 1e-12)
        for k in range(len(present))
    ]

    def away(index: int) -> float:
        sides = zip(grid[index], present, spans, strict=True)
        return sum(abs(value - now) / span for value, now, span in sides)

    return min(range(len(grid)), key=away)


def moved(index: int, key: str, columns: int, count: int) -> int:
    """Return the picture that an arrow key leads to; stays where there is none."""
    step = {"left": -1, "right": 1, "up": -columns, "down": columns}[key]
    target = index + step  # past the end of a line the next one goes on, as when one reads
    return target if 0 <= target < count else index


def sheet_columns(count: int, width_px: int, height_px: int) -> int:
    """Return how many pictures stand side by side so that all are as large as can be."""
    best, best_edge = 1, 0.0
    for columns in range(1, count + 1):
        rows = -(-count // columns)
        edge = min(width_px / columns, height_px / rows)
        if edge > best_edge + 1e-9:
            best, best_edge = columns, edge
    return best
