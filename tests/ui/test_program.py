"""The whole window, driven as a person drives it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import pytest
from PySide6.QtWidgets import QMessageBox, QPushButton

from alsct_gui.placement.runs.model import RunState
from alsct_gui.recon.desk.client import Desk
from alsct_gui.settings import load_settings
from alsct_gui.simulator.write import iterate_scan
from alsct_gui.ui.session import Level, Mode, Notice
from alsct_gui.ui.widgets.marks import State
from tests.ui.conftest import until
from tests.ui.programs import SMALL, opened, small_scan, window
from tests.ui.viewer.volumes import ramp, write

pytestmark = pytest.mark.long

Drive = Callable[..., Any]


def test_every_command_does_something(app: Any, desk: Desk, drive: Drive, tmp_path: Path) -> None:
    async def main() -> None:
        async with window(app, desk, tmp_path) as program:
            assert program.book.unbound == ()

    drive(main())


def test_a_scan_is_opened_and_looked_at(app: Any, drive: Drive, tmp_path: Path) -> None:
    scan = small_scan(tmp_path / "raw")

    async def main() -> None:
        async with window(app, None, tmp_path) as program:
            await opened(program, scan)
            look = program.session.look
            assert look is not None
            assert look.ok
            assert look.n_columns == 160
            entry = program.parts.scans.scans.entries.entry(scan)
            assert entry is not None
            assert entry.state is State.MET
            assert entry.words == "181 projections"
            assert program.parts.scans.scans.entries.has_picture(scan)
            assert program.session.settings.recent[0] == str(scan)

    drive(main())


def test_a_broken_file_shows_what_is_wrong_and_the_window_goes_on(
    app: Any, desk: Desk, drive: Drive, tmp_path: Path
) -> None:
    scan = small_scan(tmp_path / "raw")
    cut = tmp_path / "raw" / "cut.h5"
    cut.write_bytes(scan.read_bytes()[: scan.stat().st_size // 2])
    text = tmp_path / "raw" / "notes.h5"
    text.write_text("no scan at all")

    async def main() -> None:
        async with window(app, desk, tmp_path) as program:
            for path in (cut, text):
                await opened(program, path)
                look = program.session.look
                assert look is not None
                assert not look.ok
                assert not program.session.situation.has_scan
                assert look.findings[0].fix
                entry = program.parts.scans.scans.entries.entry(path)
                assert entry is not None
                assert entry.state is State.FAILED
            await opened(program, scan)
            assert program.session.situation.has_scan

    drive(main())


def test_an_incoming_scan_appears_while_it_is_written(
    app: Any, desk: Desk, drive: Drive, tmp_path: Path
) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    path = raw / SMALL.file_name
    go_on = threading.Semaphore(0)
    written = threading.Event()

    def write() -> None:
        for _ in iterate_scan(path, SMALL, live=True):
            go_on.acquire()
        written.set()

    async def main() -> None:
        async with window(app, desk, tmp_path, watched=(str(raw),)) as program:
            entries = program.parts.scans.scans.entries
            writer = threading.Thread(target=write)
            writer.start()
            try:
                for _ in range(30):
                    go_on.release()
                await until(lambda: entries.entry(path) is not None, "the arriving scan")
                entry = entries.entry(path)
                assert entry is not None
                assert entry.state is State.MOVING
                program.parts.scans.scans.select(path)
                cover = program.stage.cover
                await until(
                    lambda: "is still arriving" in " ".join(cover.texts), "what is going on"
                )
                assert cover.isVisible()
            finally:
                go_on.release(10_000)
                await asyncio.to_thread(writer.join)
            assert written.is_set()
            await until(
                lambda: entries.entry(path) is not None and entries.entry(path).state is State.MET,  # type: ignore[union-attr]
                "the whole scan",
            )

    drive(main())


def test_a_scan_that_was_opened_early_is_looked_at_again_when_it_is_whole(
    app: Any, desk: Desk, drive: Drive, tmp_path: Path
) -> None:
    path = tmp_path / SMALL.file_name
    go_on = threading.Semaphore(0)

    def write() -> None:
        for _ in iterate_scan(path, SMALL, live=True):
            go_on.acquire()

    async def main() -> None:
        async with window(app, desk, tmp_path) as program:
            writer = threading.Thread(target=write)
            writer.start()
            try:
                go_on.release(30)
                await until(path.exists, "the file")
                program.parts.scans.open_path(path)
                cover = program.stage.cover
                await until(
                    lambda: "is still arriving" in " ".join(cover.texts), "what is going on"
                )
                assert not program.session.situation.has_scan
            finally:
                go_on.release(10_000)
                await asyncio.to_thread(writer.join)
            await until(lambda: program.session.situation.has_scan, "the whole scan")

    drive(main())


def test_what_was_opened_lately_comes_back(
    app: Any, desk: Desk, drive: Drive, tmp_path: Path
) -> None:
    scan, gone = small_scan(tmp_path / "raw"), tmp_path / "gone.h5"
    recent = (str(gone), str(scan))

    async def main() -> None:
        async with window(app, desk, tmp_path, recent=recent) as program:
            rows = program.parts.scans.scans.entries
            await until(lambda: rows.has_picture(scan), "the scan of the last time")
            await until(
                lambda: (e := rows.entry(scan)) is not None and e.words == "181 projections",
                "that it is known to be whole",
            )
            assert rows.entry(gone) is None
            assert program.session.selected is None
            menu = program.parts.scans.recent
            assert menu.menuAction() in program.topbar.menus["File"].actions()
            menu.aboutToShow.emit()
            assert [action.text() for action in menu.actions()] == [gone.name, scan.name]
            menu.actions()[1].trigger()
            await until(lambda: program.session.situation.has_scan, "the scan")

    drive(main())


def test_files_that_are_dropped_are_opened(
    app: Any, desk: Desk, drive: Drive, tmp_path: Path
) -> None:
    scan = small_scan(tmp_path / "raw")

    async def main() -> None:
        async with window(app, desk, tmp_path) as program:
            program.window.dropped([str(scan)])
            await until(lambda: program.session.situation.has_scan, "the dropped scan")

    drive(main())


def test_a_run_is_queued_followed_and_shown(app: Any, drive: Drive, tmp_path: Path) -> None:
    scan = small_scan(tmp_path / "raw")
    told: list[Notice] = []

    async def main() -> None:
        async with window(app, None, tmp_path) as program:
            program.session.noticed.connect(told.append)
            await opened(program, scan)
            await until(lambda: program.book["run.here"].isEnabled(), "the run button")
            program.book.trigger("run.here")
            await until(lambda: bool(program.session.runs), "the run")
            assert program.session.situation.running == 1
            await until(lambda: program.session.runs[0].state.ended, "the end", 180)
            run = program.session.runs[0]
            assert run.state is RunState.FINISHED, run.error
            ready = lambda: [n for n in told if "is ready: 24 slices" in n.sentence]  # noqa: E731
            await until(ready, "the notice")
            (notice,) = ready()
            assert notice.level is Level.DONE
            assert notice.action is not None
            notice.action()
            assert program.session.volume == run.output
            assert program.session.mode is Mode.VOLUME

    drive(main())


def test_closing_with_a_run_asks_once_and_the_next_window_picks_it_up(
    app: Any, drive: Drive, tmp_path: Path
) -> None:
    scan = small_scan(tmp_path / "raw", n_rows=64)

    async def main() -> None:
        async with window(app, None, tmp_path) as program:
            await opened(program, scan)
            await until(lambda: program.book["run.here"].isEnabled(), "the run button")
            program.book.trigger("run.here")
            await until(lambda: bool(program.session.runs), "the run")
            program.window.close()
            program.window.close()
            asked = [w for w in app.topLevelWidgets() if isinstance(w, QMessageBox)]
            assert len(asked) == 1
            assert "1 run goes on" in asked[0].text()
            assert program.window.isVisible()
            stay = next(b for b in asked[0].findChildren(QPushButton) if b.text() == "Stay")
            stay.click()
            assert program.window.isVisible()
            run = program.session.runs[0].id
        async with window(app, None, tmp_path) as program:
            await until(lambda: bool(program.session.runs), "the run, picked up")
            assert program.session.runs[0].id == run
            await until(lambda: program.session.runs[0].state.ended, "its end", 180)
            assert program.session.runs[0].state is RunState.FINISHED

    drive(main())


def test_themes_layout_and_settings_are_remembered(
    app: Any, desk: Desk, drive: Drive, tmp_path: Path
) -> None:
    async def main() -> None:
        async with window(app, desk, tmp_path) as program:
            program.book["view.left"].setChecked(False)
            program.book.trigger("view.theme")
            assert not program.window.left.isVisible()
        settings, findings = load_settings(tmp_path / "settings.json")
        assert findings == ()
        assert settings.theme == "light"
        assert settings.layout.left_px == 0
        async with window(app, desk, tmp_path, layout=settings.layout, theme="light") as program:
            assert not program.window.left.isVisible()
            program.book.trigger("view.reset_layout")
            assert program.window.left.isVisible()

    drive(main())


def test_the_canvas_has_half_of_a_small_screen(
    app: Any, desk: Desk, drive: Drive, tmp_path: Path
) -> None:
    scan = small_scan(tmp_path / "raw")
    seen: list[Mode] = []

    async def main() -> None:
        async with window(app, desk, tmp_path) as program:
            whole, session = program.window, program.session
            whole.resize(1366, 768)

            def share() -> float:
                canvas = program.stage.host.size()
                return canvas.width() * canvas.height() / (whole.width() * whole.height())

            await opened(program, scan)
            await until(lambda: session.preview is not None, "the slice")
            for mode in (Mode.PROJECTIONS, Mode.SINOGRAM, Mode.PREVIEW):
                session.set_mode(mode)
                await until(lambda: program.stage.is_quiet and share() >= 0.5, f"half for {mode}")
                seen.append(mode)
            await until(lambda: program.book["run.here"].isEnabled(), "the run button")
            program.book.trigger("run.here")
            await until(lambda: bool(session.runs), "the run")
            await until(lambda: session.runs[0].state.ended, "the end", 180)
            program.window.drawer.setVisible(False)
            session.show_volume(session.runs[0].output)
            for layout in ("view.slices", "view.cuts", "view.3d"):
                program.book.trigger(layout)
                await until(lambda: program.stage.is_quiet and share() >= 0.5, f"half: {layout}")
            session.set_mode(Mode.COMPARE)
            compare = program.stage.mode_of(Mode.COMPARE)
            compare.choose(session.runs[0].output)
            for layout in ("side", "blink", "difference"):
                compare.set_layout(layout)
                await until(lambda: program.stage.is_quiet and share() >= 0.5, f"half: {layout}")
                assert compare.pair is not None
            assert (whole.width(), whole.height()) == (1366, 768)

    drive(main())
    assert len(seen) == 3


@pytest.mark.parametrize("how", ["scrolling", "playing"])
def test_a_window_may_be_closed_while_slices_pass(
    app: Any, desk: Desk, drive: Drive, tmp_path: Path, how: str
) -> None:
    volume = write(tmp_path / "rec.zarr", ramp())
    ended = []

    async def main() -> None:
        async with window(app, desk, tmp_path) as program:
            program.session.show_volume(volume)
            await until(lambda: program.stage.picture and program.stage.is_quiet, "a slice")
            mode = program.stage.mode_of(Mode.VOLUME)

            async def linger() -> None:
                """Hold up the closing until a slice would have been asked for again."""
                try:
                    await asyncio.Event().wait()
                finally:
                    await until(lambda: program.stage.mode is None, "that nothing is shown", 5)
                    ended.append(how)

            program.tasks.start(linger(), "Lingering")
            await asyncio.sleep(0)  # it has begun
            if how == "playing":
                mode.controls.play.setChecked(True)
            else:
                mode.step(1)

    drive(main())
    assert ended == [how]


@pytest.mark.timeout(600)
def test_opened_and_closed_fifty_times_nothing_is_left(tmp_path: Path) -> None:
    """In a process of its own, so that what other tests left in this one cannot matter."""
    scan = small_scan(tmp_path / "raw")
    root = Path(__file__).resolve().parents[2]
    run = subprocess.run(
        [sys.executable, "-m", "tests.ui.fifty", str(scan), str(tmp_path), "50"],
        cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-3000:]
    before, with_desks, after = json.loads(run.stdout.splitlines()[-1])
    assert with_desks == before
    assert after == before
    assert after["processes"] == 1  # the screen


def test_metadata_of_a_strange_file_cannot_harm(
    app: Any, desk: Desk, drive: Drive, tmp_path: Path
) -> None:
    scan = small_scan(tmp_path / "raw")
    with h5py.File(scan, "r+") as file:
        del file["measurement/sample/experimenter/name"]
        file["measurement/sample/experimenter/name"] = "<b>\n" * 2000
        file["measurement/sample_name_2"] = "\u202e" * 50

    async def main() -> None:
        async with window(app, desk, tmp_path) as program:
            await opened(program, scan)
            program.window.grab()

    drive(main())
