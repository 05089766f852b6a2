"""The real scans beside the checkout open with what is known of them."""

from __future__ import annotations

import numpy as np
import pytest

from alsct_gui.files.check import check_scan
from alsct_gui.files.open import open_scan
from alsct_gui.model.finding import Severity
from alsct_gui.model.scan import FlatGroup
from tests.shared_data import shared_file

pytestmark = pytest.mark.data


def test_aps_tooth() -> None:
    with open_scan(shared_file("aps_tooth.h5")) as scan:
        assert (scan.layout, scan.quantity) == ("dxchange", "counts")
        assert scan.projections.shape == (181, 2, 640)
        assert scan.flats is not None
        assert scan.flats.shape == (10, 2, 640)
        assert scan.darks is not None
        assert scan.darks.shape == (10, 2, 640)
        assert scan.geometry.angles_deg[-1] == pytest.approx(180 * 180 / 181)
        assert scan.geometry.range_deg == pytest.approx(180)
        assert scan.people.sample == "Tooth"
        assert scan.projections.read(slice(0, 2)).mean() == pytest.approx(20877.8, abs=0.1)


def test_als832_legacy() -> None:
    with open_scan(shared_file("als832_legacy.h5")) as scan:
        assert scan.layout == "als-8.3.2-legacy"
        assert scan.projections.shape == (64, 59, 50)
        assert scan.darks is not None
        assert scan.darks.shape == (4, 59, 50)
        assert scan.flat_groups == (FlatGroup(0, 6, 0.0), FlatGroup(6, 6, 64.0))
        np.testing.assert_allclose(scan.geometry.angles_deg, -np.linspace(0, 180, 64))
        assert scan.geometry.pixel_size_um == pytest.approx(6.45)
        assert scan.geometry.energy_kev == pytest.approx(19.99963)
        assert scan.metadata["lens_name"] == "Optique 10X"
        assert len(scan.metadata) == 155
        assert scan.people.start_time == "2020-05-21T16:00:02"
        assert scan.warnings == ()


def test_diamond_k11() -> None:
    with open_scan(shared_file("diamond_k11/k11-18014.nxs")) as scan:
        assert scan.layout == "nxtomo"
        assert scan.projections.shape == (3001, 22, 26)
        assert scan.flats is not None
        assert scan.flats.shape == (100, 22, 26)
        assert scan.darks is not None
        assert scan.darks.shape == (100, 22, 26)
        assert scan.flat_groups == (FlatGroup(0, 50, 0.0), FlatGroup(50, 50, 3001.0))
        assert scan.geometry.angles_deg[1] == pytest.approx(0.06)
        assert "external-link-dangling" in {item.name for item in scan.warnings}


def test_neutron_sinogram() -> None:
    with open_scan(shared_file("neutron_wood_sinogram_360deg.tif")) as scan:
        assert (scan.layout, scan.quantity) == ("tiff", "line-integrals")
        assert scan.projections.shape == (625, 1, 577)
        assert scan.geometry.range_deg == pytest.approx(360)
        assert (scan.flats, scan.darks) == (None, None)


@pytest.mark.parametrize(
    "name",
    ["aps_tooth.h5", "als832_legacy.h5", "diamond_k11/k11-18014.nxs",
     "neutron_wood_sinogram_360deg.tif"],
)  # fmt: skip
def test_none_of_them_is_broken(name: str) -> None:
    findings = check_scan(shared_file(name), thorough=True)
    assert [item for item in findings if item.severity is Severity.ERROR] == []
