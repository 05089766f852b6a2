"""Opens and closes whole windows in a process of its own, and counts what is left.

``python -m tests.ui.fifty SCAN FOLDER TIMES``: prints what was alive after the third window,
after the last one with a desk of its own and after the last one of all, as JSON. The first
windows may fill caches. Most windows share a desk, whose start would take most of the time.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from alsct_gui.recon.desk.client import Desk

os.environ["QT_API"] = "pyside6"
os.environ["NAPARI_ASYNC"] = "1"

WARM = 3
POOL = "beside"
"""Threads of the loop itself, which makes up to eight as they are needed and ends them."""
WHOLE = 10
"""Windows with a desk of their own."""


def census(app: Any) -> dict[str, int]:
    """Count what a window is made of."""
    from PySide6.QtCore import QTimer

    gc.collect()
    widgets = app.topLevelWidgets()
    return {
        "threads": sum(not thread.name.startswith(POOL) for thread in threading.enumerate()),
        "processes": len(psutil.Process().children(recursive=True)),
        "windows": len(widgets),
        "timers": sum(t.isActive() for widget in widgets for t in widget.findChildren(QTimer)),
        "tasks": len(asyncio.all_tasks()),
        "files": psutil.Process().num_fds(),
    }


async def settled(app: Any, wanted: dict[str, int]) -> dict[str, int]:
    """Count when Qt has deleted what it deletes later, in a turn or two of its loop."""
    from tests.ui.conftest import until

    if census(app) != wanted:
        await until(lambda: census(app) == wanted, "as few as before", 20)
    return census(app)


async def counted(app: Any, scan: Path, folder: Path, times: int) -> list[dict[str, int]]:
    """Open and close windows; a scan is being opened in each as it closes."""
    from alsct_gui.recon.desk.client import start_desk
    from tests.ui.programs import window

    async def once(desk: Desk | None = None) -> None:
        async with window(app, desk, folder) as program:
            program.parts.scans.open_path(scan)
            await asyncio.sleep(0)

    for _ in range(WARM):
        await once()
    found = [census(app)]
    for _ in range(WHOLE - WARM):
        await once()
    found.append(await settled(app, found[0]))
    desk = start_desk()
    for _ in range(times - WHOLE):
        await once(desk)
    desk.close()
    found.append(await settled(app, found[0]))
    return found


def main() -> int:
    """Run under a screen of its own."""
    from alsct_gui.screen import virtual_screen

    scan, folder, times = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    os.environ["NAPARI_CONFIG"] = str(folder / "napari.yaml")
    with virtual_screen((1600, 1000)):
        from PySide6.QtWidgets import QApplication

        from alsct_gui.ui.garbage import collected_here, set_memory_aside
        from alsct_gui.ui.loop import make_loop
        from alsct_gui.ui.viewer.host import import_napari

        app = QApplication(["alsct-gui"])
        app.setQuitOnLastWindowClosed(False)
        loop = make_loop(app)
        asyncio.set_event_loop(loop)
        import_napari()
        set_memory_aside()
        with collected_here(), loop:
            found = loop.run_until_complete(counted(app, scan, folder, times))
    sys.stdout.write(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
