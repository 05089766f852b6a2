"""Breaks of one specimen, followed over loads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alsct_gui.steps.reporter import Reporter
from alsct_gui.steps.settings import setting
from alsct_gui.steps.step import Port, Step

MOST_LOADS = 6


@dataclass(frozen=True, slots=True)
class Loads:
    """Parameters of `fibers.loads`."""

    loads_n: tuple[float, ...] = setting(
        (), label="Loads", unit="N", tier="newbie",
        help="Load of each result in order, for example 93, 151; empty: numbered.",
    )  # fmt: skip
    tolerance_um: float | None = setting(
        None, label="Tolerance", unit="µm", min=0.01, empty="one fibre diameter",
        help="How well the heights of a break at two loads must agree.",
    )  # fmt: skip
    farthest_um: float | None = setting(
        None, label="Largest shift", unit="µm", min=0.01, empty="a fifth of the height",
        help="How far the specimen can have moved along the fibres between two loads.",
    )  # fmt: skip
    bins: int = setting(
        30, label="Ranges of slices", min=1, max=10_000,
        help="Of the count of breaks over the height.",
    )  # fmt: skip


def run(inputs: Mapping[str, Any], p: Loads, reporter: Reporter) -> Mapping[str, Any]:
    """Follow breaks over loads; see `napari_alsct_fibers.match`."""
    from napari_alsct_fibers.work.loads import follow

    return follow(inputs, p, reporter)


LOADS = Step(
    name="fibers.loads",
    title="Breaks over loads",
    sentence="Finds the same fibres and breaks again at each load: which are new, how the gaps "
    "open, and how many there are in each slice.",
    parameters=Loads,
    inputs=tuple(
        Port(f"{kind}_{number}", "table", f"{title} at load {number}", optional=number > 2)
        for number in range(1, MOST_LOADS + 1)
        for kind, title in (("breaks", "Breaks"), ("fibres", "Fibres"))
    ),
    outputs=(
        Port("history", "table", "Breaks over the loads"),
        Port("counts", "table", "Breaks over the height at each load"),
        Port("summary", "table", "Loads"),
        Port("report", "report", "Report"),
        Port("printed", "report", "Report as PDF", optional=True),
    ),
    run=run,
    preview="none",
)
