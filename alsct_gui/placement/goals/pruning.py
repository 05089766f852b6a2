"""Taking a raw file away from a place, once it is proven to be safe at two others.

First it goes to quarantine, a folder beside, by renaming; days later it is deleted. Before
either, the copies are read again from beginning to end; what the ledger says of them does not
count. A copy that is missing then brings the file back.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from alsct_gui.model.errors import AlsctError, InputError, OutputError
from alsct_gui.model.placement import (
    MET,
    Evidence,
    ScanFacts,
    StepState,
    failed,
    waiting,
)
from alsct_gui.model.policy import Prune
from alsct_gui.placement.goals.base import BlockedError, Intent, NotYetError, Record, World
from alsct_gui.placement.goals.reading import FolderReader, Reader, proves
from alsct_gui.placement.wanted import DAY_S
from alsct_gui.superfacility.transfer.base import check_path

QUARANTINE = ".quarantine"
COPIES_NEEDED = 2


class Pruning:
    """Raw files that may go from a folder of this machine.

    Parameters
    ----------
    world
        What is known.
    rule
        When they may go.
    root
        The folder.
    copies
        What reads the copies, by place.
    """

    def __init__(self, world: World, rule: Prune, root: Path, copies: Mapping[str, Reader]) -> None:
        self._world, self._rule, self._root, self._copies = world, rule, root, copies
        self._here = FolderReader(root, world.clock)

    def observe(self, keys: Sequence[str]) -> Mapping[str, Evidence]:
        """Look that the file is gone, and read the copies again."""
        found = {}
        for key in keys:
            scan = self._world.scan(key)
            relative = self._world.relative(scan)
            if os.path.lexists(self._root / relative) or os.path.lexists(self._aside(relative)):
                continue
            copies = self._verified(relative, scan)
            if len(copies) >= COPIES_NEEDED:
                evidence = Evidence(str(self._root / relative), self._world.clock())
                found[key] = replace(evidence, copies=copies)
        return found

    def act(self, intent: Intent, record: Record) -> str:
        """Put the file into quarantine."""
        (key,) = intent.keys
        scan = self._world.scan(key)
        relative = self._world.relative(scan)
        aside = self._aside(relative)
        self._require_copies(relative, scan)
        if os.path.lexists(self._root / relative):
            seen = self._here.read({relative: scan}).get(relative)
            if seen is None or not proves(seen, scan, by_bytes=True):
                raise BlockedError(
                    "the raw file is not what was admitted, so it is kept", where=scan.path,
                    fix="Compare it with its copies",
                )  # fmt: skip
            _move(self._root / relative, aside)
        return f"{intent.time_s:.3f}/{intent.work}/{relative}"

    def poll(self, outside_id: str) -> StepState:
        """Wait for the end of the quarantine, read the copies once more, and delete."""
        began_s, aside, relative, scan = self._of(outside_id)
        until_s = began_s + self._rule.quarantine_days * DAY_S
        if self._world.clock() < until_s:
            return waiting("the end of its quarantine", until_s=until_s)
        if not os.path.lexists(aside):
            return MET
        try:
            self._require_copies(relative, scan)
        except NotYetError:
            raise
        except AlsctError as error:
            self._restore(aside, relative)
            return failed(f"{error.what}; the file was put back", error.fix)
        _remove(aside)
        return MET

    def cancel(self, outside_id: str) -> None:
        """Put the file back."""
        _, aside, relative, _ = self._of(outside_id)
        self._restore(aside, relative)

    def _of(self, outside_id: str) -> tuple[float, Path, str, ScanFacts]:
        """Take an id of `act` apart."""
        began, work, relative = outside_id.split("/", 2)
        check_path(relative)
        (key,) = self._world.observed.works[work].keys
        return float(began), self._aside(relative), relative, self._world.scan(key)

    def _aside(self, relative: str) -> Path:
        return self._root / QUARANTINE / relative

    def _require_copies(self, relative: str, scan: ScanFacts) -> None:
        copies = self._verified(relative, scan)
        if len(copies) < COPIES_NEEDED:
            have = ", ".join(text.split()[0] for text in copies) or "none"
            raise InputError(
                f"fewer than {COPIES_NEEDED} copies could be verified ({have})", where=scan.path,
                fix="The file is kept until they are whole",
            )  # fmt: skip

    def _verified(self, relative: str, scan: ScanFacts) -> tuple[str, ...]:
        """Read the copies again; each that is whole as ``place sha256``."""
        good = []
        for place in dict.fromkeys(self._rule.copies):
            reader = self._copies.get(place)
            if reader is None or place == self._rule.place:
                continue
            seen = reader.read({relative: scan}).get(relative)
            if seen is not None and proves(seen, scan, by_bytes=True):
                good.append(f"{place} {seen.sha256}")
        return tuple(good)

    def _restore(self, aside: Path, relative: str) -> None:
        if os.path.lexists(aside):
            _move(aside, self._root / relative)


def _move(source: Path, target: Path) -> None:
    """Rename a file; nothing that is there already is replaced."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(source, target, follow_symlinks=False)
        source.unlink()
        for folder in (target.parent, source.parent):
            _sync(folder)
    except FileExistsError:
        if not source.samefile(target):
            raise OutputError("another file has the name", where=str(target)) from None
        source.unlink()  # a kill fell between the two names
    except OSError as error:
        raise OutputError(f"cannot be moved ({error.strerror})", where=str(target)) from error


def _remove(path: Path) -> None:
    try:
        path.unlink()
        _sync(path.parent)
    except OSError as error:
        raise OutputError(f"cannot be removed ({error.strerror})", where=str(path)) from error


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
