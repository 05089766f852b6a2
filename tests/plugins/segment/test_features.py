"""Features are what their names say, and the same in whatever block a voxel lies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from alsct_gui.model.errors import RecipeError
from napari_alsct_segment.features import tensors
from napari_alsct_segment.features.compute import compute_features
from napari_alsct_segment.features.recipe import FeatureRecipe, gaussian
from napari_alsct_segment.surrounded import Mirrored

Array = np.ndarray[Any, Any]
RECIPE = FeatureRecipe(scales_px=(0.8, 1.5))


@pytest.fixture(scope="module")
def volume() -> Array:
    return np.random.default_rng(1).random((13, 30, 41)).astype(np.float32)


def of_whole(volume: Array, recipe: FeatureRecipe) -> dict[str, Array]:
    wide = Mirrored(volume, recipe.reach_px)[...]
    return dict(zip(recipe.names, compute_features(wide, recipe), strict=True))


def smoothed(volume: Array, sigma: float) -> Array:
    return ndimage.gaussian_filter(volume.astype(np.float64), sigma, truncate=3.0)


def test_names_and_reach() -> None:
    recipe = FeatureRecipe(scales_px=(1.0, 2.0), curvatures=False, textures=False)
    assert recipe.names == (
        "value 1", "difference 1", "edge 1", "spread 1", "value 2", "edge 2", "spread 2",
    )  # fmt: skip
    assert recipe.reach_px == (7, 7, 7)
    assert FeatureRecipe(flat=True).reach_px == (0, 16, 16)
    assert gaussian(2.0).size == 7
    assert abs(gaussian(2.0)[0] + 2 * gaussian(2.0)[1:].sum() - 1) < 1e-6


@pytest.mark.parametrize(
    "wrong",
    [
        {"scales_px": ()}, {"scales_px": (2.0, 1.0)}, {"scales_px": (0.1,)},
        {"scales_px": (1.0, 99.0)},
        {"scales_px": (1.0,), "values": False, "differences": False, "edges": False,
         "curvatures": False, "spreads": False, "textures": False},
    ],
)  # fmt: skip
def test_recipes_that_are_none(wrong: dict[str, Any]) -> None:
    with pytest.raises(RecipeError, match="features"):
        FeatureRecipe(**wrong)


def test_values_and_differences(volume: Array) -> None:
    found = of_whole(volume, RECIPE)
    np.testing.assert_allclose(found["value 1.5"], smoothed(volume, 1.5), atol=1e-5)
    wanted = smoothed(volume, 0.8) - smoothed(volume, 1.5)
    np.testing.assert_allclose(found["difference 0.8"], wanted, atol=1e-5)


def test_edges_and_curvatures_are_those_of_finite_differences(volume: Array) -> None:
    found = of_whole(volume, RECIPE)
    base = np.pad(smoothed(volume, 1.5), 1)
    core = (slice(1, -1),) * 3

    def moved(*by: int) -> Array:
        return np.roll(base, [-step for step in by], (0, 1, 2))[core]

    unit = np.eye(3, dtype=int)
    slope = [(moved(*unit[i]) - moved(*-unit[i])) / 2 for i in range(3)]
    inner = (slice(1, -1),) * 3
    length = np.sqrt(sum(part**2 for part in slope))
    np.testing.assert_allclose(found["edge 1.5"][inner], length[inner], atol=1e-5)
    hessian = np.empty((*volume.shape, 3, 3))
    for i in range(3):
        for j in range(3):
            if i == j:
                hessian[..., i, i] = moved(*unit[i]) + moved(*-unit[i]) - 2 * moved(0, 0, 0)
            else:
                hessian[..., i, j] = (
                    moved(*unit[i] + unit[j]) - moved(*unit[i] - unit[j])
                    - moved(*unit[j] - unit[i]) + moved(*-unit[i] - unit[j])
                ) / 4  # fmt: skip
    values = np.linalg.eigvalsh(hessian)[..., ::-1]
    for number in range(3):
        mine = found[f"curvature 1.5 {number + 1}"]
        np.testing.assert_allclose(mine[inner], values[inner][..., number], atol=1e-5)


def test_spread_and_texture_within_a_window(volume: Array) -> None:
    found = of_whole(volume, RECIPE)
    wide = volume.astype(np.float64)
    variance = smoothed(wide**2, 1.5) - smoothed(wide, 1.5) ** 2
    np.testing.assert_allclose(found["spread 1.5"], np.sqrt(variance.clip(0)), atol=2e-4)
    reach = 12
    padded = np.pad(wide, reach, mode="symmetric")
    slope = np.gradient(smoothed(padded, 1.0))
    tensor = np.empty((*padded.shape, 3, 3))
    for i in range(3):
        for j in range(3):
            tensor[..., i, j] = smoothed(slope[i] * slope[j], 1.5)
    core = (slice(reach, -reach),) * 3
    values = np.sqrt(np.linalg.eigvalsh(tensor[core]).clip(0))[..., ::-1]
    for number in range(3):
        np.testing.assert_allclose(
            found[f"texture 1.5 {number + 1}"], values[..., number], atol=1e-4
        )


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 12), st.integers(0, 29), st.integers(0, 40), st.booleans())
def test_blocks_join_to_the_bit(z: int, y: int, x: int, flat: bool) -> None:
    volume = np.random.default_rng(1).random((13, 30, 41)).astype(np.float32)
    recipe = FeatureRecipe(scales_px=(0.8, 1.5), flat=flat)
    wide = Mirrored(volume, recipe.reach_px)
    whole = compute_features(wide[...], recipe)
    box = tuple(
        slice(at, min(at + 9, size)) for at, size in zip((z, y, x), volume.shape, strict=True)
    )
    outer = tuple(slice(a.start, a.stop + 2 * r) for a, r in zip(box, recipe.reach_px, strict=True))
    part = compute_features(wide[outer], recipe)
    np.testing.assert_array_equal(part, whole[(slice(None), *box)])


def test_flat_features_know_one_slice_alone(volume: Array) -> None:
    recipe = FeatureRecipe(scales_px=(1.0, 2.0), flat=True)
    whole = of_whole(volume, recipe)
    alone = of_whole(volume[5:6], recipe)
    for name, values in alone.items():
        np.testing.assert_array_equal(values[0], whole[name][5])
    wanted = ndimage.gaussian_filter(volume[5].astype(np.float64), 2.0, truncate=3.0)
    np.testing.assert_allclose(alone["value 2"][0], wanted, atol=1e-5)


def test_eigenvalues_of_all_kinds_of_matrices() -> None:
    rng = np.random.default_rng(0)
    made = rng.normal(size=(tensors.CHUNK, 3, 3))
    made = made + made.transpose(0, 2, 1)
    made[:20] *= 1e-5
    made[20] = np.eye(3)
    made[21] = 0
    made[22], made[23] = np.diag([1, 1, 2]), np.diag([1, 2, 2])
    made[24] = np.ones((3, 3))
    made[25] = -made[24]
    pairs = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
    chunk = np.concatenate([made[:, i, j] for i, j in pairs]).astype(np.float32)
    tensors._eigenvalues(chunk)
    found = chunk[: 3 * tensors.CHUNK].reshape(3, -1).T
    wanted = np.linalg.eigvalsh(made)[:, ::-1]
    scale = np.abs(wanted).max(axis=1, keepdims=True) + 1e-30
    assert (np.abs(found - wanted) / scale).max() < 2e-6


def test_a_block_that_is_nothing_but_surroundings() -> None:
    with pytest.raises(ValueError, match="no larger"):
        compute_features(np.zeros((10, 10, 10), np.float32), RECIPE)
