"""Fibres and their breaks in a volume."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from alsct_gui.steps.reporter import Reporter
from alsct_gui.steps.settings import setting
from alsct_gui.steps.step import Port, Preset, Step

AXIS_WORDS = {"found": "as found", "z": "z, the slices", "y": "y", "x": "x"}


@dataclass(frozen=True, slots=True)
class FibreBreaks:
    """Parameters of `fibers.breaks`."""

    diameter_um: float | None = setting(
        None, label="Fibre diameter", unit="µm", tier="newbie", min=0.01, max=10_000,
        empty="found in the volume", help="Of one fibre.",
    )  # fmt: skip
    fibres: Literal["bright", "dark"] = setting(
        "bright", label="Fibres", tier="newbie",
        words={"bright": "brighter than the matrix", "dark": "darker than the matrix"},
        help="How fibres look against the matrix; gaps are darker than either.",
    )  # fmt: skip
    axis: Literal["found", "z", "y", "x"] = setting(
        "found", label="Direction", words=AXIS_WORDS,
        help="Axis of the volume that the fibres run along.",
    )  # fmt: skip
    least_z: float = setting(
        5.0, label="Least clearness", min=2.0, max=100.0,
        help="A break stands out of the noise by so many standard deviations.",
    )  # fmt: skip
    least_depth: float = setting(
        0.4, label="Least depth", min=0.05, max=1.0,
        help="A break is at least so dark, from 0 (as the fibre) to 1 (as an open gap).",
    )  # fmt: skip
    widest_um: float | None = setting(
        None, label="Widest break", unit="µm", min=0.01, empty="40 slices",
        help="Wider gaps are taken for the end of a fibre.",
    )  # fmt: skip
    cluster_diameters: float = setting(
        1.6, label="Reach of a cluster", unit="diameters", min=0.5, max=20,
        help="Breaks whose fibres' middles are so near, at heights so near, belong together.",
    )  # fmt: skip
    bins: int = setting(
        30, label="Ranges of slices", min=1, max=10_000,
        help="Of the count of breaks over the height.",
    )  # fmt: skip
    rings: bool = setting(
        True, label="Ring removal", tier="power",
        help="Takes rings about the middle of the slices out of the grey values of the fibres.",
    )  # fmt: skip
    bleeding: float = setting(
        0.2, label="Bleeding", tier="power", min=0.0, max=1.0,
        help="How much of a dip of the surroundings may show in an unbroken fibre.",
    )  # fmt: skip
    gap_value: float | None = setting(
        None, label="Grey value of a gap", tier="power", empty="found from wide breaks",
        help="Openings are measured by it.",
    )  # fmt: skip
    voxel_um: float | None = setting(
        None, label="Voxel", unit="µm", tier="power", min=1e-4, empty="as the volume tells",
        help="Edge of a voxel, for volumes that do not tell it.",
    )  # fmt: skip


def run(inputs: Mapping[str, Any], p: FibreBreaks, reporter: Reporter) -> Mapping[str, Any]:
    """Find fibres and breaks; see `napari_alsct_fibers.analysis`."""
    from napari_alsct_fibers.work.breaks import find

    return find(inputs["volume"], p, reporter)


BREAKS = Step(
    name="fibers.breaks",
    title="Fibre breaks",
    sentence="Follows every fibre through the volume and finds where it is broken, and how wide "
    "the gap stands open; cracks of the matrix that fibres bridge are left out.",
    parameters=FibreBreaks,
    inputs=(Port("volume", "volume", "Volume"),),
    outputs=(
        Port("breaks", "table", "Breaks"),
        Port("fibres", "table", "Fibres"),
        Port("counts", "table", "Breaks over the height"),
        Port("doubtful", "table", "Dips that were taken for no break"),
        Port("report", "report", "Report"),
        Port("printed", "report", "Report as PDF", optional=True),
    ),
    run=run,
    presets=(
        Preset("bright fibres", {}, "Fibres brighter than the matrix."),
        Preset("dark fibres", {"fibres": "dark"}, "Carbon in ceramic, for example."),
        Preset(
            "wary",
            {"least_z": 6.0, "least_depth": 0.55},
            "Fewer false breaks, and narrow ones missed.",
        ),
    ),
    preview="none",
    reference="Lindeberg, International Journal of Computer Vision 30, 79-116 (1998)",
)
