"""What one look at a file shows, and the pure rule that makes a state of it.

A scan is complete only when its writer has closed it, every announced frame is there, and
it can be read (DESIGN: "In"). Waiting does not make a scan complete: one that stays short
of its frames becomes broken, and says at which frame it stopped.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from alsct_gui.model.finding import Finding, Severity

State = Literal["arriving", "complete", "broken", "gone"]
Kind = Literal["scan", "volume"]
Depth = Literal["count", "light", "full"]
"""How closely a look looks: ``count`` reads what tells how many frames there are, ``light``
also the few frames of the identity, ``full`` also what `files.check` reads."""

SETTLED_S = 5.0
"""A file that did not change for so long may be taken for closed by its writer."""
STALLED_S = 300.0
"""A file that did not change for so long, and still lacks something, has stopped."""
_WORTH_SAYING_S = 30.0

WAITING = frozenset(
    {"still-being-written", "truncated", "shape-absurd", "frame-count-mismatch", "not-found",
     "not-a-scan", "not-hdf5", "unreadable", "frames-zero", "frames-unreadable"}
)  # fmt: skip
"""Findings that more bytes may cure."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a list shows of a scan or volume; empty or None when unknown."""

    sample: str = ""
    proposal: str = ""
    start_time: str = ""
    """ISO 8601, with zone where the file tells it."""
    layout: str = ""
    """As `Scan.layout` or `Volume.layout`."""
    n_rows: int | None = None
    """Rows of a frame; y of a volume."""
    n_columns: int | None = None
    """Columns of a frame; x of a volume."""
    pixel_size_um: float | None = None
    """Edge of a pixel or voxel."""
    energy_kev: float | None = None
    """Photon energy."""
    range_deg: float | None = None
    """Angle that the projections span."""


@dataclass(frozen=True, slots=True)
class StackCount:
    """Frames of one kind: there, and announced."""

    name: str
    """``projections``, ``flats``, ``darks`` or ``slices``."""
    done: int
    """Frames whose values are in the file."""
    expected: int
    """Frames that the file or its metadata announce."""


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a file or folder, as plain facts."""

    kind: Kind
    size_bytes: int
    """Length; for a folder of all its files one level deep."""
    modified_ns: int
    """Latest change."""
    expected_bytes: int = 0
    """Length that the HDF5 superblock announces; 0 when unknown."""
    open_for_write: bool = False
    """The superblock says that a writer has it open, or was killed."""
    locked: bool = False
    """A living process holds a lock for writing on it."""
    stacks: tuple[StackCount, ...] = ()
    """How far each kind of frames is; empty when the file cannot be opened yet."""
    findings: tuple[Finding, ...] = ()
    """What was found, gravest first."""
    depth: Depth = "count"
    """How closely it was looked at; only more than ``count`` proves it readable."""
    identity: str = ""
    """`files.identity.quick_identity`; empty when only counted, and for volumes."""
    summary: Summary = field(default_factory=Summary)
    """What a list shows."""

    @property
    def main(self) -> StackCount | None:
        """Projections, or slices of a volume."""
        return next((item for item in self.stacks if item.name in ("projections", "slices")), None)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a look amounts to."""

    state: State
    sentence: str
    """For people: present tense, what it is and why."""


def judge(look: Look | None, quiet_s: float) -> Verdict:
    """Decide the state of a file.

    Parameters
    ----------
    look
        The latest look; None when there is nothing any more.
    quiet_s
        How long neither its size, its time nor its frames changed.

    Returns
    -------
    verdict
        ``complete`` after a look that only counted means that a closer one is due, which
        alone proves that it is readable.
    """
    if look is None:
        return Verdict("gone", "The file is no longer there.")
    lack = _lack(look)
    if look.locked:
        return Verdict("arriving", _progress(look, quiet_s, "Its writer has it open"))
    fatal = [item for item in look.findings if _is_fatal(item)]
    if fatal and quiet_s >= SETTLED_S:
        return Verdict("broken", fatal[0].message)
    if lack and quiet_s >= STALLED_S:
        return Verdict("broken", lack)
    if lack or fatal:
        return Verdict("arriving", _progress(look, quiet_s, lack))
    if quiet_s < SETTLED_S:
        return Verdict("arriving", _progress(look, quiet_s, "All frames are there"))
    return Verdict("complete", _whole(look))


def _is_fatal(item: Finding) -> bool:
    return item.severity is Severity.ERROR and item.name not in WAITING


def _lack(look: Look) -> str:
    """Say what is missing, as the sentence for a file that has stopped; empty when nothing."""
    if look.size_bytes == 0 and look.kind == "scan":
        return "The file is empty: nothing was written."
    if look.expected_bytes > look.size_bytes:
        there, whole = sizes(look.size_bytes, look.expected_bytes)
        return f"Stopped at {there} of {whole}: the rest of the file never came."
    for item in look.stacks:
        if item.done < item.expected:
            return f"Stopped at {item.done} of {item.expected} {_frames(item)}."
        if item.done > item.expected:
            return f"{item.done} {item.name} are there, {item.expected} were announced."
    if look.open_for_write:
        return "Its writer never closed the file, or was killed."
    waiting = [
        item
        for item in look.findings
        if item.name in WAITING
        and (item.severity is Severity.ERROR or item.name == "frame-count-mismatch")
    ]
    return waiting[0].message if waiting else ""


def _progress(look: Look, quiet_s: float, otherwise: str) -> str:
    """Say how far it is."""
    main = look.main
    if main is not None:
        text = f"{main.done} of {main.expected} {_frames(main)}"
        late = [item for item in look.stacks if item is not main and item.done < item.expected]
        if main.done >= main.expected and late:
            text += f", {late[0].done} of {late[0].expected} {late[0].name}"
    elif look.expected_bytes > look.size_bytes > 0:
        there, whole = sizes(look.size_bytes, look.expected_bytes)
        text = f"{there} of {whole}"
    else:
        text = otherwise.rstrip(".") if look.size_bytes else "The file is empty so far"
    if quiet_s >= _WORTH_SAYING_S:
        text += f", nothing new for {_duration(quiet_s)}"
    return f"{text}."


def _whole(look: Look) -> str:
    if look.main is None:
        return "Complete."
    return f"Complete: {look.main.done} {_frames(look.main)}."


def _frames(item: StackCount) -> str:
    return item.name if item.expected != 1 else item.name.removesuffix("s")


def _duration(seconds: float) -> str:
    """Round down coarsely, so that a sentence does not change at every look."""
    if seconds < 120:
        return f"{seconds // 30 * 30:.0f} s"
    return f"{seconds // 60:.0f} min" if seconds < 7200 else f"{seconds // 3600:.0f} h"


def sizes(part_bytes: int, whole_bytes: int) -> tuple[str, str]:
    """Two sizes in words, in the unit that suits the larger."""
    units = ("bytes", "kB", "MB", "GB", "TB")
    step = 0
    while whole_bytes >= 1000 ** (step + 1) and step < len(units) - 1:
        step += 1
    if step == 0:
        return str(part_bytes), f"{whole_bytes} bytes"
    return f"{part_bytes / 1000**step:.1f}", f"{whole_bytes / 1000**step:.1f} {units[step]}"
