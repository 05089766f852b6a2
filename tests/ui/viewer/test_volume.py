"""The mode volume in a real window."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from alsct_gui.ui.session import Mode
from tests.ui.conftest import until
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
