"""The work of `fibers.loads`."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.files.report.content import Block, Facts, Heading, Plot, Series, Text
from alsct_gui.files.report.words import figure, table_rows
from alsct_gui.model.errors import InputError, RecipeError
from alsct_gui.model.table import Column, Table
from alsct_gui.steps.reporter import Reporter
from alsct_gui.steps.reports import report_outputs
from napari_alsct_fibers.match import Stretch, find_stretch, match_fibres, pair_heights
from napari_alsct_fibers.steps.loads import MOST_LOADS, Loads
from napari_alsct_fibers.tables import count_table

Float64Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """What was found at one load."""

    name: str
    """For people: ``93 N``."""
    breaks: Table
    fibres: Table


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """The breaks of all loads, each under one number."""

    number: tuple[NDArray[np.int64], ...]
    """Number of each break of each load, from 0."""
    fibre: tuple[NDArray[np.int64], ...]
    """Number of its fibre in the specimen, from 0, for each break of each load."""
    n_fibres: tuple[int, ...]
    """Fibres that were found again at each load; of the first all."""
    stretch: tuple[Stretch, ...]
    """From each load to the next."""

    @property
    def n_breaks(self) -> int:
        """Breaks in all."""
        return 1 + max((int(part.max(initial=-1)) for part in self.number), default=-1)


def follow(inputs: Mapping[str, Any], p: Loads, reporter: Reporter) -> Mapping[str, Any]:
    """Return the outputs of the step.

    Raises
    ------
    InputError
        The tables are not those of `fibers.breaks`, or not of one specimen.
    RecipeError
        There are not as many loads as results.
    """
    loads = _loads(inputs, p)
    history = _history(loads, p, reporter)
    facts = loads[0].breaks.facts
    names = [_heading(load.name) for load in loads]
    counts = count_table(
        [load.breaks.column("along_um") for load in loads], names, int(facts["slices"]),
        float(facts["slice_um"]), p.bins,
    )  # fmt: skip
    table = _history_table(loads, history, names)
    summary = _summary(loads, history)
    for load in loads:
        reporter.say(f"{load.name}: {load.breaks.n_rows:,} breaks")
    blocks = _blocks(loads, names, counts, table, summary)
    return {
        "history": table,
        "counts": counts,
        "summary": summary,
        **report_outputs("Breaks over loads", "Fibre breaks at each load", blocks),
    }


def _loads(inputs: Mapping[str, Any], p: Loads) -> list[Loaded]:
    found: list[Loaded] = []
    for number in range(1, MOST_LOADS + 1):
        breaks, fibres = (inputs.get(f"{kind}_{number}") for kind in ("breaks", "fibres"))
        if breaks is None and fibres is None:
            continue
        if breaks is None or fibres is None:
            raise InputError(
                "breaks and fibres belong together", where=f"load {number}",
                fix="Give both tables of the result",
            )  # fmt: skip
        _require_columns(breaks, ("fibre", "along_um", "opening_um"), f"breaks_{number}")
        _require_columns(fibres, ("fibre", "across_1_um", "across_2_um"), f"fibres_{number}")
        found.append(Loaded(f"load {len(found) + 1}", breaks, fibres))
    if p.loads_n and len(p.loads_n) != len(found):
        raise RecipeError(
            f"{len(p.loads_n)} loads are given for {len(found)} results",
            where="parameters.loads_n", fix="Give one load a result, or none",
        )  # fmt: skip
    if not p.loads_n:
        return found
    return [
        Loaded(f"{load:g} N", item.breaks, item.fibres)
        for load, item in zip(p.loads_n, found, strict=True)
    ]


def _require_columns(table: Table, names: tuple[str, ...], where: str) -> None:
    known = {column.name for column in table.columns}
    missing = [name for name in names if name not in known]
    facts = [key for key in ("slices", "slice_um", "diameter_um") if key not in table.facts]
    if missing or facts:
        raise InputError(
            f"the table has no {(missing + facts)[0]}", where=where,
            fix="Give a table that fibers.breaks has made",
        )  # fmt: skip


def _history(loads: list[Loaded], p: Loads, reporter: Reporter) -> History:
    first = loads[0]
    numbers = [np.arange(first.breaks.n_rows)]
    # Number in the specimen of each fibre of the load, by the fibre's own number.
    known = {int(fibre): index for index, fibre in enumerate(first.fibres.column("fibre"))}
    fibres = [_specimen_numbers(first, known)]
    n_fibres, stretches = [len(known)], []
    next_break, next_fibre = first.breaks.n_rows, len(known)
    pairs_of_loads = list(itertools.pairwise(loads))
    for before, after in reporter.each(pairs_of_loads, "loads"):
        spacing = float(before.fibres.facts["diameter_um"])
        match = match_fibres(_pattern(before), _pattern(after), spacing)
        of_before, of_after = (_pattern_numbers(load) for load in (before, after))
        same = {
            int(of_after[b]): int(of_before[a])
            for a, b in zip(match.first, match.second, strict=True)
        }  # fmt: skip
        now = {}
        for fibre in after.fibres.column("fibre").tolist():
            if int(fibre) in same:
                now[int(fibre)] = known[same[int(fibre)]]
            else:
                now[int(fibre)] = next_fibre
                next_fibre += 1
        stretch, pairs = _pair(before, after, same, p)
        number = np.full(after.breaks.n_rows, -1)
        for a, b in pairs:
            number[b] = numbers[-1][a]
        new = np.flatnonzero(number < 0)
        number[new] = next_break + np.arange(len(new))
        next_break += len(new)
        numbers.append(number)
        known = now
        fibres.append(_specimen_numbers(after, known))
        n_fibres.append(len(same))
        stretches.append(stretch)
    return History(tuple(numbers), tuple(fibres), tuple(n_fibres), tuple(stretches))


def _pair(
    before: Loaded, after: Loaded, same: Mapping[int, int], p: Loads
) -> tuple[Stretch, list[tuple[int, int]]]:
    """Find the same breaks at two loads; returns pairs of rows."""
    diameter = float(before.fibres.facts["diameter_um"])
    tolerance = diameter if p.tolerance_um is None else p.tolerance_um
    height = float(before.breaks.facts["slices"]) * float(before.breaks.facts["slice_um"])
    farthest = height / 5 if p.farthest_um is None else p.farthest_um
    rows: list[tuple[NDArray[np.intp], NDArray[np.intp]]] = []
    for later, earlier in same.items():
        one = np.flatnonzero(before.breaks.column("fibre") == earlier)
        other = np.flatnonzero(after.breaks.column("fibre") == later)
        if len(one) and len(other):
            rows.append((one, other))
    first, second = (load.breaks.column("along_um").astype(np.float64) for load in (before, after))
    opening = after.breaks.column("opening_um").astype(np.float64)
    stretch = find_stretch([(first[a], second[b]) for a, b in rows], tolerance, farthest)
    pairs: list[tuple[int, int]] = []
    for one, other in rows:
        expected = stretch.shift + stretch.factor * first[one]
        reach = np.broadcast_to(tolerance + opening[other] / 2, (len(one), len(other)))
        for a, b in pair_heights(expected, second[other], reach).tolist():
            pairs.append((int(one[a]), int(other[b])))
    return stretch, pairs


def _pattern(load: Loaded) -> Float64Array:
    places = np.column_stack([load.fibres.column("across_1_um"), load.fibres.column("across_2_um")])
    return np.asarray(places[np.isfinite(places).all(axis=1)], np.float64)


def _pattern_numbers(load: Loaded) -> NDArray[np.int64]:
    places = np.column_stack([load.fibres.column("across_1_um"), load.fibres.column("across_2_um")])
    return np.asarray(load.fibres.column("fibre")[np.isfinite(places).all(axis=1)], np.int64)


def _specimen_numbers(load: Loaded, known: Mapping[int, int]) -> NDArray[np.int64]:
    return np.array([known[int(fibre)] for fibre in load.breaks.column("fibre")], np.int64)


def _heading(name: str) -> str:
    """A load's name as a part of a column's: ``93_n``."""
    return "".join(char if char.isalnum() else "_" for char in name.lower())


def _history_table(loads: list[Loaded], history: History, names: list[str]) -> Table:
    n, n_loads = history.n_breaks, len(loads)
    fibre, first = np.zeros(n, np.int64), np.full(n, n_loads)
    along, opening = np.full((n_loads, n), np.nan), np.full((n_loads, n), np.nan)
    place = np.full((n, 3), np.nan)
    for index, load in enumerate(loads):
        rows = history.number[index]
        first[rows] = np.minimum(first[rows], index)
        fibre[rows] = history.fibre[index]
        along[index, rows] = load.breaks.column("along_um")
        opening[index, rows] = load.breaks.column("opening_um")
        place[rows] = np.column_stack([load.breaks.column(key) for key in ("z_um", "y_um", "x_um")])
    columns = [
        Column("break", "", "Number of the break in the specimen."),
        Column("fibre", "", "Number of the fibre in the specimen."),
        Column("first_load", "", "Load at which it is first found, from 1."),
        Column("z_um", "µm", "Place at the last load at which it is found."),
        Column("y_um", "µm", "Place at the last load at which it is found."),
        Column("x_um", "µm", "Place at the last load at which it is found."),
        *(Column(f"along_{name}_um", "µm", f"Height at {load.name}; empty where it is not found.")
          for name, load in zip(names, loads, strict=True)),
        *(Column(f"opening_{name}_um", "µm", f"Opening at {load.name}.")
          for name, load in zip(names, loads, strict=True)),
    ]  # fmt: skip
    return Table(
        tuple(columns),
        (np.arange(1, n + 1), fibre + 1, first + 1, *place.T, *along, *opening),
    )


def _summary(loads: list[Loaded], history: History) -> Table:
    seen: set[int] = set()
    new, again, lost = [], [], []
    before: set[int] = set()
    for number in history.number:
        here = {int(value) for value in number}
        new.append(len(here - seen))
        again.append(len(here & before))
        lost.append(len(before - here))
        seen |= here
        before = here
    stretch = [Stretch(0.0, 1.0, 0), *history.stretch]
    return Table(
        (
            Column("load", "", "Load."),
            Column("n_fibres", "", "Fibres found again; of the first load all."),
            Column("n_breaks", "", "Breaks."),
            Column("n_new", "", "Breaks that no earlier load shows."),
            Column("n_again", "", "Breaks of the load before that are found again."),
            Column("n_lost", "", "Breaks of the load before that are not found again."),
            Column("median_opening_um", "µm", "Median opening."),
            Column("shift_um", "µm", "Shift along the fibres against the load before."),
            Column("strain", "", "Stretch along the fibres against the load before."),
        ),
        (
            np.array([load.name for load in loads]), np.array(history.n_fibres),
            np.array([load.breaks.n_rows for load in loads]), np.array(new), np.array(again),
            np.array(lost),
            np.array([_median(load.breaks.column("opening_um")) for load in loads]),
            np.array([part.shift for part in stretch]),
            np.array([part.factor - 1 for part in stretch]),
        ),
    )  # fmt: skip


def _median(values: NDArray[Any]) -> float:
    return float(np.median(values)) if len(values) else float("nan")


def _blocks(
    loads: list[Loaded], names: list[str], counts: Table, history: Table, summary: Table
) -> list[Block]:
    middle = (counts.column("slice_from") + counts.column("slice_to")) / 2
    ends = counts.column("slice_to")
    over = [
        Series(load.name, middle, counts.column(name).astype(np.float64))
        for load, name in zip(loads, names, strict=True)
    ]
    below = [
        Series(load.name, ends, counts.column(f"{name}_below").astype(np.float64))
        for load, name in zip(loads, names, strict=True)
    ]
    lost = int(summary.column("n_lost").sum())
    blocks: list[Block] = [
        Facts(
            [
                (load.name, f"{load.breaks.n_rows:,} breaks, "
                 f"{int(summary.column('n_new')[index]):,} of them new; median opening "
                 f"{figure(float(summary.column('median_opening_um')[index]), 'µm', 3)}")
                for index, load in enumerate(loads)
            ]
        ),
        Text("A break that is found at one load and not at the next cannot have healed: "
             f"{lost:,} of those are there, and worth a look."),
        Heading("Breaks over the height"),
        Plot("slice", "breaks", over),
        Heading("Breaks up to each slice"),
        Plot("slice", "breaks", below),
        Heading("Loads"),
        table_rows(summary),
        Heading("Breaks"),
        table_rows(history, whole="history.csv"),
    ]  # fmt: skip
    return blocks
