"""From a scan, or from what was made of it, to a record."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

from alsct_gui.files.provenance import json_safe
from alsct_gui.model.errors import InputError
from alsct_gui.model.placement import ScanFacts
from alsct_gui.model.product import Provenance
from alsct_gui.model.recipe import recipe_to_dict
from alsct_gui.model.scan import Scan
from alsct_gui.superfacility.errors import RefusedError
from alsct_gui.superfacility.metadata.base import (
    Record,
    RecordFile,
    Words,
    clean,
    clean_text,
)
from alsct_gui.superfacility.metadata.mapping import Table, field_of, scientific_of
from alsct_gui.superfacility.proposals import ProposalGroups

MAX_KEYWORDS = 32
"""Words of a scan's name that become keywords."""
MAX_LOG = 1 << 20
"""Characters of a log; SciCat wants it well below 15 MB."""
IDENTITY = "scan_identity"
"""Entry of the scientific metadata that holds the identity of the scan."""
_ADDRESS = re.compile(r"[^@\s\"',;<>]+@[^@\s\"',;<>]+\.[^@\s\"',;<>]{2,}")
_PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class RecordRules:
    """What all records of a beamline have in common; from its profile.

    Raises
    ------
    RefusedError
        A setting cannot be used.
    """

    pid_prefix: str
    """Prefix of every key: that of the catalogue, such as ``20.500.12345``."""
    contact: str
    """E-mail address of the beamline, for scans that name none."""
    groups: ProposalGroups = field(default_factory=ProposalGroups)
    """Owner group of each proposal."""
    access_groups: tuple[str, ...] = ()
    """Further groups that see all records: the beamline's staff, and the account that writes
    them, or it cannot read them back."""
    location: str = ""
    """Where the data are taken, such as ``/ALS/8.3.2``; empty for the instrument's name."""
    keywords: tuple[str, ...] = ()
    """Keywords of all records."""

    def __post_init__(self) -> None:
        if _PREFIX.fullmatch(self.pid_prefix) is None:
            raise RefusedError(
                f"{self.pid_prefix[:80]!r} is no prefix for keys", where="profile: scicat",
                fix="Use letters, digits, '.', '_' and '-'",
            )  # fmt: skip
        if _ADDRESS.fullmatch(self.contact) is None:
            raise RefusedError(
                f"{self.contact[:80]!r} is no e-mail address", where="profile: scicat contact",
                fix="Give the beamline's address",
            )  # fmt: skip


def raw_pid(rules: RecordRules, identity: str) -> str:
    """Return the key of a scan's record: half of its identity."""
    return f"{rules.pid_prefix}/{identity[:32]}"


def derived_pid(rules: RecordRules, identity: str, recipe: str) -> str:
    """Return the key of the record of a scan's reconstruction by a recipe, wherever it is."""
    text = f"{identity}\n{recipe}"
    return f"{rules.pid_prefix}/{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def raw_record(
    scan: Scan, facts: ScanFacts, rules: RecordRules, table: Table, folder: str, modified: str
) -> Record:
    """Return the record of a raw scan.

    Parameters
    ----------
    scan
        The open scan.
    facts
        What the ledger knows of it; its proposal counts, which a person may have put right.
    rules, table
        Of the beamline and of the layout.
    folder
        Folder that people are told to look at.
    modified
        When the file was last written, ISO 8601, UTC.

    Raises
    ------
    NeedsPersonError
        The proposal is not known, or nobody knows whose it is.
    """
    bare = bare_record(facts, rules, folder)
    (file,) = bare.files
    name = PurePosixPath(clean_text(facts.path)).stem
    investigator = field_of(table, scan, "principal_investigator")
    instrument = field_of(table, scan, "instrument")
    sample = field_of(table, scan, "sample")
    people = (investigator, scan.people.experiment_lead, scan.people.experimenter)
    started, ended = _times(scan)
    described = sample or name
    words = Words(
        name=name,
        owner=next((text for text in map(clean_text, people) if text.strip()), "unknown"),
        contact=address_of(field_of(table, scan, "email")) or rules.contact,
        created=ended or started or modified,
        description=described,
        investigator=investigator,
        location=rules.location or instrument,
        instrument=instrument,
        sample=sample,
        ended=ended,
        keywords=keywords_of(described, rules.keywords),
    )
    return Record(
        pid=bare.pid, kind="raw", owner_group=bare.owner_group, proposal=bare.proposal,
        folder=bare.folder, words=words, access_groups=bare.access_groups,
        files=(RecordFile(file.path, file.size_bytes, modified, file.sha256),),
        data_format=table.data_format or scan.layout,
        scientific={**scientific_of(table, scan), **bare.scientific},
    )  # fmt: skip


