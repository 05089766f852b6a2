"""Small volumes, written by the program's own writer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.files.writers.base import create_volume

SHAPE = (24, 40, 56)


def ramp(shape: tuple[int, int, int] = SHAPE) -> NDArray[np.float32]:
    """Values that tell where a voxel lies: 10000 slice + 100 y + x."""
    z, y, x = np.indices(shape)
    return (10_000 * z + 100 * y + x).astype(np.float32)


def balls(shape: tuple[int, int, int] = SHAPE, seed: int = 5) -> NDArray[np.float32]:
    """Balls of several densities, values about 0 to 1."""
    rng = np.random.default_rng(seed)
    z, y, x = np.indices(shape)
    values = np.zeros(shape, np.float32)
    for _ in range(14):
        center = rng.uniform(0, shape)
        radius = rng.uniform(0.1, 0.3) * min(shape)
        away = sum((a - c) ** 2 for a, c in zip((z, y, x), center, strict=True))
        values[away < radius**2] += rng.uniform(0.2, 0.6)
    return values + rng.normal(0, 0.01, shape).astype(np.float32)


def write(
    path: Path, values: NDArray[Any], *, voxel_um: Any = (1.3, 0.65, 0.65), **provenance: Any
) -> Path:
    """Write a volume."""
    about = {"units": "1/cm", **provenance}
    with create_volume(
        path, shape=values.shape, dtype=values.dtype, voxel_um=voxel_um, provenance=about
    ) as writer:
        writer.write(0, values)
        writer.finish()
    return path
