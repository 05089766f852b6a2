"""Figures and marks on a real canvas: dragged with the mouse, seen in its pixels."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from alsct_gui.ui.look.figures import Figure, Kind
from alsct_gui.ui.viewer.host import NapariHost
from alsct_gui.ui.viewer.lie import lie_as, lie_of
from alsct_gui.ui.viewer.rulers import Marks, Ruler
from tests.ui.mouse import move_mouse

EDGE_UM = 0.5


@pytest.fixture
def host(app: Any) -> Iterator[NapariHost]:
    host = NapariHost()
    host.resize(640, 480)
    host.open()
    host.show()
    app.processEvents()
    yield host
    host.viewer.layers.clear()  # a ruler that a failed test left still finds its viewer
    host.shut()
    host.close()
    host.deleteLater()
    app.processEvents()
    gc.collect()


@pytest.fixture
def image(host: NapariHost, app: Any) -> np.ndarray:
    image = np.zeros((120, 160), np.float32)
    host.viewer.add_image(
        image, name="Slice", scale=(EDGE_UM, EDGE_UM), translate=(5, 10), units=("um", "um")
    )
    host.viewer.reset_view()
    app.processEvents()
    return image


class Heard:
    """What a ruler says."""

    def __init__(self) -> None:
        self.changes = 0
        self.removed = 0

    def change(self) -> None:
        self.changes += 1

    def remove(self) -> None:
        self.removed += 1


def _on_canvas(host: NapariHost, place: tuple[float, float]) -> QPoint:
    camera, canvas = host.viewer.scene.camera, host.canvas
    down = (place[0] - camera.center[-2]) * camera.zoom + canvas.height() / 2
    across = (place[1] - camera.center[-1]) * camera.zoom + canvas.width() / 2
    return QPoint(round(across), round(down))


def _drag(
    host: NapariHost, qtbot: QtBot, start: Any, end: Any, arrived: Callable[[], bool]
) -> None:
    canvas, left = host.canvas, Qt.MouseButton.LeftButton
    first, last = _on_canvas(host, start), _on_canvas(host, end)
    move_mouse(canvas, first)
    QTest.mousePress(canvas, left, pos=first)

    def move() -> bool:
        # vispy and napari drop moves that come within milliseconds of the last one.
        move_mouse(canvas, last, held=True)
        return arrived()

    qtbot.waitUntil(move)
    QTest.mouseRelease(canvas, left, pos=last)


@pytest.mark.parametrize("kind", Kind)
def test_a_figure_appears_in_the_middle_and_goes(
    host: NapariHost, image: np.ndarray, app: Any, kind: Kind
) -> None:
    heard = Heard()
    ruler = Ruler(host, heard.change, heard.remove)
    blank = host.screenshot().astype(int)
    ruler.show(kind, image)
    app.processEvents()
    assert [layer.name for layer in host.viewer.layers] == ["Slice", "Measure"]
    assert host.viewer.layers.selection.active.name == "Slice"
    seen = np.abs(host.screenshot().astype(int) - blank).max(axis=-1) > 60
    assert 100 < seen.sum() < 0.1 * seen.size
    places = ruler.in_pixels(image)
    assert places is not None
    for row, column in places:
        assert 0 < row < 120
        assert 0 < column < 160
    ruler.hide()
    app.processEvents()
    assert len(host.viewer.layers) == 1
    assert (np.abs(host.screenshot().astype(int) - blank).max(axis=-1) <= 8).all()
    assert heard.removed == 0


def test_the_mouse_drags_an_end_and_the_picture_stays(
    host: NapariHost, image: np.ndarray, app: Any, qtbot: QtBot
) -> None:
    heard = Heard()
    ruler = Ruler(host, heard.change, heard.remove)
    ruler.show(Kind.LINE, image)
    ruler.put(Figure(Kind.LINE, (20.0, 30.0), (20.0, 70.0)))
    app.processEvents()
    center = host.viewer.scene.camera.center
    end = (45.0, 80.0)
    _drag(host, qtbot, (20.0, 70.0), end, lambda: heard.changes > 1)
    assert heard.changes > 1
    assert ruler.figure is not None
    assert ruler.figure.second == pytest.approx(end, abs=0.5)
    assert ruler.figure.first == (20.0, 30.0)
    places = ruler.in_pixels(image)
    assert places is not None
    assert places[0] == pytest.approx(((20 - 5) / EDGE_UM, (30 - 10) / EDGE_UM))
    assert host.viewer.scene.camera.center == center
    assert host.viewer.scene.camera.mouse_pan
    moved = host.viewer.scene.camera
    _drag(host, qtbot, (60.0, 20.0), (50.0, 30.0), lambda: moved.center != center)
    assert ruler.figure.first == (20.0, 30.0)
    assert host.viewer.scene.camera.center != center  # beside the figure, the picture moves
    ruler.hide()


def test_lines_stay_thin_when_one_zooms(host: NapariHost, image: np.ndarray, app: Any) -> None:
    ruler = Ruler(host, lambda: None, lambda: None)
    ruler.show(Kind.REGION, image)
    wide = ruler.layer.edge_width[0] * host.viewer.scene.camera.zoom
    host.viewer.scene.camera.zoom *= 4
    assert ruler.layer.edge_width[0] * host.viewer.scene.camera.zoom == pytest.approx(wide)
    ruler.hide()


def test_it_follows_pictures_and_a_change_of_units(
    host: NapariHost, image: np.ndarray, app: Any
) -> None:
    heard = Heard()
    ruler = Ruler(host, heard.change, heard.remove)
    ruler.show(Kind.LINE, image)
    ruler.follow(None)
    assert not ruler.layer.visible
    layer = host.viewer.layers["Slice"]
    other = np.full((120, 160), 2.0, np.float32)
    layer.data, layer.scale, layer.units = other, (1.0, 1.0), ("pixel", "pixel")
    ruler.follow(other)
    app.processEvents()
    assert ruler.layer.visible
    assert ruler.layer.units == layer.units
    assert ruler.in_pixels(image) is None
    assert ruler.in_pixels(other) is not None
    host.viewer.layers.remove("Measure")
    assert heard.removed == 1
    assert ruler.figure is None


def test_marks_lie_on_their_pixels(host: NapariHost, image: np.ndarray, app: Any) -> None:
    marks = Marks(host, "Odd values", {1: "#ff0000", 2: "#00ff00"})
    labels = np.zeros(image.shape, np.uint8)
    labels[40:80, :40] = 1
    labels[40:80, 120:] = 2
    marks.show(labels, image)
    app.processEvents()
    pixels = host.screenshot().astype(int)
    ratio = pixels.shape[1] / host.canvas.width()

    def color(row: int, column: int) -> list[int]:
        at = _on_canvas(host, (5 + row * EDGE_UM, 10 + column * EDGE_UM)) * ratio
        return pixels[at.y(), at.x(), :3].tolist()

    assert color(60, 20)[0] > 180 > 60 > color(60, 20)[1]
    assert color(60, 140)[1] > 180 > 60 > color(60, 140)[0]
    assert max(color(60, 80)) < 40
    marks.show(np.zeros_like(labels), image)
    app.processEvents()
    assert len(host.viewer.layers) == 2
    marks.hide()
    assert len(host.viewer.layers) == 1


def test_a_slice_that_napari_cuts_itself_is_measured_too(host: NapariHost, app: Any) -> None:
    volume = np.zeros((4, 60, 80), np.float32)
    layer = host.viewer.add_image(volume, name="Volume", scale=(1, 0.5, 0.5), units=("um",) * 3)
    seen = volume[2]
    ruler = Ruler(host, lambda: None, lambda: None)
    assert lie_of(host, seen) is None
    lie_as(layer, seen, (0.5, 0.5), (0.0, 0.0))
    ruler.show(Kind.LINE, seen)
    ruler.put(Figure(Kind.LINE, (5.0, 10.0), (20.0, 35.0)))
    assert ruler.in_pixels(seen) == ((10.0, 20.0), (40.0, 70.0))
    marks = Marks(host, "Odd values", {1: "#ff0000"})
    marks.show(np.ones(seen.shape, np.uint8), seen)
    app.processEvents()
    assert tuple(marks.layer.scale) == (0.5, 0.5)
    marks.hide()
    layer.visible = False
    assert ruler.in_pixels(seen) is None
    ruler.hide()
