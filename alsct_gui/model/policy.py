"""A policy: what is wanted of which scans and where, and what must never be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

NAME_PATTERN = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")
"""Form of the names of sites, places, lanes and links."""


class Product(StrEnum):
    """What can be wanted of a scan."""

    RAW = "raw"  # the raw file itself
    RECONSTRUCTION = "reconstruction"  # a volume by a recipe
    ANALYSIS = "analysis"  # what a step makes of a reconstruction, or of another analysis
    METADATA = "metadata"  # its record in the catalogue of metadata
    ACCESS = "access"  # its owners can read it
    CATALOGUE = "catalogue"  # its row in this program's own catalogue
    PRUNED = "pruned"  # the raw file is gone from a place, and is safe elsewhere


WISHABLE = (
    Product.RAW, Product.RECONSTRUCTION, Product.ANALYSIS, Product.METADATA, Product.ACCESS,
    Product.CATALOGUE,
)  # fmt: skip
"""What wishes can name; pruning has rules of its own."""


@dataclass(frozen=True, slots=True)
class Site:
    """Somewhere that places are at."""

    name: str
    """Short name, such as ``nersc``."""
    title: str = ""
    """For people."""
    outside: bool = True
    """Whether data leave the beamline's own machines when they go there."""


@dataclass(frozen=True, slots=True)
class Lane:
    """A way on which work goes to places, and what fits on it at a time."""

    name: str
    """Short name, such as ``globus``."""
    active: int = field(default=1, metadata={"min": 1, "max": 1000})
    """Pieces of work under way at the same time."""
    items: int = field(default=1, metadata={"min": 1, "max": 100_000})
    """Goals that one piece of work may serve."""
    batch_bytes: int = field(default=1 << 50, metadata={"min": 1})
    """Bytes of raw data that one piece of work may carry; a single goal may exceed it."""
    poll_s: float = field(default=5.0, metadata={"min": 0.0})
    """Time between two questions how a piece of work goes."""
    by: Literal["here", "globus", "nersc"] = "here"
    """Who works on it: this machine, transfers by Globus, or jobs at NERSC."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a product can be: a folder, a computer with its folder, or a service."""

    name: str
    """Short name, such as ``nersc-cfs``."""
    site: str
    """Name of its site."""
    lane: str
    """How work gets there."""
    root: str = ""
    """Folder below which products lie, on the place's own machine; empty for a service."""
    links: tuple[str, ...] = ()
    """Links that must be up to look or work there; the first is what work goes through."""
    collection: str = ""
    """Collection of the beamline's profile; empty when it has none."""
    source: str = ""
    """Place that reconstructions and analyses are brought from; empty where they are made."""
    title: str = ""
    """For people."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which scans: all patterns fit. Patterns are as in a shell: ``*``, ``?``, ``[a-c]``."""

    proposal: str = "*"
    """Pattern of the proposal."""
    path: str = "*"
    """Pattern of the whole path; ``*`` crosses folders."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """Patterns by metadata key; a scan without the key does not fit."""
    export_controlled: bool | None = None
    """Whether it has to be, or not to be, export-controlled; None when it does not matter."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Something that is wanted of the scans that a selection names."""

    name: str
    """For people and reports."""
    product: Product
    """What is wanted."""
    places: tuple[str, ...]
    """Where; the order is that of preference."""
    need: str = field(default="all")
    """``all`` of the places, or ``any`` one of them."""
    recipe: str = ""
    """Recipe of a reconstruction: a preset's name or a path."""
    scans: Selection = field(default_factory=Selection)
    """Of which scans."""
    priority: int = field(default=0, metadata={"min": -1000, "max": 1000})
    """What is higher goes first."""
    requires_proposal: bool = False
    """Whether it waits for a person when the scan's proposal is not known."""
    analysis: str = ""
    """Which analysis of the policy; of the product ``analysis`` alone."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """What a step makes of a reconstruction or of another analysis, as a person writes it."""

    name: str
    """By which wishes and other analyses call it."""
    step: str
    """Name of an installed step, or the file of one's own code."""
    of: str
    """What the step's first input is: a recipe (a preset's name or a path), or the name of another
    analysis."""
    parameters: Mapping[str, object] = field(default_factory=dict)
    """Those that differ from the step's first preset; plain data."""
    also: Mapping[str, str] = field(default_factory=dict)
    """Its further inputs by their names, each as in `of`; a model as the path of its file."""
    offered: tuple[str, ...] = ()
    """Places at which the board offers it for chosen scans, beside those of wishes."""


