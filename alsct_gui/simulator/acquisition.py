"""Acquisition: one scan after the other is taken, into the folders of proposals.

Each file grows while it is written and is closed at its end, as the beamline's is. Now and
then its name is one that a person could have typed and no script should trip over.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from alsct_gui.model.errors import AlsctError, CancelledError
from alsct_gui.simulator.spec import SimulationSpec
from alsct_gui.simulator.write import simulate_scan

PROPOSALS = (
    ("BLS-00564", "BLS-00564_ada"),
    ("ALS-11532", "ALS-11532_grace"),
    # Such forms occur, too.
    ("BLS-00739", "_bls-00739_emmy"),
)
"""Proposals and their folders."""
TITLES = ("foam", "rock core", "battery 3", "leaf", "wire 50um", "bone_x00y01")
"""What people call their samples."""
HOSTILE_TITLES = (
    "it's \"the\" sample", "$(touch pwned) `id`", "línea µm 試料 🦴", "two\nlines\tand tab",
    "..", "-o --output=x", "%j %x * ? [a]", " spaces ", "a;b&c|d>e<f#g!h~",
)  # fmt: skip
"""What they could call them."""
HOSTILE_ENDINGS = (" o'brien $(id)", "\nnaïve", "..")
"""What they could write behind the name of a proposal's folder."""


@dataclass(frozen=True, slots=True)
class PlannedScan:
    """A scan that is to be taken."""

    folder: str
    """Folder of its proposal, below that of raw scans."""
    spec: SimulationSpec
    """The scan."""


def planned_scans(
    count: int,
    seed: int = 0,
    *,
    hostile_every: int = 5,
    spec: SimulationSpec | None = None,
    start: str = "2026-02-03T04:05:06",
) -> tuple[PlannedScan, ...]:
    """Plan scans, two minutes apart; the same seed gives the same scans.

    Parameters
    ----------
    count
        How many.
    seed
        Of the samples and of all noise.
    hostile_every
        Every so many scans one has a name that is hard to bear; 0 is never.
    spec
        What they have in common; None is small ones of a foam.
    start
        When the first one is taken, ISO 8601, UTC.
    """
    common = spec or small_scan()
    began = datetime.fromisoformat(start)
    planned = []
    for number in range(count):
        proposal, folder = PROPOSALS[number // 4 % len(PROPOSALS)]
        title = TITLES[number % len(TITLES)]
        if hostile_every and number % hostile_every == hostile_every - 1:
            turn = number // hostile_every
            title = HOSTILE_TITLES[turn % len(HOSTILE_TITLES)]
            if turn % 3 == 1:
                folder += HOSTILE_ENDINGS[turn // 3 % len(HOSTILE_ENDINGS)]
        taken = (began + timedelta(minutes=2 * number)).isoformat(timespec="seconds")
        own = replace(
            common, seed=seed + number, title=title, proposal=proposal, start_time=taken
        )  # fmt: skip
        planned.append(PlannedScan(folder, own))
    return tuple(planned)


def small_scan() -> SimulationSpec:
    """A scan that is made and reconstructed within seconds."""
    return SimulationSpec(
        phantom="foam", n_columns=128, n_rows=16, n_angles=91, n_flats=4, n_darks=4
    )  # fmt: skip


def tiny_scan() -> SimulationSpec:
    """The smallest scan that all checks let pass: fifty kilobytes."""
    return SimulationSpec(n_columns=8, n_rows=2, n_angles=5, n_flats=1, n_darks=1)


def take_scan(
    scan: PlannedScan,
    raw: Path,
    *,
    frames_per_s: float | None = None,
    stop: threading.Event | None = None,
) -> Path:
    """Take a scan: its file grows in its proposal's folder below ``raw``, which is made.

    Raises
    ------
    OutputError
        It is there already, or cannot be written.
    CancelledError
        ``stop`` was set; the file stays as far as it came.
    """
    folder = raw / scan.folder
    folder.mkdir(parents=True, exist_ok=True)
    return simulate_scan(
        folder, scan.spec, cancel=stop, threads=1, live=True, frames_per_s=frames_per_s,
        truth=False,
    )  # fmt: skip


class Acquisition:
    """Takes scans from a thread of its own, at a steady pace; use it as a context.

    Parameters
    ----------
    raw
        Folder of raw scans.
    scans
        What it takes.
    every_s
        Time from the end of one to the beginning of the next.
    frames_per_s
        How quickly a file grows; None is as quickly as it is made.
    told
        Called with the file of each scan when it is whole.
    """

    def __init__(
        self,
        raw: Path,
        scans: Iterable[PlannedScan],
        every_s: float = 0.0,
        *,
        frames_per_s: float | None = None,
        told: Callable[[Path], None] | None = None,
    ) -> None:
        self._raw, self._scans, self._every_s = raw, scans, every_s
        self._frames_per_s, self._told = frames_per_s, told
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="acquisition")
        self.taken: list[Path] = []
        """Files that are whole, in their order."""
        self.error: AlsctError | None = None
        """Why it ended before its time."""

    def __enter__(self) -> Acquisition:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """End; a scan that is being taken stays as far as it came."""
        self._stop.set()
        self._thread.join()

    def wait(self, timeout_s: float) -> bool:
        """Wait until the last scan is taken; whether it is."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            for scan in self._scans:
                path = take_scan(
                    scan, self._raw, frames_per_s=self._frames_per_s, stop=self._stop
                )  # fmt: skip
                self.taken.append(path)
                if self._told is not None:
                    self._told(path)
                if self._stop.wait(self._every_s):
                    return
        except CancelledError:
            return
        except AlsctError as error:
            self.error = error
