"""What every group of measurements gets: sizes, repeats, threads, peers, a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

from numpy.typing import NDArray

from alsct_bench.driver import Answer, Peer, PeerError, Peers
from alsct_bench.measurement import Measurement, Target
from alsct_bench.timing import Timer, Timing, blas_threads, take_turns, timer

T = TypeVar("T")

_SCALE = {"ms": 1e3, "s": 1.0}


@dataclass(frozen=True, slots=True)
class Size:
    """Size of the scans that are measured on."""

    n_columns: int
    n_angles: int
    n_rows: int
    run_rows: int
    """Rows of the end-to-end run."""

    @property
    def text(self) -> str:
        """In words, for the head of a table."""
        return f"{self.n_columns} columns x {self.n_angles} angles"


FULL = Size(n_columns=2560, n_angles=1313, n_rows=2160, run_rows=128)
QUICK = Size(n_columns=640, n_angles=328, n_rows=96, run_rows=32)


@dataclass(frozen=True, slots=True)
class Task:
    """What a peer does beside us."""

    name: str
    """A key of `peers.TASKS`."""
    inputs: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """Arrays, by the name the peer's function knows them by."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Settings."""
    items: int = 1
    """Items (slices, projections) in one call."""
    repeats: int | None = None
    """Repeats where the usual number takes too long."""
    threads: int | None = None
    """Threads of the peer; None for as many as ours."""
    target: Target | None = None
    """What the ratio to this peer should reach."""
    note: str = ""
    """How the peer is run, said in its row."""


@dataclass(frozen=True, eq=False)
class Rival:
    """A peer's side of a comparison."""

    peer: Peer
    """Who."""
    task: Task
    """What it did."""
    timing: Timing
    """How long it took."""
    answer: Answer
    """Its first answer; ``result`` is there when that was asked for."""


@dataclass(frozen=True, eq=False)
class Comparison(Generic[T]):
    """Our side and the peers' of one measurement."""

    result: T
    """What our first call, which compiles, returned."""
    timing: Timing
    """How long ours took, warm."""
    rivals: Sequence[Rival]
    """Peers that did the same."""
    rows: Sequence[Measurement]
    """The measurement as rows: one for each peer, or a single one."""


@dataclass(frozen=True, eq=False)
class Bench:
    """One run of the bench."""

    size: Size
    """Of the scans."""
    quick: bool
    """Whether this run is to show that everything works, rather than how fast."""
    threads: int
    """Threads of what is said to run on all of them."""
    folder: Path
    """For files that are made while it runs."""
    peers: Peers
    full: bool = False
    """Whether what is otherwise short of its full length is to have it."""
    seed: int | None = None
    """Of what is left to chance; None for another one each time."""

    @property
    def repeats(self) -> int:
        """How often a measurement is repeated."""
        return 2 if self.quick else 5

    @property
    def thread_counts(self) -> tuple[int, ...]:
        """One thread, and all that were asked for."""
        return (1,) if self.threads == 1 else (1, self.threads)

    def compare(
        self,
        group: str,
        name: str,
        ours: Callable[[], T],
        *,
        before: Callable[[], object] | None = None,
        unit: str = "ms",
        items: int = 1,
        threads: int = 1,
        hold_blas: bool = True,
        tasks: Sequence[Task] = (),
        keep: bool = False,
        repeats: int | None = None,
        target: Target | None = None,
        note: str = "",
    ) -> Comparison[T]:
        """Time our call and the peers' in turns.

        Parameters
        ----------
        group, name, unit, target, note
            Of the rows; times are given per item.
        ours
            Our call; it is run once before, to compile and to get its result.
        before
            Called, untimed, before each call of ours: fresh arrays for work in place.
        items
            Items (slices, projections) that one call of ours works on.
        threads
            Threads of ours, for the label; also of the peers unless a task says otherwise.
        hold_blas
            Whether matrix products are held to ``threads``; not so in a run as users do it.
        tasks
            What peers do beside us.
        keep
            Whether the peers' arrays are brought back.
        repeats
            Where the usual number takes too long.
        """
        with blas_threads(threads) if hold_blas else nullcontext():
            if before is not None:
                before()
            result = ours()
            repeats = self.repeats if repeats is None else repeats
            timers: list[Timer] = [timer(ours, before)]
            counts = [repeats]
            entered: list[tuple[Peer, Task, Answer]] = []
            failures: list[str] = []
            for task in tasks:
                offered = self.peers.offering(task.name)
                paths = self.peers.store(task.inputs) if offered else {}
                for peer in offered:
                    call = partial(
                        self.peers.call, peer, paths, task.options, threads=task.threads or threads
                    )
                    try:
                        answer = call(keep=keep)
                    except PeerError as error:
                        failures.append(error.sentence)
                        continue
                    entered.append((peer, task, answer))
                    timers.append(partial(_seconds, call))
                    if task.repeats == 1:  # what takes so long needs no warming
                        timers[-1] = partial(float, answer.seconds)
                    counts.append(task.repeats or repeats)
            timings = take_turns(timers, counts)
        rivals = [
            Rival(peer, task, timing, answer)
            for (peer, task, answer), timing in zip(entered, timings[1:], strict=True)
        ]
        own = Measurement(
            group, name, timings[0].median_s * _SCALE[unit] / items, unit,
            spread=timings[0].spread, note=_join(note, *failures),
        )  # fmt: skip
        rows = [_beside(own, rival, unit, threads) for rival in rivals] or [own]
        if target is not None and rows[0].target is None:
            rows[0] = replace(rows[0], target=target)
        return Comparison(result, timings[0], rivals, rows)


Group = Callable[[Bench], Iterator[Measurement]]
"""A group of measurements; rows are yielded as they are taken."""


def _seconds(call: Callable[[], Answer]) -> float:
    return call().seconds


def _beside(own: Measurement, rival: Rival, unit: str, threads: int) -> Measurement:
    """Our figure with a peer's beside it."""
    value = rival.timing.median_s * _SCALE[unit] / rival.task.items
    spreads = [spread for spread in (own.spread, rival.timing.spread) if spread is not None]
    return replace(
        own,
        peer=_label(rival.peer, rival.task, threads),
        peer_value=value,
        ratio=value / own.value,
        spread=max(spreads, default=None),
        target=rival.task.target,
        note=_join(own.note, rival.task.note),
    )


def _label(peer: Peer, task: Task, threads: int) -> str:
    count = task.threads or threads
    return f"{peer.label}, {count} thread{'s' * (count != 1)}"


def _join(*sentences: str) -> str:
    return "; ".join(sentence for sentence in sentences if sentence)
