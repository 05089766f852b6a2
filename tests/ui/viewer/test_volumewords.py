from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from alsct_gui.files.compare import difference_figures
from alsct_gui.files.cuts import AXES
from alsct_gui.ui.viewer.comparewords import differs_words, figures_words, recipe_differences
from alsct_gui.ui.viewer.cutlayout import CutLayout
from alsct_gui.ui.viewer.labels import room_for
from alsct_gui.ui.viewer.opened import robust_limits
from alsct_gui.ui.viewer.volumewords import facts_words, newest_slice, place_words, voxel_words


def test_facts_of_a_volume() -> None:
    cube = (0.645, 0.645, 0.645)
    words = facts_words((2160, 2560, 2560), cube, "1/cm")
    assert words == "2160 slices · 2560 × 2560 · 0.645 µm · 1/cm"
    assert facts_words((1, 10, 20), None, "") == "1 slice · 20 × 10"
    assert place_words(812, 2160, 0.645) == "of 2160 · 524 µm"
    assert place_words(2000, 2160, 0.645) == "of 2160 · 1.29 mm"
    assert voxel_words((8, 9, 10), 0.4123456, "1/cm") == "x 10, y 9, slice 8 · 0.4123 1/cm"
    assert voxel_words((8, 9, 10), math.nan, "1/cm") == "x 10, y 9, slice 8 · no value"


def test_the_newest_slice_is_the_last_of_what_grew() -> None:
    assert newest_slice((), ()) is None
    assert newest_slice((), ((0, 8),)) == 7
    assert newest_slice(((0, 8),), ((0, 16),)) == 15
    assert newest_slice(((0, 8), (40, 48)), ((0, 12), (40, 48))) == 11
    assert newest_slice(((0, 8),), ((0, 8),)) == 7


def test_differences_of_recipes() -> None:
    a = {"recipe": {}, "resolved": {"center": {"center_px": 1283.25}, "rings": {"method": "vo-all"},
                                    "region": {"rows": [0, 5]}, "mask": False}}  # fmt: skip
    b = {"resolved": {"center": {"center_px": 1283.75}, "rings": {"method": "sorting", "size": 3},
                      "region": {"rows": [1, 5]}, "mask": False}}  # fmt: skip
    found = recipe_differences(a, b)
    assert found == (
        "center px 1283.25 → 1283.75", "rings vo-all → sorting", "rings size none → 3",
    )  # fmt: skip
    assert differs_words(found).startswith("differs in: center px 1283.25 → 1283.75, rings vo-all")
    assert differs_words(("a", "b", "c", "d", "e", "f")) == "differs in: a, b, c, d and 2 more"
    assert recipe_differences(a, a) == recipe_differences(a, {}) == ()
    assert differs_words(()) == ""


def test_differences_of_recipes_with_several_filters() -> None:
    wavelet = {"method": "wavelet-fourier", "sigma": 3.0, "level": 8}
    both = {"recipe": {"rings": [wavelet, {"method": "sorting"}]}}
    assert recipe_differences({"recipe": {"rings": [wavelet]}}, both) == (
        "rings wavelet-fourier → wavelet-fourier + sorting",
    )
    assert recipe_differences({"recipe": {"rings": [wavelet]}}, {"recipe": {"rings": []}}) == (
        "rings wavelet-fourier → none",
    )
    softer = {"recipe": {"rings": [{**wavelet, "sigma": 2.0}, {"method": "sorting"}]}}
    assert recipe_differences(both, softer) == ("rings sigma 3 → 2",)


def test_figures_of_a_difference() -> None:
    a = np.arange(100, dtype=np.float32).reshape(10, 10)
    assert figures_words(difference_figures(a, a), "1/cm") == "the slices are equal"
    words = figures_words(difference_figures(a, a + 2), "1/cm")
    assert words == "rms 2 1/cm, largest 2, correlation 1.0000"
    nothing = np.full((2, 2), np.nan, np.float32)
    assert figures_words(difference_figures(nothing, nothing), "") == (
        "no pixel has a value in both"
    )


def test_limits_pass_over_what_is_not_finite() -> None:
    values = np.linspace(0, 1, 1000)
    values[::7] = np.nan
    low, high = robust_limits(values)
    assert 0 <= low < 0.02
    assert 0.98 < high <= 1
    assert robust_limits(np.full(5, np.nan)) == (0, 1)


def test_labels_of_the_whole_volume_only_where_they_fit() -> None:
    fits = room_for((10, 100, 100), 10_000_000)
    assert (fits.whole, fits.bytes) == (True, 200_000)
    assert fits.sentence == "Segmentation of the whole volume, 0.2 MB"
    not_so = room_for((2160, 2560, 2560), 8_000_000_000)
    assert not not_so.whole
    assert "28.3 GB, 2.0 GB may be taken" in not_so.sentence


shapes = st.tuples(*[st.integers(1, 60)] * 3)
edges = st.tuples(*[st.floats(0.1, 10)] * 3)


@given(shapes, edges, st.data())
def test_a_click_on_a_voxel_of_a_cut_finds_it(
    shape: tuple[int, int, int], edges: tuple[float, float, float], data: st.DataObject
) -> None:
    layout = CutLayout(shape, edges)
    voxel = tuple(data.draw(st.integers(0, size - 1)) for size in shape)
    for axis in AXES:
        down, across = layout.axes(axis)
        top, left = layout.origin(axis)
        place = (top + (voxel[down] + 0.5) * edges[down], left + (voxel[across] + 0.5) *
                 edges[across])  # fmt: skip
        assert layout.cut_at(place) == axis
        assert layout.voxel_at(place, axis, voxel) == voxel


def test_the_cursor_is_where_lines_cross_in_every_cut() -> None:
    layout = CutLayout((24, 40, 56), (2.0, 1.0, 1.0))
    cursor = (3, 10, 20)
    lines = list(layout.lines(cursor))
    assert len(lines) == 6
    for number, axis in enumerate(AXES):
        across, upright = lines[2 * number], lines[2 * number + 1]
        crossing = (across[0][0], upright[0][1])
        assert layout.cut_at(crossing) == axis
        assert layout.voxel_at(crossing, axis, (0, 0, 0)) == tuple(
            at if k in layout.axes(axis) else 0 for k, at in enumerate(cursor)
        )
