"""Growing a forest: scikit-learn's random forest (Breiman 2001), turned into arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.errors import InputError
from alsct_gui.steps.settings import setting
from napari_alsct_segment.forest.trees import Forest

Float32Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ForestSettings:
    """How a forest is grown."""

    trees: int = setting(
        32, label="Trees", min=1, max=200, tier="power", help="More trees are steadier and slower."
    )
    depth: int = setting(
        10, label="Depth", min=1, max=20, tier="power", help="Questions that a tree asks at most."
    )
    samples_per_class: int = setting(
        4000,
        label="Samples of a class",
        min=50,
        max=100_000,
        tier="power",
        help="So many scribbled voxels of each class are learnt from at most.",
    )
    seed: int = setting(
        0,
        label="Seed",
        min=0,
        max=2**31 - 1,
        tier="power",
        help="The same seed grows the same forest.",
    )


def grow_forest(
    features: Float32Array, classes: NDArray[np.integer[Any]], settings: ForestSettings
) -> Forest:
    """Grow a forest.

    Parameters
    ----------
    features
        float32, shape (sample, feature).
    classes
        Index of each sample's class from 0 on, shape (sample,); every class has samples.
    settings
        How.

    Raises
    ------
    InputError
        There are fewer than two classes.
    """
    from sklearn.ensemble import RandomForestClassifier

    if len(np.unique(classes)) < 2:
        raise InputError(
            "there are scribbles of one class alone", where="scribbles",
            fix="Mark some voxels of another class too",
        )  # fmt: skip
    chosen = _balanced(classes, settings)
    grown = RandomForestClassifier(
        settings.trees, max_depth=settings.depth, class_weight="balanced",
        random_state=settings.seed, n_jobs=1,
    ).fit(features[chosen], classes[chosen])  # fmt: skip
    return forest_of(grown)


def _balanced(classes: NDArray[Any], settings: ForestSettings) -> NDArray[np.intp]:
    """Samples to learn from: of each class all, or so many as are wanted, drawn by the seed."""
    rng = np.random.default_rng(settings.seed)
    chosen = []
    for name in np.unique(classes):
        found = np.flatnonzero(classes == name)
        if len(found) > settings.samples_per_class:
            found = np.sort(rng.choice(found, settings.samples_per_class, replace=False))
        chosen.append(found)
    return np.concatenate(chosen)


def forest_of(grown: Any) -> Forest:
    """Turn a fitted ``RandomForestClassifier`` into arrays.

    Parameters
    ----------
    grown
        Fitted on float32 features.
    """
    parts = [_tree(estimator.tree_) for estimator in grown.estimators_]
    sizes = np.array([len(part[0]) for part in parts])
    roots = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int32)
    feature, threshold, child, probability = (
        np.concatenate(arrays) for arrays in zip(*parts, strict=True)
    )
    child = (child + np.repeat(roots, sizes)).astype(np.int32)
    return Forest(feature, threshold, child, probability, roots)


def _tree(tree: Any) -> tuple[NDArray[Any], ...]:
    """One tree level by level, so that siblings are neighbours."""
    left, right = tree.children_left, tree.children_right
    order = [0]
    for node in order:  # it grows while it is walked
        if left[node] >= 0:
            order += [int(left[node]), int(right[node])]
    place = np.empty(len(order), np.int32)
    place[order] = np.arange(len(order))
    leaf = left[order] < 0
    child = np.where(leaf, np.arange(len(order)), place[left[order]])
    feature = np.where(leaf, 0, tree.feature[order]).astype(np.int32)
    threshold = np.where(leaf, np.float32(np.inf), _below(tree.threshold[order]))
    shares = tree.value[order, 0]
    shares = shares / shares.sum(axis=1, keepdims=True)
    probability = np.where(leaf[:, None], shares, 0).astype(np.float32)
    return feature, threshold.astype(np.float32), child.astype(np.int32), probability


def _below(threshold: NDArray[np.float64]) -> Float32Array:
    """Round down to float32: a float32 is above the one exactly when it is above the other."""
    near = threshold.astype(np.float32)
    lower: Float32Array = np.where(near > threshold, np.nextafter(near, np.float32(-np.inf)), near)
    return lower
