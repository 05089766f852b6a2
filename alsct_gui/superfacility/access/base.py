"""Opening a scan's files to the people of its proposal, whoever does it.

What is wanted is a grant: a file, and the proposal whose people may read it. Which group that
is, each gate knows by rules from the profile; where no rule fits it fails closed and asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol, runtime_checkable

from alsct_gui.superfacility.transfer.base import check_path


@dataclass(frozen=True, slots=True)
class Grant:
    """What is to be opened to whom.

    Raises
    ------
    RefusedError
        The path cannot be used.
    """

    path: str
    """Of the file, relative to the gate's folder."""
    proposal: str
    """Proposal whose people may read it."""
    until_s: float | None = None
    """When it ends, seconds since 1970 UTC; None is never."""

    def __post_init__(self) -> None:
        check_path(self.path)

    @property
    def folder(self) -> str:
        """Folder of the file, relative to the gate's; empty when it lies in that itself."""
        parent = PurePosixPath(self.path).parent.as_posix()
        return "" if parent == "." else parent


@runtime_checkable
class AccessGate(Protocol):
    """One way in.

    Every method ends in a bounded time, may block until then, and may raise `LinkDownError`
    (try later; it is not known whether it was done), `NeedsPersonError` (a proposal without a
    group, a missing right) or `RefusedError`.
    """

    @property
    def name(self) -> str:
        """Name of the gate, for people."""
        ...

    def give(self, grants: Sequence[Grant]) -> None:
        """Open what is not open; the same, however often it is asked for."""
        ...

    def seen(self, grants: Sequence[Grant]) -> tuple[str, ...]:
        """Look how it stands: for each, who may read it and by what; empty when nobody may."""
        ...

    def take(self, grants: Sequence[Grant]) -> None:
        """Close what is open; what is closed stays closed."""
        ...
