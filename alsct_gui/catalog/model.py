"""What the catalogue keeps of a dataset."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Dataset:
    """A scan or a volume, as it was seen."""

    id: str
    """Its identity: the same bytes have the same, wherever they lie."""
    path: str
    """Where it was seen first."""
    kind: str = "scan"
    """``scan`` or ``volume``."""
    title: str = ""
    """As people call it."""
    proposal: str = ""
    """Proposal it belongs to; empty when unknown."""
    size_bytes: int = 0
    """Size of its file or files."""
    sha256: str = ""
    """Checksum of the file, 64 hexadecimal digits; empty for a folder."""
    seen_s: float = 0.0
    """When it was seen first, seconds since 1970."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """What else is known of it, and is searched."""

    @property
    def digest(self) -> str:
        """SHA-256 over all of it: two datasets with the same are the same row."""
        return hashlib.sha256(dataset_text(self).encode("ascii")).hexdigest()


@dataclass(frozen=True, slots=True)
class Note:
    """What a person has written about a dataset."""

    time_s: float
    """When, seconds since 1970."""
    text: str
    author: str = ""
    """Who; empty when unknown."""


@dataclass(frozen=True, slots=True)
class Found:
    """A dataset that was found, with what persons have added to it."""

    dataset: Dataset
    tags: tuple[str, ...]
    """In alphabetical order."""
    notes: tuple[Note, ...]
    """The oldest first."""


def dataset_text(dataset: Dataset) -> str:
    """Return a dataset as JSON in ASCII, whatever its names are made of."""
    plain = {**asdict(dataset), "metadata": dict(dataset.metadata)}
    return json.dumps(plain, sort_keys=True, separators=(",", ":"))


def dataset_from_text(text: str) -> Dataset:
    """Read a dataset back; what a later version added is passed over."""
    plain: dict[str, Any] = json.loads(text)
    known = {name: plain[name] for name in Dataset.__slots__ if name in plain}
    return Dataset(**known)
