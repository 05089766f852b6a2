"""From a policy and a scan to goals: what is wanted of it, where, and what must not be."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from alsct_gui.model.placement import ScanFacts
from alsct_gui.model.policy import Place, Policy, Product, Selection, Wish

DAY_S = 86400.0

Fits = Callable[[ScanFacts], bool]
_Rule = TypeVar("_Rule")


@dataclass(frozen=True, slots=True)
class Aim:
    """One product at one place, for every scan that it is wanted of."""

    suffix: str
    """Key of the goal without the scan in front."""
    product: Product
    place: Place
    needs: tuple[str, ...]
    """Suffixes of the goals that must be met before."""
    links: tuple[str, ...]
    """Links that must be up."""
    priority: int
    requires_proposal: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that is wanted of a scan."""

    every: tuple[Aim, ...]
    """All of these."""
    any_of: tuple[tuple[Aim, ...], ...]
    """Of each of these groups one, the first preferred."""
    prunes: tuple[tuple[Aim, float], ...]
    """To be taken away when older than so many seconds, after everything else."""


@dataclass(frozen=True, slots=True)
class _Sources:
    """Where a product finds what it is made from."""

    raw: list[str]
    """Places where the raw file is wanted."""
    made: dict[str, list[str]]
    """Places where a reconstruction is wanted in any case, by recipe."""


class Wanted:
    """A policy, made ready for many scans.

    Scans that fit the same selections share one plan, so a plan is made a few times only.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._places = {place.name: place for place in policy.places}
        selections = [wish.scans for wish in policy.wishes]
        selections += [ban.scans for ban in policy.bans]
        selections += [rule.scans for rule in policy.prunes]
        self._fits = tuple(matcher(selection) for selection in selections)
        self._plans: dict[tuple[bool, ...], Plan] = {}

    def plan(self, scan: ScanFacts) -> Plan:
        """Return what is wanted of a scan."""
        fit = tuple([fits(scan) for fits in self._fits])
        plan = self._plans.get(fit)
        if plan is None:
            plan = self._plans[fit] = self._make(fit)
        return plan

    def _make(self, fit: tuple[bool, ...]) -> Plan:
        policy = self._policy
        count, bans = len(policy.wishes), len(policy.bans)
        wishes = _kept(policy.wishes, fit)
        banned = {s for ban in _kept(policy.bans, fit[count:]) for s in ban.sites}
        prunes = _kept(policy.prunes, fit[count + bans :])
        raw_places = [
            name
            for wish in wishes
            if wish.product is Product.RAW
            for name in wish.places
            if self._places[name].site not in banned
        ]
        sources = _Sources(raw_places, self._made(wishes, banned))
        groups = [(wish, self._aims(wish, banned, sources)) for wish in wishes]
        admitted = self._aim(
            Wish("admitted", Product.RAW, (policy.admitted,)), policy.admitted, sources
        )
        every = {admitted.suffix: admitted}
        for wish, aims in groups:
            for aim in aims if wish.need == "all" else ():
                known = every.get(aim.suffix)
                if known is None or known.priority < aim.priority:
                    every[aim.suffix] = aim
        any_of = tuple(aims for wish, aims in groups if wish.need == "any" and aims)
        every_prune = tuple(
            (self._prune_aim(rule.place), rule.after_days * DAY_S)
            for rule in prunes
            if not {self._places[name].site for name in rule.copies} & banned
        )
        return Plan(tuple(every.values()), any_of, every_prune)

    def _made(self, wishes: list[Wish], banned: set[str]) -> dict[str, list[str]]:
        """Places where a reconstruction is wanted in any case, by recipe."""
        made: dict[str, list[str]] = {}
        for wish in wishes:
            names = [name for name in wish.places if self._places[name].site not in banned]
            certain = wish.need == "all" or len(names) == 1
            if wish.product is Product.RECONSTRUCTION and certain:
                made.setdefault(wish.recipe, []).extend(names)
        return made

    def _aims(self, wish: Wish, banned: set[str], sources: _Sources) -> tuple[Aim, ...]:
        return tuple(
            self._aim(wish, name, sources)
            for name in wish.places
            if self._places[name].site not in banned
        )

    def _aim(self, wish: Wish, name: str, sources: _Sources) -> Aim:
        place = self._places[name]
        recipe = self._policy.recipes.get(wish.recipe, "-")
        suffix = f"/{wish.product}/{name}/{recipe}"
        source = self._source(wish.product, place, sources.raw)
        needs = tuple(need for need in (f"/{Product.RAW}/{source}/-",) if need != suffix)
        if wish.product is Product.METADATA and wish.recipe:
            made = dict.fromkeys(sources.made.get(wish.recipe, ()))
            needs += tuple(f"/{Product.RECONSTRUCTION}/{source}/{recipe}" for source in made)
        links = place.links
        if wish.product is Product.RAW:
            # What is copied is read at the place where it was admitted.
            links = tuple(dict.fromkeys((*links, *self._places[source].links)))
        return Aim(suffix, wish.product, place, needs, links, wish.priority, wish.requires_proposal)

    def _source(self, product: Product, place: Place, raw_places: list[str]) -> str:
        """Name the place of the raw file that a product is made from."""
        admitted = self._policy.admitted
        at_site = product in (Product.RECONSTRUCTION, Product.ACCESS)
        if not at_site or self._places[admitted].site == place.site:
            return admitted
        return next((n for n in raw_places if self._places[n].site == place.site), admitted)

    def _prune_aim(self, name: str) -> Aim:
        place = self._places[name]
        return Aim(f"/{Product.PRUNED}/{name}/-", Product.PRUNED, place, (), place.links, 0, False)


def matcher(selection: Selection) -> Fits:
    """Return the function that says whether a scan fits a selection."""
    tests: list[Fits] = []
    if selection.proposal != "*":
        proposal = _pattern(selection.proposal)
        tests.append(lambda scan: proposal(scan.proposal))
    if selection.path != "*":
        path = _pattern(selection.path)
        tests.append(lambda scan: path(scan.path))
    if selection.export_controlled is not None:
        wanted = selection.export_controlled
        tests.append(lambda scan: scan.export_controlled is wanted)
    for key, text in selection.metadata.items():
        tests.append(_metadata_test(key, _pattern(text)))
    if not tests:
        return _always
    if len(tests) == 1:
        return tests[0]
    return lambda scan: all(test(scan) for test in tests)


def _always(_: ScanFacts) -> bool:
    return True


def _metadata_test(key: str, fits: Callable[[str], bool]) -> Fits:
    return lambda scan: key in scan.metadata and fits(scan.metadata[key])


def _pattern(text: str) -> Callable[[str], bool]:
    """Return a test of a text; most scans share few values, so answers are kept."""
    match = re.compile(fnmatch.translate(text)).match
    known: dict[str, bool] = {}

    def fits(value: str) -> bool:
        answer = known.get(value)
        if answer is None:
            answer = known[value] = match(value) is not None
        return answer

    return fits


def _kept(rules: Iterable[_Rule], fit: Iterable[bool]) -> list[_Rule]:
    return [rule for rule, fits in zip(rules, fit, strict=False) if fits]
