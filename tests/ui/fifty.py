"""Opens and closes whole windows in a process of its own, and counts what is left.

``python -m tests.ui.fifty SCAN FOLDER TIMES``: prints what was alive after the third window and
after the last one, as JSON. The first windows may fill caches.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

import psutil

os.environ["QT_API"] = "pyside6"
os.environ["NAPARI_ASYNC"] = "1"

WARM = 3


def census(app: Any) -> dict[str, int]:
    """Count what a window is made of."""
    from PySide6.QtCore import QTimer

    gc.collect()
    widgets = app.topLevelWidgets()
    return {
        "threads": threading.active_count(),
        "processes": len(psutil.Process().children(recursive=True)),
        "windows": len(widgets),
        "timers": sum(t.isActive() for widget in widgets for t in widget.findChildren(QTimer)),
        "tasks": len(asyncio.all_tasks()),
        "files": psutil.Process().num_fds(),
    }


async def counted(app: Any, scan: Path, folder: Path, times: int) -> list[dict[str, int]]:
    """Open and close windows; a scan is being opened in each as it closes."""
    from tests.ui.conftest import until
    from tests.ui.programs import window

    async def once() -> None:
        async with window(app, folder) as program:
            program.parts.scans.open_path(scan)
            await asyncio.sleep(0)

    for _ in range(WARM):
        await once()
    before = census(app)
    for _ in range(times - WARM):
        await once()
    after = census(app)
    if after != before:
        # What Qt deletes later, it deletes in a turn or two of its loop.
        await until(lambda: census(app) == before, "as few as before", 20)
        after = census(app)
    return [before, after]


def main() -> int:
    """Run under a screen of its own."""
    from alsct_gui.screen import virtual_screen

    scan, folder, times = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    os.environ["NAPARI_CONFIG"] = str(folder / "napari.yaml")
    with virtual_screen((1600, 1000)):
        from PySide6.QtWidgets import QApplication

        from alsct_gui.ui.garbage import collected_here
        from alsct_gui.ui.loop import make_loop

        app = QApplication(["alsct-gui"])
        app.setQuitOnLastWindowClosed(False)
        loop = make_loop(app)
        asyncio.set_event_loop(loop)
        with collected_here(), loop:
            found = loop.run_until_complete(counted(app, scan, folder, times))
    sys.stdout.write(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
