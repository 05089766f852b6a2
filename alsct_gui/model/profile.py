"""A beamline's profile: what is peculiar to one beamline, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from alsct_gui.model.notify import Notify


@dataclass(frozen=True, slots=True)
class Collection:
    """A place that files travel between."""

    name: str
    """As the beamline calls it."""
    root: str
    """Path of the collection's root on its own machine."""
    uuid: str = ""
    """Globus UUID; empty until the beamline has filled it in."""


@dataclass(frozen=True, slots=True)
class Naming:
    """How files and folders are called; patterns are Python regular expressions."""

    proposal_folder: str
    """Usual form of a proposal's folder; others occur, so it is never required."""
    raw_file: str
    """Form of a raw scan's name; groups ``date``, ``time``, ``title``."""
    tile_suffix: str
    """What tiled scans append to their title; groups ``x`` and ``y``."""
    volume_folder: str = "rec{stem}"
    """Name of a TIFF stack; ``{stem}`` is the scan's name without its suffix."""
    volume_zarr: str = "rec{stem}.zarr"
    """Name of an OME-Zarr volume."""
    segmentation_folder: str = "seg{stem}"
    """Name of a segmentation."""


@dataclass(frozen=True, slots=True)
class Folders:
    """Where things lie on the beamline's own machines."""

    raw: str = ""
    """Raw scans."""
    scratch: str = ""
    """Reconstructions."""


@dataclass(frozen=True, slots=True)
class Defaults:
    """What is taken when nothing is said."""

    preset: str = "standard-8.3.2"
    """Recipe."""
    layout: str = "als-8.3.2"
    """Layout of a new raw scan."""
    output_format: str = "ome-zarr"
    """Format of volumes."""


@dataclass(frozen=True, slots=True)
class Groups:
    r"""How a service calls the group of a proposal; without any, a person is asked."""

    pattern: str = ""
    r"""Regular expression of a whole proposal, such as ``BLS-(?P<number>\d{5})``."""
    group: str = ""
    r"""Group of a proposal that fits, as a template: ``als-\g<number>``."""
    table: Mapping[str, str] = field(default_factory=dict)
    """Groups by proposal; these come first."""


@dataclass(frozen=True, slots=True)
class GlobusService:
    """Transfers by Globus."""

    client_id: str = ""
    """Id of the client, as it is registered with Globus; empty when none is."""
    account: Literal["service", "person"] = "service"
    """Whose: the beamline's own, whose secret is kept as ``globus-client``, or a person's."""
    groups: Groups = field(default_factory=Groups)
    """Globus group, a UUID, of each proposal."""


@dataclass(frozen=True, slots=True)
class NerscService:
    """Computing at NERSC through the Superfacility API."""

    key_file: str = ""
    """Key of the client; empty when there is none. ``~`` is the home folder."""
    jobs_folder: str = ""
    """Where scripts, manifests and logs of jobs lie at NERSC; empty when it is not known."""
    api_url: str = "https://api.nersc.gov/api/v1.2"
    """Address of the API."""
    token_url: str = "https://oidc.nersc.gov/c2id/token"  # noqa: S105 (an address)
    """Where access tokens are given out."""
    machine: str = "perlmutter"
    """Machine that jobs run on."""
    queue: str = "realtime"
    """Quality of service of jobs."""
    account: str = "als"
    """Project that pays."""
    constraint: str = "cpu"
    """Kind of node."""
    nodes: int = field(default=1, metadata={"min": 1, "max": 128})
    """Nodes of a job."""
    cpus: int = field(default=64, metadata={"min": 1, "max": 1024})
    """Processors of a job."""
    memory_gb: float = field(default=200.0, metadata={"min": 1.0})
    """Memory that a reconstruction may take there."""
    longest_s: int = field(default=4 * 3600, metadata={"min": 60})
    """Longest time of a job in the queue."""
    runtime: Literal["podman-hpc", "shifter", "none"] = "podman-hpc"
    """What runs the container; none runs the program as it is installed."""
    image: str = "ghcr.io/als-computing/alsct-gui:latest"
    """The container."""
    program: tuple[str, ...] = ("alsct", "recon")
    """What reconstructs in it, one word each."""
    steps: tuple[str, ...] = ("alsct", "step", "run")
    """What runs steps of analyses in it, likewise."""
    mounts: tuple[str, ...] = ("/global/cfs/cdirs/als", "/pscratch")
    """Folders that the container sees."""
    stage: bool = False
    """Whether jobs copy the scan to their own folder first."""
    zone: str = "America/Los_Angeles"
    """Time zone in which the machine tells times."""
    groups: Groups = field(default_factory=Groups)
    """Group of the file systems there of each proposal."""
    access: Literal["auto", "group", "acl"] = "auto"
    """How files are opened to a group: by the files' own group, by access lists, or as it goes."""


