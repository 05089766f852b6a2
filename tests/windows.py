"""What every test of a window shares: a screen, Qt's one application, who collects garbage.

A plugin of pytest, so that there is one of each however many folders of tests want them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from alsct_gui.screen import has_screen, virtual_screen

if TYPE_CHECKING:
    from alsct_gui.ui.garbage import Collector

# Before Qt or napari are imported by anything.
os.environ["QT_API"] = "pyside6"
os.environ["NAPARI_ASYNC"] = "1"


@pytest.fixture(scope="session")
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

    app = QApplication(["alsct-gui"])
    app.setQuitOnLastWindowClosed(False)
    yield app
    app.shutdown()


@pytest.fixture(scope="session")
def qapp(app: Any) -> Any:
    """pytest-qt's name for it."""
    return app


@pytest.fixture(scope="module")
def collector(app: Any) -> Iterator[Collector]:
    """As in the program: what windows leave is collected in the thread they lived in."""
    from alsct_gui.ui.garbage import collected_here

    with collected_here() as collector:
        yield collector


@pytest.fixture
def collected(collector: Collector) -> Iterator[None]:
    """Tests that run no loop leave garbage too."""
    yield
    collector.collect_if_due()
