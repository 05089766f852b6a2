"""Scans in memory, and the whole-scan reference that the streamed flow is held to."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from alsct_gui.model.errors import InputError
from alsct_gui.model.geometry import Geometry
from alsct_gui.model.recipe import Recipe
from alsct_gui.model.scan import FlatGroup, Scan


@dataclass
class Stack:
    """Frames in memory; reading fails after so many reads, if that is asked for."""

    frames: NDArray[Any]
    reads_left: int = 1_000_000_000
    asked: list[Any] = field(default_factory=list)
    """What ``frames`` each read asked for."""

    @property
    def shape(self) -> tuple[int, int, int]:
        n_frames, n_rows, n_columns = self.frames.shape
        return n_frames, n_rows, n_columns

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.frames.dtype

    def read(
        self,
        frames: slice | NDArray[np.intp] = slice(None),
        rows: slice = slice(None),
        columns: slice = slice(None),
        *,
        out: NDArray[Any] | None = None,
    ) -> NDArray[Any]:
        self.reads_left -= 1
        if self.reads_left < 0:
            raise InputError("the file was cut short", where="memory", fix="Copy it again")
        self.asked.append(frames)
        block = self.frames[frames, rows, columns].copy()
        if out is None:
            return block
        out[...] = block
        return out


def counts_scan(
    n_angles: int = 13, n_rows: int = 12, n_columns: int = 22, *, zingers: bool = True, **more: Any
) -> Scan:
    """Random counts with two groups of flats, a dead pixel, saturated values and zingers."""
    rng = np.random.default_rng(3)
    frames = rng.integers(3000, 30000, (n_angles, n_rows, n_columns))
    if zingers:
        frames[rng.random(frames.shape) < 0.01] = 65535
    flats = rng.integers(39000, 41000, (6, n_rows, n_columns))
    flats[:, 2, 4] = 0
    darks = rng.integers(90, 110, (4, n_rows, n_columns))
    groups = (FlatGroup(0, 2, 2.0), FlatGroup(2, 4, 9.0))
    angles = np.linspace(0, 180, n_angles, endpoint=False)
    return Scan(
        Path("memory"), "tiff", Stack(frames.astype(np.uint16)), Stack(flats.astype(np.uint16)),
        Stack(darks.astype(np.uint16)), Geometry(angles, n_rows, n_columns, pixel_size_um=1.3),
        flat_groups=groups, **more,
    )  # fmt: skip


def reference(scan: Scan, recipe: Recipe) -> NDArray[np.float64]:
    """Line integrals of the whole scan, shape (row, angle, column), by numpy and scipy."""
    assert scan.flats is not None
    assert scan.darks is not None
    frames = scan.projections.read().astype(np.float64)
    if recipe.zingers is not None:
        size = recipe.zingers.size_px
        medians = np.stack([median_filter(frame, size, mode="reflect") for frame in frames])
        frames = np.where(frames > medians * (1 + recipe.zingers.threshold), medians, frames)
    region = recipe.region
    rows = region.rows or (0, frames.shape[1])
    columns = region.columns or (0, frames.shape[2])

    def cut(pictures: NDArray[np.float64]) -> NDArray[np.float64]:
        part = pictures[..., slice(*rows), slice(*columns)]
        n, b = region.binning, part.shape
        part = part[..., : b[-2] // n * n, : b[-1] // n * n]
        return part.reshape(*b[:-2], b[-2] // n, n, b[-1] // n, n).mean(axis=(-3, -1))

    dark = cut(scan.darks.read().astype(np.float64).mean(axis=0))
    flats = scan.flats.read().astype(np.float64)
    means = [cut(flats[g.first : g.first + g.count].mean(axis=0)) - dark for g in scan.flat_groups]
    at = [group.at_projection for group in scan.flat_groups]
    lines = []
    for projection in range(len(frames)):
        weight = np.clip((projection - at[0]) / (at[1] - at[0]), 0, 1)
        flat = (1 - weight) * means[0] + weight * means[1]
        value = np.ones_like(flat)
        np.divide(cut(frames[projection]) - dark, flat, out=value, where=flat > 0)
        lines.append(-np.log(np.maximum(value, recipe.correction.transmission_min)))
    angles = region.angles or (0, len(frames))
    used = np.stack(lines)[slice(*angles)][:: region.angle_step]
    return used.transpose(1, 0, 2)[:: region.row_step]
