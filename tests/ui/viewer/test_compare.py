"""The mode compare in a real window."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from alsct_gui.ui.session import Mode
from tests.ui.conftest import until
from tests.ui.viewer.seeing import assert_shows, colors_at, some_pixels
from tests.ui.viewer.volumes import SHAPE, balls, write


async def compared(room: Any, first: Path, second: Path) -> Any:
    room.session.show_volume(first)
    room.session.set_mode(Mode.COMPARE)
    mode = room.stage.mode_of(Mode.COMPARE)
    assert room.stage.cover.words == "Choose a second volume"
    mode.choose(second)
    await until(lambda: mode.pair is not None, "both are open")
    await room.quiet()
    return mode


def recipe(center_px: float, rings: str) -> dict[str, Any]:
    region = {"rows": [0, SHAPE[0]], "row_step": 1}
    return {"center": {"center_px": center_px}, "rings": {"method": rings}, "region": region}


def test_two_volumes_share_the_view_and_the_contrast(room: Any, drive: Any, tmp_path: Path) -> None:
    values = balls()
    first = write(tmp_path / "first.zarr", values, resolved=recipe(1283.25, "vo-all"))
    second = write(tmp_path / "second.zarr", values * 0.5, resolved=recipe(1283.75, "sorting"))

    async def go() -> None:
        async with room() as r:
            mode = await compared(r, first, second)
            assert mode.said.words == (
                "differs in: center px 1283.25 → 1283.75, rings vo-all → sorting"
            )
            a, b = mode.view.first.layer, mode.view.second.layer
            np.testing.assert_array_equal(a.data, values[12])
            np.testing.assert_array_equal(b.data, values[12] * np.float32(0.5))
            assert b.translate[1] > a.translate[1] + SHAPE[2] * a.scale[1]
            assert tuple(a.contrast_limits) == tuple(b.contrast_limits)
            r.stage.set_limits(0.0, 1.0)
            assert tuple(a.contrast_limits) == tuple(b.contrast_limits) == (0.0, 1.0)
            assert_shows(r.stage, mode.view.first, r.stage.picture)
            # The same place in both, wherever the one camera looks.
            camera = r.stage.host.viewer.scene.camera
            camera.zoom = camera.zoom * 1.2
            rows, columns = some_pixels(values[12], 0.3)
            for slot, image in ((mode.view.first, values[12]), (mode.view.second, values[12] / 2)):
                seen = colors_at(r.stage, slot, rows, columns)
                off = np.abs(seen[:, 0] - np.clip(image[rows, columns], 0, 1))
                assert np.mean(off < 0.03) > 0.95
            mode.controls.counter.slider.setValue(3)
            await r.quiet()
            np.testing.assert_array_equal(mode.view.second.layer.data, values[3] * np.float32(0.5))
            r.book.trigger("compare.swap")
            await r.quiet()
            np.testing.assert_array_equal(mode.view.first.layer.data, values[3] * np.float32(0.5))
            assert mode.controls.first.whole == "second"
            assert mode.controls.first.toolTip() == str(second)

    drive(go())


def test_blinking_changes_what_is_seen(room: Any, drive: Any, tmp_path: Path) -> None:
    values = balls()
    first = write(tmp_path / "first.zarr", values)
    second = write(tmp_path / "second.zarr", 1 - values)

    async def go() -> None:
        async with room() as r:
            mode = await compared(r, first, second)
            r.book.trigger("compare.blink")
            await r.quiet()
            r.stage.set_limits(0.0, 1.0)
            assert (mode.view.first.visible, mode.view.second.visible) == (True, False)
            assert mode.said.words.splitlines()[0] == "A first.zarr"
            assert_shows(r.stage, mode.view.first, r.stage.picture)
            QTest.keyClick(r.stage.host.canvas, Qt.Key.Key_Space)
            await r.quiet()
            assert (mode.view.first.visible, mode.view.second.visible) == (False, True)
            assert r.stage.picture.title == "Slice 12 of B"
            assert mode.said.words.splitlines()[0] == "B second.zarr"
            assert_shows(r.stage, mode.view.second, r.stage.picture)
            mode.controls.auto.setChecked(True)
            await until(lambda: mode.view.first.visible, "it blinks by itself", 5)

    drive(go())


def test_a_volume_differs_from_itself_nowhere(room: Any, drive: Any, tmp_path: Path) -> None:
    values = balls()
    path = write(tmp_path / "same.zarr", values)
    other = write(tmp_path / "other.zarr", values + np.float32(0.25))

    async def go() -> None:
        async with room() as r:
            mode = await compared(r, path, path)
            mode.controls.layouts.button("difference").click()
            await r.quiet()
            assert mode.said.words.startswith("the slices are equal")
            rows, columns = some_pixels(values[12])
            seen = colors_at(r.stage, mode.view.delta, rows, columns)
            assert np.ptp(seen, axis=0).max() == 0
            assert np.ptp(seen[0]) < 0.01
            mode.choose(other)
            await until(lambda: mode.pair and mode.pair.second.opened.path == other, "the other")
            await r.quiet()
            assert mode.said.words.startswith("rms 0.25 1/cm, largest 0.25, correlation 1")
            low, high = mode.limits
            assert low == -high
            seen = colors_at(r.stage, mode.view.delta, rows, columns)
            assert np.all(seen[:, 2] > seen[:, 0]), "less is blue"

    drive(go())


def test_what_does_not_fit_together_is_said(room: Any, drive: Any, tmp_path: Path) -> None:
    first = write(tmp_path / "first.zarr", balls())
    second = write(tmp_path / "second.zarr", balls((24, 40, 50)))

    async def go() -> None:
        async with room() as r:
            await compared(r, first, second)
            assert r.stage.cover.words == "They cannot be compared"
            assert "Slices are 40 × 56 and 40 × 50 pixels." in r.stage.cover.texts

    drive(go())


def test_slices_of_one_height_are_paired(room: Any, drive: Any, tmp_path: Path) -> None:
    values = balls()
    rows = [{"region": {"rows": [start, start + n], "row_step": 1}} for start, n in
            ((100, 24), (108, 16))]  # fmt: skip
    first = write(tmp_path / "first.zarr", values, resolved=rows[0])
    second = write(tmp_path / "second.zarr", values[8:], resolved=rows[1])

    async def go() -> None:
        async with room() as r:
            mode = await compared(r, first, second)
            assert mode.controls.counter.count == 16
            assert mode.controls.place.text() == "16 in A, 8 in B"
            np.testing.assert_array_equal(mode.view.first.layer.data, mode.view.second.layer.data)

    drive(go())
