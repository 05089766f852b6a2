"""The board, measured from within: ledgers of many scans, figures as JSON on its output.

``python -m alsct_bench.boards FOLDER [--quick]``; `groups.board` starts it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from alsct_gui.model.placement import Evidence, ScanFacts, StepState, scan_part, waiting
from alsct_gui.placement.events import Event, EventKind, event, lean
from alsct_gui.placement.feed import Feed, Snapshot
from alsct_gui.placement.ledger import Ledger
from alsct_gui.placement.policy import load_policy
from alsct_gui.placement.wanted import Wanted

if TYPE_CHECKING:
    from alsct_gui.ui.program import Program

CHANGES = 20
CHANGES_PER_S = 20
PATIENCE_S = 120.0
SIZE_PX = (1366, 768)
OTHER = waiting("globus", "maintenance")


def fill(path: Path, scans: int) -> list[str]:
    """Write a ledger of many scans, all met but the last wish; returns the keys of those."""
    wanted, now_s = Wanted(load_policy()), time.time()
    told: list[Event] = []
    open_keys = []
    for number in range(scans):
        identity = f"{number:064x}"[::-1]
        name = f"/data/raw/BLS-{number % 50:05d}_someone/scan {number}.h5"
        scan = ScanFacts(
            identity, name, 8_500_000_000, identity, f"BLS-{number % 50:05d}",
            {"sample": f"sample {number}"}, admitted_s=now_s - number,
        )  # fmt: skip
        told.append(event(EventKind.SCAN, scan=lean(scan), path=name))
        keys = [scan_part(identity) + aim.suffix for aim in wanted.plan(scan).every]
        evidence = lean(Evidence(name, now_s, scan.size_bytes, scan.sha256, slices=2160))
        told.append(event(EventKind.MET, keys=keys[:-1], evidence=evidence))
        told.append(event(EventKind.STATE, keys=keys[-1:], state=lean(waiting("its turn"))))
        open_keys.append(keys[-1])
    with Ledger(path) as ledger:
        ledger.append(told)
        ledger.keep_snapshot(ledger.observed())
    return open_keys


def change(ledger: Ledger, key: str, step: int) -> None:
    """Let a goal stand otherwise than before."""
    state: StepState = OTHER if step % 2 else waiting("its turn")
    ledger.append([event(EventKind.STATE, keys=[key], state=lean(state))])


def feed_latency_s(folder: Path, scans: int) -> float:
    """From the end of a transaction to the snapshot, without a window; the median."""
    path = folder / f"feed-{scans}.sqlite"
    keys = fill(path, scans)
    came = threading.Condition()
    newest: list[Snapshot] = []

    def take(snapshot: Snapshot) -> None:
        with came:
            newest[:] = [snapshot]
            came.notify_all()

    times = []
    feed = Feed(path, take)
    feed.start()
    with Ledger(path) as ledger:
        for step in range(CHANGES):
            seq = ledger.last_seq()

            def at_least(wanted: int) -> bool:
                return bool(newest) and newest[0].observed.seq >= wanted

            with came:
                came.wait_for(partial(at_least, seq), PATIENCE_S)
            change(ledger, keys[0], step)
            begun_s = perf_counter()
            with came:
                came.wait_for(partial(at_least, seq + 1), PATIENCE_S)
            times.append(perf_counter() - begun_s)
    feed.close()
    return statistics.median(times)


class Figures:
    """Measures a window that shows a board.

    Parameters
    ----------
    program
        The window, at the board.
    keys
        Goals that can be changed.
    """

    def __init__(self, program: Program, keys: list[str]) -> None:
        self._program, self._keys = program, keys
        self._ledger = program.services.facility.ledger

    async def latency_s(self) -> float:
        """From the end of a transaction to the cell that is drawn; the median."""
        from PySide6.QtCore import QEvent, QObject

        view = self._program.parts.board.page.view
        painted = 0

        class Painted(QObject):
            def eventFilter(self, _: QObject, happened: QEvent) -> bool:  # noqa: N802 (Qt's)
                nonlocal painted
                painted += happened.type() == QEvent.Type.Paint
                return False

        watch, times = Painted(), []
        view.viewport().installEventFilter(watch)
        with Ledger(self._ledger) as ledger:
            for step in range(CHANGES):
                await asyncio.sleep(0.5)  # so that the board is quiet
                before, old = painted, self._cell()

                def seen(before: int = before, old: Any = old) -> bool:
                    return self._cell() is not old and painted > before

                change(ledger, self._keys[0], step)
                begun_s = perf_counter()
                await self.until(seen, "the change on the board")
                times.append(perf_counter() - begun_s)
        view.viewport().removeEventFilter(watch)
        return statistics.median(times)

    async def heartbeat_ms(self, seconds: float) -> tuple[float, float]:
        """Delay of the loop while the ledger changes all the time: 99th percentile, worst."""
        from alsct_gui.ui.loop import Heartbeat

        stop = threading.Event()

        def write() -> None:
            with Ledger(self._ledger) as ledger:
                step = 0
                while not stop.wait(1 / CHANGES_PER_S):
                    step += 1
                    change(ledger, self._keys[step % len(self._keys)], step // len(self._keys))

        writer, beat = threading.Thread(target=write), Heartbeat(5)
        writer.start()
        beat.start()
        bar = self._program.parts.board.page.view.verticalScrollBar()
        end_s = perf_counter() + seconds
        while perf_counter() < end_s:
            bar.setValue((bar.value() + 44) % max(1, bar.maximum()))
            await asyncio.sleep(0.02)
        beat.stop()
        stop.set()
        await asyncio.to_thread(writer.join)
        return beat.percentile_ms(99), beat.worst_ms

    async def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait for a condition."""
        end_s = perf_counter() + PATIENCE_S
        while not condition():
            if perf_counter() > end_s:
                raise RuntimeError(f"never: {what}")
            await asyncio.sleep(0.002)

    def _cell(self) -> Any:
        view = self._program.session.board
        return view.board.observed.goals[self._keys[0]] if view is not None else None


