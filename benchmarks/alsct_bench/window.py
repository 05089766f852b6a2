"""The window, measured from within: one process, one scan, figures as JSON on its output.

``python -m alsct_bench.window SCAN VOLUME FOLDER [--quick]``; `groups.ui` starts it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alsct_gui.recon.desk.answers import Preview
    from alsct_gui.ui.picture import Picture
    from alsct_gui.ui.program import Program

PATIENCE_S = 60.0
CHANGES_PER_S = 200
SIZE_PX = (1366, 768)
"""Of the window: without a graphics card every pixel of it is composed by a processor."""


class Figures:
    """Measures one window.

    Parameters
    ----------
    program
        The window, shown.
    scan, volume
        What is opened.
    seconds
        How long each steady state is watched.
    """

    def __init__(self, program: Program, scan: Path, volume: Path, seconds: float) -> None:
        self._program, self._scan, self._volume = program, scan, volume
        self._seconds = seconds
        self.found: dict[str, float] = {}

    async def all(self) -> dict[str, float]:
        """Take every figure, in the order in which a person would meet them."""
        await self._first_slice()
        await self._slider()
        await self._scrolling()
        await self._under_load()
        book = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        peak = next(line for line in book if line.startswith("VmHWM"))
        self.found["window_memory_gb"] = int(peak.split()[1]) * 1024 / 1e9
        return self.found

    async def _first_slice(self) -> None:
        """From the click on a scan to its first slice, found centre and all."""
        session = self._program.session
        began_s = perf_counter()
        self._program.parts.scans.open_path(self._scan)
        await self._until(lambda: session.preview is not None, "the first slice")
        self.found["first_slice_s"] = perf_counter() - began_s
        from alsct_gui.ui.session import Mode

        session.set_mode(Mode.PREVIEW)
        await self._until(lambda: self._program.stage.is_quiet, "the slice on the canvas")
        await self._until(lambda: not session.busy_words, "the axis by every method")

    async def _slider(self) -> None:
        """From a move of the centre's slider to the slice in full resolution on the canvas."""
        session, stage = self._program.session, self._program.stage
        center_px = self._preview.center_px
        times_s = []
        for step in range(8):
            before = self._preview
            wanted = center_px + 0.5 + 0.25 * step
            began_s = perf_counter()
            recipe = session.recipe
            center = replace(recipe.center, method="manual", center_px=wanted)
            session.set_recipe(replace(recipe, center=center), touch="slider")
            session.settle_recipe()
            full = before.image.shape

            def arrived(before: Any = before, wanted: float = wanted, full: Any = full) -> bool:
                now = self._preview
                return (
                    now is not before and now.image.shape == full
                    and abs(now.center_px - wanted) < 1e-6 and stage.is_quiet
                )  # fmt: skip

            await self._until(arrived, "a slice after the slider")
            times_s.append(perf_counter() - began_s)
        self.found["slider_to_slice_s"] = statistics.median(times_s[2:])

    @property
    def _preview(self) -> Preview:
        preview = self._program.session.preview
        if preview is None:
            raise RuntimeError("there is no slice")
        return preview

    async def _scrolling(self) -> None:
        """How many slices of a volume are seen a second, one after another."""
        await self._show_volume()
        self.found["scroll_rate"] = await self._scroll(self._seconds)

    async def _under_load(self) -> None:
        """Heart beat while a scan is reconstructed, rows change and a volume is scrolled."""
        from alsct_gui.placement.runs.model import RunRequest
        from alsct_gui.ui.loop import Heartbeat

        session, parts = self._program.session, self._program.parts
        session.select(self._scan)
        output = Path(session.settings.output_folder) / "load.zarr"
        parts.runs.submit(RunRequest(self._scan, session.recipe, output, "load"))
        await self._until(lambda: session.runs and session.runs[0].slices_done, "the run under way")
        beat, stop = Heartbeat(5), threading.Event()
        changes = threading.Thread(target=self._change_rows, args=(stop,))
        changes.start()
        beat.start()
        try:
            rate = await self._scroll(2 * self._seconds)
        finally:
            beat.stop()
            stop.set()
            await asyncio.to_thread(changes.join)
        self.found["load_still_running"] = float(not session.runs[0].state.ended)
        self.found["scroll_rate_under_load"] = rate
        self.found["heartbeat_p50_ms"] = beat.percentile_ms(50)
        self.found["heartbeat_p99_ms"] = beat.percentile_ms(99)
        self.found["heartbeat_max_ms"] = beat.worst_ms
        run = session.runs[0]
        if not run.state.ended:
            parts.runs.order("Cancelling", lambda queue: queue.cancel(run.id))
            await self._until(lambda: session.runs[0].state.ended, "the end of the run")

    def _change_rows(self, stop: threading.Event) -> None:
        """Let arriving scans change, so many times a second, as the watch would tell."""
        from alsct_gui.beamline.sightings import Change, Sighting

        feed = self._program.parts.scans.feed
        number = 0
        while not stop.wait(1 / CHANGES_PER_S):
            number += 1
            path = self._scan.parent / f"arriving-{number % 40}.h5"
            sighting = Sighting(
                path=path, state="arriving", kind="scan", sentence="Being written.",
                size_bytes=number * 10**7, modified_s=1e9 + number, frames_done=number % 1313,
                frames_expected=1313,
            )  # fmt: skip
            feed.hear(Change("changed", sighting, "arriving"), None)

    async def _show_volume(self) -> None:
        session, stage = self._program.session, self._program.stage
        session.show_volume(self._volume)
        await self._until(lambda: stage.picture is not None and stage.is_quiet, "the volume")

    async def _scroll(self, seconds: float) -> float:
        """Step through the volume, to and fro, as fast as slices come onto the canvas."""
        from alsct_gui.ui.viewer.volume import VolumeMode

        await self._show_volume()
        stage = self._program.stage
        frames = shown_at = 0

        def count() -> None:
            nonlocal frames
            frames += 1

        def note(_: object) -> None:
            nonlocal shown_at
            shown_at = frames

        canvas: Any = stage.host.canvas
        canvas.frameSwapped.connect(count)
        stage.picture_changed.connect(note)
        mode = stage.mode
        if not isinstance(mode, VolumeMode) or mode.opened is None:
            raise RuntimeError("the volume is covered by words")
        last = mode.opened.volume.shape[0] - 1
        shown, by = 0, 1
        end_s = perf_counter() + seconds
        began_s = perf_counter()
        while perf_counter() < end_s:
            before = stage.picture
            if not 0 <= mode.cursor[0] + by <= last:
                by = -by
            mode.step(by)
            await self._until(partial(self._is_newer, before), "the next slice")
            await self._until(lambda: frames > shown_at, "its drawing")
            shown += 1
        canvas.frameSwapped.disconnect(count)
        stage.picture_changed.disconnect(note)
        return shown / (perf_counter() - began_s)

    def _is_newer(self, before: Picture | None) -> bool:
        """Whether another slice than before was handed to the canvas."""
        now = self._program.stage.picture
        if now is None or before is None:
            return False
        return now.image is not before.image and now.title != before.title

    async def _until(
        self, condition: Callable[[], object], what: str, within_s: float = PATIENCE_S
    ) -> None:
        end_s = perf_counter() + within_s
        while not condition():
            if perf_counter() > end_s:
                words = self._program.window.status.words
                raise TimeoutError(f"{what} did not come; the window says: {words}")
            await asyncio.sleep(0.001)


