"""The mode volume in a real window."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from alsct_gui.files.cuts import Cut
from alsct_gui.files.writers.base import create_volume
from alsct_gui.files.writers.partial import partial_folder
from alsct_gui.model.errors import InputError
from alsct_gui.placement.runs.model import RunState, RunView
from alsct_gui.ui.session import Mode
from alsct_gui.ui.viewer.opened import OpenedVolume
from alsct_gui.ui.viewer.planes import PlaneReader
from alsct_gui.ui.viewer.space_view import ASLANT_DEG
from tests.ui.conftest import until
from tests.ui.mouse import move_mouse
from tests.ui.viewer.seeing import assert_shows
from tests.ui.viewer.volumes import SHAPE, balls, ramp, write


async def shown(room: Any, path: Path) -> Any:
    room.session.show_volume(path)
    mode = room.stage.mode_of(Mode.VOLUME)
    await until(lambda: mode.opened is not None, "the volume is open")
    await room.quiet()
    return mode


def test_slices_come_by_slider_and_keys(room: Any, drive: Any, tmp_path: Path) -> None:
    values = ramp()
    path = write(tmp_path / "rec.zarr", values)

    async def go() -> None:
        async with room() as r:
            mode = await shown(r, path)
            assert mode.controls.counter.count == SHAPE[0]
            assert mode.controls.facts.whole == "24 slices · 56 × 40 · 0.65 × 0.65 × 1.3 µm · 1/cm"
            assert r.stage.picture.title == "Slice 12"
            np.testing.assert_array_equal(r.stage.picture.image, values[12])
            r.stage.set_limits(values[12].min(), values[12].max())
            assert_shows(r.stage, mode.flat.slot, r.stage.picture)
            QTest.keyClick(r.stage.host.canvas, Qt.Key.Key_Right)
            QTest.keyClick(r.stage.host.canvas, Qt.Key.Key_Right)
            await r.quiet()
            np.testing.assert_array_equal(r.stage.picture.image, values[14])
            assert mode.controls.place.text() == "of 24 · 18 µm"
            mode.controls.counter.slider.setValue(3)
            await r.quiet()
            np.testing.assert_array_equal(r.stage.picture.image, values[3])

    drive(go())


def test_a_missing_volume_is_said_in_place(room: Any, drive: Any, tmp_path: Path) -> None:
    async def go() -> None:
        async with room() as r:
            r.session.show_volume(tmp_path / "none.zarr")
            await until(lambda: r.stage.cover.words == "none.zarr cannot be shown", "the words")
            assert any("no such volume" in words for words in r.stage.cover.texts)
            good = write(tmp_path / "good.zarr", balls())
            mode = await shown(r, good)
            assert r.stage.cover.isHidden()
            assert mode.opened.path == good

    drive(go())


def at_place(room: Any, down: float, across: float) -> QPoint:
    """Where a place of the world lies on the canvas."""
    camera, canvas = room.stage.host.viewer.scene.camera, room.stage.host.canvas
    return QPoint(
        round((across - camera.center[-1]) * camera.zoom + canvas.width() / 2),
        round((down - camera.center[-2]) * camera.zoom + canvas.height() / 2),
    )


async def drawn(room: Any) -> None:
    """Let the canvas draw: the mouse is looked up in what is drawn."""
    await room.quiet()
    room.stage.host.screenshot()


def test_the_cross_hair_moves_all_cuts(room: Any, drive: Any, tmp_path: Path) -> None:
    values = ramp()
    path = write(tmp_path / "rec.zarr", values)

    async def go() -> None:
        async with room() as r:
            mode = await shown(r, path)
            r.book.trigger("view.cuts")
            await drawn(r)
            layout, cuts = mode.cuts.layout, mode.cuts
            assert mode.cursor == (12, 20, 28)
            # A click into the cut xz chooses slice and x, one into yz slice and y.
            down, across = layout.origin("row")
            canvas = r.stage.host.canvas
            place = at_place(r, down + 5.5 * 1.3, across + 40.5 * 0.65)
            QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=place)
            await drawn(r)
            assert mode.cursor == (5, 20, 40)
            np.testing.assert_array_equal(cuts.slots["slice"].layer.data, values[5])
            np.testing.assert_array_equal(cuts.slots["row"].layer.data, values[:, 20])
            np.testing.assert_array_equal(cuts.slots["column"].layer.data, values[:, :, 40].T)
            down, across = layout.origin("column")
            places = [at_place(r, down + (y + 0.5) * 0.65, across + (z + 0.5) * 1.3)
                      for z, y in ((9, 30), (15, 8))]  # fmt: skip
            zoom, center = (
                r.stage.host.viewer.scene.camera.zoom,
                (r.stage.host.viewer.scene.camera.center),
            )
            QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=places[0])
            move_mouse(canvas, places[1], held=True)
            QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=places[1])
            await drawn(r)
            assert mode.cursor == (15, 8, 40)
            assert r.stage.host.viewer.scene.camera.zoom == zoom
            assert r.stage.host.viewer.scene.camera.center == center
            np.testing.assert_array_equal(cuts.slots["row"].layer.data, values[:, 8])
            assert (mode.controls.y_at.value(), mode.controls.x_at.value()) == (8, 40)
            # The lines are seen, in the accent's colour, and can be hidden.
            (line_down, line_across), (_, width) = next(layout.lines(mode.cursor))
            spot = at_place(r, line_down, line_across + 0.2 * width)
            blue = _canvas_color(r, spot)
            assert blue[2] > blue[0] + 0.1
            mode.controls.cross.click()
            await drawn(r)
            grey = _canvas_color(r, spot)
            assert np.ptp(grey) < 0.02

    drive(go())


def _canvas_color(room: Any, spot: QPoint) -> Any:
    return room.stage.host.screenshot()[spot.y(), spot.x(), :3] / 255.0


def test_the_pixel_is_told_with_all_three_positions(room: Any, drive: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "rec.zarr", ramp())

    async def go() -> None:
        async with room() as r:
            mode = await shown(r, path)
            mode.controls.layouts.button("cuts").click()
            await drawn(r)
            told: list[str] = []
            r.stage.pixel_pointed.connect(told.append)
            down, across = mode.cuts.layout.origin("row")
            words = "x 11, y 20, slice 7 · 7.201e+04 1/cm"
            place = at_place(r, down + 7.5 * 1.3, across + 11.5 * 0.65)

            r.stage.host.viewer.mouse_over_canvas = True

            def seen() -> bool:
                # A hand does not move once: the canvas drops moves that come too fast.
                move_mouse(r.stage.host.canvas, place)
                return words in told

            await until(seen, f"{words}, after {told[-3:]}")

    drive(go())


def test_3d_shows_the_volume_and_frees_it(room: Any, drive: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "rec.zarr", balls())

    async def go() -> None:
        async with room() as r:
            mode = await shown(r, path)
            r.book.trigger("view.3d")
            await until(lambda: mode.space.slot.layer is not None, "3-D is there")
            await r.quiet()
            viewer = r.stage.host.viewer
            assert r.stage.cover.isHidden()
            assert viewer.dims.ndisplay == 3
            assert mode.space.slot.layer.data.shape == SHAPE
            shot = r.stage.host.screenshot()[..., :3].astype(float)
            height, width = shot.shape[:2]
            middle = shot[height // 4 : -height // 4, width // 4 : -width // 4].mean(axis=-1)
            assert middle.max() > shot[4, 4].mean() + 30
            assert viewer.scene.camera.angles == pytest.approx(ASLANT_DEG)
            mode.controls.rendering.setCurrentIndex(2)
            assert mode.space.slot.layer.rendering == "iso"
            mode.controls.layouts.button("slices").click()
            await r.quiet()
            assert viewer.dims.ndisplay == 2
            assert mode.space.slot.layer is None
            assert r.stage.picture.title == "Slice 12"

    drive(go())


def test_3d_that_does_not_fit_is_refused_with_figures(
    room: Any, drive: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    path = write(tmp_path / "rec.zarr", balls())
    monkeypatch.setattr("alsct_gui.files.cuts.available_memory_bytes", lambda: 400_000)

    async def go() -> None:
        async with room() as r:
            mode = await shown(r, path)
            r.book.trigger("view.3d")
            await r.quiet()
            assert r.stage.cover.words == "3-D does not fit"
            assert any("24 × 40 × 56 voxels need 0.2 MB, 0.1 MB may be taken" in words
                       for words in r.stage.cover.texts)  # fmt: skip
            r.stage.cover.press()
            await r.quiet()
            assert mode.layout == "slices"
            assert r.stage.cover.isHidden()

    drive(go())


def test_a_product_in_the_making_grows_and_is_followed(
    room: Any, drive: Any, tmp_path: Path
) -> None:
    values = ramp((48, 40, 56))
    path = tmp_path / "rec.zarr"

    def run(done: int, state: RunState = RunState.RUNNING) -> Any:
        ranges = ((0, done),) if done else ()
        return (RunView("1", None, state, ranges=ranges, slices_done=done, slices_total=48,
                        partial_path=partial_folder(path), output=path),)  # fmt: skip

    async def go() -> None:
        with create_volume(path, shape=values.shape, dtype="float32",
                           voxel_um=(1, 1, 1), provenance={"units": "1/cm"}) as writer:  # fmt: skip
            async with room() as r:
                r.session.set_runs(run(0))
                mode = await shown(r, partial_folder(path))
                assert mode.controls.counter.count == 48
                assert r.stage.cover.words == "Not yet made"
                writer.write(0, values[:16])
                r.session.set_runs(run(16))
                await until(lambda: r.stage.picture is not None, "the first slices")
                await r.quiet()
                assert r.stage.picture.title == "Slice 15"
                np.testing.assert_array_equal(r.stage.picture.image, values[15])
                assert mode.controls.strip.runs == ((0, 16),)
                assert mode.controls.said.text() == "16 of 48 slices made"
                assert not mode.controls.layouts.button("3d").isEnabled()
                # Whoever moves is let alone.
                mode.controls.counter.slider.setValue(4)
                writer.write(16, values[16:32])
                r.session.set_runs(run(32))
                await until(lambda: mode.controls.strip.runs == ((0, 32),), "more slices")
                await r.quiet()
                assert r.stage.picture.title == "Slice 4"
                mode.controls.counter.slider.setValue(40)
                await r.quiet()
                assert r.stage.cover.words == "Not yet made"
                r.stage.cover.press()
                await r.quiet()
                assert r.stage.picture.title == "Slice 31"
                writer.write(32, values[32:])
                writer.finish()
                r.session.set_runs(run(48, RunState.FINISHED))
                mode.controls.counter.slider.setValue(33)
                r.session.show_volume(path)
                await until(lambda: mode.opened and mode.opened.path == path, "the product")
                await r.quiet()
                assert r.stage.picture.title == "Slice 33"
                np.testing.assert_array_equal(r.stage.picture.image, values[33])
                assert mode.controls.strip.isHidden()

    drive(go())


def test_playing_goes_on_and_stops(room: Any, drive: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "rec.zarr", balls())

    async def go() -> None:
        async with room() as r:
            mode = await shown(r, path)
            mode.controls.play.click()
            await until(lambda: mode.cursor[0] == 20, "slice 20")
            await until(lambda: mode.cursor[0] == 2, "round again")
            mode.controls.play.click()
            await r.quiet()
            assert r.stage.picture.title == f"Slice {mode.cursor[0]}"

    drive(go())


def test_slices_are_kept_within_bounds(room: Any, drive: Any, tmp_path: Path) -> None:
    values = ramp()
    path = write(tmp_path / "rec.zarr", values)

    async def go() -> None:
        async with room():
            reader = PlaneReader(OpenedVolume(path), cache_bytes=3 * values[0].nbytes)
            for z in (0, 1, 2, 3, 2, 23):
                plane = await reader.read(Cut("slice", z))
                np.testing.assert_array_equal(plane.image, values[z])
                assert reader.kept_bytes <= 3 * values[0].nbytes
            kept = await reader.read(Cut("slice", 23))
            assert kept is await reader.read(Cut("slice", 23))
            reader.close()
            with pytest.raises(InputError, match="closed"):
                await reader.read(Cut("slice", 9))

    drive(go())
