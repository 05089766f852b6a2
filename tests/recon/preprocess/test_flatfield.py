from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from alsct_gui.model.geometry import Geometry
from alsct_gui.model.recipe import Correction
from alsct_gui.model.scan import FlatGroup, Scan
from alsct_gui.recon.preprocess.binning import bin_frames
from alsct_gui.recon.preprocess.flatfield import make_flat_field, saturation_level

N_ROWS, N_COLUMNS = 6, 8


@dataclass
class Stack:
    """Frames in memory."""

    frames: NDArray[Any]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.frames.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.frames.dtype

    def read(
        self,
        frames: slice | NDArray[np.intp] = slice(None),
        rows: slice = slice(None),
        columns: slice = slice(None),
        *,
        out: NDArray[Any] | None = None,
    ) -> NDArray[Any]:
        block = self.frames[frames, rows, columns].copy()
        if out is None:
            return block
        out[...] = block
        return out


def stack(*levels: float) -> Stack:
    rng = np.random.default_rng(len(levels))
    frames = [rng.normal(level, 1 + level / 1000, (N_ROWS, N_COLUMNS)) for level in levels]
    return Stack(np.clip(frames, 0, None).round().astype(np.uint16))


def scan(flats: Stack | None, darks: Stack | None, **more: Any) -> Scan:
    geometry = Geometry(np.linspace(0, 180, 10, endpoint=False), N_ROWS, N_COLUMNS)
    return Scan(Path("x"), "tiff", stack(*[20000] * 10), flats, darks, geometry, **more)


GROUPS = (FlatGroup(3, 4, 10.0), FlatGroup(0, 3, 0.0))
FLATS = stack(30000, 30100, 29900, 25000, 25100, 24900, 25000)
DARKS = stack(100, 101, 99)
WHOLE = ((0, N_ROWS), (0, N_COLUMNS))


def test_groups_are_averaged_less_the_dark_and_in_order_of_the_scan() -> None:
    field = make_flat_field(scan(FLATS, DARKS, flat_groups=GROUPS), *WHOLE, Correction())
    dark = DARKS.frames.mean(axis=0)
    np.testing.assert_allclose(field.dark, dark, rtol=1e-6)
    np.testing.assert_allclose(field.flats[0], FLATS.frames[:3].mean(axis=0) - dark, rtol=1e-6)
    np.testing.assert_allclose(field.flats[1], FLATS.frames[3:].mean(axis=0) - dark, rtol=1e-6)
    assert field.at_projection.tolist() == [0, 10]
    assert field.findings == ()


def test_mean_weighs_groups_by_their_frames() -> None:
    correction = Correction(flat_interpolation="mean")
    field = make_flat_field(scan(FLATS, DARKS, flat_groups=GROUPS), *WHOLE, correction)
    expected = FLATS.frames.mean(axis=0) - DARKS.frames.mean(axis=0)
    np.testing.assert_allclose(field.flats, expected[None], rtol=1e-6)


def test_region_and_binning_are_cut_from_the_full_detector() -> None:
    source = scan(FLATS, DARKS, flat_groups=GROUPS)
    whole = make_flat_field(source, *WHOLE, Correction())
    part = make_flat_field(source, (2, 6), (1, 7), Correction(), binning=2)
    cut = whole.flats[:, 2:6, 1:7].reshape(2, 2, 2, 3, 2).mean(axis=(2, 4))
    np.testing.assert_allclose(part.flats, cut, rtol=1e-6)
    assert part.dark.shape == (2, 3)


