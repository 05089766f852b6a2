"""What a run is: the request, the events that tell of it, and the view they fold to."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from alsct_gui.model.codec import from_plain
from alsct_gui.model.errors import RecipeError
from alsct_gui.model.recipe import Recipe, recipe_from_dict, recipe_to_dict
from alsct_gui.placement.runs.processes import ProcessMark

REQUEST_VERSION = 1
DEFAULT_MEMORY_BYTES = 4_000_000_000


class RunState(StrEnum):
    """Where a run is."""

    QUEUED = "queued"  # waits for its turn
    RUNNING = "running"  # a worker has it
    FINISHED = "finished"  # the product is whole
    FAILED = "failed"  # it said why; what it stored is kept
    CANCELLED = "cancelled"  # as asked; nothing half-written is left
    LOST = "lost"  # its worker ended without a word; what it stored is kept

    @property
    def ended(self) -> bool:
        """Whether nothing happens any more unless it is started again."""
        return self not in (RunState.QUEUED, RunState.RUNNING)


class EventKind(StrEnum):
    """What an event tells; a file may hold others, of a later version."""

    QUEUED = "queued"  # submitted, or started again; ``resume``
    STARTED = "started"  # a worker has it; ``worker``
    STAGE = "stage"  # a stage of the work begins; ``stage``, once planned ``first_pass``
    PROGRESS = "progress"  # ``stage``, ``done``, ``total``, ``eta_s``
    SLICES = "slices"  # slices are stored; ``partial``, ``ranges``, ``done``, ``total``
    LOG = "log"  # a sentence for people; ``text``
    WARNING = "warning"  # a finding; ``text``, ``name``
    FINISHED = "finished"  # ``output``
    FAILED = "failed"  # ``what``, ``where``, ``fix``
    CANCELLED = "cancelled"  # ended as asked
    LOST = "lost"  # ``what``, ``where``, ``fix``


STATE_CHANGES = frozenset(
    {EventKind.QUEUED, EventKind.STARTED, EventKind.FINISHED, EventKind.FAILED,
     EventKind.CANCELLED, EventKind.LOST}
)  # fmt: skip
"""Kinds that are brought to the disk before anything else happens."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """A reconstruction as it was asked for."""

    scan: Path
    """The scan's file or folder, absolute."""
    recipe: Recipe
    """What is asked for; a centre that is not given is found when it runs."""
    output: Path
    """Final name of the product, absolute."""
    title: str
    """For people; usually the scan's name."""
    threads: int = 0
    """Processor threads; 0 for all that the worker may use."""
    created: str = ""
    """ISO 8601, UTC."""
    memory_bytes: int = DEFAULT_MEMORY_BYTES
    """Memory not to be exceeded."""
    range_deg: float | None = None
    """Turn of a TIFF scan, which has no angles of its own; None as `open_scan` takes it."""
    quantity: str | None = None
    """What a TIFF scan's values are; None as `open_scan` takes it."""
    sinogram: bool = False
    """Whether a TIFF is one sinogram."""
    force: bool = False
    """Reconstruct though the check finds errors."""


