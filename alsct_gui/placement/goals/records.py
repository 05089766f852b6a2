"""Records of scans, and of what was made of them, in a catalogue of metadata outside.

A goal without a recipe is the record of the raw scan. A goal with one is the record of the
reconstruction by that recipe, wherever it is; each is a record with a key, evidence and
failures of its own, and one that is not there yet does not hold up the other.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from alsct_gui.files.open import open_scan
from alsct_gui.model.errors import AlsctError
from alsct_gui.model.placement import (
    MET,
    Evidence,
    GoalKey,
    ScanFacts,
    StateKind,
    StepState,
    scan_part,
)
from alsct_gui.model.policy import Product
from alsct_gui.placement.goals.base import BlockedError, Intent, World
from alsct_gui.placement.goals.base import Record as Note
from alsct_gui.superfacility.errors import NeedsPersonError
from alsct_gui.superfacility.metadata.base import (
    MetadataCatalogue,
    Record,
    differences,
    digest,
)
from alsct_gui.superfacility.metadata.build import (
    RecordRules,
    bare_derived_record,
    bare_record,
    derived_pid,
    derived_record,
    iso,
    raw_pid,
    raw_record,
)
from alsct_gui.superfacility.metadata.mapping import load_table
from alsct_gui.superfacility.metadata.products import ProductReader


class NotMadeError(AlsctError):
    """There is no reconstruction yet that a record could be about."""


@dataclass(frozen=True, slots=True)
class RecordSettings:
    """What records are made with; from the profile."""

    rules: RecordRules
    """What they have in common."""
    raw_place: str = ""
    """Place whose folder raw records name; empty for the one where scans are admitted."""
    readers: Mapping[str, ProductReader] = field(default_factory=dict)
    """Who reads products, by place; the first that has one is what a record is about."""


class RecordGoals:
    """Records of scans and of reconstructions.

    Parameters
    ----------
    world
        What is known.
    catalogue
        Who keeps the records.
    settings
        What they are made with.
    """

    def __init__(
        self, world: World, catalogue: MetadataCatalogue, settings: RecordSettings
    ) -> None:
        self._world, self._catalogue, self._settings = world, catalogue, settings
        known = {place.name for place in world.policy.places if place.root}
        if settings.raw_place and settings.raw_place not in known:
            raise BlockedError(
                f"{settings.raw_place[:80]!r} is no place with a folder", where="profile: scicat",
                fix="Name a place of the policy",
            )  # fmt: skip

    def observe(self, keys: Sequence[str]) -> Mapping[str, Evidence]:
        """Read the records back, and compare them with what they should say."""
        found = {}
        for key in keys:
            scan, recipe = self._of(key)
            stored = self._catalogue.read(self._pid(scan, recipe))
            if stored is None or differences(self._expected(scan, recipe), stored):
                continue
            found[key] = Evidence(
                self._catalogue.address(stored.pid), self._world.clock(),
                record=f"{stored.pid} {digest(stored)}",
            )  # fmt: skip
        return found

    def act(self, intent: Intent, record: Note) -> str:
        """Have the records there; done when this returns.

        The key of each is made from the scan and the recipe, so that nothing has to be
        recorded before: the catalogue knows it again.
        """
        for key in intent.keys:
            self._catalogue.upsert(self._wanted(*self._of(key)))
        return intent.work

    def poll(self, outside_id: str) -> StepState:
        """It was done at once; whether it is so, the reconciler sees for itself."""
        return MET

    def cancel(self, outside_id: str) -> None:
        """Nothing runs; a record that was made stays."""

    def _of(self, key: str) -> tuple[ScanFacts, str]:
        recipe = GoalKey.parse(key).recipe
        return self._world.scan(key), "" if recipe == "-" else recipe

    def _pid(self, scan: ScanFacts, recipe: str) -> str:
        rules = self._settings.rules
        return derived_pid(rules, scan.id, recipe) if recipe else raw_pid(rules, scan.id)

    def _wanted(self, scan: ScanFacts, recipe: str) -> Record:
        """Return what a record should say, by the file itself."""
        if recipe:
            return self._wanted_derived(scan, recipe)
        path = Path(scan.path)
        try:
            facts = os.stat(path, follow_symlinks=False)  # noqa: PTH116 (links are refused)
        except OSError as error:
            raise BlockedError(
                f"its metadata cannot be read here ({error.strerror})", where=scan.path,
                fix="Bring the raw file back from another place, and retry",
            ) from error  # fmt: skip
        if not stat.S_ISREG(facts.st_mode) or facts.st_size != scan.size_bytes:
            raise BlockedError(
                "the raw file is not what was admitted, so it is not told as that",
                where=scan.path, fix="Compare it with its copies",
            )  # fmt: skip
        with open_scan(path) as opened:
            table = load_table(opened.layout)
            return raw_record(
                opened, scan, self._settings.rules, table, self._raw_folder(scan),
                iso(facts.st_mtime),
            )  # fmt: skip

    def _expected(self, scan: ScanFacts, recipe: str) -> Record:
        """Return what a record must say; by the ledger alone where file or product has gone."""
        rules = self._settings.rules
        if recipe:
            try:
                return self._wanted_derived(scan, recipe)
            except NotMadeError:
                return bare_derived_record(scan, recipe, rules)
        if Path(scan.path).exists():
            return self._wanted(scan, recipe)
        return bare_record(scan, rules, self._raw_folder(scan))

    def _raw_folder(self, scan: ScanFacts) -> str:
        world = self._world
        place = world.place(self._settings.raw_place or world.policy.admitted)
        return str(PurePosixPath(place.root, world.relative(scan)).parent)

    def _wanted_derived(self, scan: ScanFacts, recipe: str) -> Record:
        place, where = self._product(scan, recipe)
        made = self._settings.readers[place].read(where)
        return derived_record(made, scan, recipe, self._settings.rules, made.folder)

    def _product(self, scan: ScanFacts, recipe: str) -> tuple[str, str]:
        """Return place and path of a reconstruction that is there.

        Raises
        ------
        NotMadeError
            There is none.
        NeedsPersonError
            There is one, and nobody reads it.
        """
        there, part = {}, scan_part(scan.id)
        for place in self._world.policy.places:
            key = GoalKey(part, Product.RECONSTRUCTION, place.name, recipe).text
            goal = self._world.observed.goals.get(key)
            if goal is not None and goal.state.kind is StateKind.MET and goal.evidence is not None:
                there[place.name] = goal.evidence.where
        for name in self._settings.readers:
            if name in there:
                return name, there[name]
        if there:
            raise NeedsPersonError(
                f"the reconstruction at {', '.join(there)} cannot be read from here",
                where=scan.path, fix="Say in the profile how products are read there",
            )  # fmt: skip
        raise NotMadeError(
            "there is no reconstruction by this recipe yet", where=scan.path,
            fix="It is looked for again by itself",
        )  # fmt: skip
