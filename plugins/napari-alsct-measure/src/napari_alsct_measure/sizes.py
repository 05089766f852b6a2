"""Distributions of sizes: by number and by volume, without objects that the edges cut."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.table import Column, Table

Float64Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SizeSummary:
    """Where a distribution lies."""

    n_objects: int
    """Objects that were counted in."""
    n_cut: int
    """Objects that touch an edge, left out."""
    median: float
    """By number, not weighted by size."""
    d10: float
    """A tenth of the volume is in smaller objects."""
    d50: float
    """Half of it."""
    d90: float
    """Nine tenths."""


def summary(objects: Table, name: str = "diameter_um") -> SizeSummary:
    """Summarise the sizes of a table of objects; NaN where there are none.

    Parameters
    ----------
    objects
        Of `objects.object_table`; objects count by its column ``weight``.
    name
        The column of sizes.
    """
    size, weight, volume = (objects.column(key) for key in (name, "weight", "volume_um3"))
    d10, d50, d90 = weighted_quantiles(size, weight * volume, (0.1, 0.5, 0.9))
    (median,) = weighted_quantiles(size, weight, (0.5,))
    n_cut = int((weight == 0).sum())
    return SizeSummary(len(size) - n_cut, n_cut, median, d10, d50, d90)


def weighted_quantiles(
    values: NDArray[np.float64], weights: NDArray[np.float64], shares: tuple[float, ...]
) -> list[float]:
    """Quantiles of values that count by weights; NaN when the weights are all 0."""
    order = np.argsort(values, kind="stable")
    ascending, weight = values[order], weights[order]
    ascending, weight = ascending[weight > 0], weight[weight > 0]
    if not len(weight):
        return [float("nan")] * len(shares)
    # The middle of each object's own share.
    reached = (np.cumsum(weight) - weight / 2) / weight.sum()
    return [float(np.interp(share, reached, ascending)) for share in shares]


def size_distribution(objects: Table, name: str = "diameter_um", bins: int = 24) -> Table:
    """Return the distribution of sizes: share of the number and of the volume in each bin.

    Parameters
    ----------
    objects
        Of `objects.object_table`.
    name
        The column of sizes.
    bins
        Bins of equal width, from 0.
    """
    size, weight, volume = (objects.column(key) for key in (name, "weight", "volume_um3"))
    edges = np.linspace(0, max(float(size.max(initial=0)), 1e-9) * 1.0001, bins + 1)
    by_number, _ = np.histogram(size, edges, weights=weight)
    by_volume, _ = np.histogram(size, edges, weights=weight * volume)
    counted, _ = np.histogram(size[weight > 0], edges)
    shares = [part / max(part.sum(), 1e-30) for part in (by_number, by_volume)]
    unit = next(item.unit for item in objects.columns if item.name == name)
    return Table(
        (
            Column(f"{name}_from", unit, "Lower end of the bin."),
            Column(f"{name}_to", unit, "Upper end of the bin."),
            Column("n_objects", "", "Objects clear of the edges."),
            Column("number_share", "", "Share of the objects, corrected for the edges."),
            Column("volume_share", "", "Share of their volume, corrected for the edges."),
            Column("volume_share_below", "", "Share of the volume in this bin and all below."),
        ),
        (edges[:-1], edges[1:], counted, shares[0], shares[1], np.cumsum(shares[1])),
    )
