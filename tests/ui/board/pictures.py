"""Pictures of the board for the guide: ``python -m tests.ui.board.pictures FOLDER``.

Each is a real window on a real ledger that was written for it.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

os.environ.setdefault("QT_API", "pyside6")
os.environ.setdefault("NAPARI_ASYNC", "1")

from PySide6.QtWidgets import QApplication

from alsct_gui.files.identity import quick_identity
from alsct_gui.files.open import open_scan
from alsct_gui.model.placement import (
    Arrival,
    LinkState,
    ScanFacts,
    StateKind,
    StepState,
    blocked,
    failed,
    scan_part,
    waiting,
)
from alsct_gui.model.policy import Product
from alsct_gui.screen import has_screen, virtual_screen
from alsct_gui.settings import Layout
from alsct_gui.superfacility.health.model import LINKS
from alsct_gui.ui.loop import run_until_done
from alsct_gui.ui.program import Program
from tests.ui.board.making import CFS, HERE, RAW, REC, Made, in_outage, part
from tests.ui.board.windows import board_window
from tests.ui.conftest import until
from tests.ui.programs import opened, small_scan

SAMPLES = (
    "fibre_93N", "fibre_0N", "foam_b", "bone_17", "shale core 4", "battery_c12", "root tip",
    "catalyst pellet", "concrete_28d", "fibre_45N", "foam_c", "wood, wet",
)  # fmt: skip
TASK = "0f4f2f1e-6a52-11ee-8c0a-6b1e5a2b3c4d"
WIDE, SMALL = (1600, 1000), (1366, 768)
MOVING = StepState(StateKind.MOVING)


def links(made: Made, *others: str) -> None:
    """All links are up, but those that are told of otherwise."""
    for link in LINKS:
        if link.name.value not in (*others, *made.observed.links):
            made.link(link.name.value)


def throughput(now_s: float, *, pause: bool) -> dict[str, Any]:
    """Three hours of two lanes, the second of which pauses in an outage."""
    rows: list[dict[str, Any]] = []
    for k in range(360):
        wave = 1 + 0.02 * ((k * 37) % 23 - 11)
        away = pause and k > 200
        rows += [
            {"time_s": now_s - 10_800 + 30 * k, "lane": "globus",
             "bytes_per_s": 2.6e8 * wave * (k % 90 < 70), "slices_per_s": 0.0},
            {"time_s": now_s - 10_800 + 30 * k, "lane": "slurm", "bytes_per_s": 0.0,
             "slices_per_s": 24 * wave * (not away and k % 60 > 8)},
        ]  # fmt: skip
    return {"samples": rows}


def dress(made: Made, count: int) -> None:
    """Give scans names, sizes and times as they are at a beamline."""
    sizes = (8_500_000_000, 17_100_000_000, 14_700_000_000)
    for number in range(count):
        scan = made.observed.scans[part(number)]
        taken_s = made.now_s - (count - number) * 660
        start = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(taken_s - 90))
        sample = SAMPLES[number % len(SAMPLES)]
        made.observed.scans[part(number)] = replace(
            scan, proposal=f"BLS-00{564 + number // 14}", size_bytes=sizes[number % 3],
            metadata={"sample": sample, "start_time": start, "experiment_lead": "A. Example"},
            path=f"/data/raw/BLS-00{564 + number // 14}_example/{start[:10]}_{sample}.h5",
            admitted_s=taken_s,
        )  # fmt: skip
    for key, record in made.observed.goals.items():
        seen, size = record.evidence, made.observed.scans[key[:32]].size_bytes
        if seen is not None and seen.size_bytes is not None:
            seen = replace(seen, size_bytes=size)
            made.observed.goals[key] = replace(record, evidence=seen)


def outage(now_s: float) -> Made:
    """Perlmutter is down; what can be done here was done."""
    made = in_outage(37, now_s)
    dress(made, 37)
    links(made)
    for number in (36, 35):
        made.goal(number, Product.RECONSTRUCTION, HERE, waiting("a slot of workstation"))
    made.work("run", made.goal(36, Product.RECONSTRUCTION, HERE, MOVING), done=812, total=2160,
              since_s=300)  # fmt: skip
    copies = [made.goal(n, Product.RAW, CFS, MOVING) for n in (36, 35)]
    made.work("copy", *copies, done=9_000_000_000, total=25_600_000_000, since_s=40)
    made.observed.works["copy"] = replace(made.observed.works["copy"], outside_id=TASK)
    for number in (36, 35):
        for product, place in ((Product.METADATA, "scicat"), (Product.ACCESS, CFS)):
            made.goal(number, product, place, waiting("raw at nersc-cfs"))
    made.notes = {
        "throughput": throughput(now_s, pause=True),
        "nersc-forecast": {
            "machine": "perlmutter", "wait_s": 300, "asked_s": now_s,
            "outages": [
                {"start_s": now_s - 3600, "end_s": now_s + 4 * 3600,
                 "what": "Cooling system maintenance", "planned": False},
                {"start_s": now_s + 6 * 86400, "end_s": now_s + 6 * 86400 + 46800,
                 "what": "Scheduled monthly maintenance", "planned": True},
            ],
        },
    }  # fmt: skip
    return made


def busy(now_s: float) -> Made:
    """A night with a little of everything."""
    made = Made(now_s=now_s)
    for number in range(40):
        made.scan(number)
        for product, place in (
            (Product.RAW, CFS), (Product.RECONSTRUCTION, REC), (Product.METADATA, "scicat"),
            (Product.ACCESS, CFS),
        ):  # fmt: skip
            made.goal(number, product, place)
        if number % 5 == 0:
            made.goal(number, Product.RECONSTRUCTION, HERE)
    dress(made, 40)
    links(made, "disk")
    made.link("disk", LinkState.DEGRADED, why="There is room for 9 more scans",
              fix="Move or delete what is safe elsewhere")  # fmt: skip
    for number in (39, 38, 37, 36):
        for product, place in ((Product.METADATA, "scicat"), (Product.ACCESS, CFS)):
            made.goal(number, product, place, waiting("raw at nersc-cfs"))
        made.goal(number, Product.RECONSTRUCTION, REC, waiting("raw at nersc-cfs"))
        made.goal(number, Product.RAW, CFS, waiting("a slot of globus", "all 3 in use"))
    copies = [made.goal(n, Product.RAW, CFS, MOVING) for n in (38, 37, 36)]
    made.work("copy", *copies, done=19_000_000_000, total=40_300_000_000, since_s=75)
    made.observed.works["copy"] = replace(made.observed.works["copy"], outside_id=TASK)
    for number, done in ((35, 402), (34, 1730)):
        goal = made.goal(number, Product.RECONSTRUCTION, REC, MOVING)
        made.work(f"job {number}", goal, done=done, total=2160, since_s=done / 12)
        made.observed.works[f"job {number}"] = replace(
            made.observed.works[f"job {number}"], outside_id=f"314159{number}"
        )
    made.goal(33, Product.RECONSTRUCTION, REC, waiting("a slot of slurm", "all 2 in use"))
    no_right = blocked(
        "the group of BLS-00565 has no right to write at NERSC",
        "Ask the project's owner for access, then try again", now_s + 3000,
    )  # fmt: skip
    for number in (27, 26, 25):
        made.goal(number, Product.ACCESS, CFS, no_right, attempts=1)
    made.goal(30, Product.RECONSTRUCTION, REC, attempts=2, state=failed(
        "a node failed (NODE_FAIL)", "Nothing has to be done", now_s + 140))  # fmt: skip
    made.goal(29, Product.METADATA, "scicat", waiting("you", "held back by a person"), held=True)
    scan = made.observed.scans[part(31)]
    made.observed.scans[part(31)] = replace(scan, export_controlled=True)
    for product, place in (
        (Product.RAW, CFS), (Product.RECONSTRUCTION, REC), (Product.METADATA, "scicat"),
        (Product.ACCESS, CFS),
    ):  # fmt: skip
        recipe = made.goal(31, product, place)
        del made.observed.goals[recipe]
    made.goal(31, Product.RECONSTRUCTION, HERE)
    name = "/data/raw/BLS-00566_example/20270115_081204_fibre_120N.h5"
    made.observed.arrivals[name] = Arrival(
        name, waiting("the end of its writing", "812 of 1313 frames"), since_s=now_s - 20
    )
    made.notes = {"throughput": throughput(now_s, pause=False)}
    return made


def with_scan(made: Made, path: Path) -> None:
    """Put a real scan on the ledger; its volume is wanted at NERSC by another recipe."""
    with open_scan(path) as scan:
        identity = quick_identity(scan)
    name = scan_part(identity)
    made.observed.scans[name] = ScanFacts(
        identity, str(path), path.stat().st_size, "b" * 64, "BLS-00564",
        {"sample": "foam"}, admitted_s=made.now_s - 60,
    )  # fmt: skip
    for product, place in ((Product.RAW, RAW), (Product.RAW, CFS)):
        key = f"{name}/{product}/{place}/-"
        record = made.observed.goals[next(k for k in made.observed.goals if f"/{RAW}/" in k)]
        made.observed.goals[key] = replace(record, key=key)


class Camera:
    """Takes pictures of windows."""

    def __init__(self, app: QApplication, folder: Path) -> None:
        self._app, self._folder = app, folder
        folder.mkdir(parents=True, exist_ok=True)

    async def take(
        self, name: str, made: Made | None, do: Callable[[Program], Any] = lambda _: None,
        *, size: tuple[int, int] = WIDE, **more: Any,
    ) -> None:  # fmt: skip
        """Show a window, do something, and take its picture."""
        layout = Layout(width_px=size[0], height_px=size[1])
        with TemporaryDirectory(prefix="alsct-board-") as own:
            async with board_window(
                self._app, None, Path(own), made, layout=layout, **more
            ) as program:
                program.window.resize(*size)
                found = do(program)
                if asyncio.iscoroutine(found):
                    await found
                await until(lambda: not program.session.busy_words, "the end of the work")
                for _ in range(12):
                    await asyncio.sleep(0.05)
                if not program.window.grab().save(str(self._folder / f"{name}.png")):
                    raise OSError(f"{name} cannot be written")


async def all_pictures(app: QApplication, folder: Path, only: set[str]) -> int:
    """Take every picture, or those that are named."""
    camera, now_s = Camera(app, folder), time.time()

    async def at(program: Program, number: int, column: int) -> None:
        page = program.parts.board.page
        await until(lambda: page.model.row_of(part(number)) >= 0, "the row")
        page.choose(part(number))
        page.view.setCurrentIndex(page.model.index(page.model.row_of(part(number)), column))
        await until(lambda: program.parts.board.timeline.entries, "the timeline")

    async def blocked_rows(program: Program) -> None:
        program.parts.board.page.person.click()
        await at(program, 26, 6)

    async def chain(program: Program) -> None:
        await at(program, 30, 4)
        program.parts.board._show_link("perlmutter")

    with TemporaryDirectory(prefix="alsct-board-") as own:
        scan = small_scan(Path(own), n_columns=640, n_rows=96, center_px=322.0)

        async def nersc(program: Program) -> None:
            await opened(program, scan)
            await until(lambda: program.session.preview is not None, "the slice", 300)
            await until(lambda: program.book["run.here"].isEnabled(), "the plan", 300)
            program.window.open_side("reconstruct")

        def away() -> Made:
            made = outage(now_s)
            with_scan(made, scan)
            return made

        def up() -> Made:
            made = busy(now_s)
            with_scan(made, scan)
            made.notes["nersc-forecast"] = {
                "machine": "perlmutter", "wait_s": 300, "asked_s": now_s, "outages": [],
            }  # fmt: skip
            return made

        scenes: dict[str, Callable[[], Any]] = {
            "board": lambda: camera.take("board", busy(now_s), lambda p: at(p, 37, 3)),
            "board-outage": lambda: camera.take("board-outage", outage(now_s),
                                                lambda p: at(p, 36, 0)),
            "board-blocked": lambda: camera.take("board-blocked", busy(now_s), blocked_rows,
                                                 size=SMALL),
            "board-light": lambda: camera.take("board-light", busy(now_s),
                                               lambda p: at(p, 37, 3), theme="light"),
            "board-small": lambda: camera.take("board-small", busy(now_s),
                                               lambda p: at(p, 35, 4), size=SMALL),
            "board-chain": lambda: camera.take("board-chain", outage(now_s), chain),
            "board-empty": lambda: camera.take("board-empty", None, size=SMALL, agent=False),
            "board-nowhere": lambda: camera.take(
                "board-nowhere", None, size=SMALL, agent=False, facility={"configured": False}),
            "board-nersc": lambda: camera.take("board-nersc", up(), nersc, shown=False),
            "board-nersc-away": lambda: camera.take("board-nersc-away", away(), nersc,
                                                    shown=False),
        }  # fmt: skip
        for name, scene in scenes.items():
            if not only or name in only:
                await scene()
    return 0


def main() -> int:
    """Take the pictures into the folder that is named."""
    folder, only = Path(sys.argv[1]), set(sys.argv[2:])
    app = QApplication.instance() or QApplication(["alsct-gui"])
    assert isinstance(app, QApplication)
    return run_until_done(app, lambda: all_pictures(app, folder, only))


if __name__ == "__main__":
    if has_screen():
        sys.exit(main())
    with virtual_screen((1600, 1000)):
        code = main()
    sys.exit(code)
