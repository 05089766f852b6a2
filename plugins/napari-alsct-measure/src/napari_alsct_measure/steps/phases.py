"""Porosity and phase fractions, with their profile over the height."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from alsct_gui.steps.reporter import Reporter
from alsct_gui.steps.settings import setting
from alsct_gui.steps.step import Port, Preset, Step
from napari_alsct_measure.shared import REGION_WORDS, voxel_setting


@dataclass(frozen=True, slots=True)
class Phases:
    """Parameters of `measure.phases`."""

    phases: int = setting(
        2, label="Phases", tier="newbie", min=2, max=4,
        help="How many materials there are, pores included.",
    )  # fmt: skip
    region: Literal["whole", "cylinder"] = setting(
        "whole", label="Region", tier="newbie", words=REGION_WORDS,
        help="What is measured. The cylinder stands in the middle of the slices.",
    )  # fmt: skip
    radius_percent: float = setting(
        90.0, label="Radius of the cylinder", unit="%", min=1, max=100,
        help="Of half the shorter edge of a slice.",
    )  # fmt: skip
    thresholds: tuple[float, ...] | None = setting(
        None, label="Thresholds", empty="found by Otsu's method",
        help="Grey values between neighbouring phases, ascending.",
    )  # fmt: skip
    smoothing_px: float = setting(
        1.0, label="Smoothing", unit="px", tier="power", min=0, max=5,
        help="Before thresholds are used; the shares are taken from the unsmoothed values.",
    )  # fmt: skip
    voxel_um: float | None = voxel_setting()


def run(inputs: Mapping[str, Any], p: Phases, reporter: Reporter) -> Mapping[str, Any]:
    """Measure; see `napari_alsct_measure.phases`."""
    from napari_alsct_measure.work.phases import measure_phases

    return measure_phases(inputs["volume"], inputs.get("labels"), p, reporter)


PHASES = Step(
    name="measure.phases",
    title="Porosity and phase fractions",
    sentence="Shares of pores and materials, and how they change with height; voxels that a "
    "surface cuts are shared out by their grey value.",
    parameters=Phases,
    inputs=(
        Port("volume", "volume", "Volume"),
        Port("labels", "labels", "Segmentation", optional=True),
    ),
    outputs=(
        Port("phases", "table", "Phases"),
        Port("heights", "table", "Shares over the height"),
        Port("report", "report", "Report"),
        Port("printed", "report", "Report as PDF", optional=True),
    ),
    run=run,
    presets=(
        Preset("porosity", {}, "One material with pores."),
        Preset("sample in air", {"region": "cylinder"}, "Only the middle of the slices."),
        Preset("three phases", {"phases": 3}, "Pores and two materials."),
    ),
    preview="none",
)
