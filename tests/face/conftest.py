from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any

import pytest

from tests.steps.conftest import toys, values, volume_path
from tests.ui.conftest import collected, collector, on_screen

__all__ = ["collected", "collector", "on_screen", "toys", "values", "volume_path"]

Wait = Callable[..., None]


@pytest.fixture
def wait(app: Any) -> Wait:
    """Let Qt work until a condition holds; fails by the name of what was awaited."""

    from PySide6.QtCore import QEventLoop, QTimer

    events = QEventLoop.ProcessEventsFlag

    def until(condition: Callable[[], object], what: str, within_s: float = 60) -> None:
        end_s = monotonic() + within_s
        # By this clock it looks again where nothing happens: the processor is for what works.
        clock = QTimer(interval=10)
        clock.start()
        while not condition():
            assert monotonic() < end_s, f"never: {what}"
            app.processEvents(events.AllEvents | events.WaitForMoreEvents)

    return until


@pytest.fixture
def apart() -> Iterator[None]:
    """Nothing of a plain napari stays for the tests of the window in this process.

    napari's fixture lets it register all plugins once more than its one application bears,
    takes windows of theirs that only wait to be collected for leaks of its own, and forgets
    that slices are cut in a thread.
    """
    gc.collect()
    yield
    from app_model import Application
    from napari.settings import get_settings
    from npe2 import PluginManager

    get_settings().experimental.async_ = True
    Application.destroy("napari")
    events = PluginManager.instance().events
    events.plugins_registered.disconnect()
    events.enablement_changed.disconnect()


@pytest.fixture
def viewer(screen: None, apart: None, make_napari_viewer: Any) -> Any:
    """A plain napari."""
    return make_napari_viewer(show=False)