@dataclass(frozen=True, slots=True)
class Source:
    """An input of an analysis: a product of the same scan at the same site."""

    port: str
    """The step's name for it."""
    product: Product
    """A reconstruction or an analysis."""
    mark: str
    """Hash of the recipe, or mark of the analysis."""
    output: str = ""
    """Of an analysis: name of the output of its step that it is."""


@dataclass(frozen=True, slots=True)
class GivenFile:
    """An input of an analysis that is a file of this machine, the same for every scan."""

    port: str
    """The step's name for it."""
    path: str
    sha256: str
    """Of its bytes."""


@dataclass(frozen=True, slots=True)
class Output:
    """Something that an analysis makes."""

    name: str
    """As the step calls it."""
    kind: str
    """``volume``, ``labels``, ``table``, ``report`` or ``model``."""
    suffix: str
    """Ending of its name; empty where only the step knows it."""
    optional: bool = False
    """Whether the step may leave it out."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """An analysis with everything settled: enough to make it, and to know it again."""

    name: str
    """For people."""
    step: str
    """Name of the step, as its products have it in their provenance."""
    parameters: Mapping[str, object]
    """All of them, plain data."""
    inputs: tuple[Source, ...]
    outputs: tuple[Output, ...]
    file: str = ""
    """File of one's own code; empty for an installed step."""
    code: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of each file of one's own code, by its path below the folder of `file`."""
    given: tuple[GivenFile, ...] = ()
    """Inputs that are no products of scans: models."""
    mark: str = ""
    """Hash of all that it does, its name and where its files lie left aside."""


@dataclass(frozen=True, slots=True)
class Ban:
    """What must never be."""

    name: str
    """For people and reports."""
    sites: tuple[str, ...]
    """Sites that nothing of these scans may go to."""
    scans: Selection
    """Of which scans."""
    why: str = ""
    """For people."""


@dataclass(frozen=True, slots=True)
class Prune:
    """When a raw file may go from a place, because it is safe elsewhere."""

    name: str
    """For people and reports."""
    place: str
    """Where it goes from."""
    copies: tuple[str, ...]
    """Places whose copies are read again and compared; at least two."""
    after_days: float = field(default=35.0, metadata={"min": 0.0})
    """Age since it was admitted."""
    quarantine_days: float = field(default=7.0, metadata={"min": 0.0})
    """How long it lies in quarantine before it is deleted."""
    scans: Selection = field(default_factory=Selection)
    """Of which scans."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How failures are tried again."""

    first_s: float = field(default=30.0, metadata={"min": 0.1})
    """Wait after the first failure."""
    factor: float = field(default=2.0, metadata={"min": 1.0, "max": 10.0})
    """How much longer each further wait is."""
    most_s: float = field(default=3600.0, metadata={"min": 0.1})
    """Longest wait."""
    attempts: int = field(default=8, metadata={"min": 1, "max": 1000})
    """Failures after which it counts as blocked, so that a person looks; it is still tried."""

    def wait_s(self, attempts: int) -> float:
        """Return how long to wait after so many failures in a row, at least one."""
        exponent = min(attempts - 1, 64)
        return float(min(self.first_s * self.factor**exponent, self.most_s))


@dataclass(frozen=True, slots=True)
class Policy:
    """All that is wanted and all that is forbidden."""

    name: str
    """Short name."""
    sites: tuple[Site, ...]
    lanes: tuple[Lane, ...]
    places: tuple[Place, ...]
    admitted: str
    """Place where raw files are admitted."""
    wishes: tuple[Wish, ...] = ()
    bans: tuple[Ban, ...] = ()
    prunes: tuple[Prune, ...] = ()
    analyses: tuple[Analysis, ...] = ()
    patience: Patience = field(default_factory=Patience)
    audit_days: float = field(default=7.0, metadata={"min": 0.0})
    """Evidence that is older is looked at again, a sample at a time."""
    recipes: Mapping[str, str] = field(default_factory=dict)
    """Hash of each recipe that wishes and analyses name; filled in when the policy is loaded."""
    sheets: Mapping[str, Sheet] = field(default_factory=dict)
    """Each analysis with everything settled, by its name; filled in likewise."""
    version: int = field(default=1, metadata={"min": 1, "max": 1})
    """Version of this format."""

    def mark_of(self, wish: Wish) -> str:
        """Return what tells the product of a wish from others of its kind; ``-`` for nothing."""
        if wish.product is Product.ANALYSIS:
            return self.sheets[wish.analysis].mark
        return self.recipes.get(wish.recipe, "-")
