"""Particles or pores, told apart and measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from alsct_gui.steps.reporter import Reporter
from alsct_gui.steps.settings import setting
from alsct_gui.steps.step import Port, Preset, Step
from napari_alsct_measure.shared import PHASE_WORDS, voxel_setting


@dataclass(frozen=True, slots=True)
class Particles:
    """Parameters of `measure.particles`."""

    phase: Literal["bright", "dark"] = setting(
        "bright", label="Objects", tier="newbie", words=PHASE_WORDS,
        help="Which side of the threshold is counted.",
    )  # fmt: skip
    threshold: float | None = setting(
        None, label="Threshold", empty="found by Otsu's method",
        help="Grey value between objects and what is around them.",
    )  # fmt: skip
    neck: float = setting(
        0.8, label="Neck", min=0.0, max=1.0,
        help="Touching parts are one object when the neck between them is at least so wide, as a "
        "share of the narrower part. 0 cuts nothing.",
    )  # fmt: skip
    smallest_voxels: int = setting(
        27, label="Smallest object", unit="voxels", min=1, max=1_000_000_000,
        help="Smaller ones are left out.",
    )  # fmt: skip
    smoothing_px: float = setting(
        0.0, label="Smoothing", unit="px", min=0, max=5,
        help="Sigma of a Gaussian before the threshold; about 0.7 for noisy volumes.",
    )  # fmt: skip
    segment: int = setting(
        1, label="Segment", tier="power", min=1, max=2_147_483_647,
        help="With a segmentation: the number of the phase whose objects are counted.",
    )  # fmt: skip
    depth_px: float = setting(
        0.5, label="Depth of a neck", unit="px", tier="power", min=0, max=100,
        help="Parts that are less than so much wider than their neck (in radius) are one object.",
    )  # fmt: skip
    voxel_um: float | None = voxel_setting()


def run(inputs: Mapping[str, Any], p: Particles, reporter: Reporter) -> Mapping[str, Any]:
    """Tell apart and measure; see `napari_alsct_measure.objects`."""
    from napari_alsct_measure.work.objects import measure_particles

    return measure_particles(inputs["volume"], inputs.get("labels"), p, reporter)


PARTICLES = Step(
    name="measure.particles",
    title="Particles and pores",
    sentence="Cuts touching objects at their necks, and measures each: volume, diameter, surface, "
    "shape, direction, place.",
    parameters=Particles,
    inputs=(
        Port("volume", "volume", "Volume"),
        Port("labels", "labels", "Segmentation", optional=True),
    ),
    outputs=(
        Port("objects", "labels", "Objects"),
        Port("particles", "table", "Figures of the objects"),
        Port("sizes", "table", "Distribution of sizes"),
        Port("report", "report", "Report"),
        Port("printed", "report", "Report as PDF", optional=True),
    ),
    run=run,
    presets=(
        Preset("particles", {}, "Bright grains, powders, spheres."),
        Preset("pores", {"phase": "dark"}, "Dark voids in a material."),
        Preset("noisy", {"smoothing_px": 0.7}, "Particles in a noisy volume."),
        Preset("uncut", {"neck": 0.0}, "Whatever touches is one object."),
    ),
    preview="slab",
    slab_halo=24,
    reference="Meyer, Signal Processing 38, 113-125 (1994); Legland, Kieu and Devaux, Image "
    "Analysis and Stereology 26, 83-92 (2007)",
)


@dataclass(frozen=True, slots=True)
class LabelFigures:
    """Parameters of `measure.labels`."""

    voxel_um: float | None = voxel_setting()


def run_labels(inputs: Mapping[str, Any], p: LabelFigures, reporter: Reporter) -> Mapping[str, Any]:
    """Measure labels as they are."""
    from napari_alsct_measure.work.objects import measure_labels

    return measure_labels(inputs["labels"], inputs.get("volume"), p.voxel_um, reporter)


LABELS = Step(
    name="measure.labels",
    title="Figures of labels",
    sentence="Measures objects that are labelled already, and cuts nothing.",
    parameters=LabelFigures,
    inputs=(
        Port("labels", "labels", "Labels"),
        Port("volume", "volume", "Grey values", optional=True),
    ),
    outputs=(
        Port("particles", "table", "Figures of the objects"),
        Port("sizes", "table", "Distribution of sizes"),
        Port("report", "report", "Report"),
        Port("printed", "report", "Report as PDF", optional=True),
    ),
    run=run_labels,
    preview="none",
)
