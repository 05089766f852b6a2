"""A step's widget in a plain napari: real steps, real processes, real layers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QApplication
from scipy import ndimage

from alsct_gui.face.layerdata import volume_layer
from alsct_gui.face.sources import OWN, finest
from alsct_gui.face.stepface import StepFace
from alsct_gui.files.open import open_volume
from alsct_gui.steps.registry import get_step
from tests.face.conftest import Wait

pytestmark = pytest.mark.usefixtures("toys", "jobs")
Array = np.ndarray[Any, Any]


class SmoothWidget(StepFace):
    step_name = "toy.smooth"


class CountWidget(StepFace):
    step_name = "toy.count"


class HangWidget(StepFace):
    step_name = "toy.hang"


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALSCT_STEPS", str(tmp_path / "jobs"))


def smooth(*values: Any, **named: Any) -> Any:
    """Parameters of the installed step."""
    return get_step("toy.smooth").parameters(*values, **named)


def dock(viewer: Any, kind: type[StepFace]) -> Any:
    face = kind(viewer)
    viewer.window.add_dock_widget(face, name=face.step.title)
    return face


def open_layer(viewer: Any, path: Path) -> Any:
    data, about, _ = volume_layer(open_volume(path))
    return viewer.add_image(data, **about)


def test_one_button_makes_a_layer(
    viewer: Any, volume_path: Path, values: Array, wait: Wait
) -> None:
    face = dock(viewer, SmoothWidget)
    assert not face.run_button.isEnabled()
    assert face.status.text() == "Open a layer that can be the volume."
    layer = open_layer(viewer, volume_path)
    assert face.run_button.isEnabled()
    assert face.output.placeholderText() == "rec $(x) é.smooth.zarr"
    ended: list[dict[str, Path]] = []
    face.finished.connect(ended.append)
    face.presets.setCurrentIndex(1)
    assert face.parameters() == smooth(7)
    face.run_button.click()
    wait(lambda: ended, "the step's end")
    made = viewer.layers[-1]
    expected = ndimage.uniform_filter(values, 7, mode="nearest")
    np.testing.assert_allclose(np.asarray(finest(made)[5]), expected[5], rtol=1e-4)
    assert tuple(made.scale) == tuple(layer.scale) == (2.0, 0.65, 0.65)
    assert made.units == layer.units
    assert made.axis_labels == ("z", "y", "x")
    assert made.metadata["provenance"]["parameters"]["size_px"] == 7
    assert face.status.text() == "Made rec $(x) é.smooth.zarr."
    assert face.output.placeholderText() == "rec $(x) é-2.smooth.zarr"


def test_the_preview_follows_slice_and_parameters_and_is_no_input(
    viewer: Any, volume_path: Path, values: Array, wait: Wait
) -> None:
    layer = open_layer(viewer, volume_path)
    face = dock(viewer, SmoothWidget)
    viewer.dims.set_point(0, 4 * 2.0)
    face.preview.setChecked(True)
    wait(lambda: len(viewer.layers) == 2, "the preview")
    shown = viewer.layers[1]
    expected = ndimage.uniform_filter(values, 3, mode="nearest")
    np.testing.assert_allclose(shown.data[0], expected[4], rtol=1e-4)
    assert tuple(shown.translate) == (8.0, 0.0, 0.0)
    assert shown.metadata[OWN]
    assert viewer.layers.selection.active is layer
    for size, slice_number in ((5, 4), (9, 12), (7, 13)):
        face.show_parameters(smooth(size))
        viewer.dims.set_point(0, slice_number * 2.0)
    wait(lambda: tuple(shown.translate) == (26.0, 0.0, 0.0), "the newest preview")
    expected = ndimage.uniform_filter(values, 7, mode="nearest")
    np.testing.assert_allclose(shown.data[0], expected[13], rtol=1e-4)
    assert "slice 13" in face.preview_words.text()
    assert [face.inputs.choices["volume"].itemText(k) for k in range(9)][:2] == [layer.name, ""]
    face.preview.setChecked(False)
    assert list(viewer.layers) == [layer]


def test_a_late_preview_never_comes_after_it_was_switched_off(
    viewer: Any, volume_path: Path, wait: Wait
) -> None:
    open_layer(viewer, volume_path)
    face = dock(viewer, SmoothWidget)
    said: list[str] = []
    face.peek.said.connect(said.append)
    face.preview.setChecked(True)
    wait(lambda: said, "the question")
    face.preview.setChecked(False)
    asked = face._backstage.desk.preview(
        face.step, face.parameters(), {"volume": volume_path}, 1
    )  # fmt: skip
    wait(asked.done, "a later answer")
    QApplication.processEvents()
    assert len(viewer.layers) == 1
    assert face.preview_words.text() == ""


def test_layers_in_memory_and_several_outputs(viewer: Any, values: Array, wait: Wait) -> None:
    layer = viewer.add_image(values, name="in memory", scale=(2, 1, 1), units=("um",) * 3)
    viewer.add_labels((values > 0.7).astype(int), name="mask")
    face = dock(viewer, CountWidget)
    assert face.inputs.choices["mask"].currentText() == "none"
    face.inputs.choose("volume", layer)
    face.preview.setChecked(True)
    wait(lambda: len(viewer.layers) == 3, "the preview")
    ended: list[dict[str, Path]] = []
    face.finished.connect(ended.append)
    face.run()
    wait(lambda: ended, "the step's end")
    assert set(ended[0]) == {"labels", "table", "report"}
    made = viewer.layers[-1]
    assert np.bincount(np.asarray(made.data).ravel()).tolist()[1:] == [400, 3600]
    assert tuple(made.scale) == (2.0, 1.0, 1.0)
    assert face.status.text().startswith("2 objects. Made labels.labels.zarr, table.csv")


def test_cancel_and_what_goes_wrong(viewer: Any, volume_path: Path, wait: Wait) -> None:
    open_layer(viewer, volume_path)
    face = dock(viewer, HangWidget)
    face.run()
    wait(lambda: "waiting 1 of 4" in face.status.text(), "progress")
    assert face.run_button.isHidden()
    face.cancel_button.click()
    wait(lambda: not face.run_button.isHidden(), "the end")
    assert face.status.text() == "Cancelled; nothing is left of it."
    face.script.text.setPlainText('{"how": "mistake"}')
    face.run()
    wait(lambda: face.wrong.text(), "the error")
    assert "ZeroDivisionError: by hand" in face.wrong.text()
    assert face.run_button.isEnabled()


def test_three_tiers_say_the_same(viewer: Any, volume_path: Path) -> None:
    open_layer(viewer, volume_path)
    face = dock(viewer, SmoothWidget)

    def shown() -> list[str]:
        return [name for name, field in face.form.fields.items() if not field.editor.isHidden()]

    assert shown() == ["size_px"]
    face.tabs.buttons["average"].click()
    assert shown() == ["size_px", "mode", "factor", "span"]
    face.form.fields["size_px"].editor.setValue(5)
    face.form.fields["span"].editor.setText("0, 1.5")
    face.form.fields["span"].editor.editingFinished.emit()
    assert face.parameters() == smooth(5, span=(0.0, 1.5))
    face.form.fields["size_px"].editor.setValue(4)
    assert face.form._marks["size_px"].text() == "4 is even. Take an odd number."
    assert face.parameters() == smooth(5, span=(0.0, 1.5))
    face.tabs.buttons["power"].click()
    assert json.loads(face.script.text.toPlainText())["size_px"] == 5
    face.script.text.setPlainText('{"size_px": 99}')
    assert "Most: 15" in face.script.error.text()
    face.script.text.setPlainText('{"size_px": 9, "mode": "most"}')
    assert face.parameters() == smooth(9, "most")
    assert face.form.fields["mode"].value() == "most"
    face.script.copy_command.click()
    copied = QApplication.clipboard().text()
    assert copied.startswith("alsct step run toy.smooth '")
    assert copied.endswith("--set size_px=9 --set 'mode=\"most\"'")
    face.script.copy_python.click()
    compile(QApplication.clipboard().text(), "copied.py", "exec")


def test_nothing_is_left_when_the_widget_goes(viewer: Any, volume_path: Path, wait: Wait) -> None:
    layer = open_layer(viewer, volume_path)
    face = dock(viewer, HangWidget)
    face.preview.setChecked(True)
    face.run()
    wait(lambda: "waiting" in face.status.text(), "progress")
    viewer.window.remove_dock_widget(face)
    face.deleteLater()
    QApplication.sendPostedEvents(face, QEvent.Type.DeferredDelete)
    with pytest.raises(RuntimeError):
        face.isVisible()
    layer.name = "renamed"
    viewer.dims.set_point(0, 2.0)
