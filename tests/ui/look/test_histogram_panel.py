"""The histogram in a real window: a handle that is dragged changes the contrast."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from alsct_gui.ui.look.histogram_panel import HistogramPanel
from alsct_gui.ui.picture import Picture
from alsct_gui.ui.tasks import Tasks
from alsct_gui.ui.theme.style import apply_theme
from tests.ui.conftest import until
from tests.ui.look.eyes import Eye, slice_picture
from tests.ui.mouse import move_mouse

Drive = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def with_panel(
    app: Any, drive: Drive, told: list[str]
) -> Callable[[Callable[[HistogramPanel, Eye], Any]], None]:
    """Run a scene with an open panel of the drawer's size."""
    apply_theme(app, "dark")

    def run(scene: Callable[[HistogramPanel, Eye], Any]) -> None:
        async def main() -> None:
            tasks = Tasks(lambda name, error: told.append(f"{name}: {error!r}"))
            eye = Eye()
            panel = HistogramPanel(tasks, eye, lambda: told.append("reset"))
            panel.resize(800, 188)
            panel.show()
            eye.look_at(slice_picture())
            await until(lambda: told or (panel.graph and panel.found), "a histogram")
            app.processEvents()
            try:
                assert told == []
                await scene(panel, eye)
            finally:
                panel.close()
                await tasks.close()
                panel.deleteLater()
                app.processEvents()

        drive(main())

    return run


def _at(panel: HistogramPanel, value: float) -> QPoint:
    assert panel.graph is not None
    plot = panel.graph.plot
    box = plot.getPlotItem().getViewBox()
    (_, _), (low, high) = box.viewRange()
    scene = box.mapViewToScene(QPointF(value, (low + high) / 2))
    return plot.mapFromScene(scene)


@pytest.fixture
def every_move() -> Iterator[None]:
    """Let pyqtgraph take every move; usually it drops those that come too fast."""
    import pyqtgraph

    before = pyqtgraph.getConfigOption("mouseRateLimit")
    pyqtgraph.setConfigOption("mouseRateLimit", -1)
    yield
    pyqtgraph.setConfigOption("mouseRateLimit", before)


def test_a_dragged_handle_changes_the_contrast(
    with_panel: Any, told: list[str], every_move: None
) -> None:
    async def scene(panel: HistogramPanel, eye: Eye) -> None:
        assert panel.graph is not None
        view = panel.graph.plot.viewport()
        start, end = _at(panel, 1.8), _at(panel, 1.2)
        left = Qt.MouseButton.LeftButton
        move_mouse(view, start)
        QTest.mousePress(view, left, pos=start)
        for share in (0.3, 0.6, 1.0):
            move_mouse(view, start + (end - start) * share, held=True)
        QTest.mouseRelease(view, left, pos=end)
        await until(lambda: eye.limits, "limits from the handle")
        await until(lambda: not panel._timer.isActive(), "the last of them")
        low, high = eye.limits[-1]
        assert low == pytest.approx(-0.2, abs=0.02)
        assert high == pytest.approx(1.2, abs=0.05)
        assert float(panel.high.text()) == pytest.approx(high, rel=1e-5)

    with_panel(scene)
    assert told == []


def test_auto_full_and_reset(with_panel: Any, told: list[str]) -> None:
    async def scene(panel: HistogramPanel, eye: Eye) -> None:
        assert eye.picture is not None
        image = eye.picture.image
        panel.auto.click()
        assert eye.limits[-1] == pytest.approx(tuple(np.percentile(image, (0.5, 99.5))), rel=1e-4)
        panel.full.click()
        assert eye.limits[-1] == pytest.approx((image.min(), image.max()))
        panel.reset.click()

    with_panel(scene)
    assert told == ["reset"]


def test_typed_limits_are_taken_and_wrong_ones_are_marked(with_panel: Any) -> None:
    async def scene(panel: HistogramPanel, eye: Eye) -> None:
        panel.low.selectAll()
        QTest.keyClicks(panel.low, "0.25")
        QTest.keyClick(panel.low, Qt.Key.Key_Return)
        assert eye.limits[-1] == (0.25, 1.8)
        panel.high.selectAll()
        QTest.keyClicks(panel.high, "nonsense")
        QTest.keyClick(panel.high, Qt.Key.Key_Return)
        assert panel.high.property("state") == "wrong"
        panel.high.selectAll()
        QTest.keyClicks(panel.high, "0.1")
        QTest.keyClick(panel.high, Qt.Key.Key_Return)
        assert panel.high.property("state") == "wrong"
        assert len(eye.limits) == 1

    with_panel(scene)


def test_limits_from_elsewhere_move_the_handles(with_panel: Any) -> None:
    async def scene(panel: HistogramPanel, eye: Eye) -> None:
        assert panel.graph is not None
        eye.limits_changed.emit(0.5, 0.75)
        assert panel.graph.handles.getRegion() == (0.5, 0.75)
        assert panel.low.text() == "0.5"
        assert eye.limits == []

    with_panel(scene)


def test_hover_tells_value_and_count(with_panel: Any) -> None:
    async def scene(panel: HistogramPanel, eye: Eye) -> None:
        assert panel.graph is not None

        def told() -> bool:
            move_mouse(panel.graph.plot.viewport(), _at(panel, 1.5))
            return "pixel" in panel.pointed.text()

        await until(told, "the count under the mouse")
        assert "1/cm" in panel.pointed.text()

    with_panel(scene)


def test_the_newest_picture_is_counted_and_none_is_said(with_panel: Any) -> None:
    async def scene(panel: HistogramPanel, eye: Eye) -> None:
        for seed in range(1, 6):
            eye.look_at(slice_picture(seed))
        last = eye.picture
        assert last is not None
        await until(
            lambda: panel.found is not None and panel.found.minimum == last.image.min(), "the last"
        )
        hot = Picture(np.full((8, 8), np.nan, np.float32), "nothing", "", None, 0, 1)
        eye.look_at(hot)
        await until(lambda: panel.found is not None and panel.found.n_sample == 0, "no values")
        panel.full.click()
        assert eye.limits == []
        eye.look_at(None)
        assert panel._pages.currentIndex() == 0
        panel.colors.setCurrentIndex(3)
        assert eye.colormap == "magma"

    with_panel(scene)
