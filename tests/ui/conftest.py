"""A real window under a screen of its own, with real services beneath it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from alsct_gui.recon.desk.client import Desk
    from alsct_gui.ui.garbage import Collector


@pytest.fixture(scope="session", autouse=True)
def on_screen(screen: None) -> None:
    """Every test here may show a window."""


@pytest.fixture(scope="package")
def collector(app: Any) -> Iterator[Collector]:
    """As in the program: what windows leave is collected in the thread they lived in."""
    from alsct_gui.ui.garbage import collected_here

    _set_imports_aside()
    with collected_here() as collector:
        yield collector


@cache
def _set_imports_aside() -> None:
    """Each window that is put away has all objects gone through; what is imported need not be.

    Once, before the first window: one that is about to go would be set aside, too, and stay.
    """
    from alsct_gui.ui.garbage import set_memory_aside
    from alsct_gui.ui.viewer.host import import_napari

    import_napari()
    set_memory_aside()


@pytest.fixture(scope="session")
def desk() -> Iterator[Desk]:
    """The process that reads scans and makes slices; one for all windows that are not about it."""
    from alsct_gui.recon.desk.client import start_desk

    desk = start_desk()
    desk.presets().result(60)  # all its threads run, before a test counts what is alive
    yield desk
    desk.close()


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
