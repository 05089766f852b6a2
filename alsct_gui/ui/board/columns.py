"""What the board's columns are, and what products, places and links are called. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from alsct_gui.model.placement import GoalKey
from alsct_gui.model.policy import Place, Policy, Product
from alsct_gui.superfacility.health.model import LINK, LinkName

_PRODUCTS = {
    Product.RAW: "raw file",
    Product.RECONSTRUCTION: "reconstruction",
    Product.ANALYSIS: "analysis",
    Product.METADATA: "record",
    Product.CATALOGUE: "catalogue row",
    Product.ACCESS: "access",
    Product.PRUNED: "pruning",
}
_SHORT = {
    Product.RAW: "Raw",
    Product.RECONSTRUCTION: "Recon",
    Product.ANALYSIS: "Analysis",
    Product.METADATA: "Record",
    Product.CATALOGUE: "Row",
    Product.ACCESS: "Access",
    Product.PRUNED: "Pruned",
}
"""What stands above narrow columns."""
_ORDER = {product: number for number, product in enumerate(_PRODUCTS)}
Kind = tuple[Product, str, str]
"""Product, name of the place, and of an analysis its name."""


@dataclass(frozen=True, slots=True)
class Column:
    """One product at one place, whatever the recipe; one analysis at one place."""

    product: Product
    place: str
    """Name of the place."""
    site: str
    """Name of its site; empty when the policy does not know the place."""
    title: str
    """What stands above it."""
    short: str
    """The same where it is narrow."""
    detail: str
    """Title of the place, where its site has several columns of a product; else empty."""
    group: str
    """What stands above all columns of its site."""
    outside: bool
    """Whether data leave the beamline's own machines for it."""
    analysis: str = ""
    """Name of the analysis; empty for other products."""

    @property
    def kind(self) -> Kind:
        """What tells it from others."""
        return self.product, self.place, self.analysis

    @property
    def words(self) -> str:
        """In a sentence: “raw file at NERSC”."""
        product = self.analysis or product_words(self.product)
        if self.detail:
            return f"{product} at {self.detail}"
        return f"{product} at {self.group if self.title.lower() == product else self.title}"


class Names:
    """What a policy's places, sites and products are called.

    Parameters
    ----------
    policy
        Where the names come from; titles are missing in it now and then.
    """

    def __init__(self, policy: Policy) -> None:
        self._places = {place.name: place for place in policy.places}
        self._workers = {lane.name: lane.by for lane in policy.lanes}
        self._sites = {site.name: site for site in policy.sites}
        self._analyses = {sheet.mark: sheet.name for sheet in policy.sheets.values()}

    def keep(self, kept: Mapping[str, Mapping[str, Any]]) -> None:
        """Learn what the analyses are called that persons asked for: `Observed.recipes`."""
        for mark, plain in kept.items():
            if "step" in plain:
                self._analyses.setdefault(mark, str(plain.get("name", "")))

    def analysis(self, mark: str) -> str:
        """Name of an analysis; empty when neither the policy nor a person names it any more."""
        return self._analyses.get(mark, "")

    def kind(self, key: GoalKey) -> Kind | None:
        """What a goal is about; None for an analysis that nobody names any more."""
        if key.product is not Product.ANALYSIS:
            return key.product, key.place, ""
        name = self.analysis(key.recipe)
        return (key.product, key.place, name) if name else None

    def site(self, name: str) -> str:
        """Title of a site."""
        known = self._sites.get(name)
        return (known.title or known.name) if known is not None else name

    def place(self, name: str) -> str:
        """Title of a place."""
        known = self._places.get(name)
        return (known.title or known.name) if known is not None else name

    def is_brought(self, place: str) -> bool:
        """Whether what lies at a place was made elsewhere, so that work there moves bytes."""
        known = self._places.get(place)
        return known is not None and bool(known.source)

    def site_of(self, place: str) -> str:
        """Name of a place's site; empty when the place is not in the policy."""
        known = self._places.get(place)
        return known.site if known is not None else ""

    def is_outside(self, place: str) -> bool:
        """Whether data leave the beamline's own machines when they go to a place."""
        site = self._sites.get(self.site_of(place))
        return site.outside if site is not None else True

    def lane_of(self, place: str) -> str:
        """Name of the way to a place; empty when the place is not in the policy."""
        known = self._places.get(place)
        return known.lane if known is not None else ""

    def worker(self, place: str) -> str:
        """Who works on the way to a place: ``here``, ``globus`` or ``nersc``."""
        return self._workers.get(self.lane_of(place), "here")

    def goal(self, key: GoalKey) -> str:
        """Name a goal: “raw file at NERSC CFS”, “reconstruction at workstation”."""
        words = self.analysis(key.recipe) or product_words(key.product)
        return f"{words} at {self.place(key.place)}"

    def waits_for(self, words: str) -> str:
        """Name what a goal waits for; the ledger calls links, places and goals by short names."""
        product, _, place = words.partition(" at ")
        if place in self._places and product in set(Product):
            return f"the {product_words(Product(product))} at {self.place(place)}"
        return link_title(words)


def product_words(product: Product) -> str:
    """Name a product within a sentence."""
    return _PRODUCTS[product]


def link_title(name: str) -> str:
    """Name a link as people do; one that is not of the chain keeps its name."""
    return LINK[LinkName(name)].title if name in set(LinkName) else name


def columns_of(policy: Policy, keys: Iterable[Kind] = ()) -> tuple[Column, ...]:
    """Return the columns: what the policy speaks of, and what the ledger holds besides.

    Parameters
    ----------
    policy
        What is wanted, and what persons may ask for.
    keys
        What goals of the ledger are about.

    Returns
    -------
    tuple of Column
        By site, the beamline's own first; each site's in the order in which they come to be.
    """
    wanted: set[Kind] = {(Product.RAW, policy.admitted, "")}
    wanted |= {(w.product, place, w.analysis) for w in policy.wishes for place in w.places}
    wanted |= {(Product.ANALYSIS, place, a.name) for a in policy.analyses for place in a.offered}
    wanted |= {(Product.PRUNED, rule.place, "") for rule in policy.prunes}
    wanted |= set(keys)
    names = Names(policy)
    sites = [site.name for site in sorted(policy.sites, key=lambda site: site.outside)]
    places = [place.name for place in policy.places]

    def order(item: Kind) -> tuple[int, int, str, int, str]:
        product, place, analysis = item
        site = names.site_of(place)
        return (
            sites.index(site) if site in sites else len(sites), _ORDER[product], analysis,
            places.index(place) if place in places else len(places), place,
        )  # fmt: skip

    count = Counter((names.site_of(place), product, name) for product, place, name in wanted)
    columns = []
    for product, place, name in sorted(wanted, key=order):
        site = names.site_of(place)
        known = next((p for p in policy.places if p.name == place), None)
        title, short = _titles(product, known, name)
        detail = names.place(place) if count[site, product, name] > 1 else ""
        columns.append(
            Column(
                product, place, site, title, short, detail, names.site(site) or place,
                names.is_outside(place), name,
            )
        )  # fmt: skip
    return tuple(columns)


def _titles(product: Product, place: Place | None, analysis: str) -> tuple[str, str]:
    """Name a column within its site, at length and briefly."""
    if analysis:
        title = f"{analysis[:1].upper()}{analysis[1:]}"
        return title, title
    if place is not None and not place.root and product is Product.METADATA:
        title = place.title or place.name
        return title, title  # a service, known by its own name
    words = product_words(product)
    return words[:1].upper() + words[1:], _SHORT[product]
