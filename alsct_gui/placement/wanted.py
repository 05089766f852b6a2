"""From a policy and a scan to goals: what is wanted of it, where, and what must not be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from alsct_gui.model.placement import (
    Asked,
    GoalKey,
    ScanFacts,
    StateKind,
    StepState,
    blocked,
)
from alsct_gui.model.policy import Place, Policy, Product, Source, Wish
from alsct_gui.placement.matching import is_of_all, matcher
from alsct_gui.placement.sheets import Sheets

DAY_S = 86400.0

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


_BROUGHT = (Product.RECONSTRUCTION, Product.ANALYSIS)
"""What a place with a source gets from there."""
PERSON_PRIORITY = 100
"""Priority of what a person asks for: above what policies use to want."""
_Fit = tuple[bool, ...]


class Wanted:
    """A policy, made ready for many scans.

    Scans that fit the same selections share one plan, so a plan is made a few times only.

    Parameters
    ----------
    policy
        What is wanted.
    kept
        `Observed.recipes`: sheets of the analyses that persons asked for.
    """

    def __init__(self, policy: Policy, kept: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        self._policy, self._sheets = policy, Sheets(policy, {} if kept is None else kept)
        self._places = {place.name: place for place in policy.places}
        selections = [wish.scans for wish in policy.wishes]
        selections += [ban.scans for ban in policy.bans]
        selections += [rule.scans for rule in policy.prunes]
        tests = [matcher(selection) for selection in selections]
        # Most selections are of all scans, which need not be asked of each.
        self._asks = tuple((n, fits) for n, fits in enumerate(tests) if not is_of_all(fits))
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
            planning = _Planning(self._policy, tuple(fit), asked, self._sheets)
            plan = self._plans[found, asked] = planning.plan()
        return plan


class _Planning:
    """Makes the plan of scans that fit the same rules and that the same is asked of."""

    def __init__(self, policy: Policy, fit: _Fit, asked: Asked | None, sheets: Sheets) -> None:
        self._policy, self._asked, self._sheets = policy, asked or Asked(), sheets
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
            if self._refusal_of(key) is None:
                _add(every, self._aim(
                    key.product, key.place, key.recipe, PERSON_PRIORITY,
                    requires_proposal=key.product is Product.ACCESS,
                ))  # fmt: skip
        for aim in [*every.values(), *(aim for group in any_of for aim in group)]:
            self._add_source(every, aim)
        any_of.sort(key=lambda group: self._depth(group[0]))
        maybe = [aim for group in any_of for aim in group]
        self._add_inputs(every, maybe)
        known = {aim.suffix: aim for aim in (*maybe, *every.values())}
        prunes = tuple(
            (self._prune_aim(rule.place), rule.after_days * DAY_S)
            for rule in self._prunes
            if all(self._is_open(name) for name in rule.copies)
        )
        refusals = ((key.suffix, self._refusal_of(key)) for key in self._personal)
        refused = tuple((suffix, state) for suffix, state in refusals if state is not None)
        return Plan(
            tuple(self._made_of(aim, known) for aim in every.values()),
            tuple(tuple(self._made_of(aim, known) for aim in group) for group in any_of),
            prunes, refused,
        )  # fmt: skip

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

    def _refusal_of(self, key: GoalKey) -> StepState | None:
        """Why what a person wants cannot be; None when it can."""
        state = self._refusal(key.place)
        if state is not None or key.product is not Product.ANALYSIS:
            return state
        if self._sheets.get(key.recipe) is None:
            return blocked("the analysis is not known any more", "Ask for it again")
        return None

    def _aims(self, wish: Wish) -> tuple[Aim, ...]:
        mark = self._policy.mark_of(wish)
        return tuple(
            self._aim(
                wish.product, name, mark, wish.priority, requires_proposal=wish.requires_proposal
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
        is_brought = bool(place.source) and product in _BROUGHT
        if product is Product.ANALYSIS and not is_brought:
            # What it is made of is known when all else is.
            return Aim(suffix, product, place, (), (), place.links, priority, requires_proposal)
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
        if product is Product.RAW or is_brought:
            # What is copied is read where it comes from.
            links = tuple(dict.fromkeys((*links, *self._places[need.split("/")[2]].links)))
        needs = () if need == suffix else (need, *more)
        return Aim(suffix, product, place, needs, one, links, priority, requires_proposal)

    def _source(self, product: Product, place: Place, recipe: str) -> str:
        """Return the suffix of the goal that a product is made from."""
        admitted = self._policy.admitted
        if product in _BROUGHT and place.source:
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
        if aim.product in _BROUGHT and source and self._is_open(source):
            _add(every, self._aim(aim.product, source, _mark(aim.suffix), aim.priority))

    def _add_inputs(self, every: dict[str, Aim], maybe: list[Aim]) -> None:
        """Want what analyses are made of at their own place, where their site is to hold none.

        Parameters
        ----------
        every
            What is wanted in any case; what is added goes in here.
        maybe
            What is wanted where one of several places is enough.
        """
        waiting = [aim for aim in (*every.values(), *maybe) if _is_made_of(aim)]
        while waiting:
            aim = waiting.pop()
            # What is needed in any case must not hang on what may be made at another site.
            others = list(every.values()) if aim.suffix in every else [*every.values(), *maybe]
            for source in self._inputs(aim):
                if any(_holds(other, source, aim.place.site) for other in others):
                    continue
                mine = self._aim(source.product, aim.place.name, source.mark, aim.priority)
                if mine.suffix not in self._asked.unwanted:
                    _add(every, mine)
                    waiting += [mine] if _is_made_of(mine) else []

    def _made_of(self, aim: Aim, known: Mapping[str, Aim]) -> Aim:
        """Say of an analysis which goals it needs: one at its site for each input."""
        if not _is_made_of(aim):
            return aim
        groups = tuple(
            tuple(o.suffix for o in known.values() if _holds(o, source, aim.place.site))
            for source in self._inputs(aim)
        )
        return replace(aim, needs_one=groups)

    def _inputs(self, aim: Aim) -> tuple[Source, ...]:
        sheet = self._sheets.get(_mark(aim.suffix))
        return sheet.inputs if sheet is not None else ()

    def _depth(self, aim: Aim) -> int:
        """Number of what a product is made of, so that this is planned before it."""
        return _depth(self._sheets, aim.product, _mark(aim.suffix))

    def _prune_aim(self, name: str) -> Aim:
        place = self._places[name]
        return Aim(
            f"/{Product.PRUNED}/{name}/-", Product.PRUNED, place, (), (), place.links, 0, False
        )


def _mark(suffix: str) -> str:
    return suffix.rpartition("/")[2]


def _holds(aim: Aim, source: Source, site: str) -> bool:
    """Whether a goal is to bring an input of an analysis to a site."""
    is_it = aim.product is source.product and _mark(aim.suffix) == source.mark
    return is_it and aim.place.site == site


def _is_made_of(aim: Aim) -> bool:
    """Whether something is an analysis that is made at its place of what its site holds."""
    return aim.product is Product.ANALYSIS and not aim.place.source


_LAST = 1000


def _depth(sheets: Sheets, product: Product, mark: str) -> int:
    if product is not Product.ANALYSIS:
        return 0 if product in (Product.RAW, Product.RECONSTRUCTION) else _LAST
    sheet = sheets.get(mark)
    inputs = sheet.inputs if sheet is not None else ()
    return 1 + max((_depth(sheets, item.product, item.mark) for item in inputs), default=0)


def _add(every: dict[str, Aim], aim: Aim) -> None:
    """Want a goal; the more urgent of two wishes counts."""
    known = every.get(aim.suffix)
    if known is None or known.priority < aim.priority:
        every[aim.suffix] = aim


def _kept(rules: Iterable[_Rule], fit: Iterable[bool]) -> list[_Rule]:
    return [rule for rule, fits in zip(rules, fit, strict=False) if fits]
