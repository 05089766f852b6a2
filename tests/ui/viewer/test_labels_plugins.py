"""Segmentations and plugins in a real window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from alsct_gui.face.sources import file_of
from alsct_gui.files.labels import load_labels
from alsct_gui.ui.viewer.labels import path_of
from alsct_gui.ui.viewer.plugins import Plugins, installed_widgets
from tests.ui.conftest import until
from tests.ui.mouse import move_mouse
from tests.ui.viewer.test_volume import at_place, drawn, shown
from tests.ui.viewer.volumes import SHAPE, balls, write


async def painted(room: Any, mode: Any) -> None:
    """Begin a segmentation and dab on it, as a person does."""
    room.book.trigger("look.labels")
    await until(lambda: mode.labels.layer is not None, "the layer of labels")
    await drawn(room)
    layer = mode.labels.layer
    assert layer.name == "Segmentation"
    assert layer.mode == "paint"
    layer.brush_size = 6
    canvas = room.stage.host.canvas
    place = at_place(room, 20 * 0.65, 20 * 0.65)
    move_mouse(canvas, place)
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=place)


def test_labels_save_themselves_and_come_back(room: Any, drive: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "rec.zarr", balls())

    async def first() -> np.ndarray:
        async with room() as r:
            mode = await shown(r, path)
            await painted(r, mode)
            assert r.book["view.layers"].isChecked()
            data = mode.labels.layer.data
            assert data.shape == SHAPE
            assert data[12, 20, 20] == 1
            assert not data[[11, 13]].any()
            await until(lambda: mode.labels.is_saved, "the labels are saved", 20)
            assert mode.controls.labels.text().startswith("Segmentation saved ")
            return np.array(data)

    async def again() -> None:
        async with room() as r:
            mode = await shown(r, path)
            await until(lambda: mode.labels.layer is not None, "the labels come back")
            np.testing.assert_array_equal(mode.labels.layer.data, data)
            mode.labels.layer.data[3] = 7
            mode.labels.layer.events.paint(value=[])
            await r.stage.settle()
            np.testing.assert_array_equal(load_labels(where).labels[3], np.full(SHAPE[1:], 7))

    data = drive(first())
    where = path.with_name("rec.segmentation.labels.zarr")
    saved = load_labels(where)
    np.testing.assert_array_equal(saved.labels[...], data)
    drive(again())


def test_what_was_painted_last_is_saved_on_closing(room: Any, drive: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "rec.zarr", balls())

    async def go() -> None:
        async with room() as r:
            mode = await shown(r, path)
            await painted(r, mode)
            assert not mode.labels.is_saved

    drive(go())
    saved = load_labels(path.with_name("rec.segmentation.labels.zarr"))
    assert saved.labels[12][20, 20] == 1


def test_labels_of_one_slice_where_the_volume_does_not_fit(
    room: Any, drive: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    path = write(tmp_path / "rec.zarr", balls())
    monkeypatch.setattr("alsct_gui.files.cuts.available_memory_bytes", lambda: 100_000)

    async def go() -> None:
        async with room() as r:
            mode = await shown(r, path)
            await painted(r, mode)
            assert mode.labels.layer.data.shape == SHAPE[1:]
            assert mode.labels.layer.data[20, 20] == 1
            mode.step(1)
            await r.quiet()
            assert not mode.labels.visible
            mode.step(-1)
            await r.quiet()
            assert mode.labels.visible
            await r.stage.settle()
            saved = load_labels(path_of(mode.opened.volume, 12))
            assert saved.slice_index == 12
            np.testing.assert_array_equal(saved.labels[0], mode.labels.layer.data)

    drive(go())


def test_napari_has_the_volume_while_its_layers_are_shown(
    room: Any, drive: Any, tmp_path: Path
) -> None:
    values = balls()
    path = write(tmp_path / "rec.zarr", values)

    async def go() -> None:
        async with room() as r:
            mode = await shown(r, path)
            r.book["view.layers"].setChecked(True)
            await drawn(r)
            viewer = r.stage.host.viewer
            layer = viewer.layers["rec.zarr"]
            assert layer.multiscale
            assert layer.ndim == 3
            np.testing.assert_allclose(layer.scale, (1.3, 0.65, 0.65))
            np.testing.assert_array_equal(np.asarray(layer.data[0]), values)
            mode.step(2)
            await drawn(r)
            assert viewer.dims.current_step[0] == 14
            viewer.dims.set_current_step(0, 5)
            await drawn(r)
            assert mode.cursor[0] == 5
            np.testing.assert_array_equal(r.stage.picture.image, values[5])
            r.book["view.layers"].setChecked(False)
            await drawn(r)
            assert "rec.zarr" not in viewer.layers
            assert mode.flat.flat.visible

    drive(go())


class Hello(QLabel):
    """A plugin's window."""

    def __init__(self) -> None:
        import napari

        super().__init__("hello")
        self.viewer = napari.current_viewer()


