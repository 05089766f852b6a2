"""The file is a whole 8.3.2 scan, made in bounded memory, the same however it is made."""

from __future__ import annotations

import threading
import tracemalloc
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from alsct_gui.files.open import open_scan
from alsct_gui.model.codec import from_plain, to_plain
from alsct_gui.model.errors import CancelledError, InputError, OutputError, RecipeError
from alsct_gui.simulator.camera import PROJECTION
from alsct_gui.simulator.frames import FrameSource
from alsct_gui.simulator.physics import PhaseContrast, Physics
from alsct_gui.simulator.spec import SimulationSpec
from alsct_gui.simulator.truth import load_truth, truth_folder, truth_slices
from alsct_gui.simulator.write import iterate_scan, simulate_scan

SPEC = SimulationSpec(
    n_columns=48, n_rows=6, n_angles=20, n_flats=3, n_darks=2, center_px=22.5, i0cycle=8,
    tilt_deg=0.5, physics=Physics.harsh(), seed=3, title="foam & \"quotes\" µ",
)  # fmt: skip

FRAMES = ("/exchange/data", "/exchange/data_white", "/exchange/data_dark")

SCALARS = [
    "/measurement/instrument/attenuator/setup/filter_y",
    "/measurement/instrument/camera_motor_stack/setup/camera_distance",
    "/measurement/instrument/camera_motor_stack/setup/tilt_motor",
    "/measurement/instrument/detection_system/objective/camera_objective",
    "/measurement/instrument/detection_system/scintillator/scintillator_type",
    "/measurement/instrument/detector/binning_x",
    "/measurement/instrument/detector/binning_y",
    "/measurement/instrument/detector/dark_field_value",
    "/measurement/instrument/detector/delay_time",
    "/measurement/instrument/detector/dimension_x",
    "/measurement/instrument/detector/dimension_y",
    "/measurement/instrument/detector/model",
    "/measurement/instrument/detector/pixel_size",
    "/measurement/instrument/detector/temperature",
    "/measurement/instrument/instrument_name",
    "/measurement/instrument/monochromator/energy",
    "/measurement/instrument/monochromator/setup/Z2",
    "/measurement/instrument/slits/setup/hslits_center",
    "/measurement/instrument/slits/setup/hslits_size",
    "/measurement/instrument/slits/setup/vslits_Lead_Flag",
    "/measurement/instrument/source/source_name",
    "/measurement/sample/experiment/beamline",
    "/measurement/sample/experiment/experiment_lead",
    "/measurement/sample/experiment/pi",
    "/measurement/sample/experiment/proposal",
    "/measurement/sample/experimenter/email",
    "/measurement/sample/experimenter/name",
    "/measurement/sample/file_name",
    "/process/acquisition/dark_fields/dark_field_value",
    "/process/acquisition/dark_fields/dark_num_avg_of",
    "/process/acquisition/dark_fields/num_dark_fields",
    "/process/acquisition/flat_fields/flat_field_value",
    "/process/acquisition/flat_fields/i0_move_x",
    "/process/acquisition/flat_fields/i0_move_y",
    "/process/acquisition/flat_fields/i0cycle",
    "/process/acquisition/flat_fields/num_flat_fields",
    "/process/acquisition/flat_fields/usebrightexpose",
    "/process/acquisition/mosaic/tile_xnumimg",
    "/process/acquisition/mosaic/tile_ynumimg",
    "/process/acquisition/name",
    "/process/acquisition/rotation/blur_limit",
    "/process/acquisition/rotation/multiRev",
    "/process/acquisition/rotation/nhalfCir",
    "/process/acquisition/rotation/num_angles",
    "/process/acquisition/rotation/range",
    "/process/acquisition/rotation/rotation_start",
    "/process/acquisition/rotation/rotation_step",
]

PER_FRAME = [
    "/exchange/theta",
    "/measurement/instrument/camera_motor_stack/setup/camera_elevation",
    "/measurement/instrument/detector/exposure_time",
    "/measurement/instrument/monochromator/setup/turret1",
    "/measurement/instrument/monochromator/setup/turret2",
    "/measurement/instrument/sample_motor_stack/setup/axis1pos",
    "/measurement/instrument/sample_motor_stack/setup/axis2pos",
    "/measurement/instrument/sample_motor_stack/setup/axis5pos",
    "/measurement/instrument/sample_motor_stack/setup/sample_x",
    "/measurement/instrument/source/beam_intensity_incident",
    "/measurement/instrument/source/current",
    "/measurement/instrument/time_stamp",
]


def frames_of(path: Path) -> dict[str, NDArray[Any]]:
    with h5py.File(path) as file:
        return {key: file[key][()] for key in FRAMES}


