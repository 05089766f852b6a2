"""Profiles along lines and radii, and figures of boxes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alsct_gui.steps.reporter import Reporter
from alsct_gui.steps.settings import setting
from alsct_gui.steps.step import Port, Step
from napari_alsct_measure.shared import voxel_setting


def _place(default: tuple[float, float, float], label: str) -> Any:
    return setting(
        default, label=label, unit="px", tier="newbie",
        help="z, y, x in voxels; the first voxel's centre is 0.",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """Parameters of `measure.line`."""

    start: tuple[float, float, float] = _place((0.0, 0.0, 0.0), "Start")
    end: tuple[float, float, float] = _place((0.0, 0.0, 100.0), "End")
    width_px: float = setting(
        1.0, label="Width", unit="px", min=1, max=500,
        help="Parallel lines in a cylinder of this diameter are averaged.",
    )  # fmt: skip
    voxel_um: float | None = voxel_setting()


@dataclass(frozen=True, slots=True)
class Radial:
    """Parameters of `measure.radial`."""

    center: tuple[float, float, float] = _place((0.0, 0.0, 0.0), "Centre")
    radius_px: float = setting(
        100.0, label="Radius", unit="px", tier="newbie", min=1, max=100_000,
        help="How far from the axis values are gathered.",
    )  # fmt: skip
    half_height_px: float = setting(
        0.0, label="Slices on either side", unit="px", min=0, max=100_000,
        help="Slices above and below the centre that are averaged too.",
    )  # fmt: skip
    voxel_um: float | None = voxel_setting()


@dataclass(frozen=True, slots=True)
class Box:
    """Parameters of `measure.box`."""

    first: tuple[float, float, float] = _place((0.0, 0.0, 0.0), "Corner")
    second: tuple[float, float, float] = _place((0.0, 100.0, 100.0), "Opposite corner")
    voxel_um: float | None = voxel_setting()


def run_line(inputs: Mapping[str, Any], p: Line, reporter: Reporter) -> Mapping[str, Any]:
    """Measure; see `napari_alsct_measure.lines`."""
    from napari_alsct_measure.work.lines import measure_line

    return measure_line(inputs["volume"], p, reporter)


def run_radial(inputs: Mapping[str, Any], p: Radial, reporter: Reporter) -> Mapping[str, Any]:
    """Measure; see `napari_alsct_measure.lines`."""
    from napari_alsct_measure.work.lines import measure_radial

    return measure_radial(inputs["volume"], p, reporter)


def run_box(inputs: Mapping[str, Any], p: Box, reporter: Reporter) -> Mapping[str, Any]:
    """Measure; see `napari_alsct_measure.lines`."""
    from napari_alsct_measure.work.lines import measure_box

    return measure_box(inputs["volume"], p, reporter)


_INPUTS = (Port("volume", "volume", "Volume"),)

LINE = Step(
    name="measure.line", title="Profile along a line",
    sentence="Grey values from one place to another, through the volume in any direction.",
    parameters=Line, inputs=_INPUTS, outputs=(Port("profile", "table", "Profile"),),
    run=run_line, preview="none",
)  # fmt: skip
RADIAL = Step(
    name="measure.radial", title="Radial profile",
    sentence="Mean grey value over the distance from an upright axis.",
    parameters=Radial, inputs=_INPUTS, outputs=(Port("profile", "table", "Profile"),),
    run=run_radial, preview="none",
)  # fmt: skip
BOX = Step(
    name="measure.box", title="Figures of a box",
    sentence="Mean, deviation, extremes and median of the grey values in a box.",
    parameters=Box, inputs=_INPUTS, outputs=(Port("figures", "table", "Figures"),),
    run=run_box, preview="none",
)  # fmt: skip
