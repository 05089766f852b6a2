"""A movie from its dialog, made by the real process."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PySide6.QtWidgets import QWidget

from alsct_gui.model.recipe import Recipe
from alsct_gui.settings import Settings
from alsct_gui.ui.actions.book import ActionBook
from alsct_gui.ui.actions.table import ACTIONS
from alsct_gui.ui.look.movie_dialog import MovieDialog
from alsct_gui.ui.session import Session
from alsct_gui.ui.tasks import Tasks
from alsct_gui.ui.theme.style import apply_theme
from tests.ui.conftest import until
from tests.ui.look.eyes import Eye, slice_picture

Drive = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    folder = tmp_path / "rec_small"
    folder.mkdir()
    for k in range(30):
        tifffile.imwrite(folder / f"rec_{k:04d}.tif", np.full((32, 48), k / 30, np.float32))
    return folder


def test_pictures_are_saved_and_a_film_can_be_cancelled(
    app: Any, drive: Drive, volume: Path, tmp_path: Path
) -> None:
    apply_theme(app, "dark")
    told: list[str] = []
    notices: list[str] = []
    session = Session(Settings(), Recipe())
    session.noticed.connect(lambda notice: notices.append(notice.sentence))
    owner = QWidget()

    async def main() -> None:
        tasks = Tasks(lambda name, error: told.append(f"{name}: {error!r}"))
        book = ActionBook(ACTIONS, session, owner)
        dialog = MovieDialog(session, tasks, Eye(slice_picture()), book, owner)
        session.show_volume(volume)
        book.trigger("look.movie")
        await until(lambda: told or dialog.last.value() == 29, "the range of the volume")
        assert not dialog.isModal()
        dialog.last.setValue(9)
        assert "10 frames" in dialog.words.text()
        target = tmp_path / "a.frames"
        dialog.start(target)
        assert dialog.running
        assert not dialog.rows.isEnabled()
        await until(lambda: told or notices, "the pictures")
        assert len(list(target.iterdir())) == 10
        await until(lambda: dialog.rows.isEnabled(), "the fields again")
        assert str(target) in dialog.words.text()
        dialog.start(tmp_path / "b.frames")
        dialog.cancel()
        await until(lambda: not dialog.running, "the end")
        assert "Cancelled" in dialog.words.text()
        dialog.start(target)
        await until(lambda: told, "the refusal")
        assert "something of that name" in dialog.words.text()
        dialog.close()
        await tasks.close()
        owner.deleteLater()
        app.processEvents()

    drive(main())
    assert len(told) == 1
    assert "something of that name" in told[0]
