"""`alsct-gui`: where services are built, wired to the window, and put away again."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from alsct_gui.files.presence import present
from alsct_gui.model.errors import AlsctError, UsageError
from alsct_gui.screen import has_screen, virtual_screen

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from alsct_gui.model.profile import Profile
    from alsct_gui.recon.desk.client import Desk
    from alsct_gui.settings import Settings
    from alsct_gui.simulating import Simulated
    from alsct_gui.ui.services import Facility, Services


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of the `alsct-gui` command."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    try:
        sys.exit(run(_parser().parse_args(words)))
    except AlsctError as error:
        sys.stderr.write(f"alsct-gui: {error.sentence}\n")
        sys.exit(error.exit_code)


def run(asked: argparse.Namespace) -> int:
    """Show the window until it is closed; returns the exit code.

    Raises
    ------
    AlsctError
        There is no screen, or the profile cannot be read.
    """
    os.environ.setdefault("QT_API", "pyside6")
    os.environ.setdefault("NAPARI_ASYNC", "1")
    with ExitStack() as stack:
        if not has_screen():
            if not asked.selftest:
                raise UsageError(
                    "there is no screen to show a window on", where="DISPLAY",
                    fix="Log in with a desktop or X forwarding, or take the command line, alsct",
                )  # fmt: skip
            stack.enter_context(virtual_screen())
        return _with_screen(asked)


def _with_screen(asked: argparse.Namespace) -> int:
    from PySide6.QtWidgets import QApplication

    app = QApplication.instance() or QApplication(["alsct-gui"])
    if not isinstance(app, QApplication):
        raise UsageError("another program's event loop is in the way", where="Qt")
    app.setApplicationName("alsct-gui")
    app.setApplicationDisplayName("alsct-gui")
    try:
        return _with_application(app, asked)
    finally:
        # Before the screen goes: what Qt holds of it would take the process down.
        app.shutdown()


def _with_application(app: QApplication, asked: argparse.Namespace) -> int:
    from alsct_gui.settings import load_settings, settings_path
    from alsct_gui.ui.loop import run_until_done
    from alsct_gui.ui.program import Program

    path = settings_path()
    settings, findings = load_settings(path)
    if asked.selftest:
        return run_until_done(app, lambda: _selftest(app, asked))

    async def window() -> int:
        with ExitStack() as stack:
            simulated = stack.enter_context(_simulated()) if asked.simulate else None
            services = stack.enter_context(
                services_for(settings, profile=asked.profile, simulated=simulated)
            )
            program = Program(app, services, settings, path, findings)
            for file in asked.files:
                program.open_later(file)
            if asked.simulate:
                program.simulate_later()
            if asked.review is not None:
                program.review_later(asked.review)
            await program.run()
            return 0

    return run_until_done(app, window)


async def _selftest(app: QApplication, asked: argparse.Namespace) -> int:
    """Run the self-test with settings, runs and results of its own."""
    from alsct_gui.settings import Layout, Settings
    from alsct_gui.ui.program import Program
    from alsct_gui.ui.selftest import selftest

    with TemporaryDirectory(prefix="alsct-selftest-") as name:
        own = Path(name)
        settings = Settings(
            output_folder=str(own / "results"), runs_folder=str(own / "runs"), tour_done=True,
            ledger=str(own / "ledger.sqlite"), start_agent=False,
            layout=Layout(width_px=1600, height_px=1000),
        )  # fmt: skip
        with services_for(settings, profile=asked.profile) as services:
            program = Program(app, services, settings, own / "settings.json")
            scan = asked.files[0] if asked.files else None
            return await selftest(program, asked.pictures, scan, stay=asked.stay)


def _simulated() -> AbstractContextManager[Simulated]:
    """Return the simulated facility, not yet running."""
    from alsct_gui.simulating import simulated_facility

    return simulated_facility()


@contextmanager
def services_for(
    settings: Settings, *, profile: str = "", simulated: Simulated | None = None,
    desk: Desk | None = None,
) -> Iterator[Services]:  # fmt: skip
    """Build what the window is given, and close it at the end of the block.

    Parameters
    ----------
    settings
        As they were loaded.
    profile
        Beamline profile; empty for that of the settings.
    simulated
        A simulated facility in place of the real one.
    desk
        One that is there already and stays; None for one of the window's own.

    Raises
    ------
    AlsctError
        The profile cannot be read.
    """
    from alsct_gui.beamline.client import Lookout, lookout_process
    from alsct_gui.files.profiles import load_profile
    from alsct_gui.placement.runs.queue import RunQueue
    from alsct_gui.recon.desk.client import start_desk
    from alsct_gui.ui.services import Services

    with ExitStack() as stack:
        if desk is None:
            desk = start_desk()
            stack.callback(desk.close)
        lookout = Lookout(lookout_process())
        stack.callback(lookout.close)
        runs = RunQueue(Path(settings.runs_folder) if settings.runs_folder else None)
        card = simulated.card if simulated is not None else None
        profile = card.profile if card is not None else profile or settings.profile
        chosen = load_profile(profile)
        facility = replace(
            facility_of(settings, profile, simulated), scicat_page=dataset_page(chosen)
        )
        if chosen.globus.account != "person":
            facility = replace(facility, log_in=None)
        make = partial(simulate_demo_scan, simulated.scans if simulated and card else None)
        yield Services(
            chosen, folder_here(chosen.folders.raw), folder_here(chosen.folders.scratch),
            desk, lookout, runs, make, facility,
        )  # fmt: skip


def dataset_page(profile: Profile) -> str:
    """Return where people look at a dataset in SciCat, ``{id}`` for the dataset; empty for none."""
    page = profile.scicat.page.rstrip("/")
    return f"{page}/datasets/{{id}}" if page.startswith("https://") else ""


def facility_of(
    settings: Settings, profile: str = "", simulated: Simulated | None = None
) -> Facility:
    """Return which ledger and policy the window is about; a policy that is wrong is said so.

    Parameters
    ----------
    settings
        As they were loaded.
    profile
        Beamline profile; empty for that of the settings.
    simulated
        A simulated facility, whose own papers and ledger are taken if it runs.
    """
    from alsct_gui.placement.ledger import default_ledger
    from alsct_gui.placement.policy import load_policy
    from alsct_gui.placement.starting import log_in, start_agent
    from alsct_gui.ui.services import Facility

    ledger = Path(settings.ledger).absolute() if settings.ledger else default_ledger()
    named, faults = settings.policy, None
    if simulated is not None:
        faults = simulated.switches
        if simulated.card is not None:
            ledger, named = simulated.ledger, simulated.card.policy
    try:
        policy = load_policy(named)
    except AlsctError as error:
        return Facility(ledger, None, error.sentence, faults=faults)
    root = next(place.root for place in policy.places if place.name == policy.admitted)
    runs = Path(settings.runs_folder) if settings.runs_folder else None
    return Facility(
        ledger, policy, configured=folder_here(root) is not None, faults=faults,
        start_agent=lambda: start_agent(
            ledger, named, profile or settings.profile, runs, settings.threads
        ),
        log_in=partial(log_in, ledger, named, profile or settings.profile),
    )  # fmt: skip


def folder_here(name: str, patience_s: float = 1.0) -> Path | None:
    """Return a folder if it exists; one whose file server does not answer is taken for absent.

    Parameters
    ----------
    name
        Its path; empty for none.
    patience_s
        How long to wait for an answer.
    """
    found = present((Path(name),), patience_s) if name else ()
    return found[0] if found and found[0].is_dir() else None


def simulate_demo_scan(folder: Path | None = None) -> Path:
    """Make the simulated scan unless it is there; returns it.

    Parameters
    ----------
    folder
        Where; None for the user's cache.
    """
    from alsct_gui.simulator.examples import demo_scan
    from alsct_gui.simulator.write import simulate_scan

    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = folder or Path(root) / "alsct-gui" / "simulated"
    spec = demo_scan()
    path = folder / spec.file_name
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        simulate_scan(path, spec)
    return path


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="alsct-gui", description="The operator's window for micro-CT beamlines."
    )
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE",
                        help="scans, volumes or folders to open")  # fmt: skip
    parser.add_argument(
        "--simulate", action="store_true", help="run a simulated facility, and open its scan"
    )
    parser.add_argument("--review", type=Path, metavar="FOLDER",
                        help="look at what lies in a folder; nothing is watched")  # fmt: skip
    parser.add_argument("--profile", default="", help="beamline profile: a name or a file")
    parser.add_argument("--selftest", action="store_true",
                        help="reconstruct the simulated scan, take pictures, end")  # fmt: skip
    parser.add_argument("--pictures", type=Path, default=Path("selftest-output"),
                        metavar="FOLDER", help="where the self-test leaves pictures")  # fmt: skip
    parser.add_argument("--stay", action="store_true",
                        help="with --selftest: leave the window open at the end")  # fmt: skip
    return parser


if __name__ == "__main__":
    main()
