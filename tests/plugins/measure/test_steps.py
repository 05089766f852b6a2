"""The steps on files: tables with units and provenance, labels, reports that need nothing else."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alsct_gui.files.open import open_volume
from alsct_gui.files.tables import read_about, read_table
from alsct_gui.model.errors import CancelledError, InputError
from alsct_gui.model.progress import CancelToken
from alsct_gui.simulator.specimens.balls import BallSpec, touching_spheres
from alsct_gui.simulator.specimens.specimen import write_specimen
from alsct_gui.steps.reporter import Reporter
from alsct_gui.steps.running import run_step
from napari_alsct_measure.steps.lines import BOX, LINE, RADIAL, Box, Line, Radial
from napari_alsct_measure.steps.particles import LABELS, PARTICLES, Particles
from napari_alsct_measure.steps.phases import PHASES, Phases
from napari_alsct_measure.steps.thickness import THICKNESS, Thickness


@pytest.fixture(scope="module")
def spheres_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 touching spheres, 1.3 µm a voxel."""
    specimen = touching_spheres(BallSpec((66, 70, 74), 40, 8.0, seed=2))
    return write_specimen(tmp_path_factory.mktemp("spheres") / "kö <b>.zarr", specimen)


@pytest.fixture(scope="module")
def particles(spheres_path: Path) -> dict[str, Path]:
    """What `measure.particles` makes of them."""
    result = run_step(
        "measure.particles", {}, inputs={"volume": spheres_path},
        output=spheres_path.with_name("out"),
    )  # fmt: skip
    return dict(result.outputs)


def test_the_table_says_what_it_holds(particles: dict[str, Path], spheres_path: Path) -> None:
    path = particles["particles"]
    with path.open(encoding="utf-8", newline="") as file:
        head = next(csv.reader(file))
    assert head[:3] == ["label", "volume_um3", "diameter_um"]
    about = read_about(path)
    columns = {item["name"]: item for item in about["columns"]}
    assert columns["volume_um3"]["unit"] == "µm³"
    assert all(item["meaning"] for item in columns.values())
    assert about["step"] == "measure.particles"
    assert about["parameters"]["neck"] == 0.8
    assert len(about["inputs"][0]["sha256"]) == 64
    assert about["inputs"][0]["path"] == str(spheres_path)
    assert "numba" in about["versions"] or "numpy" in about["versions"]


def test_rows_are_objects_of_the_labels(particles: dict[str, Path]) -> None:
    table = read_table(particles["particles"])
    assert table.n_rows == 40
    assert table.objects == "objects"
    with open_volume(particles["objects"]) as volume:
        labels = np.asarray(volume.levels[0][:])
        assert volume.voxel_um == (1.3, 1.3, 1.3)
    counts = np.bincount(labels.ravel())[1:]
    np.testing.assert_allclose(table.column("volume_um3"), counts * 1.3**3)


def test_labels_are_measured_as_they_are(particles: dict[str, Path], tmp_path: Path) -> None:
    result = run_step(
        "measure.labels", {}, inputs={"labels": particles["objects"]}, output=tmp_path / "again"
    )
    again, first = read_table(result.outputs["particles"]), read_table(particles["particles"])
    for name in ("volume_um3", "surface_um2", "tilt_deg"):
        np.testing.assert_allclose(again.column(name), first.column(name))


def test_the_report_needs_nothing_else(particles: dict[str, Path]) -> None:
    text = particles["report"].read_text(encoding="utf-8")
    assert "kö &lt;b&gt;.zarr" in text
    assert "<b>" not in text
    assert "://" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "<script" not in text
    assert "default-src &#x27;none&#x27;" in text
    assert text.count("data:image/png;base64,") == 2
    assert "<svg" in text
    assert "1.3" in text
    assert json.dumps("measure.particles").replace('"', "&quot;") in text


def test_the_printed_report_has_pages(particles: dict[str, Path]) -> None:
    content = particles["printed"].read_bytes()
    assert content.startswith(b"%PDF-")
    assert content.count(b"/Type /Page\n") >= 2


def test_distributions_leave_out_what_is_cut(particles: dict[str, Path]) -> None:
    table, sizes = read_table(particles["particles"]), read_table(particles["sizes"])
    clear = int((table.column("touches_edge") == 0).sum())
    assert int(sizes.column("n_objects").sum()) == clear
    assert sizes.column("volume_share").sum() == pytest.approx(1)
    assert sizes.column("volume_share_below")[-1] == pytest.approx(1)


