"""Shares of phases, to better than a voxel at the surfaces."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from alsct_gui.model.errors import InputError, RecipeError
from alsct_gui.simulator.specimens.specimen import Specimen
from napari_alsct_measure.phases import found_thresholds, label_shares, phase_shares
from napari_alsct_measure.shared import region_mask
from tests.plugins.measure.conftest import room

NOISES = [(0.0, None), (1.0, None), (0.7, 5.0), (0.7, 3.0)]


def everywhere(values: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> np.ndarray:
    return np.ones(values.shape[1:], np.bool_)


@pytest.mark.parametrize(("blur_px", "cnr"), NOISES)
def test_the_porosity_of_a_foam(
    foams: Callable[..., Specimen], blur_px: float, cnr: float | None
) -> None:
    specimen = foams(blur_px, cnr)
    values, inside = specimen.values, everywhere(specimen.values)
    thresholds = found_thresholds(values, 2, inside)
    found = phase_shares(values, thresholds, inside, room(values.shape))
    assert abs(found.shares[0] - specimen.facts["phase_share"]) < 0.002
    assert found.shares.sum() == pytest.approx(1)
    assert found.levels == pytest.approx([0.1, 1.1], abs=0.01)
    if cnr is None and blur_px == 0:
        true = [row["share"] for row in specimen.tables["heights"]]
        np.testing.assert_allclose(found.by_slice[:, 0], true, atol=2e-4)


def test_counting_voxels_is_worse(foams: Callable[..., Specimen]) -> None:
    specimen = foams(0.7, 3.0)
    inside = everywhere(specimen.values)
    thresholds = found_thresholds(specimen.values, 2, inside)
    found = phase_shares(specimen.values, thresholds, inside, room(specimen.values.shape))
    true = specimen.facts["phase_share"]
    assert abs(found.counted[0] - true) > 5 * abs(found.shares[0] - true)


@pytest.mark.parametrize("phases", [2, 3])
def test_seams_do_not_show(foams: Callable[..., Specimen], phases: int) -> None:
    values = foams(0.7, 5.0).values[:40, :60, :60]
    inside = everywhere(values)
    thresholds = (0.6,) if phases == 2 else (0.4, 0.8)
    whole = phase_shares(values, thresholds, inside, room(values.shape))
    cut = phase_shares(values, thresholds, inside, room(values.shape, 11))
    np.testing.assert_allclose(cut.by_slice, whole.by_slice, rtol=1e-9)
    np.testing.assert_allclose(cut.levels, whole.levels, rtol=1e-9)


def test_a_blurred_edge_between_the_outer_phases_is_no_middle_phase() -> None:
    values = np.zeros((24, 24, 72), np.float32)
    values[..., 24:48] = 1.0
    values[..., 50:] = 2.0
    values[..., 48], values[..., 49] = 1.3, 1.8
    values[..., :24][..., -1] = 0.4
    # From 0 straight to 2, through grey values of the middle one.
    steep = np.concatenate([np.zeros(12), [0.5, 1.5], np.full(10, 2.0)])
    values[:, :, :24] = steep[None, None, :].astype(np.float32)
    values[:, :, 24:48] = 1.0
    inside = everywhere(values)
    found = phase_shares(values, (0.5, 1.5), inside, room(values.shape), smoothing_px=0)
    true = np.array([12.75, 24.45, 34.8]) / 72
    np.testing.assert_allclose(found.shares, true, atol=0.012)


def test_thresholds_are_found_between_the_levels(foams: Callable[..., Specimen]) -> None:
    (found,) = found_thresholds(foams(0.7, 5.0).values, 2, everywhere(foams(0.7, 5.0).values))
    assert 0.4 < found < 0.8


def test_one_value_has_no_phases() -> None:
    values = np.ones((4, 6, 6), np.float32)
    with pytest.raises(InputError, match="all the same"):
        found_thresholds(values, 2, everywhere(values))


def test_thresholds_ascend() -> None:
    values = np.ones((4, 6, 6), np.float32)
    with pytest.raises(RecipeError, match="do not ascend"):
        phase_shares(values, (0.5, 0.5), everywhere(values), room(values.shape))


def test_what_is_missing_is_left_out() -> None:
    values = np.zeros((20, 20, 20), np.float32)
    values[:, :, 10:] = 1.0
    values[:10] = np.nan
    found = phase_shares(values, (0.5,), everywhere(values), room(values.shape))
    assert found.shares[0] == pytest.approx(0.5, abs=1e-6)
    assert found.n_voxels == 10 * 400
    assert np.isnan(found.by_slice[:10]).all()


def test_labels_are_counted() -> None:
    labels = np.zeros((6, 10, 10), np.uint8)
    labels[:3, :5] = 4
    names, found = label_shares(labels, np.ones((10, 10), np.bool_), room(labels.shape))
    assert names == ["label 0", "label 4"]
    assert found.shares.tolist() == [0.75, 0.25]
    assert found.by_slice[:, 1].tolist() == [0.5] * 3 + [0.0] * 3


def test_objects_are_no_phases() -> None:
    labels = np.arange(200, dtype=np.uint32).reshape(2, 10, 10)
    with pytest.raises(InputError, match="more than"):
        label_shares(labels, np.ones((10, 10), np.bool_), room(labels.shape))


def test_the_cylinder_stands_in_the_middle() -> None:
    inside = region_mask((5, 40, 60), "cylinder", 100.0)
    assert inside.sum() == pytest.approx(np.pi * 20**2, rel=0.02)
    assert inside[0, 29] == inside[39, 30]
    assert not inside[20, 5]
