"""Links, what is found about them, and how findings become what is shown."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Health(StrEnum):
    """How a link is."""

    UP = "up"
    """It does its work."""
    DEGRADED = "degraded"
    """It works, and something about it wants attention."""
    DOWN = "down"
    """It does not work."""
    UNKNOWN = "unknown"
    """Nobody could look, or nobody is asked to."""


class LinkName(StrEnum):
    """The links of the chain, in the order in which a scan meets them."""

    ACQUISITION = "acquisition"
    """The system that takes the scan."""
    STREAM = "stream"
    """Frames over ZeroMQ."""
    WRITING = "writing"
    """Files that are written."""
    ORCHESTRATOR = "orchestrator"
    """The server of flows."""
    GLOBUS = "globus"
    """Transfers."""
    NETWORK = "network"
    """The way out."""
    SPIN = "spin"
    """NERSC's services in containers."""
    SCICAT = "scicat"
    """The catalogue of metadata."""
    JUPYTER = "jupyter"
    """Notebooks at NERSC."""
    CFS = "cfs"
    """NERSC's community file system."""
    PERLMUTTER = "perlmutter"
    """The machine."""
    PERMISSIONS = "permissions"
    """Whether data can be read and written by whom they belong to."""
    FOLDER = "folder"
    """Whether scans lie in a proposal's folder."""
    PROPOSAL = "proposal"
    """Whether the folder and the scan name one proposal."""
    DISK = "disk"
    """Room on this machine."""
    CLOCK = "clock"
    """This machine's time."""
    KEY = "key"
    """The key for NERSC."""


@dataclass(frozen=True, slots=True)
class Link:
    """One link of the chain."""

    name: LinkName
    """Which."""
    title: str
    """As people call it."""
    affects: str
    """What a fault of it affects, a sentence without a full stop."""


LINKS = (
    Link(LinkName.ACQUISITION, "Acquisition system", "No scan can be taken"),
    Link(LinkName.STREAM, "Frame stream", "No slices are seen while a scan is taken"),
    Link(LinkName.WRITING, "File writing", "Scans may be lost"),
    Link(LinkName.ORCHESTRATOR, "Orchestrator", "Prefect's flows do not run; this program does"),
    Link(LinkName.GLOBUS, "Globus", "Nothing is copied to NERSC or back; the debt is kept"),
    Link(LinkName.NETWORK, "Network", "Nothing outside can be reached; work goes on here"),
    Link(LinkName.SPIN, "Spin", "SciCat and other services at NERSC may not answer"),
    Link(LinkName.SCICAT, "SciCat", "Scans are entered in the catalogue later"),
    Link(LinkName.JUPYTER, "Jupyter at NERSC", "Users cannot open their data in notebooks"),
    Link(LinkName.CFS, "Community file system", "Nothing can be stored at NERSC"),
    Link(LinkName.PERLMUTTER, "Perlmutter", "Reconstructions run here alone"),
    Link(LinkName.PERMISSIONS, "Data permissions", "Users may not see their data"),
    Link(LinkName.FOLDER, "Folder", "Scans may be given to the wrong people or to nobody"),
    Link(LinkName.PROPOSAL, "Proposal", "Scans may be given to the wrong people"),
    Link(LinkName.DISK, "Disk", "New scans and reconstructions may not be written whole"),
    Link(LinkName.CLOCK, "Clock", "Keys and certificates are refused, and times are wrong"),
    Link(LinkName.KEY, "Key for NERSC", "No job can be submitted at NERSC"),
)
"""All links, in the order of the chain."""

LINK = {link.name: link for link in LINKS}
"""Links by name."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one look at a link has found."""

    health: Health
    """How it is."""
    why: str = ""
    """Why, a sentence without a full stop and without a time that runs; empty when it is up."""
    fix: str = ""
    """What to do, likewise; empty when nothing."""
    until: float | None = None
    """When that is expected to change, seconds since 1970 UTC; None when nobody says."""
    page: str = ""
    """Address of a page where a person sees more; empty when there is none."""


@dataclass(frozen=True, slots=True)
class LinkHealth:
    """A link as it is shown."""

    link: Link
    """Which."""
    reading: Reading
    """What was found last."""
    since: float
    """Since when it is so, seconds since 1970 UTC."""
    checked_at: float
    """When it was looked at last, likewise."""


class Probe(Protocol):
    """Looks at one link, within a bounded time, and judges what it sees."""

    @property
    def name(self) -> LinkName:
        """Which link."""
        ...

    def look(self) -> Reading:
        """Measure and judge; what cannot be measured is a reading, too."""
        ...


def fold(before: LinkHealth | None, link: Link, reading: Reading, now_s: float) -> LinkHealth:
    """Take a reading in: ``since`` stays while the health stays.

    Parameters
    ----------
    before
        As it was shown; None at first.
    link
        Which.
    reading
        What was found now.
    now_s
        Seconds since 1970 UTC.
    """
    same = before is not None and before.reading.health is reading.health
    return LinkHealth(link, reading, before.since if before and same else now_s, now_s)
