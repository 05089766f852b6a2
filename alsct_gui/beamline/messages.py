"""What lookout sends, as plain data, and checked when it comes back out of a pipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, TypeVar

from alsct_gui.beamline.folder import Trouble
from alsct_gui.beamline.looks import State
from alsct_gui.beamline.sightings import Change, ChangeKind, Sighting, SightingFacts
from alsct_gui.beamline.watching import Step
from alsct_gui.model.codec import from_plain, to_plain
from alsct_gui.model.errors import RecipeError, RemoteError

_WHERE = "folder watch"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class WatchState:
    """How the watch as a whole is."""

    troubles: tuple[Trouble, ...] = ()
    """Folders that cannot be listed at present, and why."""
    known: int = 0
    """Scans and volumes there are."""
    waiting: int = 0
    """Those of them that are still to be looked at."""
    listed: bool = False
    """Whether every folder was listed to its end at least once."""
    lost: str = ""
    """Why nothing is watched at present, a sentence; empty when all is well."""

    @property
    def settled(self) -> bool:
        """Whether everything there is has been looked at."""
        return self.listed and not self.waiting and not self.lost


@dataclass(frozen=True, slots=True)
class _ChangeFacts:
    """A change as it travels."""

    event: Literal["change"]
    kind: ChangeKind
    before: State | None
    also_at: tuple[str, ...]
    path: str
    sighting: SightingFacts


@dataclass(frozen=True, slots=True)
class _StateFacts:
    """The state of the whole as it travels."""

    event: Literal["state"]
    troubles: tuple[tuple[str, str], ...]
    known: int
    waiting: int
    listed: bool


def change_to_facts(change: Change) -> dict[str, Any]:
    """Turn a change into plain data."""
    sighting = change.sighting
    facts = {item.name: to_plain(getattr(sighting, item.name)) for item in fields(SightingFacts)}
    return {
        "event": "change",
        "kind": change.kind,
        "before": change.before,
        "also_at": [str(path) for path in change.also_at],
        "path": str(sighting.path),
        "sighting": facts,
    }


def change_from_facts(facts: Mapping[str, Any]) -> Change:
    """Check and build a change.

    Raises
    ------
    RemoteError
        It is none.
    """
    plain = _checked(_ChangeFacts, facts)
    values = {item.name: getattr(plain.sighting, item.name) for item in fields(SightingFacts)}
    (path,) = paths_from((plain.path,))
    sighting = Sighting(path=path, **values)
    return Change(plain.kind, sighting, plain.before, paths_from(plain.also_at))


def state_to_facts(step: Step) -> dict[str, Any]:
    """Turn what a step says of the whole into plain data."""
    return {
        "event": "state",
        "troubles": [[str(item.folder), item.sentence] for item in step.troubles],
        "known": step.known,
        "waiting": step.waiting,
        "listed": step.listed,
    }


def state_from_facts(facts: Mapping[str, Any]) -> WatchState:
    """Check and build the state of the whole.

    Raises
    ------
    RemoteError
        It is none.
    """
    plain = _checked(_StateFacts, facts)
    troubles = tuple(Trouble(Path(folder), sentence) for folder, sentence in plain.troubles)
    return WatchState(troubles, plain.known, plain.waiting, plain.listed)


def paths_from(values: Any) -> tuple[Path, ...]:
    """Check and build absolute paths.

    Raises
    ------
    RemoteError
        They are none.
    """
    if not isinstance(values, list | tuple) or not all(
        isinstance(value, str) and "\0" not in value and Path(value).is_absolute()
        for value in values
    ):
        raise RemoteError(f"expected absolute paths, found {values!r:.200}", where=_WHERE)
    return tuple(Path(value) for value in values)


def _checked(kind: type[T], facts: Mapping[str, Any]) -> T:
    try:
        return from_plain(kind, facts, where=_WHERE)
    except RecipeError as error:
        raise RemoteError(error.what, where=error.where) from error
