from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tifffile

from alsct_gui.files.open import open_scan
from alsct_gui.model.errors import InputError, UnsafeInputError
from alsct_gui.model.scan import FlatGroup
from tests.files.builders import (
    INSTRUMENT,
    PROCESS,
    als832_metadata,
    frames_of,
    write_als832,
    write_dxchange,
    write_legacy,
    write_nxtomo,
)


def names(scan: Any) -> set[str]:
    return {finding.name for finding in scan.warnings}


# ------------------------------------------------------------------------ current layout


def test_a_whole_scan_opens_with_everything_and_no_warning(tmp_path: Path) -> None:
    data = write_als832(tmp_path / "scan.h5")
    with open_scan(tmp_path / "scan.h5") as scan:
        assert scan.layout == "als-8.3.2"
        assert scan.quantity == "counts"
        np.testing.assert_array_equal(scan.projections.read(), data)
        assert scan.flats is not None
        assert scan.flats.shape == (4, 4, 16)
        assert scan.darks is not None
        assert scan.darks.shape == (3, 4, 16)
        assert scan.geometry.pixel_size_um == pytest.approx(3.25)
        assert scan.geometry.distance_mm == 50.0  # element 1, since element 0 is zero
        assert scan.geometry.energy_kev == 25.0
        assert not scan.geometry.white_beam
        assert scan.people.principal_investigator == "Ada Lovelace"
        assert scan.people.proposal == "BLS-00564"
        assert scan.people.start_time.startswith("2023-11-1")
        assert scan.warnings == ()


def test_the_stage_angle_is_negated(tmp_path: Path) -> None:
    write_als832(tmp_path / "scan.h5", theta=np.linspace(10, 190, 19))
    with open_scan(tmp_path / "scan.h5") as scan:
        np.testing.assert_allclose(scan.geometry.angles_deg, -np.linspace(10, 190, 19))


def test_every_metadata_key_is_in_the_flat_table(tmp_path: Path) -> None:
    write_als832(tmp_path / "scan.h5")
    with open_scan(tmp_path / "scan.h5") as scan:
        assert set(als832_metadata(19, 4, 16)) <= set(scan.metadata)
        assert scan.metadata[f"{INSTRUMENT}/detector/pixel_size"] == 0.00325
        assert scan.metadata[f"{INSTRUMENT}/detector/model"] == "PCO.edge"
        assert len(scan.metadata[f"{INSTRUMENT}/source/current"]) == 19


def test_per_frame_values_have_short_names_with_units(tmp_path: Path) -> None:
    short = {f"{INSTRUMENT}/detector/exposure_time": np.full(5, 0.1)}
    write_als832(tmp_path / "scan.h5", changed=short)
    with open_scan(tmp_path / "scan.h5") as scan:
        assert scan.per_frame["beam_current_ma"][[0, -1]].tolist() == [500.0, 490.0]
        assert scan.per_frame["time_s"][1] == 1.7e9 + 1
        assert "exposure_time_s" not in scan.per_frame  # five values for 19 projections


def test_any_key_may_be_missing(tmp_path: Path) -> None:
    silent = {f"{PROCESS}/rotation/rotation_start", f"{PROCESS}/flat_fields/flat_field_value",
              f"{PROCESS}/dark_fields/dark_field_value"}  # fmt: skip
    for key in als832_metadata(2, 2, 2):
        write_als832(tmp_path / "scan.h5", without=(key,))
        with open_scan(tmp_path / "scan.h5") as scan:
            assert scan.layout == "als-8.3.2"
            assert scan.projections.shape == (19, 4, 16)
            told = [item.message + item.where for item in scan.warnings]
        # Fallbacks for what the file has anyway are missed by nobody.
        assert key in silent or any(key in text for text in told)


