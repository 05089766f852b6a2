"""The widgets in a plain napari: run, table and objects together, rulers that are read at once."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtGui import QDesktopServices
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from alsct_gui.face.layerdata import volume_layer
from alsct_gui.files.open import open_volume
from alsct_gui.simulator.specimens.balls import BallSpec, foam, touching_spheres
from alsct_gui.simulator.specimens.specimen import write_specimen
from tests.face.conftest import Wait

PLUGIN = "napari-alsct-measure"


@pytest.fixture(scope="module")
def spheres_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    specimen = touching_spheres(BallSpec((50, 52, 54), 16, 8.0, seed=4))
    return write_specimen(tmp_path_factory.mktemp("spheres") / "spheres.zarr", specimen)


@pytest.fixture(scope="module")
def foam_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    specimen = foam(BallSpec((30, 50, 52), 6, 6.0, inside=0.0, outside=1.0))
    return write_specimen(tmp_path_factory.mktemp("foam") / "foam.zarr", specimen)


def opened(viewer: Any, path: Path, name: str) -> Any:
    data, about, _ = volume_layer(open_volume(path))
    viewer.add_image(data, **about)
    return viewer.window.add_plugin_dock_widget(PLUGIN, name)[1]


def finished(face: Any, wait: Wait, output: Path) -> dict[str, Path]:
    ended: list[Any] = []
    face.finished.connect(ended.append)
    face.output.setText(str(output))
    face.run_button.click()
    wait(lambda: ended or face.wrong.text(), "the end")
    assert face.wrong.text() == ""
    return dict(ended[0])


def test_rows_and_objects_are_chosen_together(
    viewer: Any, spheres_path: Path, tmp_path: Path, wait: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    face = opened(viewer, spheres_path, "Particles and pores")
    outputs = finished(face, wait, tmp_path / "out")
    results, labels = face.results, viewer.layers["objects"]
    assert results.isVisibleTo(face)
    assert results.table.model().rowCount() == 16
    heads = [results.table.model().headerData(k, Qt.Orientation.Horizontal) for k in range(3)]
    assert heads == ["label", "diameter (µm)", "volume (µm³)"]
    # Sorted by size, a row still leads to its own object.
    results.table.sortByColumn(1, Qt.SortOrder.DescendingOrder)
    results.table.setFocus()
    QTest.keyClick(results.table, Qt.Key.Key_Home, Qt.KeyboardModifier.ControlModifier)
    results.table.step(1)
    shown = int(results.table.model().index(results.table.currentIndex().row(), 0).data())
    assert labels.selected_label == shown
    assert labels.get_value(viewer.dims.point, world=True) is not None
    center = np.argwhere(np.asarray(labels.data) == shown).mean(axis=0) * 1.3
    assert viewer.dims.point[0] == pytest.approx(center[0], abs=1.3)
    # And an object that is clicked leads to its row.
    other = 3 if shown != 3 else 5
    place = np.argwhere(np.asarray(labels.data) == other)
    inside = place[len(place) // 2] * 1.3
    viewer.dims.set_point(0, inside[0])
    event = SimpleNamespace(
        button=1, position=tuple(inside), view_direction=None, dims_displayed=[1, 2]
    )
    for callback in labels.mouse_drag_callbacks:
        callback(labels, event)
    assert labels.selected_label == other
    assert results.table.row() == other - 1
    results.only.setChecked(True)
    assert labels.show_selected_label
    results.copy.click()
    lines = QApplication.clipboard().text().splitlines()
    assert len(lines) == 17
    assert lines[0].startswith("label\tdiameter (µm)")
    opened_urls: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened_urls.append(url.path()))
    results.report.click()
    assert opened_urls == [str(outputs["report"])]


@pytest.mark.parametrize("name", ["Porosity and phase fractions", "Local thickness"])
def test_plots_are_painted(
    viewer: Any, foam_path: Path, tmp_path: Path, wait: Wait, name: str
) -> None:
    face = opened(viewer, foam_path, name)
    finished(face, wait, tmp_path / "out")
    plot = face.results.plot
    picture = plot.grab().toImage()
    inner = [(x, y) for x in range(60, picture.width() - 10) for y in range(20, 150)]
    colours = {picture.pixelColor(x, y).name() for x, y in inner}
    assert "#0072b2" in colours
    if name == "Local thickness":
        assert viewer.layers["thickness"].metadata["value_units"] == "µm"
        assert not face.results.table.isVisibleTo(face)
    else:
        assert face.results.table.model().rowCount() == 2
    assert not face.results.only.isVisibleTo(face)


def test_labels_that_are_there_are_measured_and_joined(
    viewer: Any, spheres_path: Path, tmp_path: Path, wait: Wait
) -> None:
    face = opened(viewer, spheres_path, "Figures of labels")
    assert not face.run_button.isEnabled()
    values = np.asarray(viewer.layers[0].data[:] if not viewer.layers[0].multiscale
                        else viewer.layers[0].data[0][:])  # fmt: skip
    layer = viewer.add_labels(
        (values > 0.5).astype(np.uint8), name="mine", scale=(1.3,) * 3, units=("um",) * 3
    )
    finished(face, wait, tmp_path / "out")
    assert face.results.table.model().rowCount() == 1
    face.results.table.choose(0)
    assert layer.selected_label == 1


def test_a_line_is_read_while_it_is_drawn(viewer: Any, foam_path: Path, wait: Wait) -> None:
    face = opened(viewer, foam_path, "Profile along a line")
    face.draw_button.click()
    ruler = viewer.layers[-1]
    assert ruler.mode == "add_line"
    assert tuple(ruler.scale) == (1.3, 1.3, 1.3)
    ruler.add(np.array([[15, 5.0, 5.0], [15, 45.0, 35.0]]), shape_type="line")
    wait(lambda: face.status.text().startswith("Length"), "the profile")
    assert face.parameters().start == (15.0, 5.0, 5.0)
    assert face.parameters().end == (15.0, 45.0, 35.0)
    assert face.status.text() == "Length 65 µm."
    assert face.results.plot.isVisibleTo(face)
    assert face.inputs.main() is viewer.layers[0]


def test_circles_and_rectangles_are_read(viewer: Any, foam_path: Path, wait: Wait) -> None:
    face = opened(viewer, foam_path, "Radial profile")
    face.draw_button.click()
    viewer.layers[-1].add(np.array([[15, 20.0, 20.0], [15, 20.0, 30.0]]), shape_type="line")
    wait(lambda: face.status.text().startswith("Radius"), "the profile")
    assert face.parameters().radius_px == pytest.approx(10)
    box = viewer.window.add_plugin_dock_widget(PLUGIN, "Figures of a box")[1]
    box.draw_button.click()
    corners = np.array([[15, 0, 0], [15, 0, 9], [15, 19, 9], [15, 19, 0]], np.float64)
    viewer.layers[-1].add(corners, shape_type="rectangle")
    wait(lambda: box.status.text().startswith("Mean"), "the figures")
    assert "200 voxels" in box.status.text()


def test_distances_and_angles(viewer: Any, foam_path: Path) -> None:
    face = opened(viewer, foam_path, "Distances and angles")
    assert face.hint.text() == "Nothing is drawn yet."
    face.line_button.click()
    ruler = viewer.layers[-1]
    ruler.add(np.array([[5, 0, 0], [5, 30.0, 40.0]]), shape_type="line")
    ruler.add(np.array([[5, 0, 0], [5, 30.0, 0.0], [5, 30.0, 10.0]]), shape_type="path")
    table = face.figures()
    assert table.column("length_um") == pytest.approx([65, 52])
    assert np.isnan(table.column("angle_deg")[0])
    assert table.column("angle_deg")[1] == pytest.approx(90)
    assert face.table.model().rowCount() == 2
    face.copy.click()
    assert QApplication.clipboard().text().splitlines()[0] == "number\tlength (µm)\tangle (°)"


def test_with_no_layer_there_is_nothing_to_draw_on(viewer: Any) -> None:
    face = viewer.window.add_plugin_dock_widget(PLUGIN, "Distances and angles")[1]
    face.line_button.click()
    assert face.hint.text() == "Open a volume first."
    line = viewer.window.add_plugin_dock_widget(PLUGIN, "Profile along a line")[1]
    line.draw_button.click()
    assert len(viewer.layers) == 0
