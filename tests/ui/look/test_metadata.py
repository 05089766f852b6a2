"""Metadata in groups, searched and compared; and the panel that shows it."""

from __future__ import annotations

import math
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester, QTest
from PySide6.QtWidgets import QApplication

from alsct_gui.model.recipe import Recipe
from alsct_gui.model.scan import People
from alsct_gui.recon.desk.answers import Look
from alsct_gui.settings import Settings
from alsct_gui.ui.look.metadata import (
    DATA,
    GEOMETRY,
    PEOPLE,
    copy_of,
    diff_metadata,
    differences_of,
    entries_of,
    flat,
    grouped,
    matching,
    one_line,
)
from alsct_gui.ui.look.metadata_model import MetadataModel
from alsct_gui.ui.look.metadata_panel import MetadataPanel
from alsct_gui.ui.session import Session
from alsct_gui.ui.tasks import Tasks
from alsct_gui.ui.theme.style import apply_theme
from tests.ui.conftest import until

Drive = Callable[[Coroutine[Any, Any, Any]], Any]
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8),
    st.lists(st.floats(), max_size=4),
)  # fmt: skip
TABLES = st.dictionaries(st.text(max_size=6), VALUES, max_size=8)

LOOK = Look(
    path="/data/raw/20260302_fibre_93N.h5", kind="scan", ok=True, findings=(),
    layout="als-8.3.2", size_bytes=14_700_000_000,
    people=People(sample="fibre 93 N", proposal="BLS-00564"), quantity="counts",
    n_angles=1313, n_rows=2160, n_columns=2560, n_flats=20, n_darks=10, range_deg=180.0,
    pixel_um=0.65, energy_kev=23.0,
    metadata={
        "/measurement/instrument/camera/exposure": 0.25,
        "/measurement/instrument/camera/name": "PCO.edge",
        "/measurement/instrument/camera@units": "s",
        "/process/current": [500.1, 499.8],
        "top": "x",
    },
)  # fmt: skip


@given(TABLES, TABLES)
def test_a_difference_is_symmetric_and_whole(a: dict[str, Any], b: dict[str, Any]) -> None:
    there, back = diff_metadata(a, b), diff_metadata(b, a)
    assert {item.key for item in there} == {item.key for item in back}
    assert diff_metadata(a, a) == ()
    for key in a.keys() ^ b.keys():
        assert key in {item.key for item in there}


def test_only_what_differs_is_told() -> None:
    a = {"same": 1.0, "nan": math.nan, "exposure": 0.25, "gone": "x", "tiny": 0.1 + 0.2}
    b = {"same": 1.0, "nan": math.nan, "exposure": 0.5, "new": "y", "tiny": 0.3}
    found = {item.key: (item.first, item.second) for item in diff_metadata(a, b)}
    assert found == {"exposure": (0.25, 0.5), "gone": ("x", None), "new": (None, "y")}


def test_plain_words_come_first_then_every_key_by_its_path() -> None:
    entries = entries_of(LOOK)
    groups = [name for name, _ in grouped(entries)]
    assert groups[:3] == [PEOPLE, GEOMETRY, DATA]
    assert sorted(groups[3:]) == groups[3:] or groups[3] == "Top level"
    assert len(groups) == len(set(groups))
    by_name = {(entry.group, entry.name): entry.value for entry in entries}
    assert by_name[(PEOPLE, "Sample")] == "fibre 93 N"
    assert "E-mail" not in {entry.name for entry in entries}
    assert by_name[("measurement/instrument/camera", "exposure")] == "0.25"
    assert by_name[("measurement/instrument/camera", "units")] == "s"
    assert by_name[("process", "current")] == "500.1, 499.8"
    assert {entry.key for entry in entries if entry.key} == set(LOOK.metadata)


def test_every_word_must_be_found() -> None:
    entries = entries_of(LOOK)
    assert [entry.name for entry in matching(entries, "CAMERA pco")] == ["name"]
    assert matching(entries, "  ") == entries
    assert matching(entries, "pco zzz") == ()


