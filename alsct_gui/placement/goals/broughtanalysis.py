"""Analyses that were made elsewhere and are brought here: compared byte by byte.

A table says nothing of its own that could be counted. So the bytes of every file are read where
it was made, while files travel, and again here; sizes and SHA-256 have to agree before anything
gets its name. A name that something else has by then is moved aside, as the steps do.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath

from alsct_gui.files.writers.partial import make_way
from alsct_gui.model.placement import MET, Evidence, GoalKey, StateKind, StepState, failed, waiting
from alsct_gui.model.policy import Place, Sheet
from alsct_gui.placement.goals.analysed import analysis_path, look_at_analyses
from alsct_gui.placement.goals.analysis import Analyses
from alsct_gui.placement.goals.base import NotYetError, World
from alsct_gui.placement.goals.bringing import (
    BroughtGoals,
    Listing,
    Parcel,
    Way,
    read_listing,
    regular_bytes,
    unnamed,
)
from alsct_gui.placement.goals.later import LaterReader
from alsct_gui.placement.sheets import Sheets
from alsct_gui.superfacility.compute.look import Looker

_SUMS = "its checksums"
"""What a product waits for whose bytes are being read."""


class BroughtAnalyses(BroughtGoals):
    """Analyses of another place, in a folder of this machine.

    Parameters
    ----------
    world
        What is known.
    place
        The place; its root is a folder of this machine.
    made
        What sees to the products where they are made.
    way
        How files get here.
    here, there
        What looks at files of this machine, and at those of the other place.
    """

    def __init__(
        self, world: World, place: Place, made: Analyses, way: Way, here: Looker, there: Looker
    ) -> None:
        super().__init__(world, place, way)
        self._made, self._looker = made, here
        self._sheets = Sheets(world.policy, world.observed.recipes)
        self.readings = (
            LaterReader(there, way.source_root, world.clock),
            LaterReader(here, place.root, world.clock),
        )
        """What reads bytes beside the agent: there, and here."""

    def observe(self, keys: Sequence[str]) -> Mapping[str, Evidence]:
        """List what is here, and read how it was made."""
        return self._whole({key: self._output(key) for key in keys})

    def _parcel(self, key: str) -> Parcel:
        there = self._there(key)
        parcel = self._made.list_files((there,)).get(there)
        if parcel is None:
            raise self._gone()
        self._read(0, key, self._below(parcel.folder, parcel.files))  # so that it has begun
        return parcel

    def _meanwhile(self, key: str) -> None:
        with suppress(OSError, ValueError, KeyError, TypeError):  # it is told at the end
            listing = read_listing(self.aside(key))
            if not listing["sums"]:
                self._sum(key, listing)

    def _settle(self, key: str) -> StepState:
        aside = self.aside(key)
        try:
            listing = read_listing(aside)
        except FileNotFoundError:
            return MET  # it has its name already, or whoever looks sees that it has not
        except (OSError, ValueError, KeyError, TypeError) as error:
            return failed(f"what was to arrive is not known any more ({error})")
        if self.observe((key,)):
            shutil.rmtree(aside)  # a kill fell between the new name and the end, or it was made
            return MET
        state = MET if listing["sums"] else self._sum(key, listing)
        if state.kind is not StateKind.MET:
            return state
        listing = read_listing(aside)
        state = self._compare(key, listing)
        return state if state.kind is not StateKind.MET else self._name(key, listing)

    def _sum(self, key: str, listing: Listing) -> StepState:
        """Write down the checksums of the files where they were made, once they are read."""
        folder = str(PurePosixPath(self._made.output(self._there(key))).parent)
        names = self._below(folder, listing["files"])
        seen = self._read(0, key, names)
        if isinstance(seen, StepState):
            return seen
        for path, name in names.items():
            found = seen.get(path)
            if found is None or found.size_bytes != listing["files"][name]:
                return failed(f"{name!r} has changed at {self._place.source} since it was listed")
        sums = {name: seen[path].sha256 for path, name in names.items()}
        self._keep(key, {"files": listing["files"], "sums": sums})
        return MET

    def _compare(self, key: str, listing: Listing) -> StepState:
        """Say what the files here lack, or that they are not read yet."""
        aside, output = self.aside(key), self._output(key)
        # A kill may have fallen between two names that were given: look under either.
        lies = {
            name: aside / name if os.path.lexists(aside / name) else output.parent / name
            for name in listing["files"]
        }
        for name, path in lies.items():
            found, expected = regular_bytes(path), listing["files"][name]
            if found != expected:
                return self._wrong(key, name, f"has {found or 'no'} bytes of {expected}")
        root = self._place.root
        names = {str(path.relative_to(root)): name for name, path in lies.items()}
        seen = self._read(1, key, names)
        if isinstance(seen, StepState):
            return seen
        for below, name in names.items():
            read = seen.get(below)
            if read is None or read.sha256 != listing["sums"].get(name):
                return self._wrong(key, name, f"has other bytes than at {self._place.source}")
        is_aside = all(path.is_relative_to(aside) for path in lies.values())
        if is_aside and not self._whole({key: aside / output.name}):
            return failed("the product that has arrived is not whole")
        return MET

    def _wrong(self, key: str, name: str, what: str) -> StepState:
        """A file is not what was sent: what has arrived of it goes, and is sent again."""
        (self.aside(key) / name).unlink(missing_ok=True)
        return failed(f"{name!r} {what}")

    def _name(self, key: str, listing: Listing) -> StepState:
        """Give the product its name; how it was made goes first, so that it is never alone."""
        aside, output = self.aside(key), self._output(key)
        names = {name.partition("/")[0] for name in listing["files"]}
        for name in sorted(names, key=lambda name: name == output.name):
            if not (aside / name).exists():
                continue  # it has its name already
            try:
                make_way(output.with_name(name), replace=True)
                (aside / name).rename(output.with_name(name))
            except OSError as error:
                raise unnamed(aside / name, error) from error
        shutil.rmtree(aside)
        return MET

    def _read(
        self, end: int, key: str, names: Mapping[str, str]
    ) -> Mapping[str, Evidence] | StepState:
        """Return what was read of files, by their paths below the root of an end, or a state."""
        asked = dict.fromkeys(names, self._world.scan(key))
        try:
            return self.readings[end].read(asked)
        except NotYetError as error:
            return waiting(_SUMS, error.what)

    def _below(self, folder: str, names: Mapping[str, object]) -> dict[str, str]:
        """Names of files by their paths below the root of the other place."""
        below = PurePosixPath(folder).relative_to(self._way.source_root)
        return {str(below / name): name for name in names}

    def _whole(self, paths: Mapping[str, Path]) -> dict[str, Evidence]:
        """Evidence of the goals whose product is whole at a path."""
        sheets = {key: self._sheet(key) for key in paths}
        places = {key: str(path) for key, path in paths.items()}
        return look_at_analyses(self._looker, places, sheets, self._world, self._sheets.find)[0]

    def _sheet(self, key: str) -> Sheet:
        return self._sheets.find(GoalKey.parse(key).recipe)

    def _output(self, key: str) -> Path:
        relative = self._world.relative(self._world.scan(key))
        return Path(analysis_path(self._place.root, relative, self._sheet(key)))
