"""The modes in a real window: what a person clicks, what the canvas shows."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from alsct_gui.model.finding import Finding, Severity
from alsct_gui.ui.session import Mode
from tests.ui.conftest import until
from tests.ui.mouse import move_mouse
from tests.ui.viewer.conftest import CENTER_PX
from tests.ui.viewer.seeing import assert_shows, colors_at, some_pixels


def tab(room: Any, title: str) -> Any:
    from PySide6.QtWidgets import QToolButton

    found = [
        b
        for b in room.stage.findChildren(QToolButton)
        if b.text() == title and b.property("role") == "tab"
    ]
    assert len(found) == 1
    return found[0]


def click(widget: Any) -> None:
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton)


def test_frames_come_by_slider_keys_and_wheel(room: Any, foam: Path, drive: Any) -> None:
    async def go() -> None:
        async with room() as r:
            await r.open(foam)
            mode = r.stage.mode_of(Mode.PROJECTIONS)
            first = r.stage.picture
            assert first.title == "Projection 0 at 0.00°"
            assert first.units == "counts"
            assert_shows(r.stage, mode.slot, first)
            mode.counter.slider.setValue(45)
            await r.quiet()
            assert r.stage.picture.title.startswith("Projection 45 at ")
            assert_shows(r.stage, mode.slot, r.stage.picture)
            for key, index in (
                (Qt.Key.Key_Right, 46), (Qt.Key.Key_Left, 45), (Qt.Key.Key_PageDown, 55),
                (Qt.Key.Key_End, 90), (Qt.Key.Key_PageUp, 80), (Qt.Key.Key_Home, 0),
            ):  # fmt: skip
                QTest.keyClick(r.stage.host.canvas, key)
                assert mode.counter.index == index
            await r.quiet()
            zoom = r.stage.host.viewer.scene.camera.zoom
            _turn_wheel(r.stage.host.canvas, -120, Qt.KeyboardModifier.ControlModifier)
            assert mode.counter.index == 1
            assert r.stage.host.viewer.scene.camera.zoom == zoom
            _turn_wheel(r.stage.host.canvas, 120, Qt.KeyboardModifier.NoModifier)
            assert mode.counter.index == 1
            await until(lambda: r.stage.host.viewer.scene.camera.zoom > zoom, "the wheel zooms")
            await r.quiet()

    drive(go())


def _turn_wheel(canvas: Any, by: int, modifiers: Any) -> None:
    from PySide6.QtCore import QPointF
    from PySide6.QtGui import QWheelEvent
    from PySide6.QtWidgets import QApplication

    middle = QPointF(canvas.rect().center())
    event = QWheelEvent(
        middle, canvas.mapToGlobal(middle), QPoint(), QPoint(0, by), Qt.MouseButton.NoButton,
        modifiers, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(canvas, event)


@pytest.fixture(params=[True, False], ids=["slices in a thread", "slices at once"])
def slicing(request: pytest.FixtureRequest, screen: None) -> Iterator[None]:
    """As a person may choose in napari's preferences."""
    from napari.settings import get_settings

    experimental = get_settings().experimental
    before, experimental.async_ = experimental.async_, request.param
    yield
    experimental.async_ = before


@pytest.mark.usefixtures("slicing")
def test_the_camera_stays_while_frames_change_and_fits_again(
    room: Any, foam: Path, other: Path, drive: Any
) -> None:
    async def go() -> None:
        async with room() as r:
            await r.open(foam)
            camera = r.stage.host.viewer.scene.camera
            whole = camera.zoom
            camera.zoom = 3 * whole
            r.stage.mode.step(5)
            await r.quiet()
            assert camera.zoom == 3 * whole
            r.book.trigger("view.fit")
            assert np.isclose(camera.zoom, whole)
            await r.open(other)
            await until(lambda: not np.isclose(camera.zoom, whole), "the other picture fits")
            await r.quiet()
            assert_shows(r.stage, r.stage.mode.slot, r.stage.picture)

    drive(go())


def test_flats_darks_and_corrected_frames(room: Any, foam: Path, drive: Any) -> None:
    async def go() -> None:
        async with room() as r:
            await r.open(foam)
            mode = r.stage.mode_of(Mode.PROJECTIONS)
            mode.step(7)
            click(mode.corrected.button("corrected"))
            await r.quiet()
            assert r.stage.picture.units == "transmission"
            assert_shows(r.stage, mode.slot, r.stage.picture)
            projection = float(np.median(r.stage.picture.image))
            assert 0 < projection < 1.1
            click(mode.kind.button("flat"))
            await r.quiet()
            assert r.stage.picture.title == "Flat 0"
            assert r.stage.picture.units == "counts"
            flat = float(np.median(r.stage.picture.image))
            click(mode.kind.button("dark"))
            await r.quiet()
            assert r.stage.picture.title == "Dark 0"
            assert float(np.median(r.stage.picture.image)) < 0.2 * flat
            click(mode.kind.button("projection"))
            await r.quiet()
            assert mode.counter.index == 7

    drive(go())


