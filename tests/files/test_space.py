"""A product that does not fit is refused before the work, with figures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from alsct_gui.files.space import require_space, volume_bytes
from alsct_gui.files.writers.base import create_volume
from alsct_gui.model.errors import ResourceError


def test_says_what_is_needed_and_what_is_free(tmp_path: Path) -> None:
    place = tmp_path / "not" / "yet" / "rec.zarr"
    require_space(place, 1)
    with pytest.raises(ResourceError, match=r"needs 10000000\.0 GB, \d+\.\d GB"):
        require_space(place, 10**16)


def test_estimate_covers_the_product(tmp_path: Path) -> None:
    data = np.random.default_rng(0).normal(size=(40, 333, 333)).astype(np.float32)
    for kind in ("ome-zarr", "tiff"):
        with create_volume(
            tmp_path / kind, shape=data.shape, dtype="float32", format=kind
        ) as writer:
            writer.write(0, data)
            path = writer.finish()
        written = sum(file.stat().st_blocks * 512 for file in path.rglob("*") if file.is_file())
        assert written <= volume_bytes(data.shape, "float32", pyramid=kind == "ome-zarr") * 1.1
