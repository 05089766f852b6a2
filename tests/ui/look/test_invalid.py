"""Odd values on a real canvas, and a screenshot that says what it is."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PySide6.QtWidgets import QWidget

from alsct_gui.model.recipe import Recipe
from alsct_gui.settings import Settings
from alsct_gui.ui.actions.book import ActionBook
from alsct_gui.ui.actions.table import ACTIONS
from alsct_gui.ui.look.figures import Kind
from alsct_gui.ui.look.invalid import InvalidMarks
from alsct_gui.ui.look.measuring import Measuring
from alsct_gui.ui.look.screenshots import Screenshots
from alsct_gui.ui.picture import Picture
from alsct_gui.ui.session import Session, Situation
from alsct_gui.ui.tasks import Tasks
from alsct_gui.ui.theme.style import apply_theme
from alsct_gui.ui.viewer.host import NapariHost
from tests.ui.conftest import until
from tests.ui.look.eyes import Eye, slice_picture

Drive = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture
def owner(app: Any) -> Iterator[QWidget]:
    widget = QWidget()
    yield widget
    widget.deleteLater()
    app.processEvents()


def _allowed(session: Session, owner: QWidget) -> ActionBook:
    book = ActionBook(ACTIONS, session, owner)
    session.situation_changed.emit(Situation(has_scan=True))
    return book


def test_marks_and_rulers_follow_the_picture(app: Any, drive: Drive, owner: QWidget) -> None:
    apply_theme(app, "dark")
    told: list[str] = []
    begun: list[str] = []
    session = Session(Settings(), Recipe())
    book = _allowed(session, owner)
    image = np.ones((100, 100), np.float32)
    image[0, :2], image[1, 0] = -1, np.nan
    first = Picture(image, "odd", "1/cm", None, 0, 1)

    async def main() -> None:
        tasks = Tasks(lambda name, error: told.append(f"{name}: {error!r}"))
        host = NapariHost()
        host.resize(400, 300)
        host.open()
        host.show()
        layer = host.viewer.add_image(image, name="Slice")
        eye = Eye(first)
        marks = InvalidMarks(eye, host, tasks, book)
        measuring = Measuring(eye, host, book, lambda: begun.append("profile"))
        book["look.invalid"].setChecked(True)
        await until(lambda: told or marks.marks.layer is not None, "the marks")
        assert marks.legend.isVisible()
        assert marks.legend.words.text() == (
            "2 negative values (0.02 %), 1 NaN or infinite value (0.01 %)"
        )
        assert int(np.count_nonzero(marks.marks.layer.data)) == 3
        book["look.line"].setChecked(True)
        book["look.region"].setChecked(True)
        assert not book["look.line"].isChecked()
        assert measuring.kind is Kind.REGION
        assert measuring.places is not None
        assert begun == ["profile", "profile"]
        sound = np.ones((100, 100), np.float32)
        layer.data = sound
        eye.look_at(Picture(sound, "sound", "1/cm", None, 0, 1))
        await until(lambda: told or marks.legend.words.text().startswith("no"), "the next one")
        assert measuring.places is not None
        eye.look_at(None)
        assert marks.marks.layer is None
        assert not marks.legend.isVisible()
        assert measuring.places is None
        layer.data = image
        eye.look_at(first)
        host.viewer.layers.remove("Measure")
        assert measuring.kind is None
        assert not book["look.region"].isChecked()
        book["look.invalid"].setChecked(False)
        for part in (marks, measuring):
            part.close()
        await tasks.close()
        host.shut()
        host.close()
        host.deleteLater()
        app.processEvents()

    drive(main())
    assert told == []


def test_a_ruler_needs_a_picture(app: Any, owner: QWidget) -> None:
    book = _allowed(Session(Settings(), Recipe()), owner)
    measuring = Measuring(Eye(), NapariHost(), book, lambda: None)
    book["look.line"].setChecked(True)
    assert not book["look.line"].isChecked()
    assert measuring.kind is None
    measuring.close()


def test_a_screenshot_says_what_it_shows(
    app: Any, drive: Drive, owner: QWidget, tmp_path: Path
) -> None:
    told: list[str] = []
    session = Session(Settings(), Recipe(name="quick look"))
    session.select(Path("/data/raw/fibre_Ä.h5"))
    notices: list[str] = []
    session.noticed.connect(lambda notice: notices.append(notice.sentence))

    async def main() -> None:
        tasks = Tasks(lambda name, error: told.append(f"{name}: {error!r}"))
        eye = Eye()
        shots = Screenshots(session, tasks, eye, _allowed(session, owner), owner)
        shots.take()
        assert shots.dialog is None  # there is nothing to take
        eye.look_at(slice_picture())
        shots.take()
        assert shots.dialog is not None
        assert shots.dialog.selectedFiles()[0].endswith("fibre_Ä_Slice_of_row_12.png")
        target = tmp_path / "shot.png"
        shots.dialog.fileSelected.emit(str(target))
        await until(lambda: told or notices, "the screenshot")
        shots.dialog.reject()
        with Image.open(target) as image:
            assert image.size == (64, 48)
            assert image.text["Title"] == "Slice of row 12"
            assert image.text["Source"] == "/data/raw/fibre_Ä.h5"
            assert image.text["Recipe"] == "quick look"
            assert image.text["Contrast"] == "-0.2 to 1.8 1/cm"
        await tasks.close()
        app.processEvents()

    drive(main())
    assert told == []
    assert notices == [f"The screenshot is in {tmp_path / 'shot.png'}."]
