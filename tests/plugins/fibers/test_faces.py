"""The review and the loads in a plain napari: keys, jumps, pictures."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from alsct_gui.face.layerdata import volume_layer
from alsct_gui.files.open import open_volume
from alsct_gui.files.tables import read_table
from napari_alsct_fibers.review import NOTES, REVIEWED
from tests.face.conftest import Wait

PLUGIN = "napari-alsct-fibers"


@pytest.fixture
def folder(results: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of a result that may be reviewed."""
    return Path(shutil.copytree(results["151"], tmp_path / "result"))


@pytest.fixture
def face(viewer: Any, results: dict[str, Path]) -> Any:
    data, about, _ = volume_layer(open_volume(results["volume 151"]))
    viewer.add_image(data, **about)
    return viewer.window.add_plugin_dock_widget(PLUGIN, "Fibre breaks")[1]


def test_one_button_finds_breaks_and_begins_the_review(
    face: Any, viewer: Any, results: dict[str, Path], tmp_path: Path, wait: Wait
) -> None:
    ended: list[Any] = []
    face.finished.connect(ended.append)
    face.output.setText(str(tmp_path / "out"))
    face.run_button.click()
    wait(lambda: ended or face.wrong.text(), "the end")
    assert face.wrong.text() == ""
    expected = read_table(results["151"] / "breaks.csv").n_rows
    assert face.review.isVisibleTo(face)
    assert face.review.table.model().rowCount() == expected
    assert len(viewer.layers["breaks"].data) >= expected
    assert face.results.plot.isVisibleTo(face)


def test_keys_give_verdicts_and_go_on(face: Any, viewer: Any, folder: Path, wait: Wait) -> None:
    face.open_result(folder)
    panel = face.review
    table = read_table(folder / "breaks.csv")
    assert panel.row() == 0
    QTest.keyClick(panel.table, Qt.Key.Key_A)
    assert panel.row() == 1
    assert viewer.dims.point[0] == pytest.approx(table.column("z_um")[1], abs=1.3)
    assert tuple(viewer.scene.camera.center[-2:]) == pytest.approx(
        (table.column("y_um")[1], table.column("x_um")[1])
    )
    QTest.keyClick(panel.table, Qt.Key.Key_R)
    QTest.keyClick(panel.table, Qt.Key.Key_Return)
    QTest.keyClick(panel.table, Qt.Key.Key_Delete)
    shown = [panel.table.model().index(row, 0).data() for row in range(5)]
    assert shown == ["accepted", "rejected", "accepted", "rejected", "open"]
    assert f"4 of {table.n_rows} looked at, 2 rejected" in panel.words.text()
    QTest.keyClick(panel.table, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert panel.row() == 3
    assert f"3 of {table.n_rows} looked at, 1 rejected" in panel.words.text()
    assert (folder / NOTES).is_file()
    colours = viewer.layers["breaks"].border_color
    assert not np.allclose(colours[0], colours[1])
    assert np.allclose(colours[0], colours[2])
    wait(lambda: not panel.cuts[0].pixmap().isNull(), "the cut")


def test_sorting_changes_no_verdict(face: Any, folder: Path) -> None:
    face.open_result(folder)
    panel = face.review
    panel.table.sortByColumn(4, Qt.SortOrder.AscendingOrder)  # certainty
    panel.table.step(-1000)
    row = panel.row()
    table = read_table(folder / "breaks.csv")
    assert table.column("certainty")[row] == table.column("certainty").min()
    panel.buttons["Reject"].click()
    assert [int(k) for k in np.flatnonzero(~panel.review.kept[: table.n_rows])] == [row]


def test_a_review_goes_on_where_it_was(face: Any, folder: Path) -> None:
    face.open_result(folder)
    for _ in range(3):
        face.review.buttons["Accept"].click()
    face.review.buttons["Reject"].click()
    face.review.save_button.click()
    assert "Saved as breaks.reviewed.csv" in face.review.words.text()
    total = read_table(folder / "breaks.csv").n_rows
    assert read_table(folder / REVIEWED).n_rows == total - 1
    face.open_result(folder)
    assert face.review.row() == 4
    assert face.review.buttons["Undo"].isEnabled() is False


def test_a_folder_without_breaks_is_said(face: Any, tmp_path: Path) -> None:
    face.open_result(tmp_path)
    assert face.wrong.text() != ""
    assert not face.review.isVisibleTo(face)


def test_loads_are_compared(
    viewer: Any, results: dict[str, Path], folder: Path, tmp_path: Path, wait: Wait
) -> None:
    face = viewer.window.add_plugin_dock_widget(PLUGIN, "Breaks over loads")[1]
    assert face.status.text() == "Add the results of two loads."
    face.inputs.add(results["93"], 93.0)
    face.inputs.add(folder, 151.0)
    assert face.parameters().loads_n == (93.0, 151.0)
    assert face.run_button.isEnabled()
    ended: list[Any] = []
    face.finished.connect(ended.append)
    face.output.setText(str(tmp_path / "out"))
    face.run_button.click()
    wait(lambda: ended or face.wrong.text(), "the end")
    assert face.wrong.text() == ""
    model = face.results.table.model()
    assert [model.index(row, 0).data() for row in range(2)] == ["93 N", "151 N"]
    text = face.script.text.toPlainText()
    assert "93" in text
    assert "151" in text


def test_reviewed_breaks_are_taken(viewer: Any, results: dict[str, Path], folder: Path) -> None:
    shutil.copy(folder / "breaks.csv", folder / REVIEWED)
    face = viewer.window.add_plugin_dock_widget(PLUGIN, "Breaks over loads")[1]
    face.inputs.add(results["93"])
    face.inputs.add(folder)
    assert face.inputs.paths()["breaks_2"] == folder / REVIEWED
    assert face.parameters().loads_n == ()  # two loads of 0 N are none
    face.inputs._rows[0].remove.click()
    assert not face.run_button.isEnabled()
