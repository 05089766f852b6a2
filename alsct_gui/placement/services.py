"""Who sees to which goal: the one place where goals and what pursues them are put together.

What is of this machine is made here; what needs a client of a service outside is made by
`Means.makers`, which whoever wires the program hands in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from alsct_gui.model.placement import GoalKey, Observed
from alsct_gui.model.policy import Place, Policy, Product
from alsct_gui.placement.goals.base import BlockedError, Clock, Goals, World
from alsct_gui.placement.goals.pruning import Pruning
from alsct_gui.placement.goals.raw import AdmittedRaw, RawCopies
from alsct_gui.placement.goals.reading import FolderReader, Reader, TransferReader
from alsct_gui.placement.recipes import Recipes
from alsct_gui.placement.runs.queue import RunQueue
from alsct_gui.superfacility.compute.here import Here
from alsct_gui.superfacility.transfer.base import Transfer
from alsct_gui.superfacility.transfer.local import LocalTransfer

Maker = Callable[[World, GoalKey], Goals]
"""Makes what sees to the goals of a product at a place; raises `BlockedError` when it cannot."""
ReaderMaker = Callable[[World, Place], Reader]


@dataclass(frozen=True, slots=True)
class Means:
    """What goals are pursued with."""

    policy: Policy
    clock: Clock
    queue: RunQueue
    """Runs of this workstation."""
    transfers: Mapping[str, Transfer] = field(default_factory=dict)
    """What moves files, by lane."""
    addresses: Mapping[str, str] = field(default_factory=dict)
    """What a transfer calls a place, where that is not its root."""
    makers: Mapping[tuple[Product, str], Maker] = field(default_factory=dict)
    """Further goals by product and lane: of services, and of other sites."""
    threads: int = 0
    """Processor threads of a run; 0 for all."""
    readers: Mapping[str, ReaderMaker] = field(default_factory=dict)
    """What reads files of places that are not here, by lane."""
    steps: Callable[[], Here] | None = None
    """Returns what runs steps on this workstation; None where none are run."""

    def goals(self, observed: Observed) -> Callable[[GoalKey], Goals]:
        """Return the function that finds who sees to a goal; see `agent.Services`."""
        return _Finder(self, World(self.policy, observed, self.clock)).find

    def address(self, place: Place) -> str:
        """Return what a transfer calls a place."""
        return self.addresses.get(place.name, place.root)


class _Finder:
    """Makes each kind of goals once."""

    def __init__(self, means: Means, world: World) -> None:
        self._means, self._world = means, world
        self._inside = {site.name for site in means.policy.sites if not site.outside}
        self._known: dict[tuple[Product, str], Goals] = {}

    def find(self, key: GoalKey) -> Goals:
        """Return who sees to a goal.

        Raises
        ------
        BlockedError
            Nobody does.
        """
        mark = (key.product, key.place)
        if mark not in self._known:
            self._known[mark] = self._make(key)
        return self._known[mark]

    def _make(self, key: GoalKey) -> Goals:
        means, world = self._means, self._world
        place = world.place(key.place)
        maker = means.makers.get((key.product, place.lane))
        if maker is not None:
            return maker(world, key)
        inside = place.site in self._inside
        if key.product is Product.RAW:
            reader = self._reader(place)
            if reader is not None and place.name == world.policy.admitted:
                return AdmittedRaw(world, reader)
            if reader is not None and place.lane in means.transfers:
                return RawCopies(
                    world, place.name, means.transfers[place.lane], reader,
                    source=means.address(world.admitted), target=means.address(place),
                )  # fmt: skip
        if key.product is Product.RECONSTRUCTION and inside and place.root and not place.source:
            return self._reconstructions(place)
        if key.product is Product.ANALYSIS and inside and place.root and not place.source:
            return self._analyses(place)
        if key.product is Product.PRUNED and inside and place.root:
            rule = next(rule for rule in world.policy.prunes if rule.place == place.name)
            readers = ((name, self._reader(world.place(name))) for name in rule.copies)
            copies = {name: reader for name, reader in readers if reader is not None}
            return Pruning(world, rule, Path(place.root), copies)
        raise BlockedError(
            f"no service is set up for {key.product} at {place.name}", where=place.lane,
            fix="Set it up in the profile, or take the wish out of the policy",
        )  # fmt: skip

    def _reconstructions(self, place: Place) -> Goals:
        # Reading products takes libraries that an agent without such goals need not load.
        from alsct_gui.placement.goals.reconstruction import LocalReconstructions

        means, world = self._means, self._world
        recipes = Recipes(world.policy, world.observed)
        return LocalReconstructions(
            world, Path(place.root), recipes.find, means.queue, threads=means.threads
        )

    def _analyses(self, place: Place) -> Goals:
        from alsct_gui.placement.goals.analysis import Analyses, this_workstation

        if self._means.steps is None:
            raise BlockedError("nothing runs steps here", where=place.name, fix="Update the agent")
        here = this_workstation(self._means.steps(), self._means.threads)
        return Analyses(self._world, place, here)

    def _reader(self, place: Place) -> Reader | None:
        maker = self._means.readers.get(place.lane)
        if maker is not None:
            return maker(self._world, place)
        transfer = self._means.transfers.get(place.lane)
        if transfer is not None:  # it also bears a disk that hangs
            return TransferReader(transfer, self._means.address(place), self._world.clock)
        if place.site in self._inside and place.root:
            return FolderReader(Path(place.root), self._world.clock)
        return None


def local_transfers(policy: Policy, ledger: Path) -> dict[str, Transfer]:
    """Return what copies between folders of this machine, for the lanes that only do that.

    What is known of the copies lies beside the ledger.
    """
    inside = {site.name for site in policy.sites if not site.outside}
    outside_lanes = {place.lane for place in policy.places if place.site not in inside}
    outside_lanes |= {lane.name for lane in policy.lanes if lane.by != "here"}
    lanes = {place.lane for place in policy.places if place.root} - outside_lanes
    folder = ledger.with_name(f"{ledger.name}.copies")
    return {lane: LocalTransfer(folder / lane) for lane in sorted(lanes)}
