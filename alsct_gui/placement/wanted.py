"""From a policy and a scan to goals: what is wanted of it, where, and what must not be."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from alsct_gui.model.placement import (
    Asked,
    GoalKey,
    ScanFacts,
    StateKind,
    StepState,
    blocked,
)
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
    needs_one: tuple[tuple[str, ...], ...]
    """Of each of these groups of goals, by their suffixes, one must be met before."""
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
    refused: tuple[tuple[str, StepState], ...] = ()
    """Suffixes of what a person wants and cannot have, and why."""


PERSON_PRIORITY = 100
"""Priority of what a person asks for: above what policies use to want."""
_Fit = tuple[bool, ...]


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
        tests = [matcher(selection) for selection in selections]
        # Most selections are of all scans, which need not be asked of each.
        self._asks = tuple((n, fits) for n, fits in enumerate(tests) if fits is not _always)
        self._all = [True] * len(tests)
        self._plans: dict[tuple[_Fit, Asked | None], Plan] = {}

    def plan(self, scan: ScanFacts, asked: Asked | None = None) -> Plan:
        """Return what is wanted of a scan.

        Parameters
        ----------
        scan
            The scan.
        asked
            What persons want of it beside the policy.
        """
        found = tuple([fits(scan) for _, fits in self._asks])
        plan = self._plans.get((found, asked))
        if plan is None:
            fit = list(self._all)
            for (number, _), fits in zip(self._asks, found, strict=True):
                fit[number] = fits
            plan = self._plans[found, asked] = _Planning(self._policy, tuple(fit), asked).plan()
        return plan


class _Planning:
    """Makes the plan of scans that fit the same rules and that the same is asked of."""

    def __init__(self, policy: Policy, fit: _Fit, asked: Asked | None) -> None:
        self._policy, self._asked = policy, asked or Asked()
        self._places = {place.name: place for place in policy.places}
        count, bans = len(policy.wishes), len(policy.bans)
        self._wishes = _kept(policy.wishes, fit)
        rules = _kept(policy.bans, fit[count:])
        self._banned = {site: (ban.why or ban.name) for ban in rules for site in ban.sites}
        self._prunes = _kept(policy.prunes, fit[count + bans :])
        self._personal = [GoalKey.parse(suffix) for suffix in sorted(self._asked.wanted)]
        self._raw_places = self._places_of_raw()
        self._made = self._places_of_made(certain=True)
        self._makeable = self._places_of_made(certain=False)

    def plan(self) -> Plan:
        policy, asked = self._policy, self._asked
        admitted = self._aim(Product.RAW, policy.admitted)
        every = {admitted.suffix: admitted}
        any_of = []
        for wish in self._wishes:
            aims = [aim for aim in self._aims(wish) if aim.suffix not in asked.unwanted]
            if wish.need == "any" and aims:
                any_of.append(tuple(aims))
            for aim in aims if wish.need == "all" else ():
                _add(every, aim)
        for key in self._personal:
            if self._refusal(key.place) is None:
                _add(every, self._aim(
                    key.product, key.place, key.recipe, PERSON_PRIORITY,
                    requires_proposal=key.product is Product.ACCESS,
                ))  # fmt: skip
        for aim in [*every.values(), *(aim for group in any_of for aim in group)]:
            self._add_source(every, aim)
        prunes = tuple(
            (self._prune_aim(rule.place), rule.after_days * DAY_S)
            for rule in self._prunes
            if all(self._is_open(name) for name in rule.copies)
        )
        refusals = ((key.suffix, self._refusal(key.place)) for key in self._personal)
        refused = tuple((suffix, state) for suffix, state in refusals if state is not None)
        return Plan(tuple(every.values()), tuple(any_of), prunes, refused)

    def _places_of_raw(self) -> list[str]:
        """Names of the places where the raw file is wanted."""
        wished = [n for wish in self._wishes if wish.product is Product.RAW for n in wish.places]
        asked = [key.place for key in self._personal if key.product is Product.RAW]
        unwanted = self._asked.unwanted
        return [
            name for name in dict.fromkeys([*wished, *asked])
            if self._refusal(name) is None and f"/{Product.RAW}/{name}/-" not in unwanted
        ]  # fmt: skip

    def _places_of_made(self, *, certain: bool) -> dict[str, dict[str, None]]:
        """Names of the places where a reconstruction is wanted, by recipe.

        Parameters
        ----------
        certain
            Whether only those count where the policy wants one in any case; else also those
            of which one is enough, and those where a person wants one.
        """
        made: dict[str, dict[str, None]] = {}
        for wish in self._wishes:
            recipe = self._policy.recipes.get(wish.recipe, "-")
            suffix = f"/{wish.product}/{{}}/{recipe}"
            names = [
                name for name in wish.places
                if self._is_open(name) and suffix.format(name) not in self._asked.unwanted
            ]  # fmt: skip
            counts = not certain or wish.need == "all" or len(names) == 1
            if wish.product is Product.RECONSTRUCTION and counts:
                made.setdefault(recipe, {}).update(dict.fromkeys(names))
        for key in () if certain else self._personal:
            if key.product is Product.RECONSTRUCTION and self._refusal(key.place) is None:
                made.setdefault(key.recipe, {})[key.place] = None
        return made

    def _is_open(self, place: str) -> bool:
        return self._ban(place) is None

    def _ban(self, name: str) -> str | None:
        """Why nothing of these scans may be at a place, or come from it; None when it may."""
        place = self._places[name]
        source = self._places[place.source] if place.source else place
        return self._banned.get(place.site) or self._banned.get(source.site)

    def _refusal(self, place: str) -> StepState | None:
        """Why what a person wants at a place cannot be; None when it can."""
        if place not in self._places:
            return blocked(
                f"the policy has no place {place}", "Put the place back, or take the wish back"
            )
        why = self._ban(place)
        return None if why is None else StepState(StateKind.NOT_WANTED, cause=f"forbidden: {why}")

    def _aims(self, wish: Wish) -> tuple[Aim, ...]:
        recipe = self._policy.recipes.get(wish.recipe, "-")
        return tuple(
            self._aim(
                wish.product, name, recipe, wish.priority, requires_proposal=wish.requires_proposal
            )
            for name in wish.places
            if self._is_open(name)
        )

    def _aim(
        self, product: Product, name: str, recipe: str = "-", priority: int = 0,
        *, requires_proposal: bool = False,
    ) -> Aim:  # fmt: skip
        place = self._places[name]
        suffix = f"/{product}/{name}/{recipe}"
        need = self._source(product, place, recipe)
        more: tuple[str, ...] = ()
        one: tuple[tuple[str, ...], ...] = ()
        if product is Product.METADATA and recipe != "-":
            # The record of reconstructions tells of those that are wanted in any case; where
            # none is, of whichever comes to exist.
            made = f"/{Product.RECONSTRUCTION}/{{}}/{recipe}"
            more = tuple(made.format(where) for where in self._made.get(recipe, {}))
            one = () if more else (tuple(map(made.format, self._makeable.get(recipe, {}))),)
        links = place.links
        if product is Product.RAW or (product is Product.RECONSTRUCTION and place.source):
            # What is copied is read where it comes from.
            links = tuple(dict.fromkeys((*links, *self._places[need.split("/")[2]].links)))
        needs = () if need == suffix else (need, *more)
        return Aim(suffix, product, place, needs, one, links, priority, requires_proposal)

    def _source(self, product: Product, place: Place, recipe: str) -> str:
        """Return the suffix of the goal that a product is made from."""
        admitted = self._policy.admitted
        if product is Product.RECONSTRUCTION and place.source:
            return f"/{product}/{place.source}/{recipe}"
        source = admitted
        at_site = product in (Product.RECONSTRUCTION, Product.ACCESS)
        if at_site and self._places[admitted].site != place.site:
            near = (n for n in self._raw_places if self._places[n].site == place.site)
            source = next(near, admitted)
        return f"/{Product.RAW}/{source}/-"

    def _add_source(self, every: dict[str, Aim], aim: Aim) -> None:
        """Want what a product is brought from, too."""
        source = aim.place.source
        if aim.product is Product.RECONSTRUCTION and source and self._is_open(source):
            recipe = aim.suffix.rpartition("/")[2]
            _add(every, self._aim(aim.product, source, recipe, aim.priority))

    def _prune_aim(self, name: str) -> Aim:
        place = self._places[name]
        return Aim(
            f"/{Product.PRUNED}/{name}/-", Product.PRUNED, place, (), (), place.links, 0, False
        )


def _add(every: dict[str, Aim], aim: Aim) -> None:
    """Want a goal; the more urgent of two wishes counts."""
    known = every.get(aim.suffix)
    if known is None or known.priority < aim.priority:
        every[aim.suffix] = aim


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
