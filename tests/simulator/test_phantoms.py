"""Projections are the line integrals of the truth, in the convention of model.geometry."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from alsct_gui.model.errors import RecipeError
from alsct_gui.simulator.phantoms import PHANTOMS, FieldOfView, build_phantom, rotation_about
from alsct_gui.simulator.shapes import Cylinders, Detector, Phantom, Quadrics

PIXEL_UM = 5.0
DETECTOR = Detector(40, 64, PIXEL_UM, 31.5)
VIEW = FieldOfView(32 * PIXEL_UM, 20 * PIXEL_UM)

MIXED = Phantom(
    "mixed",
    ellipsoids=Quadrics.from_axes(
        [[20, -10, 15], [-40, 30, -10]],
        [[40, 25, 30], [20, 50, 12]],
        [30, -12],
        [rotation_about("z", 30) @ rotation_about("x", 40), rotation_about("y", 20)],
    ),
    gaussians=Quadrics.from_axes([[10, 20, -5]], [[12, 18, 9]], [50], [rotation_about("x", 25)]),
    cylinders=Cylinders.from_lists(
        [[0, 0, 0], [30, 40, 10], [-30, -20, 5]],
        [[0, 0, 1], [0.3, -0.2, 1], [1, 0.4, 0.1]],
        [60, 15, 10],
        [70, 30, 40],
        [10, 25, -8],
    ),
)
"""One of everything, in no special position."""


def value_at(phantom: Phantom, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Attenuation (1/cm) at points of shape (..., 3), straight from the definitions."""
    total = np.zeros(points.shape[:-1])
    for bodies, soft in ((phantom.ellipsoids, False), (phantom.gaussians, True)):
        for center, matrix, value in zip(
            bodies.center_um, bodies.matrix_um2, bodies.value_per_cm, strict=True
        ):
            offset = points - center
            distance2 = np.einsum("...i,ij,...j->...", offset, np.linalg.inv(matrix), offset)
            total += value * (np.exp(-distance2 / 2) if soft else distance2 <= 1)
    rods = phantom.cylinders
    for center, axis, radius, half, value in zip(
        rods.center_um, rods.axis, rods.radius_um, rods.half_length_um, rods.value_per_cm,
        strict=True,
    ):  # fmt: skip
        offset = points - center
        along = offset @ axis
        beside2 = (offset**2).sum(axis=-1) - along**2
        total += value * ((np.abs(along) <= half) & (beside2 <= radius**2))
    return total


@settings(max_examples=40, deadline=None)
@given(
    angle=st.floats(-360, 360),
    tilt=st.floats(-5, 5),
    center=st.floats(20, 44),
    row=st.integers(5, 35),
    column=st.integers(5, 58),
)
def test_projection_is_the_integral_along_the_ray(
    angle: float, tilt: float, center: float, row: int, column: int
) -> None:
    detector = Detector(40, 64, PIXEL_UM, center, tilt)
    found = MIXED.project(detector, [angle], slice(row, row + 1))[0, 0, column]
    a, t = np.deg2rad(angle), np.deg2rad(tilt)
    across, down = (column - center) * PIXEL_UM, (row - 19.5) * PIXEL_UM
    # A clockwise tilt leans the top of the axis to the right.
    u = across * np.cos(t) + down * np.sin(t)
    v = -across * np.sin(t) + down * np.cos(t)
    steps_um = np.linspace(-300, 300, 60001)
    ray = np.stack(
        [
            u * np.cos(a) - steps_um * np.sin(a),
            u * np.sin(a) + steps_um * np.cos(a),
            np.full_like(steps_um, v),
        ],
        axis=-1,
    )
    expected = value_at(MIXED, ray).sum() * 0.01 * 1e-4
    # Each body's ends are found to one step of 0.01 um by the sum.
    assert found == pytest.approx(expected, abs=2 * 6 * 50 * 0.01 * 1e-4)


@pytest.mark.parametrize("oversample", [1, 3])
def test_voxels_are_the_values_at_their_places(oversample: int) -> None:
    found = MIXED.voxels(DETECTOR, slice(17, 19), size=50, oversample=oversample)
    fine = (np.arange(oversample) - (oversample - 1) / 2) / oversample
    place = (np.arange(50)[:, None] + fine).reshape(-1) - 24.5
    z = (np.array([17, 18])[:, None] + fine).reshape(-1) - 19.5
    grid = np.stack(np.meshgrid(z, -place, place, indexing="ij"), axis=-1)[..., ::-1] * PIXEL_UM
    value = value_at(MIXED, grid)
    n = oversample
    expected = value.reshape(2, n, 50, n, 50, n).mean(axis=(1, 3, 5))
    # A sample right on a surface may fall either way.
    assert np.mean(np.abs(found - expected) > 1e-3) < 1e-3


def test_orientation_against_the_voxels() -> None:
    """Angle 0 sees x along the columns; angle 90 sees y, which grows upwards."""
    phantom = build_phantom("asymmetric", VIEW)
    voxels = phantom.voxels(DETECTOR, oversample=4)
    at_0, at_90 = phantom.project(DETECTOR, [0.0, 90.0], oversample=4)
    cm = PIXEL_UM * 1e-4
    assert np.abs(voxels.sum(axis=1) * cm - at_0).max() < 0.01
    assert np.abs(voxels.sum(axis=2)[:, ::-1] * cm - at_90).max() < 0.01
    # The phantom tells every flip apart.
    assert np.abs(voxels.sum(axis=2) * cm - at_90).max() > 0.1
    assert np.abs(voxels.sum(axis=1)[:, ::-1] * cm - at_0).max() > 0.1
    assert np.abs(voxels.sum(axis=1)[::-1] * cm - at_0).max() > 0.1


