"""What every test shares: leak checks and reproducible seeds."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import HealthCheck, settings

from alsct_gui.model.background import SWITCH
from alsct_gui.screen import has_screen, virtual_screen

# The same cases in every run, and no failure because the machine is busy.
settings.register_profile(
    "suite", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("suite")

# Before Qt or napari are imported by anything.
os.environ["QT_API"] = "pyside6"
os.environ["NAPARI_ASYNC"] = "1"

# Compiled modules are kept, whatever is set: hundreds of processes import the same ones, and the
# asserts of the tests are rewritten once instead of in every run.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Nothing that a test speaks to is encrypted, and httpx reads all certificates that the machine
# trusts anew for each of its clients: here, and in processes of the tests, there are none.
os.environ.pop("SSL_CERT_FILE", None)
os.environ["SSL_CERT_DIR"] = os.devnull

# Nobody sits at the window of a test, and whoever waits for a run keeps both processors busy.
os.environ[SWITCH] = "no"


ROOT = Path(__file__).parents[1]
ENDING_S = 20
"""How long a process or a thread that ends by itself may take."""


def pytest_configure(config: pytest.Config) -> None:
    """Compile the engine once, before several processes of tests begin to do so at one time."""
    if getattr(config.option, "numprocesses", None):
        warm = "from alsct_gui.recon.desk.server import Office; Office().warm_up()"
        subprocess.run([sys.executable, "-c", warm], cwd=ROOT, check=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take minutes come first, so that all processes have ended at about one time."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(autouse=True)
def nothing_left_alive() -> Iterator[None]:
    """Fail a test that leaves a thread, a child process or an open file behind."""
    before = _alive()
    yield
    left = _left(before)
    if any(left.values()):
        # What only waits to be collected is no leak; collecting takes too long to do it always.
        gc.collect()
        # A desk that windows share ends by itself what a window that was closed had asked for,
        # and the threads of a pool end a moment after the pool was collected.
        left = _left(before)
        psutil.wait_procs(left["processes"], timeout=ENDING_S)
        for thread in left["threads"]:
            thread.join(ENDING_S)
        left = _left(before)
    for what, things in left.items():
        assert not things, f"{what} left: {things}"


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


def _alive() -> dict[str, set[Any]]:
    return {
        "threads": set(threading.enumerate()),
        "processes": set(_descendants(psutil.Process())),
        "open files": {item.path for item in psutil.Process().open_files()},
    }


def _descendants(process: psutil.Process) -> list[psutil.Process]:
    """Processes beneath one: by the kernel's lists where it keeps them, since psutil reads about
    every process of the machine, thousands of times."""
    tasks = Path(f"/proc/{process.pid}/task")
    if not (tasks / str(process.pid) / "children").exists():
        return process.children(recursive=True)
    found = []
    for task in tasks.iterdir():
        with suppress(OSError, psutil.NoSuchProcess):  # a thread or a child that has just ended
            for number in (task / "children").read_text().split():
                child = psutil.Process(int(number))
                found += [child, *_descendants(child)]
    return found


def _left(before: dict[str, set[Any]]) -> dict[str, set[Any]]:
    left = {what: things - before[what] for what, things in _alive().items()}
    left["threads"] = {thread for thread in left["threads"] if not _is_pool(thread)}
    left["processes"] = {child for child in left["processes"] if not _is_tracker(child)}
    left["open files"] = {path for path in left["open files"] if not _is_shared(Path(path))}
    return left


def _is_pool(thread: threading.Thread) -> bool:
    """zarr keeps one event-loop thread and its pool for the whole process."""
    return thread.name.startswith(("zarr_", "asyncio_"))


def _is_tracker(child: psutil.Process) -> bool:
    """Python keeps one process that counts the semaphores of pools of processes."""
    try:
        return any("multiprocessing.resource_tracker" in word for word in child.cmdline())
    except psutil.NoSuchProcess:
        return True


def _is_shared(path: Path) -> bool:
    """Libraries keep their own data files and caches open; those are not a test's."""
    if "site-packages" in path.parts or "__pycache__" in path.parts:
        return True
    return path.is_relative_to("/usr/share")  # the desktop's icons and fonts
