"""Features of a block of voxels, from the block and its surroundings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_alsct_segment.features import smoothing, tensors
from napari_alsct_segment.features.recipe import FeatureRecipe, gaussian, radius_px

Float32Array = NDArray[np.float32]

_ALONE = np.ones(1, np.float32)
"""Weights across slices where slices are looked at alone."""


def compute_features(block: Float32Array, recipe: FeatureRecipe) -> Float32Array:
    """Compute all features of a block.

    Parameters
    ----------
    block
        float32, C order, shape (slice, y, x) with `recipe.reach_px` voxels of surroundings on
        each side.
    recipe
        Which features.

    Returns
    -------
    features
        float32, shape (feature, slice, y, x) without the surroundings, in the order of
        `recipe.names`. A voxel's features are the same, to the bit, in whatever block it lies.

    Raises
    ------
    ValueError
        The block is no larger than its surroundings.
    """
    reach = recipe.reach_px
    slices, rows, columns = (n - 2 * r for n, r in zip(block.shape, reach, strict=True))
    if min(slices, rows, columns) < 1:
        raise ValueError(f"a block of {block.shape} is no larger than its surroundings, {reach}")
    block = np.ascontiguousarray(block, np.float32)
    out = np.empty((len(recipe.names), slices, rows, columns), np.float32)
    place = {name: out[index] for index, name in enumerate(recipe.names)}
    deep = 0 if recipe.flat else 1
    near = (reach[0] - deep, reach[1] - 1, reach[2] - 1)
    values = {}
    for scale in recipe.scales_px:
        at, weights = f"{scale:g}", gaussian(scale)
        through = _ALONE if recipe.flat else weights
        if recipe.edges or recipe.curvatures:
            smoothed = np.empty((slices + 2 * deep, rows + 2, columns + 2), np.float32)
            smoothing.smooth(block, near, through, weights, smoothed)
            shape = (slices, rows, columns)
            tensors.curvature(
                smoothed, deep, _target(place, f"edge {at}", shape),
                *(_target(place, f"curvature {at} {number}", shape) for number in (1, 2, 3)),
            )  # fmt: skip
            values[at] = smoothed[deep : deep + slices, 1:-1, 1:-1]
        elif recipe.values or recipe.differences:
            values[at] = np.empty((slices, rows, columns), np.float32)
            smoothing.smooth(block, reach, through, weights, values[at])
        if recipe.spreads:
            smoothing.spread(block, reach, through, weights, place[f"spread {at}"])
    _fill_values(values, place)
    if recipe.textures:
        _fill_textures(block, recipe, place)
    return out


def _target(place: dict[str, Float32Array], name: str, shape: tuple[int, int, int]) -> Float32Array:
    """Where a feature goes; memory that is thrown away when it is not wanted."""
    return place[name] if name in place else np.empty(shape, np.float32)


def _fill_values(values: dict[str, Float32Array], place: dict[str, Float32Array]) -> None:
    names = list(values)
    for index, at in enumerate(names):
        if f"value {at}" in place:
            place[f"value {at}"][:] = values[at]
        if f"difference {at}" in place:
            np.subtract(values[at], values[names[index + 1]], out=place[f"difference {at}"])


def _fill_textures(
    block: Float32Array, recipe: FeatureRecipe, place: dict[str, Float32Array]
) -> None:
    deep = 0 if recipe.flat else 1
    inner, largest = gaussian(recipe.inner_px), radius_px(recipe.scales_px[-1])
    window = (largest * deep, largest, largest)
    # Gradients are needed as far as the widest window reaches.
    cut = tuple(r - w - s for r, w, s in zip(recipe.reach_px, window, (deep, 1, 1), strict=True))
    smoothed = np.empty([n - 2 * c for n, c in zip(block.shape, cut, strict=True)], np.float32)
    smoothing.smooth(block, cut, _ALONE if recipe.flat else inner, inner, smoothed)
    slices, rows, columns = smoothed.shape
    down, over, side = np.empty((3, slices - 2 * deep, rows - 2, columns - 2), np.float32)
    tensors.gradient(smoothed, deep, down, over, side)
    for scale in recipe.scales_px:
        weights = gaussian(scale)
        tensors.texture(
            down, over, side, window, _ALONE if recipe.flat else weights, weights,
            *(place[f"texture {scale:g} {number}"] for number in (1, 2, 3)),
        )  # fmt: skip