def test_comparing_shows_both_values() -> None:
    people = People(sample="fibre 0 N", proposal="BLS-00564")
    metadata = {**LOOK.metadata, "/measurement/instrument/camera/exposure": 0.5}
    other = replace(LOOK, people=people, metadata=metadata, n_angles=2625)
    found = {entry.name: (entry.value, entry.other) for entry in differences_of(LOOK, other)}
    assert found["Sample"] == ("fibre 93 N", "fibre 0 N")
    assert found["exposure"] == ("0.25", "0.5")
    assert "Projections" in found
    assert "Proposal" not in found
    assert differences_of(LOOK, LOOK) == ()


def test_long_and_strange_values_stay_on_one_line() -> None:
    assert one_line(list(range(1000))).endswith("… (1000 values)")
    assert one_line("a\n\tb") == "a b"
    assert len(one_line("x" * 10_000)) < 500
    assert one_line(None) == ""
    assert flat({"a": {"b": 1, "c": {"d": 2}}, "e": 3}) == {"a/b": 1, "a/c/d": 2, "e": 3}


def test_copies_carry_path_and_value() -> None:
    entries = matching(entries_of(LOOK), "exposure")
    assert copy_of(entries) == "/measurement/instrument/camera/exposure\t0.25"


def test_the_model_is_sound_and_large_ones_too(app: Any) -> None:
    model = MetadataModel()
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    model.take(entries_of(LOOK), ("Key", "Value"))
    many = replace(LOOK, metadata={f"/g{k % 50}/k{k}": k for k in range(20_000)})
    entries = entries_of(many)
    model.take(entries, ("Key", "Value"))
    rows = sum(model.rowCount(model.index(k, 0)) for k in range(model.rowCount()))
    assert rows == len(entries)
    assert len(matching(entries, "k19999")) == 1
    tester.deleteLater()


class _Desk:
    """Answers one look, as the desk does."""

    def __init__(self, look: Look) -> None:
        self.answer = look

    def look(self, path: Path, *, channel: str | None = None) -> Future[Look]:
        future: Future[Look] = Future()
        future.set_result(replace(self.answer, path=str(path)))
        return future


def test_the_panel_searches_copies_and_compares(app: Any, drive: Drive) -> None:
    apply_theme(app, "dark")
    told: list[str] = []
    session = Session(Settings(), Recipe())
    other = replace(LOOK, n_angles=2625)

    async def main() -> None:
        tasks = Tasks(lambda name, error: told.append(f"{name}: {error!r}"))
        services: Any = SimpleNamespace(desk=_Desk(other))
        panel = MetadataPanel(session, tasks, services)
        panel.resize(340, 600)
        panel.show()
        assert panel._pages.currentIndex() == 1
        for name in ("20260302_foam.h5", "20260302_fibre_93N.h5"):
            session.select(Path("/data/raw") / name)
            session.set_look(Path("/data/raw") / name, replace(LOOK, path=f"/data/raw/{name}"))
        assert panel.model.rowCount() == 6
        QTest.keyClicks(panel.search, "exposure")
        assert panel.model.rowCount() == 1
        assert panel.count.text().startswith("1 of ")
        group = panel.model.index(0, 0, QModelIndex())
        panel.view.setCurrentIndex(panel.model.index(0, 0, group))
        panel.copy_value()
        assert QApplication.clipboard().text() == "0.25"
        panel.search.clear()
        panel.menu.aboutToShow.emit()
        assert [action.text() for action in panel.menu.actions()] == ["20260302_foam.h5"]
        panel.menu.actions()[0].trigger()
        await until(lambda: panel.model.columnCount() == 3, "the comparison")
        names = [panel.model.index(k, 0).data() for k in range(panel.model.rowCount())]
        assert names == [GEOMETRY, DATA]
        values = panel.model.index(0, 0)
        row = [panel.model.index(0, k, values).data(Qt.ItemDataRole.DisplayRole) for k in range(3)]
        assert row[0] == "Projections"
        assert row[1] != row[2]
        panel.show_all()
        assert panel.model.columnCount() == 2
        session.select(None)
        assert panel._pages.currentIndex() == 1
        panel.close()
        await tasks.close()
        panel.deleteLater()
        app.processEvents()

    drive(main())
    assert told == []