def test_opposite_views_are_mirrored_about_the_centre() -> None:
    detector = Detector(20, 64, PIXEL_UM, 30.0)
    one, other = MIXED.project(detector, [35.0, 215.0])
    np.testing.assert_allclose(one[:, :61], other[:, 60::-1], atol=1e-5)


def test_mass_is_the_same_from_every_side_and_known() -> None:
    wide = Detector(120, 160, 2.0, 79.5, 1.5)
    axes, sigmas = np.array([40.0, 30.0, 20.0]), np.array([10.0, 12.0, 8.0])
    phantom = Phantom(
        "inside",
        ellipsoids=Quadrics.from_axes([[20, 10, -30]], [axes], [15], [rotation_about("x", 30)]),
        gaussians=Quadrics.from_axes([[-20, 30, 20]], [sigmas], [40], [rotation_about("y", 30)]),
        cylinders=Cylinders.from_lists([[10, 5, 10]], [0.4, 0.2, 1], 20, 40, 25),
    )
    volume_um3 = (
        15 * 4 / 3 * np.pi * axes.prod()
        + 40 * (2 * np.pi) ** 1.5 * sigmas.prod()
        + 25 * np.pi * 20**2 * 80
    )
    views = phantom.project(wide, np.linspace(0, 170, 9), oversample=2)
    masses = views.sum(axis=(1, 2), dtype=np.float64) * 2.0**2 / 1e-4
    np.testing.assert_allclose(masses, volume_um3, rtol=2e-3)


@pytest.mark.parametrize("name", PHANTOMS)
def test_every_phantom_fits_its_view_and_survives_json(name: str) -> None:
    phantom = build_phantom(name, VIEW, seed=3)
    views = phantom.project(DETECTOR, [0.0, 50.0, 100.0])
    assert 0.8 < views.max() < 4.0
    assert views.min() > -1e-4
    # Air on both sides, so that flats and centre can be judged.
    assert np.abs(views[:, :, [0, -1]]).max() < 0.01
    again = Phantom.from_plain(json.loads(json.dumps(phantom.to_plain())))
    np.testing.assert_array_equal(again.project(DETECTOR, [50.0])[0], views[1])
    assert again.tables == phantom.tables


@pytest.mark.parametrize("name", ["smooth", "foam", "fibres", "spheres"])
def test_the_seed_decides(name: str) -> None:
    first, same, other = (
        build_phantom(name, VIEW, seed=seed).project(DETECTOR, [10.0]) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, same)
    assert np.abs(first - other).max() > 0.01


@pytest.mark.parametrize(("name", "table"), [("foam", "voids"), ("spheres", "spheres")])
def test_spheres_do_not_touch_and_stay_inside(name: str, table: str) -> None:
    rows = build_phantom(name, VIEW, seed=5).tables[table]
    center = np.array([[row["x_um"], row["y_um"], row["z_um"]] for row in rows])
    radius = np.array([row["radius_um"] for row in rows])
    assert len(rows) > 50
    apart = np.linalg.norm(center[:, None] - center, axis=2) - radius[:, None] - radius
    np.fill_diagonal(apart, 1.0)
    assert apart.min() > 0
    assert (np.hypot(center[:, 0], center[:, 1]) + radius).max() <= VIEW.radius_um


def test_breaks_are_air_between_two_ends_of_a_fibre() -> None:
    phantom = build_phantom("fibres", VIEW, seed=2)
    fibres = {row["fibre"]: row for row in phantom.tables["fibres"]}
    breaks = phantom.tables["breaks"]
    assert len(fibres) > 100
    assert len(breaks) > 20
    fibre_per_cm, matrix_per_cm = 1.6 * VIEW.reference_per_cm, 0.6 * VIEW.reference_per_cm
    for row in breaks:
        slope = fibres[row["fibre"]]
        axis = np.array([slope["slope_x"], slope["slope_y"], 1.0])
        axis /= np.linalg.norm(axis)
        middle = np.array([row["x_um"], row["y_um"], row["z_um"]])
        half = row["opening_um"] / 2
        places = middle + np.outer([-1.01 * half, -0.99 * half, 0, 0.99 * half, 1.01 * half], axis)
        expected = [fibre_per_cm, 0, 0, 0, fibre_per_cm]
        np.testing.assert_allclose(value_at(phantom, places), expected, atol=1e-9)
    middle = np.array([[f["x_um"], f["y_um"], 0.0] for f in fibres.values()])
    assert set(np.round(value_at(phantom, middle) / matrix_per_cm, 6)) <= {0.0, 2.666667}


def test_a_thin_slab_lists_the_breaks_it_cuts() -> None:
    thin = FieldOfView(160.0, 8.0)
    breaks = build_phantom("fibres", thin, seed=2).tables["breaks"]
    assert 3 < len(breaks) < 60
    for row in breaks:
        assert abs(row["z_um"]) < 8.0 + row["opening_um"] / 2


def test_a_block_of_rows_is_cut_from_the_whole() -> None:
    whole = MIXED.project(DETECTOR, [12.0], oversample=2)
    part = MIXED.project(DETECTOR, [12.0], slice(7, 19), oversample=2)
    np.testing.assert_allclose(part, whole[:, 7:19], atol=1e-6)


def test_unknown_phantom_is_named_with_the_known_ones() -> None:
    with pytest.raises(RecipeError, match=r"no phantom 'cube'.*fibres"):
        build_phantom("cube", VIEW)
