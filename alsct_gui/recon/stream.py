"""Stages that overlap: each runs in a thread of its own and hands items to the next.

A stage begins its next item when the one before has been taken from it, so that at most two
of each kind exist (one being made, one being worked on) and memory stays bounded. The time
that a stage works, as opposed to waits, is measured.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from alsct_gui.model.errors import CancelledError
from alsct_gui.model.progress import CancelToken

_WAKE_S = 0.05  # how often a waiting stage looks whether it should stop
_LEAVE_S = 1.5  # how long a cancelled stage may finish its present call
_END = object()


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: a name, and what it makes of an item."""

    name: str
    """For the table of times."""
    work: Callable[[Any], Iterable[Any]]
    """Called with each item of the stage before; what it yields goes to the next."""


@dataclass(slots=True)
class _Handover:
    """The place between two stages."""

    items: queue.SimpleQueue[Any] = field(default_factory=queue.SimpleQueue)
    room: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(1))
    """Held from before an item is made until the next stage takes it."""


@dataclass(slots=True)
class _Run:
    """State that the threads of one run share."""

    cancel: CancelToken
    stop: threading.Event = field(default_factory=threading.Event)
    errors: list[BaseException] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def stopping(self) -> bool:
        return self.stop.is_set() or self.cancel.cancelled


def run_stages(
    source: Stage, stages: Sequence[Stage], cancel: CancelToken | None = None
) -> dict[str, float]:
    """Run all stages to the end and return the seconds that each one worked.

    Parameters
    ----------
    source
        The first stage; its work is called once, with None.
    stages
        The others, in order; what the last one yields is dropped.
    cancel
        When it is cancelled, no further item is begun.

    Raises
    ------
    CancelledError
        It was cancelled. A thread that is in the middle of a long call is left to end by
        itself; it touches nothing after that call.
    BaseException
        The first error of any stage.
    """
    run = _Run(cancel or CancelToken())
    everything = [source, *stages]
    links: list[_Handover | None] = [None, *(_Handover() for _ in stages), None]
    threads = [
        threading.Thread(
            target=_run_stage,
            args=(run, stage, before, after),
            name=f"alsct-{stage.name}",
            daemon=True,
        )
        for stage, (before, after) in zip(everything, pairwise(links), strict=True)
    ]
    for thread in threads:
        thread.start()
    try:
        while any(thread.is_alive() for thread in threads) and not run.stopping():
            for thread in threads:
                thread.join(_WAKE_S)
    except BaseException:  # Ctrl-C: stop the threads, then let it out
        run.stop.set()
        raise
    finally:
        deadline = time.monotonic() + _LEAVE_S
        for thread in threads:
            if run.cancel.cancelled:
                thread.join(max(0.0, deadline - time.monotonic()))
            else:
                thread.join()
    if run.errors and not isinstance(run.errors[0], CancelledError):
        raise run.errors[0]
    run.cancel.check()
    if run.errors:
        raise run.errors[0]
    return run.seconds


def _run_stage(run: _Run, stage: Stage, before: _Handover | None, after: _Handover | None) -> None:
    busy = 0.0
    try:
        for item in [None] if before is None else _items(run, before):
            results = iter(stage.work(item))
            while _has_room(run, after):
                began = time.perf_counter()
                result = next(results, _END)
                busy += time.perf_counter() - began
                if result is _END:
                    if after is not None:
                        after.room.release()  # nothing was made
                    break
                if after is not None:
                    after.items.put(result)
                del result  # the next stage has it; it must not live on here
            del item, results
        if after is not None:
            after.items.put(_END)
    except BaseException as error:  # noqa: BLE001 - raised again by run_stages
        run.errors.append(error)
        run.stop.set()
    finally:
        run.seconds[stage.name] = busy


def _has_room(run: _Run, after: _Handover | None) -> bool:
    """Wait until the next item may be made; False when the run stops."""
    while not run.stopping():
        if after is None or after.room.acquire(timeout=_WAKE_S):
            return True
    return False


def _items(run: _Run, before: _Handover) -> Iterator[Any]:
    while not run.stopping():
        try:
            item = before.items.get(timeout=_WAKE_S)
        except queue.Empty:
            continue
        if item is _END:
            return
        before.room.release()
        yield item
        del item
