"""The viewer's decisions, without a window."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alsct_gui.recon.desk.answers import Look
from alsct_gui.ui.session import Mode
from alsct_gui.ui.viewer import words
from alsct_gui.ui.viewer.contrast import Contrast, ordered
from alsct_gui.ui.viewer.overlay import FIRST_RGB, SECOND_RGB, mirror_offset_px
from alsct_gui.ui.viewer.resolution import COARSE, Pace
from alsct_gui.ui.viewer.situation import NOTHING, STARTING, cover_for

finite = st.floats(-1e6, 1e6)


def test_contrast_follows_the_picture_until_it_is_set() -> None:
    contrast = Contrast()
    assert contrast.of("raw", 1, 2) == (1, 2)
    assert contrast.of("raw", 3, 4) == (3, 4)
    contrast.set("raw", 0, 10)
    assert contrast.of("raw", 5, 6) == (0, 10)
    assert contrast.of("corrected", 5, 6) == (5, 6)
    contrast.reset("raw")
    assert contrast.of("raw", 5, 6) == (5, 6)
    contrast.set("raw", 0, 10)
    contrast.forget()
    assert not contrast.is_set("raw")


@given(st.floats(), st.floats())
def test_limits_are_always_drawable(low: float, high: float) -> None:
    first, second = ordered(low, high)
    assert math.isfinite(first)
    assert math.isfinite(second)
    assert first < second


@given(st.floats(0, 4000), st.integers(1, 5000), st.integers(1, 8), st.data())
def test_the_mirror_puts_every_column_opposite_the_centre(
    center_px: float, columns: int, binning: int, data: st.DataObject
) -> None:
    column = data.draw(st.integers(0, columns - 1))
    full = column * binning + (binning - 1) / 2
    place_in_mirror = columns - 1 - column
    shown = mirror_offset_px(center_px, columns, binning) + place_in_mirror * binning
    assert shown == pytest.approx(2 * center_px - full, abs=1e-6)


def test_the_colours_of_the_overlay_add_to_grey() -> None:
    assert [a + b for a, b in zip(FIRST_RGB, SECOND_RGB, strict=True)] == [1, 1, 1]


def test_coarse_frames_are_read_only_where_that_helps() -> None:
    assert Pace().binning == 1
    assert Pace(whole_s=0.05).binning == 1
    assert Pace(whole_s=0.5).binning == COARSE
    assert Pace(whole_s=0.5, coarse_s=0.1).binning == COARSE
    assert Pace(whole_s=0.5, coarse_s=0.4).binning == 1
    assert Pace().taken(1, 0.4).taken(COARSE, 0.1) == Pace(0.4, 0.1)
    assert Pace(0.4, 0.1).taken(1, 0.2).whole_s == pytest.approx(0.3)


def test_words() -> None:
    axes = words.Axes()
    assert words.pixel_words(axes, 900, 1283, 0.412, "1/cm") == (
        "column 1283, row 900 · 0.412 1/cm"
    )
    assert words.pixel_words(words.Axes("y", "x"), 1, 2, float("nan"), "") == "x 2, y 1 · no value"
    assert words.pixel_words(words.Axes(binning=4), 1, 2, 12034, "counts") == (
        "column 9, row 5 · 12034 counts"
    )
    assert words.row_words(900, 2160, 6.5) == "of 2160 · 5.85 mm from top"
    assert words.row_words(48, 96, 0.65) == "of 96 · 31 µm from top"
    assert words.row_words(48, 96, None) == "of 96"
    assert words.angle_words(-61.884) == "−61.88°"
    assert words.angle_words(None) == ""
    assert words.time_words(0.341) == "0.34 s"
    assert words.time_words(12.3) == "12 s"
    assert words.center_words(1283.25, 0.9) == "centre 1283.25 px"
    assert words.center_words(1283.25, 0.2) == "centre 1283.25 px (a guess)"
    assert words.overlay_words((0.0, 180.0), 0.0) == "0.0° and 180.0° mirrored"
    assert words.overlay_words((0.0, 179.0), 1.0).endswith("1.0° off half a turn")


def test_what_covers_the_canvas() -> None:
    scan = Look("/data/a.h5", "scan", True, ())
    volume = Look("/data/v.zarr", "volume", True, ())
    at = Path("/data/a.h5")

    def title(**known: object) -> str | None:
        usual = {"ready": True, "mode": Mode.PROJECTIONS, "selected": at, "look": scan,
                 "volume": None}  # fmt: skip
        cover = cover_for(**(usual | known))  # type: ignore[arg-type]
        return cover.title if cover else None

    assert title() is None
    assert title(ready=False) == STARTING.title
    assert title(selected=None, look=None) == NOTHING.title
    assert title(look=None) == "Reading a.h5…"
    assert title(look=volume) == "a.h5 is a volume"
    assert title(mode=Mode.VOLUME) == "No volume is open"
    assert title(mode=Mode.VOLUME, volume=at) is None
    assert title(look=Look("/data/a.h5", "unknown", False, ())) is None