def test_phases_and_thickness_of_an_array() -> None:
    wall = np.zeros((20, 40, 40), np.float32)
    wall[:, 10:22] = 2.0
    made = PHASES(Phases(voxel_um=0.5), volume=wall)
    assert made["phases"].facts["porosity"] == pytest.approx(0.7, abs=1e-6)
    assert made["phases"].column("level").tolist() == pytest.approx([0, 2])
    assert made["heights"].column("z_um")[-1] == 9.5
    made = THICKNESS(Thickness(voxel_um=0.5, smoothing_px=0), volume=wall)
    assert made["thickness"].units == "µm"
    assert np.unique(made["thickness"].values).tolist() == [0.0, 6.0]
    assert made["distribution"].facts["mean_um"] == pytest.approx(6)


def test_a_segmentation_says_what_is_measured() -> None:
    labels = np.zeros((12, 30, 30), np.uint8)
    labels[:, :10], labels[:, 15:25] = 2, 1
    grey = np.random.default_rng(0).random(labels.shape).astype(np.float32)
    made = PARTICLES(Particles(segment=2, voxel_um=1.0), volume=grey, labels=labels)
    assert made["particles"].column("volume_um3").tolist() == [12 * 300]
    made = PHASES(Phases(voxel_um=1.0), volume=grey, labels=labels)
    assert made["phases"].column("share").tolist() == pytest.approx([1 / 3, 1 / 3, 1 / 3])
    made = THICKNESS(Thickness(segment=1, voxel_um=1.0), volume=grey, labels=labels)
    assert np.unique(made["thickness"].values).tolist() == [0.0, 10.0]


def test_profiles_are_tables() -> None:
    ramp = np.broadcast_to(np.arange(40, dtype=np.float32), (6, 30, 40))
    line = LINE(Line(start=(2, 3, 5), end=(2, 3, 25), voxel_um=2.0), volume=np.array(ramp))
    table = line["profile"]
    assert table.column("distance_um")[-1] == 40
    np.testing.assert_allclose(table.column("value"), np.arange(5, 26))
    radial = RADIAL(
        Radial(center=(2, 15, 20), radius_px=5, half_height_px=2, voxel_um=2.0),
        volume=np.array(ramp),
    )
    np.testing.assert_allclose(radial["profile"].column("value"), 20, atol=1e-5)
    assert radial["profile"].column("n")[0] == 5
    box = BOX(Box(first=(0, 0, 10), second=(5, 29, 19), voxel_um=2.0), volume=np.array(ramp))
    assert box["figures"].column("mean")[0] == pytest.approx(14.5)


@pytest.mark.parametrize("step", [PHASES, PARTICLES, THICKNESS, LINE, RADIAL, BOX])
def test_without_a_voxel_there_are_no_micrometres(step: Any) -> None:
    with pytest.raises(InputError, match="how large a voxel is"):
        step(volume=np.zeros((4, 8, 8), np.float32))


def test_shapes_must_fit() -> None:
    grey, labels = np.zeros((4, 8, 8), np.float32), np.ones((4, 8, 9), np.uint8)
    for step, parameters in ((PARTICLES, Particles(voxel_um=1.0)), (PHASES, Phases(voxel_um=1.0)),
                             (THICKNESS, Thickness(voxel_um=1.0))):  # fmt: skip
        with pytest.raises(InputError, match=r"do(es)? not fit"):
            step(parameters, volume=grey, labels=labels)  # type: ignore[operator]


def test_wild_labels_are_refused() -> None:
    for wild in (-1, 2_000_000_000):
        labels = np.zeros((3, 5, 5), np.int64)
        labels[1, 2, 2] = wild
        with pytest.raises(InputError, match="its numbers reach"):
            LABELS(labels=labels, parameters=LABELS.parameters(voxel_um=1.0))


def test_an_empty_phase_is_said() -> None:
    with pytest.raises(InputError, match="empty"):
        THICKNESS(Thickness(voxel_um=1.0, threshold=5.0), volume=np.zeros((4, 8, 8), np.float32))


def test_cancel_leaves_nothing(spheres_path: Path, tmp_path: Path) -> None:
    token = CancelToken()

    def progress(step: Any) -> None:
        if step.stage == "basins":
            token.cancel()

    with pytest.raises(CancelledError):
        run_step(
            "measure.particles", {}, inputs={"volume": spheres_path}, output=tmp_path / "out",
            reporter=Reporter(progress=progress, cancel=token),
        )  # fmt: skip
    assert list(tmp_path.iterdir()) == []
