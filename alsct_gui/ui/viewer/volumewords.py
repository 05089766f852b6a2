"""What the viewer says of volumes. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from alsct_gui.files.partialvolume import Run
from alsct_gui.ui.viewer.words import length_words, value_words

Voxel = tuple[int, int, int]


def place_words(index: int, n_slices: int, edge_um: float | None) -> str:
    """Say where a slice is, behind its number: ``of 2160 · 0.52 mm``."""
    words = f"of {n_slices}"
    return words if edge_um is None else f"{words} · {length_words(index * edge_um)}"


def facts_words(
    shape: Sequence[int], voxel_um: tuple[float, float, float] | None, units: str
) -> str:
    """Say what a volume is: ``2160 slices · 2560 × 2560 · 0.645 µm · 1/cm``."""
    n_slices, rows, columns = shape
    parts = [f"{n_slices} slice{'s' if n_slices != 1 else ''}", f"{columns} × {rows}"]
    if voxel_um is not None:
        z, y, x = voxel_um
        cube = abs(z - x) < 1e-3 * x and abs(y - x) < 1e-3 * x
        parts.append(f"{x:.4g} µm" if cube else f"{x:.4g} × {y:.4g} × {z:.4g} µm")
    if units:
        parts.append(units)
    return " · ".join(parts)


def voxel_words(voxel: Voxel, value: float, unit: str) -> str:
    """Say what is under the mouse: ``x 1283, y 900, slice 812 · 0.412 1/cm``."""
    z, y, x = voxel
    return f"x {x}, y {y}, slice {z} · {value_words(value, unit)}"


def made_words(finished: Sequence[Run], n_slices: int) -> str:
    """Say how much of a product is there: ``640 of 2160 slices made``."""
    return f"{sum(stop - first for first, stop in finished)} of {n_slices} slices made"


def newest_slice(before: Sequence[Run], after: Sequence[Run]) -> int | None:
    """Return the slice that was finished last, as far as two looks tell.

    Returns
    -------
    index
        The last slice of what was added; of the last run when nothing was; None when there
        is none at all.
    """
    grown = [run for run in after if not any(a <= run[0] and run[1] <= b for a, b in before)]
    runs = grown or list(after)
    return runs[-1][1] - 1 if runs else None
