from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from alsct_gui.files.writers.base import create_volume

_ENTRIES = """[alsct_gui.steps]
toy.smooth = toysteps:SMOOTH
toy.count = toysteps:COUNT
toy.hang = toysteps:HANG
toy.scale = toysteps:SCALE
toy.broken = toysteps:NOTHING
"""


@pytest.fixture
def toys(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with steps, installed for this process and those that it starts."""
    site = tmp_path_factory.mktemp("site")
    shutil.copy(Path(__file__).with_name("toysteps.py"), site)
    about = site / "toys-1.5.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: toys\nVersion: 1.5\n")
    (about / "entry_points.txt").write_text(_ENTRIES)
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", str(site))
    return site


@pytest.fixture
def values() -> np.ndarray[tuple[int, int, int], np.dtype[np.float32]]:
    """A volume of noise with two bright cubes."""
    made = np.random.default_rng(5).random((20, 90, 110)).astype(np.float32) * 0.25
    made[2:6, 10:20, 10:20] += 1
    made[12:18, 50:70, 60:90] += 1
    return made


@pytest.fixture
def volume_path(tmp_path: Path, values: np.ndarray[tuple[int, int, int], np.dtype[np.float32]]) -> (
    Path
):  # fmt: skip
    """The same on the disk."""
    about = {"units": "1/cm", "input_path": "/data/scan.h5", "engine": "fourier 1"}
    with create_volume(
        tmp_path / "rec $(x) é.zarr", shape=(20, 90, 110), dtype="float32",
        voxel_um=(2.0, 0.65, 0.65), provenance=about,
    ) as writer:  # fmt: skip
        writer.write(0, values)
        return writer.finish()
