"""Local thickness of walls, struts or pores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from alsct_gui.steps.reporter import Reporter
from alsct_gui.steps.settings import setting
from alsct_gui.steps.step import Port, Preset, Step
from napari_alsct_measure.shared import voxel_setting


@dataclass(frozen=True, slots=True)
class Thickness:
    """Parameters of `measure.thickness`."""

    phase: Literal["bright", "dark"] = setting(
        "bright", label="Of", tier="newbie", words={"bright": "bright walls", "dark": "dark pores"},
        help="Which side of the threshold is measured.",
    )  # fmt: skip
    threshold: float | None = setting(
        None, label="Threshold", empty="found by Otsu's method",
        help="Grey value of the surface.",
    )  # fmt: skip
    smoothing_px: float = setting(
        0.0, label="Smoothing", unit="px", min=0, max=5,
        help="Sigma of a Gaussian before the threshold: a speck of noise splits a wall.",
    )  # fmt: skip
    segment: int = setting(
        1, label="Segment", tier="power", min=1, max=2_147_483_647,
        help="With a segmentation: the number of the phase that is measured.",
    )  # fmt: skip
    voxel_um: float | None = voxel_setting()


def run(inputs: Mapping[str, Any], p: Thickness, reporter: Reporter) -> Mapping[str, Any]:
    """Measure; see `napari_alsct_measure.thickness`."""
    from napari_alsct_measure.work.thickness import measure_thickness

    return measure_thickness(inputs["volume"], inputs.get("labels"), p, reporter)


THICKNESS = Step(
    name="measure.thickness",
    title="Local thickness",
    sentence="At each voxel the diameter of the largest ball in the phase that holds it.",
    parameters=Thickness,
    inputs=(
        Port("volume", "volume", "Volume"),
        Port("labels", "labels", "Segmentation", optional=True),
    ),
    outputs=(
        Port("thickness", "volume", "Thickness"),
        Port("distribution", "table", "Distribution"),
        Port("report", "report", "Report"),
        Port("printed", "report", "Report as PDF", optional=True),
    ),
    run=run,
    presets=(
        Preset("walls", {}, "Struts and walls of a bright material."),
        Preset("pores", {"phase": "dark"}, "How wide the pores are."),
        Preset("noisy", {"smoothing_px": 0.7}, "Walls in a noisy volume."),
    ),
    preview="slab",
    slab_halo=24,
    reference="Hildebrand and Ruegsegger, Journal of Microscopy 185, 67-75 (1997)",
)
