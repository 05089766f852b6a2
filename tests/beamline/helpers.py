"""A clock that stands still, and a reader within the test's own process."""

from __future__ import annotations

from pathlib import Path

from alsct_gui.beamline.looking import Picture, look_at
from alsct_gui.beamline.looks import Depth, Kind, Look
from alsct_gui.beamline.sightings import Change
from alsct_gui.beamline.watches import Watches
from alsct_gui.beamline.watching import BUSY_S, Step, Watch
from alsct_gui.model.errors import InputError


class Clock:
    """Seconds that pass only when a test says so."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s

    def advance(self, seconds: float) -> None:
        self.now_s += seconds


class Here:
    """Looks at files in this process, and notes at which and how closely."""

    def __init__(self) -> None:
        self.looks: list[tuple[str, Depth]] = []
        self.closed = False

    def look(
        self, path: Path, kind: Kind, *, depth: Depth, thumbnail: bool
    ) -> tuple[Look, Picture | None] | None:
        self.looks.append((path.name, depth))
        try:
            return look_at(path, kind, depth=depth, thumbnail=thumbnail, beat=lambda: None)
        except InputError:
            return None

    def close(self) -> None:
        self.closed = True


class Desk:
    """A watch over one folder with everything a test turns or reads."""

    def __init__(self, *folders: Path, **options: int) -> None:
        self.clock, self.looker = Clock(), Here()
        self.watch = Watch(self.looker, Watches(**options), clock=self.clock)
        self.watch.watch(folders)

    def step(self, seconds: float = 5.0) -> Step:
        """Let time pass, then take a step."""
        self.clock.advance(seconds)
        return self.watch.step()

    def until_quiet(self, seconds: float = 5.0) -> list[Change]:
        """Take steps until one brings nothing, and nothing arrives or is left to look at."""
        changes: list[Change] = []
        for _ in range(400):
            step = self.step(seconds)
            changes += step.changes
            if not step.changes and not step.waiting and step.listed and step.rest_s > BUSY_S:
                return changes
        raise AssertionError(f"it never comes to rest: {changes[-3:]}")
