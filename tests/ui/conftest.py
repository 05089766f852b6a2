"""A real window under a screen of its own, with real services beneath it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from alsct_gui.screen import has_screen, virtual_screen

if TYPE_CHECKING:
    from alsct_gui.ui.garbage import Collector

# Before Qt or napari are imported by anything.
os.environ["QT_API"] = "pyside6"
os.environ["NAPARI_ASYNC"] = "1"


@pytest.fixture(scope="session", autouse=True)
def screen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """An X server for the whole session; napari's own settings lie in a folder of the tests."""
    os.environ["NAPARI_CONFIG"] = str(tmp_path_factory.mktemp("napari") / "settings.yaml")
    if os.environ.get("ALSCT_TEST_SCREEN") == "real" and has_screen():
        yield
        return
    with virtual_screen((1600, 1000)):
        yield


@pytest.fixture(scope="session")
def app(screen: None) -> Iterator[Any]:
    """Qt's one application; it ends before the screen does, or the process would end badly."""
    from PySide6.QtWidgets import QApplication

    # Other folders of tests may have begun it; whoever ends last finds it gone.
    app = QApplication.instance() or QApplication(["alsct-gui"])
    app.setQuitOnLastWindowClosed(False)
    yield app
    if (left := QApplication.instance()) is not None:
        left.shutdown()


@pytest.fixture(scope="session")
def qapp(app: Any) -> Any:
    """pytest-qt's name for it."""
    return app


@pytest.fixture(scope="package")
def collector(app: Any) -> Iterator[Collector]:
    """As in the program: what windows leave is collected in the thread they lived in."""
    from alsct_gui.ui.garbage import collected_here

    with collected_here() as collector:
        yield collector


@pytest.fixture(autouse=True)
def collected(collector: Collector) -> Iterator[None]:
    """Tests that run no loop leave garbage too."""
    yield
    collector.collect_if_due()


@pytest.fixture
def drive(app: Any) -> Iterator[Callable[..., Any]]:
    """Run a coroutine on the loop that Qt and asyncio share, as the program does."""
    from alsct_gui.ui.loop import make_loop

    loop = make_loop(app)
    asyncio.set_event_loop(loop)

    def run(work: Coroutine[Any, Any, Any], within_s: float = 120) -> Any:
        return loop.run_until_complete(asyncio.wait_for(work, within_s))

    with loop:
        yield run
    asyncio.set_event_loop(None)


async def until(condition: Callable[[], object], what: str, within_s: float = 60.0) -> None:
    """Let the window work until a condition holds; fails by the name of what was awaited."""
    loop = asyncio.get_running_loop()
    end_s = loop.time() + within_s
    while not condition():
        assert loop.time() < end_s, f"never: {what}"
        await asyncio.sleep(0.01)


@pytest.fixture
def settings_file(tmp_path: Path) -> Path:
    """Settings of a test's own."""
    return tmp_path / "settings.json"
