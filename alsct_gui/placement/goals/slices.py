"""How many slices a product really has: by its files, not by what its metadata say."""

from __future__ import annotations

import os
from itertools import product
from pathlib import Path

from alsct_gui.files.shardread import ShardLayout, read_layout
from alsct_gui.files.volumes import open_volume


def count_slices(path: Path) -> int:
    """Count the slices of the finest level that are stored.

    Raises
    ------
    InputError
        It is no volume.
    """
    layout = read_layout(path / "0", path.name)
    if layout is not None:
        return _stored_slices(path / "0", layout)
    with open_volume(path) as volume:
        return volume.shape[0]


def _stored_slices(folder: Path, layout: ShardLayout) -> int:
    """Count slices whose shards are all there, each longer than its index."""
    slices = layout.shape[0]
    rows, columns = (
        range(-(-size // shard))
        for size, shard in zip(layout.shape[1:], layout.shard[1:], strict=True)
    )
    count = 0
    for slab, first in enumerate(range(0, slices, layout.shard[0])):
        files = (folder / "c" / str(slab) / str(y) / str(x) for y, x in product(rows, columns))
        if all(_size_bytes(file) > layout.index_bytes for file in files):
            count += min(layout.shard[0], slices - first)
    return count


def _size_bytes(file: Path) -> int:
    try:
        return os.stat(file, follow_symlinks=False).st_size  # noqa: PTH116 (called very often)
    except OSError:
        return 0