@dataclass(frozen=True, slots=True)
class ScicatService:
    """Records in SciCat."""

    url: str = ""
    """Address of the API; empty when there is none."""
    user: str = ""
    """Name of the account, whose password is kept as ``scicat``; empty for a token there."""
    api: Literal["v3", "v4"] = "v3"
    """Version of the API."""
    login: Literal["auth/login", "auth/ldap"] = "auth/login"
    """Where the account logs in."""
    page: str = ""
    """Address of the pages for people."""
    pid_prefix: str = ""
    """Prefix of every key, such as ``20.500.12345``."""
    contact: str = ""
    """E-mail address of the beamline, for scans that name none."""
    groups: Groups = field(default_factory=Groups)
    """Owner group of each proposal."""
    access_groups: tuple[str, ...] = ()
    """Further groups that see all records."""
    location: str = ""
    """Where the data are taken."""
    keywords: tuple[str, ...] = ()
    """Keywords of all records."""


@dataclass(frozen=True, slots=True)
class FlowOffer:
    """A deployment of the orchestrator that scans can be handed over to."""

    deployment: str
    """``flow/deployment``."""
    title: str = ""
    """For people."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """What it is given. ``{path}``, ``{proposal}``, ``{identity}`` and ``{export_controlled}``
    stand for what is known of the scan, ``true`` and ``false`` for themselves; all else is
    given as text."""
    outside: bool = True
    """Whether it may bring data away from the beamline's own machines."""


@dataclass(frozen=True, slots=True)
class PrefectService:
    """An orchestrator beside this program."""

    url: str = ""
    """Address of the API, such as ``http://host:4200/api``; empty when there is none."""
    page: str = ""
    """Address of the pages for people."""
    flows: tuple[FlowOffer, ...] = ()
    """What scans can be handed over to."""


@dataclass(frozen=True, slots=True)
class Hosts:
    """Machines that are looked at, each as ``host:port``; empty ones are not."""

    acquisition: str = ""
    """The system that takes scans."""
    stream: str = ""
    """Frames over ZeroMQ."""
    network: str = ""
    """Something outside that always answers."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Everything that another beamline would write down for itself."""

    name: str
    """Short name, as in ``--profile``."""
    title: str
    """For people."""
    facility: str
    """Synchrotron."""
    beamline: str
    """As in catalogue entries."""
    naming: Naming
    """Names of files and folders."""
    layouts: tuple[str, ...]
    """Layouts in use, the present one first."""
    folders: Folders = field(default_factory=Folders)
    """Where things lie."""
    defaults: Defaults = field(default_factory=Defaults)
    """What is taken when nothing is said."""
    collections: tuple[Collection, ...] = ()
    """Places that files travel between."""
    globus: GlobusService = field(default_factory=GlobusService)
    """Transfers."""
    nersc: NerscService = field(default_factory=NerscService)
    """Computing at NERSC."""
    scicat: ScicatService = field(default_factory=ScicatService)
    """Records of metadata."""
    prefect: PrefectService = field(default_factory=PrefectService)
    """Orchestrator."""
    hosts: Hosts = field(default_factory=Hosts)
    """Machines that are looked at."""
    look_s: float = field(default=60.0, metadata={"min": 1.0})
    """How often each link is looked at; one that fails is left alone for half that at first."""
    notify: Notify = field(default_factory=Notify)
    """Who is told what is worth telling."""
    access_days: float | None = None
    """How long owners see their data after the newest scan of a folder; None is for ever."""
    version: int = field(default=1, metadata={"min": 1, "max": 1})
    """Version of this format."""


def split_host(text: str) -> tuple[str, int]:
    """Take ``host:port`` apart.

    Raises
    ------
    ValueError
        It is not of that form.
    """
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise ValueError(f"{text[:80]!r} is not of the form host:port")
    return host, int(port)
