"""Whether a product fits on the disk, asked before the work starts."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike

from alsct_gui.model.errors import ResourceError


def require_space(path: Path, needed_bytes: int) -> None:
    """Raise unless the disk that will hold a path has so many bytes free.

    Parameters
    ----------
    path
        A file or folder that need not exist yet.
    needed_bytes
        What is going to be written.

    Raises
    ------
    ResourceError
        Says how much is needed and how much is free.
    """
    place = path.absolute()
    while not place.exists():
        place = place.parent
    free_bytes = shutil.disk_usage(place).free
    if free_bytes < needed_bytes:
        raise ResourceError(
            f"the result needs {needed_bytes / 1e9:.1f} GB, {free_bytes / 1e9:.1f} GB are free",
            where=str(path), fix="Free space, give another folder, or store uint16 or uint8",
        )  # fmt: skip


def volume_bytes(shape: tuple[int, int, int], dtype: DTypeLike, *, pyramid: bool) -> int:
    """Return how many bytes a volume takes at most, with its pyramid if it has one."""
    plain = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
    return plain + plain // 7 + plain // 50 if pyramid else plain + 1024 * shape[0]
