"""Axis, preview, sweep and volume in a plain napari, on a simulated scan whose axis is known."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from npe2 import PluginManager
from qtpy.QtWidgets import QApplication

from alsct_gui.face.sources import finest
from alsct_gui.files.open import open_scan, open_volume
from alsct_gui.recon.preview import preview
from napari_alsct_recon.preview import LAYER as PREVIEW
from napari_alsct_recon.process import ReconProcess
from napari_alsct_recon.quick import quick_of
from napari_alsct_recon.sweep import LAYER as SWEEP
from tests.face.conftest import Wait

PLUGIN = "napari-alsct-recon"
AXIS_PX = 66.3


@pytest.fixture
def opened(viewer: Any, scan_path: Path) -> Any:
    if "napari-alsct-io" in PluginManager.instance():
        viewer.open(str(scan_path), plugin="napari-alsct-io")
        return viewer
    # As another reader may open it: layers that tell which file they show.
    with open_scan(scan_path) as scan:
        stacks = {"projections": scan.projections, "flats": scan.flats, "darks": scan.darks}
        edge_um = scan.geometry.pixel_size_um
        for part, frames in stacks.items():
            viewer.add_image(
                frames.read(), name=part, visible=part == "projections",
                scale=(1.0, edge_um, edge_um), units=("pixel", "um", "um"),
                metadata={"scan_path": str(scan_path), "scan_part": part},
            )  # fmt: skip
    return viewer


def widget(viewer: Any, name: str) -> Any:
    return viewer.window.add_plugin_dock_widget(PLUGIN, name)[1]


def layer(viewer: Any, name: str) -> Any:
    return next((layer for layer in viewer.layers if layer.name == name), None)


def test_the_process_ends_with_the_last_widget(opened: Any, wait: Wait) -> None:
    axis, slice_ = widget(opened, "Rotation axis"), widget(opened, "Preview of a slice")
    wait(lambda: axis.session.ready, "the scan")
    session = axis.session
    opened.window.remove_dock_widget(axis)
    assert session.desk.remote.pid is not None
    opened.window.remove_dock_widget(slice_)
    assert session._desk is None
    assert widget(opened, "Rotation axis").session is not session


def test_without_a_scan_it_says_what_to_do(viewer: Any) -> None:
    face = widget(viewer, "Rotation axis")
    assert face.wrong.text() == "Open a raw scan, or choose its file."
    assert not face.find.isEnabled()


def test_a_damaged_file_is_told(viewer: Any, tmp_path: Path, wait: Wait) -> None:
    face = widget(viewer, "Reconstruction")
    bad = tmp_path / "cut.h5"
    bad.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(200))
    face.session.set_scan(bad)
    wait(lambda: face.session.look, "the look")
    assert face.wrong.text()
    assert not face.lines.run_button.isEnabled()


def test_the_axis_is_found_and_the_preview_follows(
    opened: Any, scan_path: Path, wait: Wait
) -> None:
    axis, slice_ = widget(opened, "Rotation axis"), widget(opened, "Preview of a slice")
    assert axis.session is slice_.session
    wait(lambda: layer(opened, PREVIEW), "the first slice")
    assert [item.visible for item in opened.layers] == [False, False, False, True]
    axis.find.click()
    wait(lambda: "confidence" in axis.status.text(), "the axis")
    assert axis.value.value() == pytest.approx(AXIS_PX, abs=0.3)
    assert axis.table.rowCount() == len(axis.estimates) >= 3
    assert quick_of(axis.session.recipe).center_px == pytest.approx(AXIS_PX, abs=0.3)
    slice_.row.setValue(3)
    axis.value.setValue(64.0)
    axis.value.setValue(AXIS_PX)
    words = f"Row 3, axis at {AXIS_PX:.2f}"
    wait(lambda: slice_.status.text().startswith(words), "the newest slice")
    with open_scan(scan_path) as scan:
        expected = preview(scan, axis.session.recipe, 3).picture
    np.testing.assert_allclose(layer(opened, PREVIEW).data, expected, atol=1e-4)
    assert tuple(layer(opened, PREVIEW).scale) == pytest.approx((0.65, 0.65))
    axis.table.cellClicked.emit(0, 0)
    assert axis.value.value() == pytest.approx(axis.estimates[0].center_px, abs=1e-3)


def test_a_sweep_is_a_stack_and_a_value_can_be_taken(opened: Any, wait: Wait) -> None:
    face = widget(opened, "Sweep of a setting")
    wait(lambda: face.session.ready, "the scan")
    assert face.first.value() == pytest.approx(63.5 - 5)
    face.first.setValue(AXIS_PX - 2)
    face.last.setValue(AXIS_PX + 2)
    face.count.setValue(5)
    face.go.click()
    wait(lambda: layer(opened, SWEEP) and np.isfinite(layer(opened, SWEEP).data).all(), "it")
    stack = layer(opened, SWEEP)
    assert stack.data.shape == (5, 128, 128)
    assert stack.axis_labels == ("value", "y", "x")
    # The right axis makes the sharpest slice.
    sharpness = [float(np.abs(np.diff(image, axis=1)).mean()) for image in stack.data]
    assert len(set(sharpness)) == 5
    assert stack.scale[0] == pytest.approx(181 / 5)  # the slider is as long as the projections
    opened.dims.set_point(0, 2 * 181 / 5)
    assert face.status.text() == "Axis: 66.3"
    face.take.click()
    assert quick_of(face.session.recipe).center_px == pytest.approx(AXIS_PX)
    face.setting.setCurrentIndex(1)
    face.count.setValue(2)
    face.go.click()
    wait(lambda: layer(opened, SWEEP).data.shape[0] == 2, "the other stack")
    wait(lambda: np.isfinite(layer(opened, SWEEP).data).all(), "its pictures")


def test_one_button_makes_the_volume(
    opened: Any, rec_path: Path, tmp_path: Path, wait: Wait
) -> None:
    face = widget(opened, "Reconstruction")
    wait(lambda: face.lines.run_button.isEnabled(), "the scan")
    assert face.output.placeholderText() == "recfoam é.zarr"
    face.output.setText(str(tmp_path / "out.zarr"))
    face.tabs.buttons["average"].click()
    assert not face.form.isHidden()
    face.form.fields["rows"].editor.setText("2, 8")
    face.form.fields["rows"].editor.editingFinished.emit()
    face.form.fields["rings"].editor.setCurrentIndex(0)
    face.tabs.buttons["power"].click()
    assert '"rows": [\n' in face.script.text.toPlainText()
    face.script.copy_command.click()
    words = shlex.split(QApplication.clipboard().text())
    assert words[:2] == ["alsct", "recon"]
    assert "region.rows=[2, 8]" in words
    ended: list[Path] = []
    face.finished.connect(ended.append)
    face.lines.run_button.click()
    wait(lambda: ended or face.lines.wrong.text(), "the volume")
    assert face.lines.wrong.text() == ""
    made = opened.layers[-1]
    assert finest(made).shape == (6, 128, 128)
    with open_volume(tmp_path / "out.zarr") as volume:
        assert volume.provenance["recipe"]["rings"] == []
        np.testing.assert_array_equal(finest(made)[3], volume.levels[0][3])


def test_what_cannot_be_is_said_and_cancel_leaves_nothing(
    opened: Any, scan_path: Path, tmp_path: Path, wait: Wait
) -> None:
    face = widget(opened, "Reconstruction")
    wait(lambda: face.lines.run_button.isEnabled(), "the scan")
    taken = tmp_path / "taken.zarr"
    taken.mkdir()
    face.output.setText(str(taken))
    face.lines.run_button.click()
    wait(lambda: face.lines.wrong.text(), "the refusal")
    assert "exists already" in face.lines.wrong.text()
    process = ReconProcess(face.session.recipe, scan_path, tmp_path / "never.zarr")
    process.cancel()
    wait(lambda: process.look().state != "running", "the end")
    assert process.look().state == "cancelled"
    process.close()
    assert not list(tmp_path.glob("*never*"))
