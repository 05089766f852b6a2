from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from alsct_gui.files.compare import (
    common_limits,
    compare_volumes,
    difference,
    difference_figures,
)
from alsct_gui.files.volumes import StackArray
from alsct_gui.model.errors import InputError
from alsct_gui.model.volume import Volume
from tests.files.stacks import memory_stack

pair = arrays(np.float32, (2, 4, 5), elements=st.floats(-1e6, 1e6, width=32) | st.just(np.nan))


def volume(
    shape: tuple[int, int, int] = (10, 8, 8), *, rows: Any = None, step: int = 1, **other: Any
) -> Volume:
    region = {"rows": rows, "row_step": step}
    provenance = {"resolved": {"region": region}} | other.pop("provenance", {})
    settings: dict[str, Any] = {"voxel_um": (1.0, 1.0, 1.0), "units": "1/cm"} | other
    array = StackArray(memory_stack(np.zeros(shape, np.float32)))
    return Volume(Path("v"), "tiff", (array,), provenance=provenance, **settings)


def test_equal_volumes_are_comparable() -> None:
    result = compare_volumes(volume(), volume())
    assert result.comparable
    assert (result.slice_offset, result.n_shared) == (0, 10)
    assert result.reasons == result.notes == ()


def test_slices_are_paired_by_detector_row() -> None:
    result = compare_volumes(volume(rows=[100, 110]), volume((20, 8, 8), rows=[94, 114]))
    assert (result.comparable, result.slice_offset, result.n_shared) == (True, 6, 10)
    assert result.notes == ("10 slices are in both.",)
    result = compare_volumes(volume((20, 8, 8), rows=[94, 114]), volume(rows=[100, 110]))
    assert (result.slice_offset, result.n_shared) == (-6, 10)
    result = compare_volumes(volume(rows=[0, 10]), volume(rows=[10, 20]))
    assert not result.comparable
    assert "no slice in common" in result.reasons[0]
    result = compare_volumes(volume(rows=[8, 28], step=2), volume(rows=[5, 25], step=2))
    assert (result.slice_offset, len(result.notes)) == (1, 2)
    cut = {"converted": [{"slices": [3, 9]}, {"slices": "odd"}, 7]}
    result = compare_volumes(volume(rows=[5, 15], provenance=cut), volume())
    assert result.slice_offset == 8


@pytest.mark.parametrize(
    ("other", "word"),
    [(volume((10, 8, 9)), "8 × 9"), (volume(voxel_um=(1, 1, 2)), "Voxels"),
     (volume(units="1/px"), "1/px")],
)  # fmt: skip
def test_what_cannot_be_compared_is_said(other: Volume, word: str) -> None:
    result = compare_volumes(volume(), other)
    assert not result.comparable
    assert word in result.reasons[0]


@pytest.mark.parametrize(
    "other", [volume(units=""), volume(voxel_um=None), volume(provenance={"resolved": 3}),
              volume(rows="odd"), volume(rows=["a", 2]), volume(step=3)]
)  # fmt: skip
def test_what_is_not_known_is_a_note(other: Volume) -> None:
    result = compare_volumes(volume(), other)
    assert result.comparable
    assert len(result.notes) == 1


def test_other_scans_are_a_note() -> None:
    a, b = (volume(provenance={"input_identity": name}) for name in "ab")
    assert compare_volumes(a, b).notes == ("They come from different scans.",)


@given(pair)
def test_difference_turns_its_sign_and_figures_agree(values: np.ndarray) -> None:
    a, b = values
    delta = difference(a, b)
    np.testing.assert_array_equal(delta, -difference(b, a))
    figures = difference_figures(a, b)
    known = np.isfinite(delta)
    assert figures.n_pixels == np.count_nonzero(known)
    if not figures.n_pixels:
        assert math.isnan(figures.rms)
        return
    assert figures.rms == pytest.approx(np.sqrt(np.mean(delta[known].astype("f8") ** 2)), rel=1e-3)
    assert figures.rms <= figures.largest * (1 + 1e-9)
    assert math.isnan(figures.correlation) or -1 <= figures.correlation <= 1


def test_figures_of_known_slices() -> None:
    a = np.array([[0.0, 1.0], [2.0, 3.0]], np.float32)
    figures = difference_figures(a, a + np.float32(0.5))
    assert (figures.mean, figures.rms, figures.largest) == (-0.5, 0.5, 0.5)
    assert figures.psnr_db == pytest.approx(20 * math.log10(6))
    assert figures.correlation == pytest.approx(1)
    assert difference_figures(a, -a).correlation == pytest.approx(-1)
    assert difference_figures(a, a).psnr_db == math.inf
    flat = np.ones((2, 2), np.uint8)
    assert math.isnan(difference_figures(flat, a).correlation)
    assert difference_figures(flat, a).psnr_db == -math.inf
    assert difference(np.zeros(1, np.uint8), np.ones(1, np.uint8)) == [-1]
    with pytest.raises(InputError, match="cannot be compared"):
        difference(a, a[0])


def test_common_limits_pass_over_spikes_and_nan() -> None:
    a = np.linspace(0, 1, 10001, dtype=np.float32)
    b = np.linspace(-1, 0.5, 10001, dtype=np.float32)
    a[0], b[0] = 1e9, np.nan
    low, high = common_limits(a, b)
    assert low == pytest.approx(-0.9925, abs=1e-3)
    assert high == pytest.approx(0.995, abs=1e-3)
    nothing = np.full(3, np.nan)
    assert common_limits(nothing, nothing) == (0, 1)
    assert common_limits(np.full(3, 5.0), nothing) == (5.0, pytest.approx(5.000005))