@pytest.mark.parametrize(
    ("stored", "energy_kev", "white", "finding"),
    [
        (np.array([25000.0]), 25.0, False, None),
        (np.array([b"inf"]), 30.0, True, None),
        (np.array([b"white"]), 30.0, True, None),
        (np.array([5e6]), 30.0, True, None),
        (np.array([math.nan]), 30.0, True, None),
        (np.array([0.0]), None, False, "energy-missing"),
        (None, None, False, "energy-missing"),
    ],
)
def test_energy(
    tmp_path: Path, stored: Any, energy_kev: float | None, white: bool, finding: str | None
) -> None:
    key = f"{INSTRUMENT}/monochromator/energy"
    changed, without = ({}, (key,)) if stored is None else ({key: stored}, ())
    write_als832(tmp_path / "scan.h5", changed=changed, without=without)
    with open_scan(tmp_path / "scan.h5") as scan:
        assert scan.geometry.energy_kev == energy_kev
        assert scan.geometry.white_beam is white
        assert (finding in names(scan)) is (finding is not None)


def test_missing_angles_come_from_the_step_or_the_range(tmp_path: Path) -> None:
    step = {f"{PROCESS}/rotation/rotation_step": np.array([0.5]),
            f"{PROCESS}/rotation/rotation_start": np.array([3.0])}  # fmt: skip
    write_als832(tmp_path / "step.h5", theta=None, changed=step)
    with open_scan(tmp_path / "step.h5") as scan:
        np.testing.assert_allclose(scan.geometry.angles_deg, -(3 + 0.5 * np.arange(19)))
        assert names(scan) == {"angles-missing", "metadata-missing"}
    write_als832(tmp_path / "range.h5", theta=None)
    with open_scan(tmp_path / "range.h5") as scan:
        np.testing.assert_allclose(scan.geometry.angles_deg, -np.linspace(0, 180, 19))
    turns = {f"{PROCESS}/rotation/multiRev": np.array([1]),
             f"{PROCESS}/rotation/nhalfCir": np.array([4])}  # fmt: skip
    write_als832(tmp_path / "turns.h5", theta=None, changed=turns)
    with open_scan(tmp_path / "turns.h5") as scan:
        assert scan.geometry.angles_deg[-1] == -720.0


def test_missing_flats_and_darks_leave_the_stored_constants(tmp_path: Path) -> None:
    write_als832(tmp_path / "scan.h5", flats=None, darks=None)
    with open_scan(tmp_path / "scan.h5") as scan:
        assert (scan.flats, scan.darks, scan.flat_groups) == (None, None, ())
        assert (scan.flat_value, scan.dark_value) == (30000.0, 100.0)
        assert {"flats-missing", "darks-missing"} <= names(scan)


@pytest.mark.parametrize(
    ("n_flats", "cycle", "places"),
    [(4, 0, [0]), (8, 0, [0, 19]), (16, 9, [0, 9, 18, 19]), (12, 10, [0, 10, 19]), (6, 9, None)],
)
def test_flat_groups(tmp_path: Path, n_flats: int, cycle: int, places: list[int] | None) -> None:
    changed = {f"{PROCESS}/flat_fields/i0cycle": np.array([cycle])}
    write_als832(tmp_path / "scan.h5", flats=n_flats, changed=changed)
    with open_scan(tmp_path / "scan.h5") as scan:
        if places is None:
            assert scan.flat_groups == (FlatGroup(0, n_flats, 0.0),)
        else:
            expected = [FlatGroup(4 * i, 4, float(place)) for i, place in enumerate(places)]
            assert list(scan.flat_groups) == expected


def test_angles_that_do_not_fit_the_frames(tmp_path: Path) -> None:
    write_als832(tmp_path / "more.h5", theta=np.arange(25.0))
    with open_scan(tmp_path / "more.h5") as scan:
        np.testing.assert_allclose(scan.geometry.angles_deg, -np.arange(19.0))
        assert "angles-count-mismatch" in names(scan)
    write_als832(tmp_path / "fewer.h5", theta=np.arange(5.0))
    with open_scan(tmp_path / "fewer.h5") as scan:
        assert scan.geometry.n_angles == 19
        assert {"angles-count-mismatch", "angles-missing"} <= names(scan)
    write_als832(tmp_path / "nan.h5", theta=np.full(19, np.nan))
    with open_scan(tmp_path / "nan.h5") as scan:
        assert np.all(np.isfinite(scan.geometry.angles_deg))
        assert {"angles-not-finite", "angles-missing"} <= names(scan)


