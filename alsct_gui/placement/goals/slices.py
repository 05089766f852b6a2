"""How many slices a product really has: by its files, not by what its metadata say."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from itertools import product
from pathlib import Path

from alsct_gui.files.shardread import ShardLayout, parse_layout, read_layout
from alsct_gui.files.volumes import open_volume

ARRAY_FILE = "0/zarr.json"
"""What tells how the finest level of an OME-Zarr volume is stored."""
_TIFF = (".tif", ".tiff")


def count_slices(path: Path) -> int:
    """Count the slices of the finest level that are stored.

    Raises
    ------
    InputError
        It is no volume.
    """
    layout = read_layout(path / "0", path.name)
    if layout is not None:
        return _stored_slices(layout, lambda name: _size_bytes(path / "0" / name))
    with open_volume(path) as volume:
        return volume.shape[0]


def count_listed(files: Mapping[str, int], array: str | None, where: str) -> int:
    """Count the slices of a product that is only listed: at a place that we cannot read.

    Parameters
    ----------
    files
        Size in bytes of each file, by its path in the product.
    array
        What `ARRAY_FILE` holds; None for a stack of TIFF.
    where
        The product, for errors.

    Raises
    ------
    InputError
        It declares a shape that no volume has.
    """
    if array is None:
        return sum(
            "/" not in name and name.endswith(_TIFF) and size > 0 for name, size in files.items()
        )
    layout = parse_layout(array, where)
    if layout is None:
        return 0  # not as this program stores volumes, so it has not made it
    return _stored_slices(layout, lambda name: files.get(f"0/{name}", 0))


def _stored_slices(layout: ShardLayout, size_of: Callable[[str], int]) -> int:
    """Count slices whose shards are all there, each longer than its index."""
    slices = layout.shape[0]
    rows, columns = (
        range(-(-size // shard))
        for size, shard in zip(layout.shape[1:], layout.shard[1:], strict=True)
    )
    count = 0
    for slab, first in enumerate(range(0, slices, layout.shard[0])):
        names = (f"c/{slab}/{y}/{x}" for y, x in product(rows, columns))
        if all(size_of(name) > layout.index_bytes for name in names):
            count += min(layout.shard[0], slices - first)
    return count


def _size_bytes(file: Path) -> int:
    try:
        return os.stat(file, follow_symlinks=False).st_size  # noqa: PTH116 (called very often)
    except OSError:
        return 0
