"""Words and tables of what was measured."""

from __future__ import annotations

import csv
import io
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alsct_gui.files.masks import value_mask
from alsct_gui.ui.look.profiles import histogram, line_profile, radial_profile, region_statistics
from alsct_gui.ui.look.words import (
    area_words,
    as_csv,
    as_tabs,
    bin_words,
    figure,
    length_words,
    mask_words,
    number,
    profile_rows,
    profile_table,
    share_words,
    statistics_rows,
    statistics_table,
)


def _spaced(text: str) -> str:
    return text.replace("\N{NARROW NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [(0.412345, "1/cm", "0.4123 1/cm"), (12034.0, "counts", "12 034 counts"), (0, "", "0"),
     (math.nan, "1/cm", "–"), (None, "", "–"), (-1.5e-7, "", "-1.5e-07"), (3.2e9, "", "3.2e+09"),
     (999.94, "", "999.9")],
)  # fmt: skip
def test_values_have_four_digits_and_their_unit(value: float | None, unit: str, words: str) -> None:
    assert _spaced(figure(value, unit)) == words


def test_lengths_and_areas_take_the_unit_that_fits() -> None:
    assert _spaced(length_words(812.4, "µm")) == "812.4 µm"
    assert _spaced(length_words(32500, "µm")) == "32.5 mm"
    assert _spaced(length_words(32500, "px")) == "32 500 px"
    assert _spaced(area_words(1250)) == "1250 µm²"
    assert _spaced(area_words(2.4e6)) == "2.4 mm²"
    assert _spaced(number(1204)) == "1 204"


def test_a_share_is_never_nothing_when_there_is_something() -> None:
    assert share_words(0, 100) == "0.00 %"
    assert share_words(1, 10**6) == "under 0.01 %"
    assert share_words(1204, 6_020_000) == "0.02 %"
    assert share_words(1, 2) == "50 %"
    assert share_words(0, 0) == "0.00 %"


def test_what_cannot_be_is_said_in_words() -> None:
    image = np.ones((100, 100))
    assert mask_words(value_mask(image)) == "no negative values, no NaN"
    image[0, :2] = -1
    image[1, 0] = np.nan
    words = mask_words(value_mask(image))
    assert words == "2 negative values (0.02 %), 1 NaN or infinite value (0.01 %)"


def test_a_bin_tells_value_count_and_share() -> None:
    found = histogram(np.array([[0, 0, 1], [1, 1, 5]], np.uint8))
    assert _spaced(bin_words(found, 1.0, "counts")) == "1 counts · 3 pixels · 50 %"
    assert bin_words(found, -3, "counts") == ""
    assert bin_words(found, 9, "counts") == ""


def test_a_region_is_told_in_lengths_when_the_pixel_is_known() -> None:
    image = np.arange(100.0).reshape(10, 10)
    with_edges = dict(statistics_rows(region_statistics(image, (0, 0), (3, 4), (2, 3)), "1/cm"))
    assert _spaced(with_edges["Width"]) == "15 µm"
    assert _spaced(with_edges["Height"]) == "8 µm"
    assert _spaced(with_edges["Area"]) == "120 µm²"
    assert _spaced(with_edges["Mean"]) == "17 1/cm"
    without = dict(statistics_rows(region_statistics(image, (0, 0), (3, 4)), ""))
    assert without["Size"] == "5 × 4 px"
    assert "Area" not in without


def test_tables_have_a_header_with_units_and_come_back_from_csv() -> None:
    image = np.random.default_rng(0).normal(size=(9, 9))
    line = line_profile(image, (4, 0), (4, 8), pixel_um=(0.65, 0.65))
    table = profile_table(line, "1/cm")
    assert table[0] == ["distance (µm)", "value (1/cm)"]
    read = list(csv.reader(io.StringIO(as_csv(table))))
    assert read == table
    values = np.array(read[1:], float)
    assert np.allclose(values[:, 1], image[4])
    assert np.allclose(values[:, 0], 0.65 * np.arange(9))
    assert as_tabs(table).splitlines()[0] == "distance (µm)\tvalue (1/cm)"
    rings = profile_table(radial_profile(image, (4, 4), 3), "")
    assert rings[0] == ["distance (px)", "value", "standard deviation", "pixels"]
    assert rings[1][3] == "1"
    figures = statistics_table(region_statistics(image, (0, 0), (8, 8), (1, 1)), "1/cm")
    assert dict(zip(*figures, strict=True))["area (µm²)"] == "81"
    assert float(figures[1][0]) == pytest.approx(image.mean())


@given(st.lists(st.floats(width=32), min_size=2, max_size=9))
def test_any_profile_can_be_told(values: list[float]) -> None:
    image = np.array([values])
    profile = line_profile(image, (0, 0), (0, len(values) - 1))
    assert next(name for name, _ in profile_rows(profile, "x")) == "Length"
    assert len(profile_table(profile, "x")) == len(values) + 1
