"""The list of runs in a real window."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alsct_gui.model.recipe import Recipe
from alsct_gui.placement.runs.model import RunState
from alsct_gui.settings import Settings
from alsct_gui.ui.runs.follow import RunFollower
from alsct_gui.ui.runs.panel import RunsPanel
from alsct_gui.ui.session import Mode, Session
from alsct_gui.ui.tasks import Tasks
from alsct_gui.ui.theme.style import apply_theme, tokens
from tests.ui.runs.test_rows import FAILED, FINISHED, QUEUED, RUNNING


@pytest.fixture
def panel(app: Any) -> Iterator[RunsPanel]:
    apply_theme(app, "dark")
    session = Session(Settings(), Recipe())
    tasks = Tasks(session.report)
    made = RunsPanel(session, tasks, RunFollower(session, tasks, None))  # type: ignore[arg-type]
    made.resize(800, 240)
    made.show()
    app.processEvents()
    yield made
    made.close()
    made.deleteLater()
    app.processEvents()


def test_without_runs_it_says_how_they_come(panel: RunsPanel) -> None:
    assert panel._pages.currentIndex() == 1
    assert not any(button.isEnabled() for button in panel._buttons)


def test_a_running_run_can_be_watched_and_cancelled(panel: RunsPanel, app: Any) -> None:
    panel._session.set_runs((replace(RUNNING, log=("Makes 2160 slices.",)),))
    app.processEvents()
    assert panel.log.toPlainText() == "Makes 2160 slices."
    assert panel._cancel.isEnabled()
    assert not panel._retry.isEnabled()
    rect = panel.view.visualRect(panel.model.index(0))
    image = panel.view.viewport().grab().toImage()
    moving, track = tokens().moving, tokens().line
    y = rect.bottom() - 5
    inner = rect.adjusted(32, 0, -12, 0)
    assert image.pixelColor(inner.left() + 4, y).name() == moving
    assert image.pixelColor(inner.left() + round(0.9 * inner.width()), y).name() == track


def test_the_chosen_run_stays_chosen_while_others_come(panel: RunsPanel) -> None:
    first = replace(FAILED, id="20260101")
    panel._session.set_runs((first,))
    panel._session.set_runs((replace(QUEUED, id="20260102"), first))
    assert panel.chosen is not None
    assert panel.chosen.id == "20260101"
    assert panel._retry.isEnabled()
    assert panel._forget.isEnabled()


def test_a_result_is_shown_in_the_viewer(panel: RunsPanel) -> None:
    panel._session.set_runs((FINISHED,))
    panel._show.click()
    assert panel._session.volume == Path("/data/recfoam-2.zarr")
    assert panel._session.mode is Mode.VOLUME


def test_two_hundred_changes_are_taken_in_place(panel: RunsPanel, app: Any) -> None:
    resets: list[int] = []
    panel._session.set_runs((RUNNING,))
    panel.model.modelReset.connect(lambda: resets.append(1))
    for k in range(200):
        panel._session.set_runs((replace(RUNNING, slices_done=k, share=k / 200),))
    panel._session.set_runs((replace(FINISHED, state=RunState.FINISHED),))
    assert resets == []
    assert panel.model.rows[0].share is None