def bare_record(facts: ScanFacts, rules: RecordRules, folder: str) -> Record:
    """Return what a raw scan's record must say by the ledger alone, its file unseen.

    Raises
    ------
    NeedsPersonError
        As for `raw_record`.
    """
    path = PurePosixPath(clean_text(facts.path))
    return Record(
        pid=raw_pid(rules, facts.id), kind="raw",
        owner_group=rules.groups.group_of(facts.proposal), proposal=facts.proposal,
        folder=clean_text(folder), words=Words(path.stem, "", rules.contact, ""),
        access_groups=rules.access_groups,
        files=(RecordFile(path.name, facts.size_bytes, "", facts.sha256),),
        scientific={IDENTITY: facts.id},
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Made:
    """A product as it lies somewhere: how it was made, and its files."""

    provenance: Provenance
    folder: str
    """The product itself: a folder or a Zarr store."""
    files: tuple[RecordFile, ...]
    """Relative to the folder."""


def derived_record(
    made: Made, facts: ScanFacts, recipe: str, rules: RecordRules, folder: str
) -> Record:
    """Return the record of a reconstruction.

    Parameters
    ----------
    made
        The reconstruction.
    facts
        What the ledger knows of the scan that it was made from.
    recipe
        Hash of its recipe.
    rules
        Of the beamline.
    folder
        Folder that people are told to look at.

    Raises
    ------
    InputError
        It was made from another scan.
    NeedsPersonError
        As for `raw_record`.
    """
    how = made.provenance
    if how.input_identity != facts.id:
        raise InputError(
            "the product was made from another scan", where=made.folder,
            fix="Reconstruct the scan again",
        )  # fmt: skip
    name = PurePosixPath(clean_text(made.folder)).name
    owner = clean_text(facts.metadata.get("principal_investigator", "")).strip() or "unknown"
    words = Words(
        name=name, owner=owner, contact=rules.contact, created=how.created,
        description=f"Reconstruction of {PurePosixPath(clean_text(facts.path)).stem}",
        investigator=owner, keywords=keywords_of(how.recipe.name, rules.keywords),
        log=log_of(how),
    )  # fmt: skip
    software = {**how.versions, "engine": how.engine}
    parameters = {
        "recipe": recipe_to_dict(how.recipe), "resolved": recipe_to_dict(how.resolved),
        "recipe_hash": recipe, "input_sha256": how.input_sha256,
    }  # fmt: skip
    return Record(
        pid=derived_pid(rules, facts.id, recipe), kind="derived",
        owner_group=rules.groups.group_of(facts.proposal), proposal=facts.proposal,
        folder=clean_text(folder), words=words, access_groups=rules.access_groups,
        files=made.files, scientific=clean(_figures(how, facts)),
        inputs=(raw_pid(rules, facts.id),),
        software=tuple(sorted(clean_text(f"{name} {text}") for name, text in software.items())),
        parameters=clean(json_safe(parameters)),
    )  # fmt: skip


def bare_derived_record(facts: ScanFacts, recipe: str, rules: RecordRules) -> Record:
    """Return what a reconstruction's record must say once the product itself has gone.

    Raises
    ------
    NeedsPersonError
        As for `raw_record`.
    """
    return Record(
        pid=derived_pid(rules, facts.id, recipe), kind="derived",
        owner_group=rules.groups.group_of(facts.proposal), proposal=facts.proposal, folder="",
        words=Words("", "", rules.contact, ""), access_groups=rules.access_groups,
        scientific={IDENTITY: facts.id}, inputs=(raw_pid(rules, facts.id),),
    )  # fmt: skip


def address_of(text: str) -> str:
    """Return the e-mail address that a text holds; empty for a text that holds none."""
    found = _ADDRESS.search(text)
    return found[0] if found else ""


def keywords_of(name: str, always: Iterable[str] = ()) -> tuple[str, ...]:
    """Return keywords: those that all have, then the words of a name in small letters."""
    words = (word.lower() for word in re.split(r"[\W_]+", name) if word)
    return tuple(dict.fromkeys([*always, *words]))[: MAX_KEYWORDS + len(tuple(always))]


def log_of(how: Provenance) -> str:
    """Return what the program had to say while it made a product: findings, times, figures."""
    lines = [f"{item.severity}: {item.message}" for item in how.findings]
    lines += [f"{stage}: {seconds:.1f} s" for stage, seconds in how.seconds.items()]
    return clean_text("\n".join(lines))[:MAX_LOG]


def iso(time_s: float) -> str:
    """Return seconds since 1970 as ISO 8601, UTC, to the millisecond."""
    told = datetime.fromtimestamp(time_s, UTC).isoformat(timespec="milliseconds")
    return told.replace("+00:00", "Z")


def _figures(how: Provenance, facts: ScanFacts) -> Mapping[str, Any]:
    """Scientific metadata of a product."""
    figures: dict[str, Any] = {
        IDENTITY: facts.id, "grey_value_unit": how.units, "center_px": how.center.center_px,
        "recipe": how.recipe.name,
    }  # fmt: skip
    if how.pixel_size_um is not None:
        figures["voxel_size"] = {"value": how.pixel_size_um, "unit": "um"}
    if how.quality is not None:
        quality = how.quality
        figures |= {
            "slices": quality.slices_found, "center_confidence": quality.center_confidence,
            "ring_strength": quality.ring_strength, "noise": quality.noise,
            "saturated_share": quality.saturated_share, "clipped_share": quality.clipped_share,
            "nan_count": quality.nan_count,
        }  # fmt: skip
    return figures


def _times(scan: Scan) -> tuple[str, str]:
    """Return when the first and the last frame were taken, ISO 8601, UTC; empty if not told."""
    stamps = scan.per_frame.get("time_s")
    if stamps is not None and stamps.size and math.isfinite(stamps[0] + stamps[-1]):
        first, last = float(stamps[0]), float(stamps[-1])
        if 0 < first <= last < 4e9:
            return iso(first), iso(last)
    try:
        start = datetime.fromisoformat(scan.people.start_time)
    except ValueError:
        return "", ""
    # A time without a zone is the beamline's own; guessing which would make it wrong by hours.
    return (iso(start.timestamp()), "") if start.tzinfo else ("", "")
