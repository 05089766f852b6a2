"""Scans against places over time, as a PNG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from alsct_gui.files.drawing import fit_text, font_of, save_png
from alsct_gui.model.placement import StateKind
from alsct_gui.simulator.story.history import GoalHistory, History, Mark, mark_of

_WIDTH_PX = 1600
_MARGIN_PX = 32
_SCAN_PX = 232
_PLACE_PX = 208
_ROW_PX = 24
_BAR_PX = 14
_GAP_PX = 16
_HEAD_PX = 104
_FOOT_PX = 88
_TITLE_PX = 24
_TEXT_PX = 15
_SMALL_PX = 13
_GROUND = (18, 20, 23)
_TEXT = (226, 229, 233)
_QUIET = (140, 147, 156)
_LINE = (44, 48, 54)
_DOWN = (74, 34, 30)
_DOWN_TEXT = (240, 140, 120)
_COLOURS = {
    # Told apart by lightness, too: dark waits, light is there.
    StateKind.WAITING: (74, 80, 88),
    StateKind.RETRY: (150, 110, 50),
    StateKind.BLOCKED: (196, 84, 72),
    StateKind.MOVING: (66, 128, 190),
    StateKind.MET: (112, 196, 150),
    StateKind.NOT_WANTED: (62, 104, 82),
}
_LEGEND = (
    (StateKind.WAITING, "waits"), (StateKind.MOVING, "under way"), (StateKind.MET, "there, seen"),
    (StateKind.NOT_WANTED, "there, not asked for any more"),
    (StateKind.RETRY, "failed, tried again"), (StateKind.BLOCKED, "wants a person"),
)  # fmt: skip
_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600)


def draw_history(
    history: History, names: Mapping[Mark, str], link: str, path: Path, *, title: str
) -> Path:
    """Draw every goal as a bar over time; returns the path.

    Parameters
    ----------
    history
        What happened.
    names
        What each goal is called; others are left out.
    link
        Link whose outages are shown as bands.
    path
        The PNG; an existing one is replaced.
    title
        A line on top.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    rows = [[goal for goal in scan.goals if mark_of(goal.key) in names] for scan in history.scans]
    order = list(names)
    rows = [sorted(goals, key=lambda goal: order.index(mark_of(goal.key))) for goals in rows]
    height = _HEAD_PX + _FOOT_PX + sum(len(goals) * _ROW_PX + _GAP_PX for goals in rows)
    sheet = Image.new("RGB", (_WIDTH_PX, height), _GROUND)
    draw = ImageDraw.Draw(sheet)
    draw.text((_MARGIN_PX, _MARGIN_PX), title, font=font_of(_TITLE_PX), fill=_TEXT)
    axis = _Axis(history.began_s, history.ended_s)
    bottom = height - _FOOT_PX
    _bands(draw, history, link, axis, bottom)
    _ticks(draw, axis, bottom)
    top = _HEAD_PX
    for scan, goals in zip(history.scans, rows, strict=True):
        stem = Path(scan.scan.path).stem
        sample = stem.split("_", 2)[-1] or stem  # after date and time
        name = fit_text(sample, font_of(_TEXT_PX), _SCAN_PX - _GAP_PX)
        draw.text((_MARGIN_PX, top), name, font=font_of(_TEXT_PX), fill=_TEXT)
        proposal = font_of(_SMALL_PX)
        draw.text((_MARGIN_PX, top + 22), scan.scan.proposal, font=proposal, fill=_QUIET)
        for goal in goals:
            _bar(draw, goal, names[mark_of(goal.key)], axis, top)
            top += _ROW_PX
        handed = axis.x(scan.handed_s)
        first = top - len(goals) * _ROW_PX
        draw.line((handed, first - 2, handed, top - 2), fill=_TEXT)
        top += _GAP_PX
        if top < bottom:
            draw.line((_MARGIN_PX, top - 11, _WIDTH_PX - _MARGIN_PX, top - 11), fill=_LINE)
    _legend(draw, height - _FOOT_PX + 52)
    save_png(sheet, path)
    return path


class _Axis:
    """From times to columns."""

    def __init__(self, began_s: float, ended_s: float) -> None:
        self.began_s, self.length_s = began_s, max(ended_s - began_s, 1.0)
        self.left = _MARGIN_PX + _SCAN_PX + _PLACE_PX
        self.right = _WIDTH_PX - _MARGIN_PX

    def x(self, time_s: float) -> int:
        """Column of a time."""
        share = (time_s - self.began_s) / self.length_s
        return round(self.left + share * (self.right - self.left))

    def ticks(self) -> Sequence[int]:
        """Round seconds since the beginning, about ten of them."""
        step = next((s for s in _STEPS_S if self.length_s / s <= 12), _STEPS_S[-1])
        return range(0, math.floor(self.length_s) + 1, step)


def _bands(
    draw: ImageDraw.ImageDraw, history: History, link: str, axis: _Axis, bottom: int
) -> None:
    for span in history.down(link):
        left, right = axis.x(span.since_s), axis.x(span.until_s)
        draw.rectangle((left, _HEAD_PX - 32, right, bottom), fill=_DOWN)
        words = f"{link.capitalize()} is down"
        draw.text((left + 8, _HEAD_PX - 28), words, font=font_of(_TEXT_PX), fill=_DOWN_TEXT)


def _ticks(draw: ImageDraw.ImageDraw, axis: _Axis, bottom: int) -> None:
    font = font_of(_SMALL_PX)
    for seconds in axis.ticks():
        x = axis.x(axis.began_s + seconds)
        draw.line((x, _HEAD_PX - 4, x, bottom), fill=_LINE)
        text = f"{seconds // 60}:{seconds % 60:02}"
        draw.text((x - draw.textlength(text, font=font) / 2, bottom + 6), text, font=font,
                  fill=_QUIET)  # fmt: skip


def _bar(draw: ImageDraw.ImageDraw, goal: GoalHistory, name: str, axis: _Axis, top: int) -> None:
    font = font_of(_TEXT_PX)
    draw.text((_MARGIN_PX + _SCAN_PX, top), fit_text(name, font, _PLACE_PX - _GAP_PX), font=font,
              fill=_QUIET)  # fmt: skip
    middle = top + _ROW_PX // 2 - 2
    for span in goal.spans:
        colour = _COLOURS.get(StateKind(span.state))
        gone = span.state == StateKind.NOT_WANTED and goal.evidence is None
        if colour is None or gone:
            continue
        # What only waits is thin: the eye goes to what happens.
        half = 2 if span.state == StateKind.WAITING else _BAR_PX // 2
        left, right = axis.x(span.since_s), axis.x(span.until_s)
        draw.rectangle((left, middle - half, max(left, right - 1), middle + half), fill=colour)


def _legend(draw: ImageDraw.ImageDraw, top: int) -> None:
    font, left = font_of(_TEXT_PX), _MARGIN_PX
    for kind, words in _LEGEND:
        half = 2 if kind is StateKind.WAITING else _BAR_PX // 2
        draw.rectangle((left, top + 9 - half, left + 28, top + 9 + half), fill=_COLOURS[kind])
        draw.text((left + 38, top), words, font=font, fill=_QUIET)
        left += 38 + math.ceil(draw.textlength(words, font=font)) + 40
    draw.line((left + 4, top, left + 4, top + 18), fill=_TEXT)
    draw.text((left + 16, top), "the scan arrives", font=font, fill=_QUIET)
