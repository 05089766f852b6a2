"""Distances and local thickness: exact, however the volume is cut."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from alsct_gui.model.errors import CancelledError
from alsct_gui.model.progress import CancelToken
from alsct_gui.steps.reporter import Reporter
from napari_alsct_measure.blocks import Room
from napari_alsct_measure.distance import Ratio, squared_distance
from napari_alsct_measure.thickness import local_thickness
from tests.plugins.measure.conftest import Mask, room

RATIOS = [(1.0, 1.0, 1.0), (1.7, 1.0, 1.0)]
Array = np.ndarray[Any, Any]


def thickness_of(mask: Mask, ratio: Ratio, where: Room) -> Array:
    out = np.full(mask.shape, np.nan, np.float32)

    def take(first: int, slab: Array) -> None:
        out[first : first + len(slab)] = slab

    local_thickness(squared_distance(mask, ratio, where), ratio, where, take)
    return out


def painted_one_by_one(squared: Array, ratio: Ratio) -> Array:
    """Every ball of every voxel, the smallest first."""
    out = np.zeros(squared.shape, np.float32)
    z, y, x = np.indices(squared.shape)
    places, radii = np.argwhere(squared > 0), squared[squared > 0]
    for index in np.argsort(radii):
        a, b, c = places[index]
        apart = (ratio[0] * (z - a)) ** 2 + (ratio[1] * (y - b)) ** 2 + (ratio[2] * (x - c)) ** 2
        out[apart < radii[index] * (1 - 2e-7)] = 2 * np.sqrt(radii[index])
    return out


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("slices", [100, 7, 1])
def test_distances_are_those_of_scipy(sponge: Mask, ratio: Ratio, slices: int) -> None:
    found = squared_distance(sponge, ratio, room(sponge.shape, slices))
    expected = ndimage.distance_transform_edt(sponge, sampling=ratio) ** 2
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_without_background_there_is_no_distance_beyond_the_diagonal() -> None:
    mask = np.ones((3, 4, 5), np.bool_)
    found = squared_distance(mask, (1.0, 1.0, 1.0), room(mask.shape))
    np.testing.assert_array_equal(found, np.full(mask.shape, 3**2 + 4**2 + 5**2))


@pytest.mark.parametrize("ratio", RATIOS)
def test_thickness_is_that_of_all_balls(sponge: Mask, ratio: Ratio) -> None:
    part = sponge[:16, :18, :20]
    squared = np.array(squared_distance(part, ratio, room(part.shape)))
    expected = painted_one_by_one(squared, ratio)
    np.testing.assert_array_equal(thickness_of(part, ratio, room(part.shape)), expected)


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("slices", [9, 2])
def test_seams_do_not_show(sponge: Mask, ratio: Ratio, slices: int) -> None:
    whole = thickness_of(sponge, ratio, room(sponge.shape))
    cut = thickness_of(sponge, ratio, room(sponge.shape, slices))
    np.testing.assert_array_equal(cut, whole)


def test_a_wall_is_as_thick_as_it_is() -> None:
    mask = np.zeros((30, 40, 40), np.bool_)
    mask[8:15] = True
    found = thickness_of(mask, (1.0, 1.0, 1.0), room(mask.shape))
    assert np.unique(found[mask]).tolist() == [8.0]  # to the centres of the voxels behind it
    assert (found[~mask] == 0).all()


def test_cancel_ends_it(sponge: Mask) -> None:
    token = CancelToken()
    told: list[str] = []

    def progress(step: Any) -> None:
        told.append(step.stage)
        if step.stage == "thickness":
            token.cancel()

    where = Room(sponge.shape, Reporter(progress=progress, cancel=token))
    with pytest.raises(CancelledError):
        thickness_of(sponge, (1.0, 1.0, 1.0), where)
    assert told[0] == "distances"
    assert told.count("thickness") == 1
