"""Forests as arrays give scikit-learn's probabilities; arrays that are no forest are refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from alsct_gui.model.errors import InputError
from napari_alsct_segment.forest.grow import ForestSettings, forest_of, grow_forest
from napari_alsct_segment.forest.trees import Forest, check_forest

Array = np.ndarray[Any, Any]


@pytest.fixture(scope="module")
def samples() -> tuple[Array, Array]:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(900, 7)).astype(np.float32)
    # Values that meet thresholds exactly, and both zeros.
    features[:, 5] = rng.integers(-2, 3, 900)
    features[:, 6] = rng.choice(np.array([0.0, -0.0, 1.0], np.float32), 900)
    score = features[:, 0] * features[:, 1] + features[:, 5] + 0.5 * rng.normal(size=900)
    return features, np.digitize(score, [-1, 1])


@pytest.fixture(scope="module")
def forest(samples: tuple[Array, Array]) -> Forest:
    return grow_forest(*samples, ForestSettings(trees=9, depth=8))


def test_probabilities_are_those_of_scikit_learn(samples: tuple[Array, Array]) -> None:
    from sklearn.ensemble import RandomForestClassifier

    features, classes = samples
    for depth in (1, 6, None):
        grown = RandomForestClassifier(11, max_depth=depth, random_state=3).fit(features, classes)
        forest = forest_of(grown)
        check_forest(forest, 7, 3, "here")
        assert len(forest.roots) == 11
        assert forest.depths.tolist() == [tree.get_depth() for tree in grown.estimators_]
        found = forest.predict(features.T)
        np.testing.assert_allclose(found.T, grown.predict_proba(features), atol=2e-6)
        # Right at the thresholds, and one step of float32 beside them.
        inner = np.isfinite(forest.threshold)
        edge = np.zeros((inner.sum(), 7), np.float32)
        edge[np.arange(inner.sum()), forest.feature[inner]] = forest.threshold[inner]
        for probe in (edge, np.nextafter(edge, np.float32(9)), np.nextafter(edge, np.float32(-9))):
            np.testing.assert_allclose(
                forest.predict(probe.T).T, grown.predict_proba(probe), atol=2e-6
            )


def test_a_seed_grows_one_forest(samples: tuple[Array, Array], forest: Forest) -> None:
    again = grow_forest(*samples, ForestSettings(trees=9, depth=8))
    np.testing.assert_array_equal(again.packed, forest.packed)
    other = grow_forest(*samples, ForestSettings(trees=9, depth=8, seed=1))
    assert other.packed.shape != forest.packed.shape or (other.packed != forest.packed).any()


def test_so_many_samples_of_a_class_at_most(samples: tuple[Array, Array]) -> None:
    few = grow_forest(*samples, ForestSettings(trees=3, samples_per_class=50))
    assert len(few.child) < 3 * 2 * 150


def test_one_class_is_not_enough(samples: tuple[Array, Array]) -> None:
    with pytest.raises(InputError, match="one class"):
        grow_forest(samples[0], np.zeros(900, int), ForestSettings())


def with_changed(array: Array, index: int, value: float) -> Array:
    changed = array.copy()
    changed[index] = value
    return changed


@pytest.mark.parametrize(
    ("name", "index", "value"),
    [
        ("child", 0, 10**6), ("child", 5, 1), ("child", 3, -1), ("feature", 0, 7),
        ("feature", 0, -1), ("threshold", 0, np.nan), ("threshold", 0, np.inf),
        ("probability", -1, 2.0), ("probability", -1, np.nan), ("roots", 0, 1), ("roots", 2, 0),
        ("roots", 1, 10**6),
    ],
)  # fmt: skip
def test_arrays_that_are_no_forest(forest: Forest, name: str, index: int, value: float) -> None:
    check_forest(forest, 7, 3, "here")
    broken = replace(forest, **{name: with_changed(getattr(forest, name), index, value)})
    with pytest.raises(InputError, match="no forest"):
        check_forest(broken, 7, 3, "here")


def test_shapes_that_are_no_forest(forest: Forest) -> None:
    for broken, n_features, n_classes in (
        (replace(forest, child=forest.child[:-1]), 7, 3),
        (replace(forest, roots=forest.roots[:0]), 7, 3),
        (replace(forest, child=forest.child.astype(np.int64)), 7, 3),
        (replace(forest, threshold=forest.threshold.astype(np.float64)), 7, 3),
        (forest, 7, 2),
        (forest, 300, 3),
    ):
        with pytest.raises(InputError, match="no forest"):
            check_forest(broken, n_features, n_classes, "here")