# --------------------------------------------------------------------------- other layouts


def test_dxchange_angles_are_taken_as_stored(tmp_path: Path) -> None:
    data = write_dxchange(tmp_path / "scan.h5")
    with open_scan(tmp_path / "scan.h5") as scan:
        assert scan.layout == "dxchange"
        np.testing.assert_array_equal(scan.projections.read(), data)
        np.testing.assert_allclose(scan.geometry.angles_deg, np.linspace(0, 180, 9))
        assert scan.geometry.pixel_size_um == 1.5
        assert scan.geometry.energy_kev == 27.4
        assert scan.warnings == ()
    with open_scan(tmp_path / "scan.h5", layout="als-8.3.2") as scan:
        assert scan.geometry.angles_deg[-1] == -180.0


def test_dxchange_without_angles_is_spread_over_a_half_turn(tmp_path: Path) -> None:
    write_dxchange(tmp_path / "scan.h5", theta=False)
    with open_scan(tmp_path / "scan.h5") as scan:
        np.testing.assert_allclose(scan.geometry.angles_deg, np.linspace(0, 180, 9))
        assert names(scan) == {"angles-missing"}


def test_nxtomo_frames_are_sorted_by_their_key(tmp_path: Path) -> None:
    data = write_nxtomo(tmp_path / "scan.nxs")
    with open_scan(tmp_path / "scan.nxs") as scan:
        assert scan.layout == "nxtomo"
        np.testing.assert_array_equal(scan.projections.read(), data[[3, 4, 5, 7]])
        np.testing.assert_array_equal(
            scan.projections.read(slice(1, 4, 2), rows=slice(1, 2)), data[[4, 7], 1:2]
        )
        assert scan.flats is not None
        np.testing.assert_array_equal(scan.flats.read(), data[[1, 2, 8]])
        assert scan.darks is not None
        np.testing.assert_array_equal(scan.darks.read(), data[[0]])
        assert scan.geometry.angles_deg.tolist() == [30, 40, 50, 70]
        assert scan.flat_groups == (FlatGroup(0, 2, 0.0), FlatGroup(2, 1, 4.0))
        assert scan.geometry.pixel_size_um == 2.0
        assert scan.warnings == ()


def test_nxtomo_without_projections_is_no_scan(tmp_path: Path) -> None:
    write_nxtomo(tmp_path / "scan.nxs", key=[1, 1, 2])
    with pytest.raises(InputError, match="No frame is a projection"):
        open_scan(tmp_path / "scan.nxs")


@pytest.mark.parametrize("storage", [{}, {"chunks": (1, 3, 8), "compression": "gzip"}])
def test_legacy(tmp_path: Path, storage: dict[str, Any]) -> None:
    write_legacy(tmp_path / "scan.h5", storage=storage)
    with open_scan(tmp_path / "scan.h5") as scan:
        assert scan.layout == "als-8.3.2-legacy"
        assert scan.projections.read()[:, 0, 0].tolist() == [100, 101, 102, 103, 104]
        np.testing.assert_allclose(scan.geometry.angles_deg, [0, -45, -90, -135, -180])
        assert scan.flats is not None
        assert scan.flats.read()[:, 0, 0].tolist() == [105, 107, 106, 108]
        assert scan.flat_groups == (FlatGroup(0, 2, 0.0), FlatGroup(2, 2, 5.0))
        assert scan.geometry.pixel_size_um == pytest.approx(6.45)
        assert scan.geometry.energy_kev == 20.0
        assert scan.people.start_time == "2020-01-01T12:00:00"
        assert scan.metadata["arange"] == "180.0"
        assert scan.warnings == ()


def test_legacy_tiles_are_opened_one_at_a_time(tmp_path: Path) -> None:
    write_legacy(tmp_path / "scan.h5", tiles=2)
    with open_scan(tmp_path / "scan.h5", tile=1) as scan:
        assert scan.projections.read()[:, 0, 0].tolist() == [105, 106, 107, 108, 109]
        assert names(scan) == {"tiles-several"}
    with pytest.raises(InputError, match="no tile 2"):
        open_scan(tmp_path / "scan.h5", tile=2)


