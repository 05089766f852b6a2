"""A forest as arrays, and its probabilities by a compiled loop.

The probabilities are those of scikit-learn's ``predict_proba`` to float32 rounding; the file
holds numbers alone, so that a model from outside can be checked and never runs code.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numba import njit
from numpy.typing import NDArray

from alsct_gui.model.errors import InputError

Float32Array = NDArray[np.float32]
Int32Array = NDArray[np.int32]

MAX_NODES, MAX_FEATURES, MAX_CLASSES = 1 << 24, 255, 255
_VOXELS = 64
"""Voxels that go down a tree side by side."""


@dataclass(frozen=True, eq=False)
class Forest:
    """Trees one behind the other; the two children of a node are neighbours."""

    feature: Int32Array
    """Shape (node,): which feature a node looks at."""
    threshold: Float32Array
    """Shape (node,): the right child is taken by values above it; +inf in a leaf."""
    child: Int32Array
    """Shape (node,): the left child, which the right one follows; a leaf names itself."""
    probability: Float32Array
    """Shape (node, class): shares of the classes in a leaf; zeros elsewhere."""
    roots: Int32Array
    """Shape (tree,): the first node of each tree."""

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return int(self.probability.shape[1])

    @cached_property
    def depths(self) -> Int32Array:
        """Number of steps from each root to its deepest leaf, shape (tree,)."""
        return _depths(self.child, self.roots)

    @cached_property
    def packed(self) -> NDArray[np.int64]:
        """What the compiled loop reads of each node, as one number, shape (node,).

        From the top: the threshold as an integer that orders as the float does, 24 bits of
        child, 8 bits of feature.
        """
        keys = _ordered(self.threshold).astype(np.int64)
        child, feature = self.child.astype(np.int64), self.feature.astype(np.int64)
        return (keys << 32) | (child << 8) | feature

    def predict(self, features: Float32Array) -> Float32Array:
        """Return the probabilities of the classes.

        Parameters
        ----------
        features
            float32, shape (feature, …), C order.

        Returns
        -------
        probabilities
            float32, shape (class, …); they sum to 1.
        """
        flat = np.ascontiguousarray(features, np.float32).reshape(len(features), -1)
        out = np.empty((self.n_classes, flat.shape[1]), np.float32)
        apply_trees(flat, self.packed, self.probability, self.roots, self.depths, out)
        return out.reshape(self.n_classes, *features.shape[1:])


def check_forest(forest: Forest, n_features: int, n_classes: int, where: str) -> None:
    """Refuse a forest from outside that the compiled loop could not walk safely.

    Raises
    ------
    InputError
        Shapes, types or numbers are not those of a forest.
    """
    nodes = len(forest.child)
    shapes_fit = (
        1 <= nodes <= MAX_NODES
        and forest.feature.shape == forest.threshold.shape == forest.child.shape == (nodes,)
        and forest.probability.shape == (nodes, n_classes)
        and forest.roots.ndim == 1
        and len(forest.roots) >= 1
    )
    types_fit = (
        forest.feature.dtype == forest.child.dtype == forest.roots.dtype == np.int32
        and forest.threshold.dtype == forest.probability.dtype == np.float32
    )
    counts_fit = 1 <= n_features <= MAX_FEATURES and 2 <= n_classes <= MAX_CLASSES
    if not (shapes_fit and types_fit and counts_fit):
        raise _no_forest("its arrays do not belong together", where)
    starts = forest.roots.astype(np.int64)
    ends = np.append(starts[1:], nodes)
    if starts[0] != 0 or (ends <= starts).any() or starts.min() < 0:
        raise _no_forest("its trees overlap", where)
    index = np.arange(nodes)
    leaf = forest.child == index
    end = np.repeat(ends, ends - starts)
    # A child lies behind its node and within its tree: so every walk ends.
    inside = leaf | ((forest.child > index) & (forest.child.astype(np.int64) + 1 < end))
    if not inside.all():
        raise _no_forest("a node leads out of its tree", where)
    if not (
        np.isposinf(forest.threshold[leaf]).all() and np.isfinite(forest.threshold[~leaf]).all()
    ):
        raise _no_forest("a threshold is no number", where)
    if ((forest.feature < 0) | (forest.feature >= n_features)).any():
        raise _no_forest(f"a node asks for a feature beyond the {n_features} there are", where)
    shares = forest.probability
    sums = shares[leaf].sum(axis=1)
    if not ((shares >= 0).all() and (shares <= 1).all() and np.allclose(sums, 1, atol=1e-4)):
        raise _no_forest("the shares of a leaf are no probabilities", where)


def _no_forest(what: str, where: str) -> InputError:
    return InputError(
        f"it holds no forest that can be used: {what}", where=where,
        fix="Train the model again, or take another file",
    )  # fmt: skip


def _ordered(values: Float32Array) -> Int32Array:
    """Integers that order as the floats do; minus zero counts as zero."""
    bits = (values + np.float32(0)).view(np.int32)
    ordered: Int32Array = bits ^ ((bits >> 31) & np.int32(0x7FFFFFFF))
    return ordered


@njit(nogil=True, cache=True)
def _depths(child: Int32Array, roots: Int32Array) -> Int32Array:
    depth = np.zeros(child.size, np.int32)
    deepest = np.zeros(roots.size, np.int32)
    tree = 0
    for node in range(child.size):
        if tree + 1 < roots.size and node >= roots[tree + 1]:
            tree += 1
        deepest[tree] = max(deepest[tree], depth[node])
        if child[node] != node:
            depth[child[node]] = depth[child[node] + 1] = depth[node] + 1
    return deepest


@njit(nogil=True, cache=True)
def apply_trees(
    features: Float32Array,
    packed: NDArray[np.int64],
    probability: Float32Array,
    roots: Int32Array,
    depths: Int32Array,
    out: Float32Array,
) -> None:
    """Send voxels down all trees and average the leaves.

    Many voxels go one step at a time together: no step waits for a branch to be guessed.

    Parameters
    ----------
    features
        Shape (feature, voxel).
    packed, probability, roots, depths
        Of a forest that was checked.
    out
        Shape (class, voxel).
    """
    n_features, n_voxels = features.shape
    n_classes = probability.shape[1]
    keys = np.empty(_VOXELS * n_features, np.int32)
    node = np.empty(_VOXELS, np.int32)
    total = np.empty((_VOXELS, n_classes), np.float32)
    share = np.float32(1.0 / roots.size)
    zero = np.float32(0)
    for start in range(0, n_voxels, _VOXELS):
        count = min(_VOXELS, n_voxels - start)
        for f in range(n_features):
            for v in range(count):
                bits = np.float32(features[f, start + v] + zero).view(np.int32)
                keys[v * n_features + f] = bits ^ ((bits >> 31) & np.int32(0x7FFFFFFF))
        total[:] = 0
        for tree in range(roots.size):
            for v in range(count):
                node[v] = roots[tree]
            for _ in range(depths[tree]):
                for v in range(count):
                    entry = packed[node[v]]
                    key = keys[v * n_features + (entry & np.int64(0xFF))]
                    right = np.int32(key > np.int32(entry >> np.int64(32)))
                    node[v] = np.int32((entry >> np.int64(8)) & np.int64(0xFFFFFF)) + right
            for v in range(count):
                for c in range(n_classes):
                    total[v, c] += probability[node[v], c]
        for c in range(n_classes):
            for v in range(count):
                out[c, start + v] = total[v, c] * share
