"""A beamline's profile: what is peculiar to one beamline, as data."""

from __future__ import annotations

from dataclasses import dataclass, field


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
    version: int = field(default=1, metadata={"min": 1, "max": 1})
    """Version of this format."""