@pytest.mark.parametrize("bad", [0, 60000])
def test_a_bad_flat_is_left_out_and_named(bad: int) -> None:
    flats = Stack(FLATS.frames.copy())
    flats.frames[5] = bad
    source = scan(flats, DARKS, flat_groups=GROUPS)
    field = make_flat_field(source, *WHOLE, Correction())
    good = flats.frames[[3, 4, 6]].mean(axis=0) - field.dark
    np.testing.assert_allclose(field.flats[1], good, rtol=1e-6)
    assert [finding.name for finding in field.findings] == ["bad-flats-excluded"]
    assert "5" in field.findings[0].message
    kept = make_flat_field(source, *WHOLE, Correction(bad_frames="keep"))
    assert kept.findings == ()
    assert not np.allclose(kept.flats[1], good, rtol=0.05)


def test_a_dark_with_the_shutter_open_is_left_out() -> None:
    darks = stack(100, 101, 99, 30000, 100)
    field = make_flat_field(scan(FLATS, darks, flat_groups=GROUPS), *WHOLE, Correction())
    np.testing.assert_allclose(field.dark, darks.frames[[0, 1, 2, 4]].mean(axis=0), rtol=1e-6)
    assert [finding.name for finding in field.findings] == ["bad-darks-excluded"]


def test_stored_values_stand_in_for_frames() -> None:
    field = make_flat_field(
        scan(None, None, flat_value=40000.0, dark_value=90.0), *WHOLE, Correction()
    )
    assert (field.dark == 90).all()
    assert (field.flats == 39910).all()
    assert {finding.severity.value for finding in field.findings} == {"info"}


def test_without_darks_and_without_a_value_the_dark_is_zero_with_a_warning() -> None:
    field = make_flat_field(scan(FLATS, None, flat_groups=GROUPS), *WHOLE, Correction())
    assert (field.dark == 0).all()
    assert [(f.name, f.severity.value) for f in field.findings] == [("darks-missing", "warning")]


@pytest.mark.parametrize("binning", [1, 2, 3])
@pytest.mark.parametrize("threads", [1, 2])
def test_binning_averages_and_drops_what_is_left_over(binning: int, threads: int) -> None:
    frames = np.random.default_rng(0).integers(0, 65536, (3, 7, 11)).astype(np.uint16)
    rows, columns = 7 // binning, 11 // binning
    cut = frames[:, : rows * binning, : columns * binning].astype(np.float64)
    expected = cut.reshape(3, rows, binning, columns, binning).mean(axis=(2, 4))
    np.testing.assert_allclose(bin_frames(frames, binning, threads), expected, rtol=1e-6)


def test_saturation_is_the_types_largest_count() -> None:
    assert saturation_level(np.dtype(np.uint16)) == 65535
    assert saturation_level(np.dtype(np.float32)) == np.inf


def test_a_bad_flat_in_groups_of_one_is_judged_by_all_of_them() -> None:
    flats = stack(30000, 29800, 29900, 200, 29700, 29600)
    groups = tuple(FlatGroup(i, 1, 2.0 * i) for i in range(6))
    field = make_flat_field(scan(flats, DARKS, flat_groups=groups), *WHOLE, Correction())
    assert field.at_projection.tolist() == [0, 2, 4, 8, 10]
    assert [finding.name for finding in field.findings] == ["bad-flats-excluded"]
    # A beam that decays steadily is no reason to leave a flat out.
    decaying = stack(*np.linspace(30000, 20000, 6))
    field = make_flat_field(scan(decaying, DARKS, flat_groups=groups), *WHOLE, Correction())
    assert field.findings == ()


def test_a_bad_flat_of_a_scan_stored_as_floats_is_found_too() -> None:
    flats = Stack(np.ones((5, N_ROWS, N_COLUMNS), np.float32))
    flats.frames[2] = 0.1
    field = make_flat_field(scan(flats, None), *WHOLE, Correction())
    np.testing.assert_allclose(field.flats, 1)


def test_without_flats_and_without_a_value_counts_are_kept_in_proportion() -> None:
    field = make_flat_field(scan(None, DARKS), *WHOLE, Correction())
    assert (field.flats == 1).all()
    assert [(f.name, f.severity.value) for f in field.findings] == [("flats-missing", "warning")]