@pytest.fixture
def hello(app: Any) -> Iterator[str]:
    """A plugin with a window and a reader, gone afterwards."""
    from npe2 import DynamicPlugin

    with DynamicPlugin("hello-plugin") as plugin:
        plugin.contribute.widget(display_name="Say hello")(Hello)

        @plugin.contribute.reader(filename_patterns=["*.hello"])
        def read(path: str) -> Any:
            return lambda _: [(np.ones((4, 5)), {"name": "from hello"}, "image")]

        yield plugin.name


def test_our_own_plugins_work_on_the_volume_that_is_shown(
    room: Any, drive: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALSCT_STEPS", str(tmp_path / "jobs"))
    path = write(tmp_path / "rec.zarr", balls())

    async def go() -> None:
        from PySide6.QtWidgets import QMenu

        from alsct_gui.face.stepface import StepFace

        async with room() as r:
            await shown(r, path)
            viewer = r.stage.host.viewer
            menu = QMenu()
            plugins = Plugins(r.session, r.book, r.stage, menu)
            plugins.open(next(w for w in installed_widgets() if w.name == "Median"))
            await until(lambda: "rec.zarr" in viewer.layers, "the volume as a layer")
            (face,) = r.stage.host.findChildren(StepFace)
            layer = face.inputs.main()
            assert layer.name == "rec.zarr"
            assert file_of(layer) == path
            assert face.output.placeholderText() == "rec.median.zarr"
            face.preview.setChecked(True)
            await until(lambda: "Median: preview" in viewer.layers, "the preview")
            face.run_button.click()
            await until(lambda: "rec.median" in viewer.layers or face.wrong.text(), "the volume")
            assert face.wrong.text() == ""
            assert viewer.layers["rec.median"].metadata["provenance"]["step"] == "filter.median"
            plugins.close()
            viewer.window.remove_dock_widget("all")
            menu.deleteLater()

    drive(go())


def test_a_plugin_opens_beside_the_canvas(
    room: Any, hello: str, drive: Any, tmp_path: Path
) -> None:
    path = write(tmp_path / "rec.zarr", balls())
    (tmp_path / "some.hello").touch()

    async def go() -> None:
        from PySide6.QtWidgets import QMenu

        async with room() as r:
            await shown(r, path)
            menu = QMenu()
            plugins = Plugins(r.session, r.book, r.stage, menu)
            r.book.trigger("plugins.open")
            listed = plugins._list
            assert [w.name for w in installed_widgets() if w.plugin == hello] == ["Say hello"]
            QTest.keyClicks(listed.field, "say hello")
            QTest.keyClick(listed.field, Qt.Key.Key_Return)
            await drawn(r)
            viewer = r.stage.host.viewer
            found = r.stage.host.findChildren(Hello)
            assert len(found) == 1
            assert found[0].isVisible()
            assert found[0].viewer.layers is viewer.layers
            assert "rec.zarr" in viewer.layers
            viewer.open(tmp_path / "some.hello", plugin=hello)
            assert "from hello" in viewer.layers
            menu.aboutToShow.emit()
            assert "Plugins of napari" in [action.text() for action in menu.actions()]
            plugins.close()
            viewer.window.remove_dock_widget("all")
            menu.deleteLater()

    drive(go())
