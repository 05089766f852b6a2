"""What a scan says of itself, in groups, searched and compared. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from alsct_gui.ui.look.words import figure, number
from alsct_gui.ui.words import size_words

if TYPE_CHECKING:
    from alsct_gui.recon.desk.answers import Look

PEOPLE, GEOMETRY, DATA = "Sample and people", "Geometry", "Data"
_LONGEST = 400
"""Characters of a value that a row shows; the whole is copied."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One key and its value."""

    group: str
    """Heading, or the path that the key lies in."""
    name: str
    value: str
    """On one line."""
    key: str = ""
    """Path in the file; empty for what was put in plain words."""
    other: str | None = None
    """Value in the scan it is compared with; None when nothing is compared."""

    @property
    def haystack(self) -> str:
        """What a search looks through."""
        return f"{self.group} {self.name} {self.value} {self.other or ''}".casefold()


@dataclass(frozen=True, slots=True)
class Difference:
    """A key that two scans do not agree on; None where one lacks it."""

    key: str
    first: Any
    second: Any


def diff_metadata(a: Mapping[str, Any], b: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Return the keys whose values differ, in the order of the first, then of the second.

    Numbers that are written alike to twelve digits are the same; so is NaN and NaN.
    """
    keys = [*a, *(key for key in b if key not in a)]
    return tuple(
        Difference(key, a.get(key), b.get(key))
        for key in keys
        if (key in a) != (key in b) or _text(a.get(key)) != _text(b.get(key))
    )


def entries_of(look: Look) -> tuple[Entry, ...]:
    """Return everything of a scan or volume: plain words first, then every key by its path."""
    metadata = look.metadata if look.kind == "scan" else {**look.provenance, **look.metadata}
    keys = sorted(flat(metadata).items(), key=lambda item: (_parent(item[0]), item[0].casefold()))
    return (
        *_plain_entries(look),
        *(Entry(_parent(key), _name(key), one_line(value), key) for key, value in keys),
    )


def differences_of(first: Look, second: Look) -> tuple[Entry, ...]:
    """Return only what differs, with both values."""
    sides = [{(e.group, e.name): e for e in entries_of(look)} for look in (first, second)]
    one, two = ({place: e.value for place, e in side.items()} for side in sides)
    order = [*one, *(place for place in two if place not in one)]
    groups = list(dict.fromkeys(group for group, _ in order))
    changed = [place for place in order if one.get(place) != two.get(place)]
    return tuple(
        Entry(group, name, one.get((group, name), ""), other=two.get((group, name), ""))
        for group, name in sorted(changed, key=lambda place: groups.index(place[0]))
    )


def matching(entries: Sequence[Entry], typed: str) -> tuple[Entry, ...]:
    """Return the entries that hold every word that was typed."""
    words = typed.casefold().split()
    return tuple(entry for entry in entries if all(word in entry.haystack for word in words))


def grouped(entries: Sequence[Entry]) -> tuple[tuple[str, tuple[Entry, ...]], ...]:
    """Return entries by their group, in their order."""
    return tuple((name, tuple(of)) for name, of in groupby(entries, key=lambda e: e.group))


def flat(metadata: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Put mappings within mappings on one level, with paths for keys."""
    found: dict[str, Any] = {}
    for name, value in metadata.items():
        path = f"{prefix}/{name}" if prefix else str(name)
        if isinstance(value, Mapping):
            found.update(flat(value, path))
        else:
            found[path] = value
    return found


def one_line(value: Any) -> str:
    """Say a value on one line of bounded length."""
    if isinstance(value, list | tuple):
        text = ", ".join(one_line(item) for item in value[:64])
        text += f", … ({len(value)} values)" if len(value) > 64 else ""
    else:
        text = " ".join(_text(value).split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def copy_of(entries: Sequence[Entry]) -> str:
    """Text for a clipboard: path and values, apart by tabs."""
    rows = []
    for entry in entries:
        cells = [entry.key or f"{entry.group}: {entry.name}", entry.value]
        rows.append("\t".join(cells if entry.other is None else [*cells, entry.other]))
    return "\n".join(rows)


def _plain_entries(look: Look) -> tuple[Entry, ...]:
    people = look.people
    who = (
        ("Sample", people.sample), ("Proposal", people.proposal),
        ("Principal investigator", people.principal_investigator),
        ("Experiment lead", people.experiment_lead), ("Experimenter", people.experimenter),
        ("E-mail", people.email), ("Beamline", people.beamline),
        ("Instrument", people.instrument), ("Start", people.start_time),
    )  # fmt: skip
    return tuple(
        Entry(group, name, value)
        for group, pairs in ((PEOPLE, who), (GEOMETRY, _geometry(look)), (DATA, _data(look)))
        for name, value in pairs
        if value
    )


def _geometry(look: Look) -> tuple[tuple[str, str], ...]:
    if look.kind == "volume":
        edges = look.voxel_um
        voxel = " × ".join(figure(edge) for edge in edges) + " µm" if edges else ""
        shape = " × ".join(number(size) for size in look.shape)
        return ("Slices, y, x", shape), ("Voxel", voxel), ("Unit", look.units)
    if look.kind != "scan":
        return ()
    return (
        ("Projections", number(look.n_angles)),
        ("Angular range", figure(look.range_deg, "°")),
        ("Detector", f"{number(look.n_columns)} × {number(look.n_rows)} px"),
        ("Pixel", figure(look.pixel_um, "µm") if look.pixel_um else "unknown"),
        ("Flats", number(look.n_flats)),
        ("Darks", number(look.n_darks)),
        ("Sample to detector", figure(look.distance_mm, "mm") if look.distance_mm else ""),
        ("Energy", figure(look.energy_kev, "keV") if look.energy_kev else ""),
        ("Tilt", figure(look.tilt_deg, "°") if look.tilt_deg else ""),
    )


def _data(look: Look) -> tuple[tuple[str, str], ...]:
    return (
        ("File", look.path),
        ("Layout", look.layout),
        ("Values", look.quantity),
        ("Type", look.dtype),
        ("Size", size_words(look.size_bytes) if look.size_bytes else ""),
    )


def _parent(key: str) -> str:
    path = key.split("@", 1)[0] if "@" in key else key.rpartition("/")[0]
    return path.strip("/") or "Top level"


def _name(key: str) -> str:
    return key.split("@", 1)[1] if "@" in key else key.rpartition("/")[2]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.12g}"
    if isinstance(value, list | tuple):
        return ", ".join(_text(item) for item in value)
    return "" if value is None else str(value)
