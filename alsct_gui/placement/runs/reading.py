"""Views of all runs, kept up to date by reading only what was appended since the last look."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from alsct_gui.model.errors import RecipeError, UsageError
from alsct_gui.placement.runs.fold import advance, new_view
from alsct_gui.placement.runs.folder import RunFolder, is_run_id, read_order
from alsct_gui.placement.runs.model import RunRequest, RunState, RunView, parse_event

_MOST_BYTES = 8 << 20  # of one run's events taken in at one look; the rest at the next


class RunsReader:
    """Reads a runs folder again and again, cheaply.

    A look lists the folder once and asks for the size of each events file; only a file that
    has grown is opened. Not for several threads at once.
    """

    def __init__(self, runs: Path) -> None:
        self._runs = runs
        self._tails: dict[str, _Tail] = {}

    def poll(self) -> tuple[RunView, ...]:
        """Return the views of all runs, newest first."""
        names = _run_names(self._runs)
        for gone in self._tails.keys() - names:
            del self._tails[gone]
        views = []
        for name in sorted(names, reverse=True):
            tail = self._tails.get(name) or _Tail(RunFolder(self._runs, name))
            self._tails[name] = tail
            if tail.read_on():
                views.append(tail.shown())
        if not any(view.state is RunState.QUEUED for view in views):
            return tuple(views)
        places = queue_order(views, read_order(self._runs))
        return tuple(
            replace(view, position=places.index(view.id) + 1) if view.id in places else view
            for view in views
        )


def read_view(folder: RunFolder) -> RunView:
    """Return the view of one run, read from the beginning.

    Raises
    ------
    UsageError
        There is no such run.
    """
    tail = _Tail(folder)
    if not tail.read_on():
        raise UsageError(f"there is no run {folder.id}", fix="See alsct runs")
    return tail.shown()


class _Tail:
    """What is known of one run, and how far its events were read."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._offset = 0
        self._view: RunView | None = None

    def read_on(self) -> bool:
        """Take in what was appended; false when the run is gone."""
        try:
            size = os.stat(self._folder.events).st_size  # noqa: PTH116 (called very often)
            if self._view is None:
                self._view = new_view(self._folder.id, _request_of(self._folder))
            if size > self._offset:
                self._take(self._view, self._folder.events)
        except (FileNotFoundError, NotADirectoryError):
            return False
        return True

    def shown(self) -> RunView:
        """The view, with what time and markers add to it."""
        if self._view is None:
            raise RuntimeError("the run has not been read")
        if self._view.state.ended:
            return self._view
        view = replace(self._view, cancelling=self._folder.cancel_asked)
        if view.state is RunState.RUNNING:
            view = replace(view, elapsed_s=max(view.elapsed_s, time.time() - view.started_s))
        return view

    def _take(self, view: RunView, path: Path) -> None:
        with path.open("rb") as file:
            file.seek(self._offset)
            fresh = file.read(_MOST_BYTES)
        # What has no end yet is still being written, unless it is too long for any event.
        whole = len(fresh) if len(fresh) == _MOST_BYTES and b"\n" not in fresh else (
            fresh.rfind(b"\n") + 1
        )  # fmt: skip
        for line in fresh[:whole].splitlines():
            event = parse_event(line)
            if event is not None:
                view = advance(view, event)
        self._view = view
        self._offset += whole


def queue_order(views: Iterable[RunView], moved: Sequence[str]) -> tuple[str, ...]:
    """Return the ids of the queued runs, next one first.

    Runs that were moved come first, in that order; the others by the time they were queued.
    """
    queued = sorted(
        (view for view in views if view.state is RunState.QUEUED),
        key=lambda view: (view.queued_s, view.id),
    )
    ids = [view.id for view in queued]
    first = [name for name in dict.fromkeys(moved) if name in ids]
    return (*first, *(name for name in ids if name not in first))


def _run_names(runs: Path) -> set[str]:
    try:
        return {name for name in os.listdir(runs) if is_run_id(name)}  # noqa: PTH208 (names alone)
    except FileNotFoundError:
        return set()


def _request_of(folder: RunFolder) -> RunRequest | None:
    """What was asked for; None when it cannot be read, which its worker will say."""
    try:
        return folder.request()
    except RecipeError:
        return None
