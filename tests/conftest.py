"""What every test shares: leak checks and reproducible seeds."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest


@pytest.fixture(autouse=True)
def nothing_left_alive(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves a thread, a child process or an open file behind."""
    me = psutil.Process()
    threads_before = set(threading.enumerate())
    children_before = set(me.children(recursive=True))
    files_before = {item.path for item in me.open_files()}
    yield
    gc.collect()
    left_threads = [t for t in threading.enumerate() if t not in threads_before and not _is_pool(t)]
    left_children = [c for c in me.children(recursive=True) if c not in children_before]
    left_files = {item.path for item in me.open_files()} - files_before
    left_files = {path for path in left_files if not _is_shared(Path(path))}
    assert not left_threads, f"threads left alive: {left_threads}"
    assert not left_children, f"processes left alive: {left_children}"
    assert not left_files, f"files left open: {left_files}"


def _is_pool(thread: threading.Thread) -> bool:
    """zarr keeps one event-loop thread and its pool for the whole process."""
    return thread.name.startswith(("zarr_", "asyncio_"))


def _is_shared(path: Path) -> bool:
    """Libraries keep their own data files and caches open; those are not a test's."""
    if "site-packages" in path.parts or "__pycache__" in path.parts:
        return True
    return path.is_relative_to("/usr/share")  # the desktop's icons and fonts
