"""What the board's columns are, and what products, places and links are called. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from alsct_gui.model.placement import GoalKey
from alsct_gui.model.policy import Place, Policy, Product
from alsct_gui.superfacility.health.model import LINK, LinkName

_PRODUCTS = {
    Product.RAW: "raw file",
    Product.RECONSTRUCTION: "reconstruction",
    Product.METADATA: "record",
    Product.CATALOGUE: "catalogue row",
    Product.ACCESS: "access",
    Product.PRUNED: "pruning",
}
_SHORT = {
    Product.RAW: "Raw",
    Product.RECONSTRUCTION: "Recon",
    Product.METADATA: "Record",
    Product.CATALOGUE: "Row",
    Product.ACCESS: "Access",
    Product.PRUNED: "Pruned",
}
"""What stands above narrow columns."""
_ORDER = {product: number for number, product in enumerate(_PRODUCTS)}


@dataclass(frozen=True, slots=True)
class Column:
    """One product at one place, whatever the recipe."""

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

    @property
    def words(self) -> str:
        """In a sentence: “raw file at NERSC”."""
        product = product_words(self.product)
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

    def site(self, name: str) -> str:
        """Title of a site."""
        known = self._sites.get(name)
        return (known.title or known.name) if known is not None else name

    def place(self, name: str) -> str:
        """Title of a place."""
        known = self._places.get(name)
        return (known.title or known.name) if known is not None else name

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
        return f"{product_words(key.product)} at {self.place(key.place)}"

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


def columns_of(policy: Policy, keys: Iterable[tuple[Product, str]] = ()) -> tuple[Column, ...]:
    """Return the columns: what the policy speaks of, and what the ledger holds besides.

    Parameters
    ----------
    policy
        What is wanted.
    keys
        Products and places that goals of the ledger are about.

    Returns
    -------
    tuple of Column
        By site, the beamline's own first; each site's in the order in which they come to be.
    """
    wanted = {(Product.RAW, policy.admitted)}
    wanted |= {(wish.product, place) for wish in policy.wishes for place in wish.places}
    wanted |= {(Product.PRUNED, rule.place) for rule in policy.prunes}
    wanted |= set(keys)
    names = Names(policy)
    sites = [site.name for site in sorted(policy.sites, key=lambda site: site.outside)]
    places = [place.name for place in policy.places]

    def order(item: tuple[Product, str]) -> tuple[int, int, int, str]:
        product, place = item
        site = names.site_of(place)
        return (
            sites.index(site) if site in sites else len(sites), _ORDER[product],
            places.index(place) if place in places else len(places), place,
        )  # fmt: skip

    count = Counter((names.site_of(place), product) for product, place in wanted)
    columns = []
    for product, place in sorted(wanted, key=order):
        site = names.site_of(place)
        title, short = _titles(product, next((p for p in policy.places if p.name == place), None))
        detail = names.place(place) if count[site, product] > 1 else ""
        columns.append(
            Column(
                product, place, site, title, short, detail, names.site(site) or place,
                names.is_outside(place),
            )
        )  # fmt: skip
    return tuple(columns)


def _titles(product: Product, place: Place | None) -> tuple[str, str]:
    """Name a column within its site, at length and briefly."""
    if place is not None and not place.root and product is Product.METADATA:
        title = place.title or place.name
        return title, title  # a service, known by its own name
    words = product_words(product)
    return words[:1].upper() + words[1:], _SHORT[product]