# ------------------------------------------------------------------------------------ TIFF


def test_a_folder_of_tiffs_with_flats_and_darks(tmp_path: Path) -> None:
    data = frames_of(11, 3, 8)
    for number, frame in enumerate(data):
        tifffile.imwrite(tmp_path / f"sample_{number}.tif", frame)  # 10 sorts after 9
    (tmp_path / "flats").mkdir()
    tifffile.imwrite(tmp_path / "flats" / "a.tif", data[0] * 2)
    tifffile.imwrite(tmp_path / "dark_0.tif", data[0] // 100)
    with open_scan(tmp_path) as scan:
        assert scan.layout == "tiff"
        np.testing.assert_array_equal(scan.projections.read(), data)
        assert scan.flats is not None
        np.testing.assert_array_equal(scan.flats.read(), data[:1] * 2)
        assert scan.darks is not None
        np.testing.assert_allclose(scan.geometry.angles_deg, np.linspace(0, 180, 11))
        assert names(scan) == {"angles-missing", "pixel-size-missing"}


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"byteorder": ">"}])
def test_a_tiff_with_many_pages(tmp_path: Path, options: dict[str, Any]) -> None:
    data = frames_of(6, 3, 8)
    tifffile.imwrite(tmp_path / "stack.tif", data, photometric="minisblack", **options)
    with open_scan(tmp_path / "stack.tif", range_deg=360, pixel_size_um=2.0) as scan:
        np.testing.assert_array_equal(scan.projections.read(), data)
        np.testing.assert_array_equal(
            scan.projections.read(slice(1, 5, 3), columns=slice(2, 7, 2)), data[1:5:3, :, 2:7:2]
        )
        np.testing.assert_allclose(scan.geometry.angles_deg, np.arange(6) * 60.0)
        assert scan.quantity == "counts"
        assert scan.geometry.pixel_size_um == 2.0


@pytest.mark.parametrize(
    ("empty", "quantity"), [(0.02, "line-integrals"), (0.98, "transmission"), (4000.0, "counts")]
)
def test_a_sinogram_and_what_its_values_are(tmp_path: Path, empty: float, quantity: str) -> None:
    sinogram = np.full((20, 40), empty, np.float32)
    sinogram[:, 10:30] *= 0.5
    tifffile.imwrite(tmp_path / "sino_360deg.tif", sinogram)
    with open_scan(tmp_path / "sino_360deg.tif") as scan:
        assert scan.projections.shape == (20, 1, 40)
        np.testing.assert_array_equal(scan.projections.read()[:, 0], sinogram)
        assert scan.geometry.angles_deg[-1] == 342.0
        assert scan.quantity == quantity
        assert "quantity-assumed" in names(scan)
    with open_scan(tmp_path / "sino_360deg.tif", quantity="transmission", range_deg=180) as scan:
        assert scan.quantity == "transmission"
        assert scan.geometry.angles_deg[-1] == 180.0


def test_a_tiff_that_leads_out_of_its_folder_is_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "outside.tif", frames_of(1, 3, 8)[0])
    (tmp_path / "scan").mkdir()
    (tmp_path / "scan" / "a_0.tif").symlink_to(tmp_path / "outside.tif")
    with pytest.raises(UnsafeInputError, match="outside"):
        open_scan(tmp_path / "scan")


def test_what_is_no_scan_is_refused_with_a_name(tmp_path: Path) -> None:
    (tmp_path / "text.h5").write_text("hello")
    (tmp_path / "empty").mkdir()
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["table"] = np.zeros(3)
    for path, name in (("absent.h5", "not-found"), ("text.h5", "not-hdf5"),
                       ("empty", "not-a-scan"), ("other.h5", "not-a-scan")):  # fmt: skip
        with pytest.raises(InputError) as caught:
            open_scan(tmp_path / path)
        assert caught.value.name == name
        assert caught.value.fix
    with pytest.raises(InputError, match="unknown layout"):
        open_scan(tmp_path / "text.h5", layout="magic")
