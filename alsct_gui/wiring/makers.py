"""Who sees to goals that need a service outside: which client, which folder, which groups."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from alsct_gui.model.placement import GoalKey
from alsct_gui.model.policy import Place, Policy, Product
from alsct_gui.placement.goals.base import BlockedError, Goals, World
from alsct_gui.placement.goals.reading import Reader, TransferReader
from alsct_gui.placement.recipes import Recipes
from alsct_gui.placement.services import Maker, ReaderMaker
from alsct_gui.wiring.outside import Outside, collection_of, groups_of

if TYPE_CHECKING:
    from alsct_gui.placement.goals.analysis import Analyses
    from alsct_gui.placement.goals.bringing import Way
    from alsct_gui.placement.goals.computed import ComputedReconstructions
    from alsct_gui.superfacility.metadata.products import ProductReader


@dataclass(frozen=True, slots=True)
class Makers:
    """Makers of goals, from clients and a policy whose places have their roots."""

    outside: Outside
    policy: Policy
    catalog: Path
    """This program's own catalogue."""
    steps: Path
    """Folder of the jobs of this workstation."""

    def makers(self) -> dict[tuple[Product, str], Maker]:
        """Return makers by product and lane."""
        found: dict[tuple[Product, str], Maker] = {}
        for lane in self.policy.lanes:
            found[Product.METADATA, lane.name] = self.records
            found[Product.ACCESS, lane.name] = self.access
            found[Product.CATALOGUE, lane.name] = self.catalogue
        for name in self._lanes("globus"):
            found[Product.RAW, name] = self.raw
            found[Product.RECONSTRUCTION, name] = self.brought
            found[Product.ANALYSIS, name] = self.brought_analyses
        for name in self._lanes("nersc"):
            found[Product.RECONSTRUCTION, name] = self.computed
            found[Product.ANALYSIS, name] = self.analysed
        return found

    def readers(self) -> dict[str, ReaderMaker]:
        """Return what reads files of places that only Globus reaches, by lane."""
        return dict.fromkeys(self._lanes("globus"), self.reader)

    def raw(self, world: World, key: GoalKey) -> Goals:
        """Copies of raw files by Globus, read a second time at NERSC."""
        from alsct_gui.placement.goals.later import LaterReader
        from alsct_gui.placement.goals.raw import RawCopies

        place, transfer = world.place(key.place), self.outside.globus()
        target = self.outside.address(place)
        second = None
        if self._is_at_nersc(place) and self.outside.has_nersc:
            second = LaterReader(self.outside.nersc(), place.root, world.clock)
        return RawCopies(
            world, place.name, transfer, TransferReader(transfer, target, world.clock),
            source=self.outside.address(world.admitted), target=target, second=second,
        )  # fmt: skip

    def computed(self, world: World, key: GoalKey) -> Goals:
        """Reconstructions by jobs at NERSC."""
        return self._computed(world, world.place(key.place))

    def analysed(self, world: World, key: GoalKey) -> Goals:
        """Analyses by jobs at NERSC."""
        return self._analysed(world, world.place(key.place))

    def brought(self, world: World, key: GoalKey) -> Goals:
        """Reconstructions that NERSC has made, brought to a folder of this machine."""
        from alsct_gui.placement.goals.brought import BroughtReconstructions

        place, source = self._ends(world, key)
        return BroughtReconstructions(
            world, place, Recipes(world.policy, world.observed).find,
            self._computed(world, source), self._way(place, source),
        )  # fmt: skip

    def brought_analyses(self, world: World, key: GoalKey) -> Goals:
        """Analyses that NERSC has made, brought to a folder of this machine."""
        from alsct_gui.placement.goals.broughtanalysis import BroughtAnalyses

        place, source = self._ends(world, key)
        return BroughtAnalyses(
            world, place, self._analysed(world, source), self._way(place, source),
            self.outside.here(self.steps), self.outside.nersc(),
        )  # fmt: skip

    def records(self, world: World, key: GoalKey) -> Goals:
        """Records in SciCat."""
        scicat, known = self.outside.scicat(), self.outside.profile.scicat
        # scitacean and what it needs are slow to import.
        from alsct_gui.placement.goals.records import RecordGoals, RecordSettings
        from alsct_gui.superfacility.metadata.build import RecordRules

        rules = RecordRules(
            known.pid_prefix, known.contact, groups_of(known.groups), known.access_groups,
            known.location, known.keywords,
        )  # fmt: skip
        return RecordGoals(world, scicat, RecordSettings(rules, readers=self.products(world)))

    def products(self, world: World) -> dict[str, ProductReader]:
        """What reads products for their records, by place, those that last first.

        Scratch at the beamline is pruned: where there is a copy at NERSC, a record tells of that.
        """
        from alsct_gui.superfacility.metadata.products import FolderProducts, LookedProducts

        inside = {site.name for site in world.policy.sites if not site.outside}
        there: dict[str, ProductReader] = {}
        here: dict[str, ProductReader] = {}
        for place in world.policy.places:
            if place.site in inside and place.root:
                here[place.name] = FolderProducts()
            elif place.root and self._is_at_nersc(place) and self.outside.has_nersc:
                there[place.name] = LookedProducts(self.outside.nersc())
        return there | here

    def access(self, world: World, key: GoalKey) -> Goals:
        """Access for the people of a proposal, by every way in that is set up."""
        from alsct_gui.placement.goals.access import AccessGoals
        from alsct_gui.superfacility.access.base import AccessGate
        from alsct_gui.superfacility.access.posix import PosixGate, PosixRules

        profile, place = self.outside.profile, world.place(key.place)
        gates: list[AccessGate] = []
        files, rules = groups_of(profile.nersc.groups), groups_of(profile.globus.groups)
        is_at_nersc = place.root and self._is_at_nersc(place) and self.outside.has_nersc
        if is_at_nersc and (files.table or files.pattern):
            posix = PosixRules(place.root, files, profile.nersc.access)
            gates.append(PosixGate(self.outside.nersc(), posix))
        collection = collection_of(profile, place)
        reached = self.outside.has_globus and collection is not None and collection.uuid
        if collection is not None and reached and (rules.table or rules.pattern):
            from alsct_gui.superfacility.access.globus import GlobusGate, GlobusRules

            _, _, base = self.outside.address(place).partition(":/")
            way = GlobusRules(collection.uuid, rules, base)
            gates.append(GlobusGate(self.outside.globus(), way))
        return AccessGoals(world, place.name, gates, lasts_days=profile.access_days)

    def catalogue(self, world: World, key: GoalKey) -> Goals:
        """Rows in this program's own catalogue."""
        from alsct_gui.placement.goals.catalogue import CatalogueRows
        from alsct_gui.wiring.rows import ScanRows

        return CatalogueRows(world, ScanRows(self.catalog))

    def reader(self, world: World, place: Place) -> Reader:
        """What reads files of a place: by commands at NERSC, else what Globus lists."""
        from alsct_gui.placement.goals.later import LaterReader

        if self._is_at_nersc(place) and self.outside.has_nersc:
            return LaterReader(self.outside.nersc(), place.root, world.clock)
        return TransferReader(self.outside.globus(), self.outside.address(place), world.clock)

    def _computed(self, world: World, place: Place) -> ComputedReconstructions:
        from alsct_gui.placement.goals.computed import ComputedReconstructions
        from alsct_gui.placement.goals.jobs import Computer

        nersc = self.outside.nersc()
        computer = Computer(nersc, nersc, self.outside.resources, self.outside.profile.nersc.stage)
        recipes = Recipes(world.policy, world.observed)
        return ComputedReconstructions(world, place, recipes.find, computer)

    def _analysed(self, world: World, place: Place) -> Analyses:
        from alsct_gui.placement.goals.analysis import Analyses
        from alsct_gui.placement.goals.jobs import Computer

        nersc = self.outside.nersc()
        return Analyses(world, place, Computer(nersc, nersc, self.outside.step_resources))

    def _ends(self, world: World, key: GoalKey) -> tuple[Place, Place]:
        """The place of what is brought, and the one that it comes from."""
        place = world.place(key.place)
        if not place.source:
            raise BlockedError(
                f"nothing says where products at {place.name} come from", where="policy",
                fix="Give the place a source",
            )  # fmt: skip
        return place, world.place(place.source)

    def _way(self, place: Place, source: Place) -> Way:
        from alsct_gui.placement.goals.bringing import Way

        return Way(
            self.outside.globus(), self.outside.address(source), self.outside.address(place),
            source.root,
        )  # fmt: skip

    def _lanes(self, by: str) -> list[str]:
        return [lane.name for lane in self.policy.lanes if lane.by == by]

    def _is_at_nersc(self, place: Place) -> bool:
        """Whether commands at NERSC can look at a place: it is at the site of the jobs."""
        lanes = set(self._lanes("nersc"))
        return any(p.site == place.site for p in self.policy.places if p.lane in lanes)
