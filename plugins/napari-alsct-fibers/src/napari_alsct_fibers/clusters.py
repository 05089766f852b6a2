"""Clusters of breaks: on neighbouring fibres, at about the same height; and what chance makes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64Array = NDArray[np.float64]

_SHUFFLES = 200


@dataclass(frozen=True, eq=False)
class Clusters:
    """Which breaks belong together."""

    number: NDArray[np.int64]
    """Cluster of each break, from 1; 0 for a break by itself. Shape (break,)."""
    size: NDArray[np.int64]
    """Breaks of that cluster; 1 for a break by itself. Shape (break,)."""
    n_pairs: int
    """Pairs of neighbouring breaks."""
    pairs_by_chance: float
    """Mean number of such pairs when heights are dealt out anew among the breaks."""
    chance: float
    """Share of those deals with at least as many pairs."""

    @property
    def n_clusters(self) -> int:
        """How many there are."""
        return int(self.number.max(initial=0))


def find_clusters(
    places: Float64Array, along: Float64Array, beside_um: float, apart_um: float, seed: int = 0
) -> Clusters:
    """Group breaks that lie on neighbouring fibres at about the same height.

    Parameters
    ----------
    places
        Where the broken fibres cross the middle of each break, the two axes across the fibres
        in µm, shape (break, 2).
    along
        Height of each break along the fibres in µm, shape (break,).
    beside_um
        Fibres are neighbours when their middles are at most so far apart.
    apart_um
        Their breaks belong together when they are at most so far apart along the fibres.
    seed
        Of the deals that tell what chance makes.
    """
    n = len(along)
    beside = _neighbours(places, beside_um)
    near = np.abs(along[beside[:, 0]] - along[beside[:, 1]]) <= apart_um
    number = _components(n, beside[near])
    sizes = np.bincount(number, minlength=1)
    size = np.where(number > 0, sizes[number], 1)
    rng = np.random.default_rng(seed)
    counts = np.zeros(_SHUFFLES)
    for deal in range(_SHUFFLES):
        dealt = rng.permutation(along)
        counts[deal] = (np.abs(dealt[beside[:, 0]] - dealt[beside[:, 1]]) <= apart_um).sum()
    n_pairs = int(near.sum())
    chance = float((counts >= n_pairs).mean()) if n_pairs else 1.0
    return Clusters(number, size, n_pairs, float(counts.mean()), chance)


def _neighbours(places: Float64Array, reach: float) -> NDArray[np.intp]:
    """Pairs of breaks whose fibres are neighbours, not the same; shape (pair, 2)."""
    from scipy.spatial import KDTree

    if len(places) < 2:
        return np.empty((0, 2), np.intp)
    pairs = KDTree(places).query_pairs(reach, output_type="ndarray")
    return np.asarray(pairs, np.intp).reshape(-1, 2)


def _components(n: int, pairs: NDArray[np.intp]) -> NDArray[np.int64]:
    """Number the groups that pairs make of n things; 0 for things without a pair."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not len(pairs):
        return np.zeros(n, np.int64)
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    _, component = connected_components(graph, directed=False)
    paired = np.unique(pairs)
    number = np.zeros(n, np.int64)
    _, first, inverse = np.unique(component[paired], return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(1, len(first) + 1)
    number[paired] = rank[inverse]
    return number