def main() -> int:
    """Measure; print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    few, many = (100, 500) if asked.quick else (1000, 10_000)
    found = {
        "feed_latency_s": feed_latency_s(asked.folder, few),
        "feed_latency_many_s": feed_latency_s(asked.folder, many),
    }
    os.environ["QT_API"] = "pyside6"
    os.environ["NAPARI_ASYNC"] = "1"
    from alsct_gui.screen import has_screen, virtual_screen

    with ExitStack() as stack:
        if not has_screen():
            stack.enter_context(virtual_screen((1920, 1200)))
        found |= _in_window(asked.folder, few, "", 2.0 if asked.quick else 6.0)
        found |= _in_window(asked.folder, many, "_many", 2.0 if asked.quick else 6.0)
    json.dump(found, sys.stdout)
    return 0


def _in_window(folder: Path, scans: int, ending: str, seconds: float) -> dict[str, float]:
    from PySide6.QtWidgets import QApplication

    from alsct_gui.app import services_for
    from alsct_gui.settings import Layout, Settings
    from alsct_gui.ui.loop import run_until_done
    from alsct_gui.ui.program import Program
    from alsct_gui.ui.services import Facility

    app = QApplication.instance() or QApplication(["alsct-gui"])
    assert isinstance(app, QApplication)  # noqa: S101 (Qt's own)
    path = folder / f"board-{scans}.sqlite"
    keys = fill(path, scans)
    settings = Settings(
        tour_done=True, runs_folder=str(folder / "runs"), start_agent=False, notify=False,
        layout=Layout(width_px=SIZE_PX[0], height_px=SIZE_PX[1]),
    )  # fmt: skip
    found: dict[str, float] = {}

    async def run() -> int:
        with services_for(settings) as services:
            services = replace(services, facility=Facility(path, load_policy(), configured=True))
            program = Program(app, services, settings, folder / "settings.json")
            program.window.show()
            await program.start()
            program.book.trigger("workspace.board")
            begun_s = perf_counter()
            figures = Figures(program, keys)
            try:
                page = program.parts.board.page
                await figures.until(lambda: len(page.model.rows) == scans, "the rows")
                found[f"board_shown{ending}_s"] = perf_counter() - begun_s
                found[f"window_latency{ending}_s"] = await figures.latency_s()
                p99_ms, worst_ms = await figures.heartbeat_ms(seconds)
                found[f"heartbeat_p99{ending}_ms"] = p99_ms
                found[f"heartbeat_max{ending}_ms"] = worst_ms
            finally:
                await program.close()
        return 0

    run_until_done(app, run)
    return found


if __name__ == "__main__":
    sys.exit(main())