def main() -> int:
    """Measure and print."""
    began_s = perf_counter()
    parser = argparse.ArgumentParser()
    parser.add_argument("scan", type=Path)
    parser.add_argument("volume", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args()
    os.environ["QT_API"] = "pyside6"
    os.environ["NAPARI_ASYNC"] = "1"
    from alsct_gui.screen import has_screen, virtual_screen

    with ExitStack() as stack:
        if not has_screen():
            stack.enter_context(virtual_screen((1920, 1200)))
            began_s = perf_counter()  # Xvfb's own start is not the program's
        found = _measure(asked, began_s)
    json.dump(found, sys.stdout)
    return 0


def _measure(asked: argparse.Namespace, began_s: float) -> dict[str, float]:
    from PySide6.QtWidgets import QApplication

    from alsct_gui.app import services_for
    from alsct_gui.settings import Layout, Settings
    from alsct_gui.ui.garbage import set_memory_aside
    from alsct_gui.ui.loop import run_until_done
    from alsct_gui.ui.program import Program

    app = QApplication(["alsct-gui"])
    asked.folder.mkdir(parents=True, exist_ok=True)
    settings = replace(
        Settings(tour_done=True, ledger=str(asked.folder / "ledger.sqlite"), start_agent=False),
        layout=Layout(width_px=SIZE_PX[0], height_px=SIZE_PX[1]),
        output_folder=str(asked.folder),
        runs_folder=str(asked.folder / "runs"),
    )
    found: dict[str, float] = {}

    async def run() -> int:
        with services_for(settings) as services:
            program = Program(app, services, settings, asked.folder / "settings.json")
            program.window.show()
            await asyncio.sleep(0)
            found["window_shown_s"] = perf_counter() - began_s
            await program.start()
            set_memory_aside()  # as `Program.run` does
            found["window_usable_s"] = perf_counter() - began_s
            figures = Figures(program, asked.scan, asked.volume, 2.0 if asked.quick else 6.0)
            try:
                found.update(await figures.all())
            finally:
                await program.close()
        return 0

    run_until_done(app, run)
    return found


if __name__ == "__main__":
    sys.exit(main())
