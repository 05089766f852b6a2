"""The work of `measure.line`, `measure.radial` and `measure.box`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from alsct_gui.files.report.words import figure
from alsct_gui.model.table import Column, Table
from alsct_gui.model.volume import Volume
from alsct_gui.steps.reporter import Reporter
from alsct_gui.steps.values import physical_array
from napari_alsct_measure.lines import Profile, box_figures, line_profile, radial_profile
from napari_alsct_measure.shared import voxel_of
from napari_alsct_measure.steps.lines import Box, Line, Radial


def measure_line(volume: Volume, p: Line, reporter: Reporter) -> Mapping[str, Any]:
    """Return the outputs of `measure.line`."""
    voxel_um = voxel_of(volume, p.voxel_um)
    found = line_profile(
        physical_array(volume), p.start, p.end, voxel_um, width_px=p.width_px, reporter=reporter
    )
    return {"profile": _profile_table(found, volume.units, "Distance from the start.")}


def measure_radial(volume: Volume, p: Radial, reporter: Reporter) -> Mapping[str, Any]:
    """Return the outputs of `measure.radial`."""
    found = radial_profile(
        physical_array(volume), p.center, p.radius_px, voxel_of(volume, p.voxel_um),
        half_height_px=p.half_height_px, reporter=reporter,
    )  # fmt: skip
    return {"profile": _profile_table(found, volume.units, "Distance from the axis.")}


def measure_box(volume: Volume, p: Box, reporter: Reporter) -> Mapping[str, Any]:
    """Return the outputs of `measure.box`."""
    found = box_figures(
        physical_array(volume), p.first, p.second, voxel_of(volume, p.voxel_um), reporter=reporter
    )
    reporter.say(f"mean {figure(found.mean, volume.units)} of {found.n:,} voxels")
    meanings = {
        "n": ("", "Voxels with a value."),
        "n_missing": ("", "Voxels without one."),
        "mean": (volume.units, "Mean."),
        "std": (volume.units, "Standard deviation of the population."),
        "minimum": (volume.units, "Smallest value."),
        "maximum": (volume.units, "Largest value."),
        "median": (volume.units, "Median; empty for very large boxes."),
        "volume_um3": ("µm³", "Volume of the box."),
    }
    plain = asdict(found)
    columns = tuple(Column(name, *meanings[name]) for name in plain)
    return {"figures": Table(columns, tuple(np.array([value]) for value in plain.values()))}


def _profile_table(found: Profile, units: str, meaning: str) -> Table:
    return Table(
        (
            Column("distance_um", "µm", meaning),
            Column("value", units, "Mean; empty where there is no value."),
            Column("deviation", units, "Standard deviation of what was averaged."),
            Column("n", "", "Samples that were averaged."),
        ),
        (found.distance_um, found.values, found.deviation, found.counts),
    )