@dataclass(frozen=True, slots=True)
class RunEvent:
    """One line of a run's events."""

    time_s: float
    """Seconds since 1970, UTC."""
    kind: str
    """One of `EventKind`, or a word of a later version."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """What belongs to the kind; not checked."""


@dataclass(frozen=True, slots=True)
class RunError:
    """Why a run ended, in the words of `model.errors`."""

    what: str
    where: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True)
class RunView:
    """All that there is to show of a run."""

    id: str
    """Name of its folder; sorts by time."""
    request: RunRequest | None
    """What was asked for; None when the file that says it cannot be read."""
    state: RunState = RunState.QUEUED
    stage: str = ""
    """What is being done, a noun; empty before it begins."""
    stage_done: int = 0
    """Units of the stage that are finished."""
    stage_total: int = 0
    """Units of the stage; 0 when it has none."""
    share: float = 0.0
    """How much of the whole run is done, from 0 to 1."""
    eta_s: float | None = None
    """Time left until the last slice, by the pace so far; None before there is a pace."""
    elapsed_s: float = 0.0
    """Time that the present, or last, attempt has taken."""
    slices_done: int = 0
    """Slices that can be read in the partial product, or in the product."""
    slices_total: int = 0
    """Slices in all; 0 before the plan is made."""
    ranges: tuple[tuple[int, int], ...] = ()
    """Which they are: disjoint [first, stop), ascending."""
    partial_path: Path | None = None
    """Folder of the partial product; its ``content`` is what becomes the product."""
    output: Path | None = None
    """Name of the product; it exists once the run is finished."""
    error: RunError | None = None
    """Why it failed or was lost."""
    log: tuple[str, ...] = ()
    """The latest sentences of the log, oldest first."""
    position: int | None = None
    """Place in the queue, 1 for the next; None unless it is queued."""
    cancelling: bool = False
    """Whether a cancel was asked for and has not yet been heard."""
    attempt: int = 0
    """How often a worker has taken it."""
    resume: bool = False
    """Whether the next attempt goes on with what the last one stored."""
    first_pass: bool = False
    """Whether whole projections are worked on before the slices."""
    queued_s: float = 0.0
    """When it was put into the queue, seconds since 1970."""
    started_s: float = 0.0
    """When the present, or last, attempt began, seconds since 1970; 0 before."""
    worker: ProcessMark | None = None
    """The process that has it."""
    unknown: tuple[RunEvent, ...] = ()
    """The latest events of kinds that this version does not know."""


def parse_event(line: bytes) -> RunEvent | None:
    """Read one line of an events file; None when it is torn or no event."""
    try:
        plain = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(plain, dict):
        return None
    time_s, kind, data = plain.get("time_s"), plain.get("kind"), plain.get("data", {})
    if isinstance(time_s, bool) or not isinstance(time_s, int | float):
        return None
    # NaN is not below anything either.
    if not (isinstance(kind, str) and isinstance(data, dict) and abs(time_s) < 1e12):
        return None
    return RunEvent(float(time_s), kind, data)


def event_line(event: RunEvent) -> bytes:
    """Return the line of an events file that `parse_event` reads back."""
    plain = {"time_s": event.time_s, "kind": event.kind, "data": dict(event.data)}
    return json.dumps(plain, default=str).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class _Stored:
    """A request without its recipe, in the types of JSON."""

    scan: str
    output: str
    title: str
    threads: int = field(metadata={"min": 0, "max": 4096})
    created: str
    memory_bytes: int = field(metadata={"min": 1})
    range_deg: float | None
    quantity: str | None
    sinogram: bool
    force: bool
    version: int = field(metadata={"min": 1, "max": REQUEST_VERSION})


def request_to_plain(request: RunRequest) -> dict[str, Any]:
    """Return a request as plain data that `request_from_plain` takes back unchanged."""
    return {
        "version": REQUEST_VERSION,
        "scan": os.fspath(request.scan),
        "output": os.fspath(request.output),
        "title": request.title,
        "threads": request.threads,
        "created": request.created,
        "memory_bytes": request.memory_bytes,
        "range_deg": request.range_deg,
        "quantity": request.quantity,
        "sinogram": request.sinogram,
        "force": request.force,
        "recipe": recipe_to_dict(request.recipe),
    }


def request_from_plain(data: object) -> RunRequest:
    """Build and check a request from plain data.

    Raises
    ------
    RecipeError
        Names what is wrong by its path.
    """
    if not isinstance(data, Mapping):
        raise RecipeError("is not a request", where="request")
    recipe = recipe_from_dict(data.get("recipe"))
    rest = {key: value for key, value in data.items() if key != "recipe"}
    stored = from_plain(_Stored, rest, where="request")
    for name in ("scan", "output"):
        text = getattr(stored, name)
        if "\0" in text or not Path(text).is_absolute():
            raise RecipeError("is not an absolute path", where=f"request.{name}")
    return RunRequest(
        Path(stored.scan), recipe, Path(stored.output), stored.title, stored.threads,
        stored.created, stored.memory_bytes, stored.range_deg, stored.quantity,
        stored.sinogram, stored.force,
    )  # fmt: skip
