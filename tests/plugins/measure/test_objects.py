"""Particles: told apart, counted, measured; against spheres and ellipsoids that are known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import integrate, ndimage

from alsct_gui.model.errors import CancelledError
from alsct_gui.model.progress import CancelToken
from alsct_gui.model.table import Table
from alsct_gui.simulator.specimens.specimen import Specimen
from alsct_gui.steps.reporter import Reporter
from napari_alsct_measure.blocks import Chosen, Room
from napari_alsct_measure.census import direction_shares
from napari_alsct_measure.objects import object_table, take_census, tell_apart
from napari_alsct_measure.sizes import size_distribution, summary, weighted_quantiles
from tests.plugins.measure.conftest import Mask, room

CUBE = (1.0, 1.0, 1.0)
Array = np.ndarray[Any, Any]


def table_of(labels: Array, voxel_um: tuple[float, float, float] = CUBE, **more: Any) -> Table:
    where = room(labels.shape)
    census = take_census(labels, int(labels.max()), where, more.pop("grey", None))
    return object_table(census, voxel_um, labels.shape, **more)


def ball(shape: tuple[int, int, int], center: tuple[float, ...], radius: float) -> Array:
    grid = np.indices(shape).T - np.array(center)
    return np.asarray(radius**2 >= (grid**2).sum(axis=-1).T)


@pytest.mark.parametrize(("blur_px", "cnr"), [(0.0, None), (0.7, 8.0)])
def test_touching_spheres_are_counted_and_measured(
    spheres: Callable[..., Specimen], blur_px: float, cnr: float | None
) -> None:
    specimen = spheres(blur_px, cnr)
    edge = specimen.voxel_um
    mask = specimen.values > 0.5
    found = tell_apart(mask, (edge,) * 3, room(mask.shape))
    assert specimen.facts["contacts"] > 200
    assert abs(found.count - 120) <= 0.005 * 120
    table = table_of(found.labels, (edge,) * 3)
    true_um = 2 * np.array([row["radius_um"] for row in specimen.tables["spheres"]])
    diameter_um = table.column("diameter_um")
    assert np.median(diameter_um) == pytest.approx(np.median(true_um), rel=0.005)
    # Each sphere is found where it is.
    places = np.array([[r["z_um"], r["y_um"], r["x_um"]] for r in specimen.tables["spheres"]])
    centers = np.column_stack([table.column(name) for name in ("z_um", "y_um", "x_um")])
    apart = np.linalg.norm(places[:, None] - centers[None], axis=2)
    assert apart.min(axis=1).max() < 0.6 * edge
    assert len(set(apart.argmin(axis=1))) == 120


@pytest.mark.parametrize("slices", [12, 3, 1])
def test_seams_do_not_show(sponge: Mask, slices: int) -> None:
    whole = tell_apart(sponge, None, room(sponge.shape), smallest_voxels=5)
    cut = tell_apart(sponge, None, room(sponge.shape, slices), smallest_voxels=5)
    assert cut.count == whole.count > 3
    assert cut.n_dropped == whole.n_dropped
    np.testing.assert_array_equal(cut.labels, whole.labels)


def test_figures_do_not_depend_on_slabs(sponge: Mask) -> None:
    found = tell_apart(sponge, None, room(sponge.shape))
    grey = np.random.default_rng(1).random(sponge.shape).astype(np.float32)
    grey[3, 4, 5] = np.nan
    tables = [
        object_table(
            take_census(found.labels, found.count, room(sponge.shape, slices), grey),
            (2.0, 1.0, 1.0), sponge.shape,
        )
        for slices in (100, 4)
    ]  # fmt: skip
    for one, other in zip(tables[0].values, tables[1].values, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


def test_without_necks_objects_are_those_of_scipy(sponge: Mask) -> None:
    found = tell_apart(sponge, None, room(sponge.shape), neck=0.0, smallest_voxels=1)
    expected, count = ndimage.label(sponge, np.ones((3, 3, 3)))
    assert found.count == count
    np.testing.assert_array_equal(found.labels, expected)  # both number in the order of a scan


def test_small_objects_are_left_out() -> None:
    mask = np.zeros((10, 20, 20), np.bool_)
    mask[2:8, 2:8, 2:8] = mask[4, 15, 15] = True
    found = tell_apart(mask, None, room(mask.shape), smallest_voxels=2)
    assert (found.count, found.n_dropped) == (1, 1)
    assert found.labels[4, 15, 15] == 0


def test_nothing_is_no_object() -> None:
    mask = np.zeros((4, 5, 6), np.bool_)
    found = tell_apart(mask, None, room(mask.shape))
    assert (found.count, found.n_dropped) == (0, 0)
    table = table_of(found.labels)
    assert table.n_rows == 0
    assert np.isnan(summary(table).median)
    assert size_distribution(table).column("number_share").sum() == 0


@pytest.mark.parametrize("radius", [5.0, 9.0, 14.0])
def test_surfaces_of_balls(radius: float) -> None:
    center = np.random.default_rng(int(radius)).uniform(16.0, 17.0, 3)
    labels = ball((34, 34, 34), tuple(center), radius).astype(np.uint32)
    table = table_of(labels)
    assert table.column("surface_um2")[0] == pytest.approx(4 * np.pi * radius**2, rel=0.012)
    assert table.column("sphericity")[0] == pytest.approx(1, rel=0.015)


def test_the_surface_of_a_flat_voxel_is_that_of_its_edges() -> None:
    grid = (np.indices((16, 34, 34)).T * [2.0, 1.0, 1.0]).T - 16.4
    labels = (np.sqrt((np.moveaxis(grid, 0, -1) ** 2).sum(-1)) < 12).astype(np.uint32)
    table = table_of(labels, (2.0, 1.0, 1.0))
    assert table.column("surface_um2")[0] == pytest.approx(4 * np.pi * 144, rel=0.02)
    assert table.column("volume_um3")[0] == pytest.approx(4 / 3 * np.pi * 12**3, rel=0.01)


def test_directions_share_the_sphere() -> None:
    shares = np.array(direction_shares(CUBE))
    assert shares.sum() == pytest.approx(1)
    # Ohser and Schladitz (2009), table 4.1: along the axes, the diagonals of faces, of the cube.
    np.testing.assert_allclose(np.sort(shares)[-3:], 2 * 0.045778, rtol=0.002)
    np.testing.assert_allclose(np.sort(shares)[4:10], 2 * 0.036980, rtol=0.002)
    np.testing.assert_allclose(np.sort(shares)[:4], 2 * 0.035196, rtol=0.002)


def test_an_ellipsoid_has_its_axes_and_its_direction() -> None:
    tilt, azimuth = np.deg2rad(40.0), np.deg2rad(110.0)
    long = np.array([np.cos(tilt), np.sin(tilt) * np.sin(azimuth), np.sin(tilt) * np.cos(azimuth)])
    middle = np.cross(long, [1.0, 0, 0])
    middle /= np.linalg.norm(middle)
    short = np.cross(long, middle)
    grid = np.moveaxis(np.indices((60, 60, 60)) - 29.7, 0, -1)
    norm = sum(((grid @ axis) / half) ** 2 for axis, half in ((long, 24), (middle, 12), (short, 8)))
    table = table_of((norm < 1).astype(np.uint32), (1.5, 1.5, 1.5))
    assert table.column("length_um")[0] == pytest.approx(1.5 * 48, rel=0.01)
    assert table.column("width_um")[0] == pytest.approx(1.5 * 24, rel=0.01)
    assert table.column("thickness_um")[0] == pytest.approx(1.5 * 16, rel=0.02)
    assert table.column("tilt_deg")[0] == pytest.approx(40, abs=0.5)
    assert table.column("azimuth_deg")[0] == pytest.approx(110, abs=0.5)

    def element(turn: float, lift: float) -> float:
        a, b, c = 24 * 1.5, 12 * 1.5, 8 * 1.5
        s, t = np.sin(lift), np.cos(lift)
        flat = (b * c * s * np.cos(turn)) ** 2 + (a * c * s * np.sin(turn)) ** 2
        return float(s * np.sqrt(flat + (a * b * t) ** 2))

    surface = 8 * integrate.dblquad(element, 0, np.pi / 2, 0, np.pi / 2)[0]
    assert table.column("surface_um2")[0] == pytest.approx(surface, rel=0.015)


def test_objects_at_the_edges_are_marked_and_left_out() -> None:
    labels = np.zeros((20, 20, 20), np.uint32)
    labels[5:9, 5:9, 5:9] = 1
    labels[0:3, 12:15, 12:15] = 2
    labels[12:15, 12:15, 17:20] = 3
    table = table_of(labels)
    assert table.column("touches_edge").tolist() == [0, 1, 1]
    assert table.column("weight")[1:].tolist() == [0, 0]
    assert table.column("weight")[0] == pytest.approx((20 / 15) ** 3)
    found = summary(table)
    assert (found.n_objects, found.n_cut) == (1, 2)
    assert found.d50 == pytest.approx((6 * 64 / np.pi) ** (1 / 3))


def test_the_mean_grey_value_passes_over_what_is_missing() -> None:
    labels = np.zeros((4, 4, 4), np.uint32)
    labels[1:3, 1:3, 1:3] = 1
    grey = np.full(labels.shape, 2.0, np.float32)
    grey[1, 1, 1] = np.nan
    assert table_of(labels, grey=grey).column("mean")[0] == 2.0


def test_distributions_count_by_volume() -> None:
    sizes = np.array([1.0, 1.0, 1.0, 1.0, 2.0])
    assert weighted_quantiles(sizes, np.ones(5), (0.5,)) == [1.0]
    assert weighted_quantiles(sizes, sizes**3, (0.9,))[0] > 1.5
    assert np.isnan(weighted_quantiles(sizes, np.zeros(5), (0.5,))[0])


def test_what_is_not_finite_is_never_foreground() -> None:
    grey = np.array([[[np.nan, 0.0, 1.0, np.inf]]], np.float32)
    assert Chosen(grey, low=0.5)[:].tolist() == [[[False, False, True, False]]]
    assert Chosen(grey, high=0.5)[:].tolist() == [[[False, True, False, False]]]


def test_cancel_ends_it(sponge: Mask) -> None:
    token = CancelToken()

    def progress(step: Any) -> None:
        if step.stage == "basins":
            token.cancel()

    with pytest.raises(CancelledError):
        tell_apart(sponge, None, Room(sponge.shape, Reporter(progress=progress, cancel=token)))
