"""Holds what an analysis found against the truth of a specimen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alsct_gui.simulator.specimens.specimen import Float64Array, Rows


@dataclass(frozen=True, eq=False)
class Verdict:
    """Which findings are true, one truth to one finding."""

    pairs: NDArray[np.intp]
    """Rows of the truth and of the findings, shape (pair, 2)."""
    n_true: int
    n_found: int

    @property
    def missed_share(self) -> float:
        """Share of the truth that was not found: 1 - recall."""
        return 1 - len(self.pairs) / max(1, self.n_true)

    @property
    def false_share(self) -> float:
        """Share of the findings that are not true: 1 - precision."""
        return 1 - len(self.pairs) / max(1, self.n_found) if self.n_found else 0.0


def judge_breaks(truth: Rows, found_um: Float64Array, *, beside_um: float) -> Verdict:
    """Pair found breaks with true ones, the nearest first.

    Parameters
    ----------
    truth
        Table ``breaks`` of a specimen.
    found_um
        Places (z, y, x) of what was found, shape (break, 3).
    beside_um
        How far across the fibre a finding may lie: a fibre's radius. Along the fibre it may
        lie half the true opening from the middle of the gap, or that radius.
    """
    places = np.array([[row["z_um"], row["y_um"], row["x_um"]] for row in truth]).reshape(-1, 3)
    openings = np.array([row["opening_um"] for row in truth])
    along = np.abs(places[:, None, 0] - found_um[None, :, 0])
    across = np.linalg.norm(places[:, None, 1:] - found_um[None, :, 1:], axis=2)
    fits = (across <= beside_um) & (along <= np.maximum(beside_um, openings / 2)[:, None])
    far = np.where(fits, along + across, np.inf)
    used_true, used_found = set[int](), set[int]()
    pairs: list[tuple[int, int]] = []
    for place in np.argsort(far, axis=None, kind="stable").tolist():
        row, column = divmod(place, max(1, len(found_um)))
        if not np.isfinite(far[row, column]):
            break
        if row not in used_true and column not in used_found:
            used_true.add(row)
            used_found.add(column)
            pairs.append((row, column))
    return Verdict(np.array(pairs, np.intp).reshape(-1, 2), len(places), len(found_um))
