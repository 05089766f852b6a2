"""The work of `measure.thickness`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.files.report.content import Block, Facts, Heading, Plot, Series, Text
from alsct_gui.files.report.words import figure
from alsct_gui.model.errors import InputError
from alsct_gui.model.table import Column, Table
from alsct_gui.model.volume import Volume
from alsct_gui.steps.reporter import Reporter
from alsct_gui.steps.reports import report_outputs
from alsct_gui.steps.values import MadeVolume, physical_array
from napari_alsct_measure.blocks import Chosen, Mask, Room
from napari_alsct_measure.distance import edge_ratio, squared_distance
from napari_alsct_measure.phases import found_thresholds
from napari_alsct_measure.pictures import value_slices
from napari_alsct_measure.shared import foreground, smoothed, voxel_of
from napari_alsct_measure.steps.thickness import Thickness
from napari_alsct_measure.thickness import local_thickness

_BINS = 40


def measure_thickness(
    volume: Volume, labels: Volume | None, p: Thickness, reporter: Reporter
) -> Mapping[str, Any]:
    """Return the outputs of the step.

    Raises
    ------
    InputError
        The size of a voxel is not known, no threshold can be found, or the phase is empty.
    """
    voxel_um = voxel_of(volume, p.voxel_um)
    room = Room(volume.shape, reporter)
    mask: Mask
    if labels is not None:
        if labels.shape != volume.shape:
            raise InputError(
                f"labels of {labels.shape} do not fit a volume of {volume.shape}",
                where=str(labels.path), fix="Give the segmentation of this volume",
            )  # fmt: skip
        mask = Chosen(labels.levels[0], p.segment, p.segment)
    else:
        values = smoothed(volume, p.smoothing_px)
        threshold = p.threshold
        if threshold is None:
            everywhere = np.ones(volume.shape[1:], np.bool_)
            (threshold,) = found_thresholds(values, 2, everywhere)
        mask = foreground(values, p.phase, threshold)
    ratio = edge_ratio(voxel_um)
    squared = squared_distance(mask, ratio, room)
    thickness: NDArray[np.float32] = room.array(volume.shape, np.float32)
    counts: dict[float, int] = {}

    def take(first: int, slab: NDArray[np.float32]) -> None:
        slab *= np.float32(voxel_um[2])
        thickness[first : first + len(slab)] = slab
        numbers, sizes = np.unique(slab[slab > 0], return_counts=True)
        for number, size in zip(numbers.tolist(), sizes.tolist(), strict=True):
            counts[number] = counts.get(number, 0) + size

    local_thickness(squared, ratio, room, take)
    if not counts:
        raise InputError("the phase is empty", where=str(volume.path),
                         fix="Take the other side of the threshold, or another one")  # fmt: skip
    sizes, weights = np.array(sorted(counts)), np.array([counts[key] for key in sorted(counts)])
    mean, std, table = _distribution(sizes, weights.astype(np.float64))
    reporter.say(f"mean thickness {figure(mean, 'µm')}, standard deviation {figure(std, 'µm')}")
    index = volume.shape[0] // 2
    edges = np.append(table.column("thickness_um_from"), table.column("thickness_um_to")[-1:])
    blocks: list[Block] = [
        Facts([("Mean", figure(mean, "µm")), ("Standard deviation", figure(std, "µm")),
               ("Largest", figure(float(sizes[-1]), "µm"))]),
        Text("At each voxel of the phase the diameter of the largest ball that fits into the "
             "phase and holds the voxel; shares are of the phase's volume. A diameter is right "
             "to about a voxel."),
        Heading("Distribution"),
        Plot("thickness (µm)", "share of the phase (%)",
             [Series("", edges, 100 * table.column("volume_share"), "bars")], x_from_zero=True),
        Heading("The middle slice"),
        value_slices(
            physical_array(volume), np.asarray(thickness[index]), index,
            f"Thickness from 0 (blue) to {figure(float(thickness[index].max()), 'µm')} (yellow)",
            voxel_um,
        ),
    ]  # fmt: skip
    return {
        "thickness": MadeVolume(thickness, units="µm"),
        "distribution": table,
        **report_outputs("Local thickness", "Local thickness", blocks),
    }


def _distribution(
    sizes: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[float, float, Table]:
    mean = float(np.average(sizes, weights=weights))
    std = float(np.sqrt(np.average((sizes - mean) ** 2, weights=weights)))
    edges = np.linspace(0, float(sizes[-1]) * 1.0001, _BINS + 1)
    share = np.histogram(sizes, edges, weights=weights)[0] / weights.sum()
    table = Table(
        (
            Column("thickness_um_from", "µm", "Lower end of the bin."),
            Column("thickness_um_to", "µm", "Upper end of the bin."),
            Column("volume_share", "", "Share of the phase's volume."),
        ),
        (edges[:-1], edges[1:], share),
        {"mean_um": mean, "std_um": std, "largest_um": float(sizes[-1])},
    )
    return mean, std, table