def same(one: Path, other: Path) -> bool:
    first, second = frames_of(one), frames_of(other)
    return all(np.array_equal(first[key], second[key]) for key in FRAMES)


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulate_scan(tmp_path_factory.mktemp("scan"), SPEC, threads=1)


def test_name_and_neighbours(scan: Path) -> None:
    assert scan.name == '20260203_040506_foam & "quotes" µ.h5'
    assert sorted(item.name for item in scan.parent.iterdir()) == sorted(
        [scan.name, f"{scan.stem}.truth"]
    )


def test_every_key_is_there_in_its_shape(scan: Path) -> None:
    with h5py.File(scan) as file:
        for key in SCALARS:
            assert file[key].ndim == 1, key
            assert file[key].size >= 1, key
        for key in PER_FRAME:
            assert file[key].shape == (20,), key
        assert file["/exchange/data"].shape == (20, 6, 48)
        assert file["/exchange/data_white"].shape == (4 * 3, 6, 48)
        assert file["/exchange/data_dark"].shape == (2, 6, 48)
        for key in FRAMES:
            assert file[key].dtype == np.uint16
            assert file[key].chunks is None
        assert file["/measurement/instrument/detector/pixel_size"][0] == pytest.approx(0.65e-3)
        assert file["/measurement/sample/experiment/proposal"][0] == b"BLS-00000"
        current = file["/measurement/instrument/source/current"][()]
    assert (np.diff(current) < 0).all()


def test_reader_and_truth_agree(scan: Path) -> None:
    truth = load_truth(scan)
    with open_scan(scan) as opened:
        assert opened.layout == "als-8.3.2"
        assert not opened.warnings
        geometry = opened.geometry
        np.testing.assert_allclose(geometry.angles_deg, truth.angles_deg, atol=1e-12)
        assert geometry.pixel_size_um == pytest.approx(truth.detector.pixel_size_um)
        assert geometry.distance_mm == 50.0
        assert geometry.energy_kev == 25.0
        places = [(group.first, group.count, group.at_projection) for group in opened.flat_groups]
        assert places == [(0, 3, 0.0), (3, 3, 8.0), (6, 3, 16.0), (9, 3, 20.0)]
        assert opened.people.proposal == "BLS-00000"
    assert truth.detector.center_px == 22.5
    assert len(truth.parameters["stripes"]) == Physics.harsh().rings.count
    np.testing.assert_allclose(truth.slices(slice(2, 4)), truth_slices(scan, slice(2, 4)))
    np.testing.assert_array_equal(truth.slices(), SPEC.build().voxels(SPEC.detector))


def test_flat_fielded_frames_are_the_true_integrals(tmp_path: Path) -> None:
    spec = replace(SPEC, physics=Physics.ideal(), i0cycle=0)
    path = simulate_scan(tmp_path, spec)
    frames = frames_of(path)
    found = -np.log(frames["/exchange/data"] / frames["/exchange/data_white"].mean(axis=0))
    np.testing.assert_allclose(found, load_truth(path).integrals(), atol=5e-4)


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_and_storage_do_not_change_a_frame(
    scan: Path, tmp_path: Path, threads: int
) -> None:
    storage = "gzip" if threads == 2 else "chunked"
    other = simulate_scan(tmp_path, replace(SPEC, storage=storage), threads=threads)
    assert same(scan, other)
    with h5py.File(other) as file:
        assert file["/exchange/data"].chunks == (1, 6, 48)


def test_one_frame_alone_is_the_frame_of_the_whole(scan: Path) -> None:
    source = FrameSource(SPEC, SPEC.build())
    np.testing.assert_array_equal(
        source.make(PROJECTION, 13), frames_of(scan)["/exchange/data"][13]
    )


def test_seed_changes_the_noise(scan: Path, tmp_path: Path) -> None:
    assert not same(scan, simulate_scan(tmp_path, replace(SPEC, seed=4)))


def test_live_scan_can_be_read_at_every_step(scan: Path, tmp_path: Path) -> None:
    target = tmp_path / "live.h5"
    arrived = []
    with closing(iterate_scan(target, SPEC, live=True)) as steps:
        for done, total in steps:
            with h5py.File(target, "r", locking=False) as file:
                filled = [int(file[key][()].any(axis=(1, 2)).sum()) for key in FRAMES]
                assert file["/exchange/data"].shape == (20, 6, 48)
            assert sum(filled) == done
            arrived.append(tuple(filled))
            assert total == 34
    assert arrived[-1] == (20, 12, 2)
    # Darks first, then flats and projections in turn.
    assert arrived[4] == (0, 3, 2)
    assert arrived[5 + 8] == (8, 4, 2)
    assert same(scan, target)


