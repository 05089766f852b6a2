"""What a figure measures, and the panel that shows it."""

from __future__ import annotations

import csv
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication, QWidget

from alsct_gui.model.errors import OutputError
from alsct_gui.model.recipe import Recipe
from alsct_gui.settings import Settings
from alsct_gui.ui.actions.book import ActionBook
from alsct_gui.ui.actions.table import ACTIONS
from alsct_gui.ui.look.figures import Kind
from alsct_gui.ui.look.measured import Question, measure
from alsct_gui.ui.look.profile_panel import ProfilePanel
from alsct_gui.ui.look.saving import suggested_path, write_whole
from alsct_gui.ui.session import Session
from alsct_gui.ui.tasks import Tasks
from alsct_gui.ui.theme.style import apply_theme
from tests.ui.conftest import until
from tests.ui.look.eyes import slice_picture

Drive = Callable[[Coroutine[Any, Any, Any]], Any]
PICTURE = slice_picture()


def test_a_line_a_circle_and_a_region_measure_what_lies_below() -> None:
    line = measure(Question(PICTURE, Kind.LINE, (48, 0), (48, 95)))
    assert line.profile is not None
    assert np.allclose(line.profile.values, PICTURE.image[48], atol=1e-6)
    assert line.table[0] == ["distance (µm)", "value (1/cm)"]
    circle = measure(Question(PICTURE, Kind.RADIAL, (48, 48), (48, 88)))
    assert circle.profile is not None
    assert circle.profile.values[5] == pytest.approx(1.5, abs=0.05)
    assert circle.profile.values[35] == pytest.approx(0, abs=0.05)
    assert circle.profile.distance[-1] == pytest.approx(40 * 0.65)
    region = measure(Question(PICTURE, Kind.REGION, (60, 55), (40, 41)))
    assert region.statistics is not None
    part = PICTURE.image[40:61, 41:56]
    assert region.statistics.mean == pytest.approx(part.mean(dtype=float))
    assert region.histogram is not None
    assert region.histogram.n_sample == part.size


def test_a_figure_beside_the_picture_measures_nothing_and_does_not_fail() -> None:
    for kind in Kind:
        found = measure(Question(PICTURE, kind, (-400, -400), (-300, -390)))
        assert found.rows
    assert measure(Question(PICTURE, Kind.REGION, (-9, -9), (-3, -3))).histogram is None


class _Ruler(QObject):
    """A ruler that lies where the test says."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.kind: Kind | None = None
        self.picture = PICTURE
        self.places: Any = None

    def lay(self, kind: Kind | None, *places: tuple[float, float]) -> None:
        self.kind, self.places = kind, places
        self.changed.emit()


def test_the_panel_follows_the_ruler_and_hands_out_values(
    app: Any, drive: Drive, tmp_path: Path
) -> None:
    apply_theme(app, "dark")
    told: list[str] = []
    session = Session(Settings(), Recipe())
    owner = QWidget()
    book = ActionBook(ACTIONS, session, owner)

    async def main() -> None:
        tasks = Tasks(lambda name, error: told.append(f"{name}: {error!r}"))
        ruler: Any = _Ruler()
        panel = ProfilePanel(session, tasks, book, ruler)
        panel.resize(800, 188)
        panel.show()
        assert panel._pages.currentIndex() == 0
        ruler.lay(Kind.REGION, (40, 41), (60, 55))
        await until(lambda: told or (panel.graph and panel.found), "a measure")
        words = {name.text(): value.text() for name, value in panel._cells}
        part = PICTURE.image[40:61, 41:56].astype(float)
        shown = words["Mean"].split("\N{NARROW NO-BREAK SPACE}")
        assert float(shown[0]) == pytest.approx(part.mean(), rel=1e-4)
        assert shown[1] == "1/cm"
        assert panel.line_width.isHidden()
        ruler.lay(Kind.LINE, (48, 0), (48, 95))
        await until(lambda: told or panel.found.kind is Kind.LINE, "the line")
        assert panel.graph is not None
        assert np.allclose(panel.graph.curve.yData, PICTURE.image[48])
        panel.line_width.setValue(3)
        await until(lambda: told or panel.found.profile.counts is not None, "the wide line")
        panel.copy.click()
        copied = [row.split("\t") for row in QApplication.clipboard().text().splitlines()]
        assert copied[0][0] == "distance (µm)"
        assert float(copied[1][1]) == pytest.approx(PICTURE.image[47:50, 0].mean(), rel=1e-6)
        panel.save.click()
        assert panel.dialog is not None
        panel.dialog.fileSelected.emit(str(tmp_path / "line.csv"))
        await until(lambda: told or (tmp_path / "line.csv").exists(), "the file")
        panel.dialog.reject()
        with (tmp_path / "line.csv").open(newline="") as file:
            assert list(csv.reader(file)) == copied
        ruler.lay(None)
        assert panel._pages.currentIndex() == 0
        panel.close()
        await tasks.close()
        for widget in (panel, owner):
            widget.deleteLater()
        app.processEvents()

    drive(main())
    assert told == []


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    target = tmp_path / "a.csv"
    write_whole(target, b"1")
    write_whole(target, b"22")
    assert target.read_bytes() == b"22"
    assert [item.name for item in tmp_path.iterdir()] == ["a.csv"]
    with pytest.raises(OutputError, match=r"Choose another folder"):
        write_whole(tmp_path / "none" / "a.csv", b"")


def test_names_come_from_the_scan_and_what_is_shown() -> None:
    path = suggested_path(Path("/data/fo:am.h5"), "Projection 12 at 61.9°", ".png", "/out")
    assert path == Path("/out/fo_am_Projection_12_at_61.9°.png")
    assert suggested_path(None, "x/../y", ".csv", "/out").parent == Path("/out")