def test_contrast_is_kept_until_it_is_reset(room: Any, foam: Path, drive: Any) -> None:
    async def go() -> None:
        async with room() as r:
            heard: list[tuple[float, float]] = []
            r.stage.limits_changed.connect(lambda low, high: heard.append((low, high)))
            await r.open(foam)
            mode = r.stage.mode
            auto = r.stage.picture
            assert heard == [(auto.low, auto.high)]
            before = r.stage.host.screenshot()
            r.stage.set_limits(auto.low, auto.high + (auto.high - auto.low))
            await r.quiet()
            assert r.stage.host.screenshot()[..., 0].sum() < before[..., 0].sum()
            assert_shows(r.stage, mode.slot, r.stage.picture)
            kept = (r.stage.picture.low, r.stage.picture.high)
            assert heard[-1] == kept
            mode.step(9)
            await r.quiet()
            assert (r.stage.picture.low, r.stage.picture.high) == kept
            QTest.keyClick(r.window, Qt.Key.Key_C, Qt.KeyboardModifier.ShiftModifier)
            assert (r.stage.picture.low, r.stage.picture.high) != kept
            mode.slot.layer.contrast_limits = (auto.low, auto.low + 100)
            assert heard[-1] == (auto.low, auto.low + 100)
            assert r.stage.picture.high == auto.low + 100

    drive(go())


def test_the_overlay_is_grey_about_the_right_centre_alone(
    room: Any, foam: Path, drive: Any
) -> None:
    async def go() -> None:
        async with room() as r:
            await r.open(foam)
            mode = r.stage.mode_of(Mode.PROJECTIONS)
            r.session.set_setting("center.center_px", CENTER_PX)
            click(_button_of(r, "recon.overlay"))
            await r.quiet()
            right = _color(r, mode)
            r.session.set_setting("center.center_px", CENTER_PX + 4)
            await r.quiet()
            wrong = _color(r, mode)
            assert right < 0.05
            assert wrong > 4 * right
            shown = [layer.name for layer in r.stage.host.viewer.layers if layer.visible]
            assert shown == ["First frame", "Opposite frame, mirrored"]
            r.book["recon.overlay"].setChecked(False)
            await r.quiet()
            shown = [layer.name for layer in r.stage.host.viewer.layers if layer.visible]
            assert shown == ["Projection"]
            assert_shows(r.stage, mode.slot, r.stage.picture)

    drive(go())


def _button_of(room: Any, key: str) -> Any:
    from PySide6.QtWidgets import QToolButton

    bar = room.stage.mode_of(Mode.PROJECTIONS).bar
    return next(b for b in bar.findChildren(QToolButton) if b.defaultAction() is room.book[key])


def _color(room: Any, mode: Any) -> float:
    """How much colour there is in the middle of the overlay, 0 for grey."""
    rows, columns = some_pixels(mode.overlay.picture().image, 0.2)
    seen = colors_at(room.stage, mode.overlay.first, rows, columns)
    return float(np.mean(seen.max(axis=1) - seen.min(axis=1)))


def test_sinogram_follows_row_stage_and_recipe(room: Any, foam: Path, drive: Any) -> None:
    async def go() -> None:
        async with room() as r:
            await r.open(foam)
            click(tab(r, "Sinogram"))
            await r.quiet()
            mode = r.stage.mode
            assert mode.key is Mode.SINOGRAM
            assert r.stage.picture.image.shape == (91, 128)
            assert not r.stage.host.viewer.canvas.overlays.scale_bar.visible
            assert_shows(r.stage, mode.slot, r.stage.picture)
            QTest.keyClick(r.stage.host.canvas, Qt.Key.Key_Home)
            await r.quiet()
            assert r.session.row == 0
            assert r.stage.picture.title == "Sinogram of row 0, corrected"
            click(mode.stage.button("filtered"))
            await r.quiet()
            filtered = r.stage.picture.image
            r.session.set_recipe(replace(r.session.recipe, rings=()))
            await r.quiet()
            assert not np.array_equal(r.stage.picture.image, filtered)

    drive(go())


def test_preview_asks_for_a_slice_and_shows_it(room: Any, foam: Path, drive: Any) -> None:
    async def go() -> None:
        async with room() as r:
            given: list[str] = []
            r.book.bind("recon.preview", lambda: given.append("preview"))
            await r.open(foam)
            click(tab(r, "Preview"))
            cover = r.stage.cover
            assert cover.isVisible()
            assert cover.words == "No slice yet"
            cover.press()
            assert given == ["preview"]
            r.session.busy("preview", "Making the slice of row 24")
            assert cover.words == "Making the slice…"
            recipe = r.session.recipe
            made = await asyncio.wrap_future(r.desk.preview(foam, recipe, r.session.row))
            r.session.set_preview(made)
            r.session.busy("preview", "")
            await r.quiet()
            assert not cover.isVisible()
            assert_shows(r.stage, r.stage.mode.slot, r.stage.picture)
            assert r.stage.picture.units == made.units
            r.stage.mode.counter.slider.setValue(11)
            assert r.session.row == 11

    drive(go())