def test_live_pace_and_progress(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    spec = replace(SPEC, n_angles=2, i0cycle=0)
    simulate_scan(tmp_path, spec, lambda *call: calls.append(call), live=True, frames_per_s=1e4)
    assert calls == [(done, 7) for done in range(1, 8)]


def test_cancel_leaves_nothing(tmp_path: Path) -> None:
    stop = threading.Event()
    with pytest.raises(CancelledError):
        simulate_scan(tmp_path, SPEC, lambda *_: stop.set(), stop)
    assert not list(tmp_path.iterdir())


def test_cancelled_live_scan_stays_as_far_as_it_came(tmp_path: Path) -> None:
    stop = threading.Event()

    def after_ten(done: int, total: int) -> None:
        if done == 10:
            stop.set()

    with pytest.raises(CancelledError):
        simulate_scan(tmp_path / "scan.h5", SPEC, after_ten, stop, live=True)
    frames = frames_of(tmp_path / "scan.h5")
    assert frames["/exchange/data"].any(axis=(1, 2)).sum() == 5


def test_existing_scan_is_kept_unless_told_otherwise(tmp_path: Path) -> None:
    small = replace(SPEC, n_angles=2, i0cycle=0)
    path = simulate_scan(tmp_path, small)
    with pytest.raises(OutputError, match="the file exists"):
        simulate_scan(path, small)
    longer = simulate_scan(path, replace(small, n_angles=3), overwrite=True)
    assert load_truth(longer).angles_deg.size == 3
    assert len(list(tmp_path.iterdir())) == 2


def test_missing_folder_and_missing_truth_are_named(scan: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="the folder does not exist"):
        simulate_scan(tmp_path / "none" / "scan.h5", SPEC)
    with pytest.raises(InputError, match=r"other\.truth"):
        load_truth(tmp_path / "other.h5")
    assert truth_folder(scan).is_dir()


def test_offset_scan_of_a_full_turn_sees_a_wide_sample() -> None:
    half = SimulationSpec(n_columns=100, n_rows=4, n_angles=9, center_px=12.0)
    full = replace(half, range_deg=360.0)
    assert half.view.radius_um == pytest.approx(12.5 * 0.65)
    assert full.view.radius_um == pytest.approx(87.5 * 0.65)
    phantom = full.build()
    near, far = phantom.project(full.detector, [30.0, 210.0])
    # What one half turn sees left of the axis, the other sees on the right.
    np.testing.assert_allclose(near[:, :25], far[:, 24::-1], atol=1e-5)
    # Together they reach the sample's edge on both sides.
    assert near[:, 12].min() > 0.5
    assert near[:, -1].max() < 0.01
    assert far[:, -1].max() < 0.01


def test_repeated_rows(tmp_path: Path) -> None:
    spec = replace(SPEC, n_rows=13, repeat_rows=5, tilt_deg=0.0)
    frames = frames_of(simulate_scan(tmp_path, spec))["/exchange/data"]
    assert frames.shape == (20, 13, 48)
    np.testing.assert_array_equal(frames[:, :5], frames[:, 5:10])
    np.testing.assert_array_equal(frames[:, :3], frames[:, 10:])
    assert (frames[:, 0] != frames[:, 1]).any()


def test_memory_does_not_grow_with_the_scan(tmp_path: Path) -> None:
    peaks = []
    for n_angles in (12, 72):
        spec = SimulationSpec(n_columns=256, n_rows=200, n_angles=n_angles, n_flats=2, n_darks=2)
        simulate_scan(tmp_path / "warm.h5", replace(spec, n_angles=2), overwrite=True)
        tracemalloc.start()
        simulate_scan(tmp_path / f"{n_angles}.h5", spec)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    frame_bytes = 256 * 200 * 4
    # Sixty more frames of uint16 would be 30 of these.
    assert peaks[1] < peaks[0] + 6 * frame_bytes
    assert peaks[1] < 30 * frame_bytes


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("n_columns", 1), ("n_rows", 0), ("n_angles", 0), ("pixel_size_um", 0.0),
        ("pixel_size_um", float("nan")), ("center_px", 48.0), ("repeat_rows", 7),
        ("oversample", 9), ("start_time", "yesterday"), ("i0cycle", -1), ("title", "a/b"),
    ],
)  # fmt: skip
def test_absurd_settings_are_refused_by_name(setting: str, value: object) -> None:
    with pytest.raises(RecipeError, match=f"simulate.{setting}"):
        replace(SPEC, **{setting: value})  # type: ignore[arg-type]


def test_repeated_rows_go_with_neither_tilt_nor_fringes() -> None:
    for change in ({"tilt_deg": 1.0}, {"tilt_deg": 0.0, "physics": Physics(phase=PhaseContrast())}):
        with pytest.raises(RecipeError, match="repeat_rows"):
            replace(SPEC, repeat_rows=3, **change)  # type: ignore[arg-type]


def test_spec_goes_through_plain_data() -> None:
    assert from_plain(SimulationSpec, to_plain(SPEC), where="simulate") == SPEC
