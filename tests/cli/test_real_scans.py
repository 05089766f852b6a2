"""Real scans through the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from alsct_gui.files.open import open_volume
from tests.cli.conftest import Alsct
from tests.shared_data import shared_file

SCANS = (
    "als832_legacy.h5",
    "aps_tooth.h5",
    "diamond_k11/k11-18014.nxs",
    "neutron_wood_sinogram_360deg.tif",
)


@pytest.mark.data
@pytest.mark.parametrize("name", SCANS)
def test_info_opens_every_real_scan(alsct: Alsct, name: str) -> None:
    answer = alsct("info", shared_file(name), "--json")
    assert answer.code == 0
    assert min(answer.data["shape"]) >= 1


@pytest.mark.data
def test_tooth_comes_out_whole_with_its_rings_removed(alsct: Alsct, tmp_path: Path) -> None:
    scan = shared_file("aps_tooth.h5")
    strength = {}
    for name, rings in (("with", "[]"), ("without", "[{method: vo-all}]")):
        place = tmp_path / f"{name}.zarr"
        data = alsct("recon", scan, "-o", place, "-s", f"rings={rings}", "--json").data
        assert data["center_px"] == pytest.approx(296, abs=1)
        assert data["slices"] == 2
        strength[name] = data["quality"]["ring_strength"] * data["quality"]["noise"]
        with open_volume(place) as volume:
            slices = volume.levels[0][:]
        assert np.isfinite(slices).all()
        assert slices.std() > 0
    assert strength["without"] < 0.5 * strength["with"]


@pytest.mark.data
def test_wood_is_found_to_turn_about_column_284(alsct: Alsct, tmp_path: Path) -> None:
    scan = shared_file("neutron_wood_sinogram_360deg.tif")
    found = alsct("center", scan, "--json").data
    assert found["center_px"] == pytest.approx(284, abs=1.5)
    place = tmp_path / "wood.zarr"
    data = alsct(
        "recon", scan, "-o", place, "-r", "standard-8.3.2", "-s", "rings=[]", "--json"
    ).data
    assert data["center_px"] == pytest.approx(284, abs=1.5)
    with open_volume(place) as volume:
        picture = volume.levels[0][0]
    n = picture.shape[0]
    axis = np.arange(n) - (n - 1) / 2
    radius = np.hypot(axis[:, None], axis[None, :])
    # Wood in the middle attenuates; the air around it does not.
    assert picture[radius < 0.2 * n].mean() > 5 * abs(
        picture[(radius > 0.47 * n) & (radius < 0.49 * n)].mean()
    )