def test_layers_are_hidden_not_removed_and_those_of_people_stay(
    room: Any, foam: Path, other: Path, drive: Any
) -> None:
    async def go() -> None:
        async with room() as r:
            await r.open(foam)
            viewer = r.stage.host.viewer
            mine = viewer.add_image(np.zeros((8, 8)), name="mine", units=("um", "um"))
            layer = r.stage.mode.slot.layer
            click(tab(r, "Sinogram"))
            await r.quiet()
            assert layer in viewer.layers
            assert not layer.visible
            assert mine.visible
            click(tab(r, "Projections"))
            await r.quiet()
            assert r.stage.mode.slot.layer is layer
            assert layer.visible
            viewer.layers.remove(layer)
            r.stage.mode.step(1)
            await r.quiet()
            assert r.stage.mode.slot.layer in viewer.layers
            await r.open(other)
            assert mine in viewer.layers
            assert mine.visible

    drive(go())


def test_the_pixel_under_the_mouse_is_told(room: Any, foam: Path, drive: Any) -> None:
    async def go() -> None:
        async with room() as r:
            said: list[str] = []
            r.stage.pixel_pointed.connect(said.append)
            await r.open(foam)
            canvas = r.stage.host.canvas
            r.stage.host.viewer.mouse_over_canvas = True
            move_mouse(canvas, canvas.rect().center())
            await until(lambda: any(said), "the pixel is told")
            image = r.stage.picture.image
            words = said[-1]
            column, row = (int(part.split()[1]) for part in words.split(" · ")[0].split(", "))
            assert abs(column - 64) <= 1
            assert abs(row - 24) <= 1
            assert words.endswith(f"{image[row, column]} counts")
            r.stage.host.viewer.mouse_over_canvas = False
            assert said[-1] == ""

    drive(go())


def test_a_broken_scan_lists_its_findings_in_place(room: Any, foam: Path, drive: Any) -> None:
    async def go() -> None:
        async with room() as r:
            await r.open(foam)
            look = r.session.look
            broken = foam.with_name("broken.h5")
            finding = Finding("flats-missing", Severity.ERROR, "There are no flats.", "Take some")
            r.session.select(broken)
            assert r.stage.cover.words == "Reading broken.h5…"
            r.session.set_look(broken, replace(look, ok=False, findings=(finding,)))
            assert r.stage.cover.isVisible()
            assert r.stage.cover.words == "broken.h5 cannot be worked on as it is"
            texts = r.stage.cover.texts
            assert "There are no flats." in texts
            assert "Take some." in texts
            assert "flats-missing" in texts
            assert r.stage.picture is None
            r.session.select(None)
            assert r.stage.cover.words == "Nothing is selected"

    drive(go())


def test_a_late_frame_of_another_scan_is_dropped(
    room: Any, foam: Path, other: Path, drive: Any
) -> None:
    async def go() -> None:
        async with room() as r:
            await r.open(foam)
            r.stage.mode.step(3)
            await r.open(other)
            assert r.stage.picture.title.startswith("Projection 0 ")
            assert r.stage.picture.image.shape == (16, 96)

    drive(go())


def test_playing_goes_round_and_stops(room: Any, other: Path, drive: Any) -> None:
    async def go() -> None:
        async with room() as r:
            await r.open(other)
            mode = r.stage.mode
            mode.counter.set_index(43)
            seen: list[str] = []
            r.stage.picture_changed.connect(lambda p: seen.append(p.title if p else ""))
            click(mode.play)
            await until(lambda: len(seen) >= 4, "four frames are played")
            click(mode.play)
            await r.quiet()
            numbers = [int(title.split()[1]) for title in seen[:4]]
            assert numbers == [44, 45, 0, 1]
            count = len(seen)
            await asyncio.sleep(0.3)
            assert len(seen) == count

    drive(go())


def test_every_shortcut_of_the_table_works_on_the_canvas(room: Any, foam: Path, drive: Any) -> None:
    """napari has keys of its own; none of them may get in the way of the program's."""

    async def go() -> None:
        async with room() as r:
            await r.open(foam)
            r.stage.host.canvas.setFocus()
            given: list[str] = []
            keys = [info for info in r.book.table if info.shortcut]
            for info in keys:
                r.book[info.key].triggered.connect(lambda _=False, key=info.key: given.append(key))
            for info in keys:
                r.book[info.key].setEnabled(True)
                combination = r.book[info.key].shortcut()[0]
                QTest.keyClick(
                    r.stage.host.canvas, combination.key(), combination.keyboardModifiers()
                )
                assert given[-1:] == [info.key], f"{info.shortcut} does not give {info.key}"
            await r.quiet()

    drive(go())
