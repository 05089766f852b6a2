"""The work of `measure.particles` and `measure.labels`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from alsct_gui.files.report.content import Block, Facts, Heading, Plot, Series, Text
from alsct_gui.files.report.words import figure, percent, table_rows
from alsct_gui.model.errors import InputError
from alsct_gui.model.table import Table
from alsct_gui.model.volume import Volume
from alsct_gui.steps.reporter import Reporter
from alsct_gui.steps.reports import report_outputs
from alsct_gui.steps.values import MadeLabels, physical_array
from napari_alsct_measure.blocks import Chosen, Mask, Room
from napari_alsct_measure.objects import object_table, take_census, tell_apart
from napari_alsct_measure.phases import found_thresholds
from napari_alsct_measure.pictures import labelled_slices
from napari_alsct_measure.shared import foreground, smoothed, voxel_of
from napari_alsct_measure.sizes import size_distribution, summary
from napari_alsct_measure.steps.particles import Particles

MOST_OBJECTS = 50_000_000
"""Largest number that is taken for an object's: figures are kept for all numbers below."""

_SHOWN = (
    "label", "volume_um3", "diameter_um", "sphericity", "z_um", "y_um", "x_um", "tilt_deg",
    "touches_edge",
)  # fmt: skip


def measure_particles(
    volume: Volume, labels: Volume | None, p: Particles, reporter: Reporter
) -> Mapping[str, Any]:
    """Return the outputs of `measure.particles`.

    Raises
    ------
    InputError
        The size of a voxel is not known, or no threshold can be found.
    """
    voxel_um = voxel_of(volume, p.voxel_um)
    room = Room(volume.shape, reporter)
    threshold = None
    mask: Mask
    if labels is not None:
        _require_same(labels, volume)
        mask = Chosen(labels.levels[0], p.segment, p.segment)
    else:
        values = smoothed(volume, p.smoothing_px)
        everywhere = np.ones(volume.shape[1:], np.bool_)
        threshold = p.threshold
        if threshold is None:
            (threshold,) = found_thresholds(values, 2, everywhere)
        mask = foreground(values, p.phase, threshold)
    found = tell_apart(
        mask, voxel_um, room, neck=p.neck, depth_px=p.depth_px,
        smallest_voxels=p.smallest_voxels,
    )  # fmt: skip
    grey = physical_array(volume)
    census = take_census(found.labels, found.count, room, grey)
    table = object_table(census, voxel_um, volume.shape, units=volume.units)
    words = "pores" if p.phase == "dark" and labels is None else "particles"
    facts = [("Left out as too small", f"{found.n_dropped:,}")]
    if threshold is not None:
        facts.append(("Threshold", figure(threshold, volume.units)))
    made = _outputs(table, volume, found.labels, words, facts, reporter)
    return {"objects": MadeLabels(found.labels), **made}


def measure_labels(
    labels: Volume, volume: Volume | None, voxel_um: float | None, reporter: Reporter
) -> Mapping[str, Any]:
    """Return the outputs of `measure.labels`.

    Raises
    ------
    InputError
        The size of a voxel is not known, the labels are negative or too many, or do not fit
        the volume.
    """
    if volume is not None:
        _require_same(labels, volume)
    known = volume if volume is not None and labels.voxel_um is None else labels
    voxel = voxel_of(known, voxel_um)
    room = Room(labels.shape, reporter)
    lowest, highest = 0, 0
    for start, stop in room.slabs(labels.shape[0]):
        slab = labels.levels[0][start:stop]
        lowest, highest = min(lowest, int(slab.min())), max(highest, int(slab.max()))
        room.step("labels", stop, labels.shape[0])
    if lowest < 0 or highest > MOST_OBJECTS:
        raise InputError(
            f"its numbers reach from {lowest} to {highest}", where=str(labels.path),
            fix="Number the objects from 1",
        )  # fmt: skip
    grey = None if volume is None else physical_array(volume)
    census = take_census(labels.levels[0], highest, room, grey)
    units = volume.units if volume is not None else ""
    table = object_table(census, voxel, labels.shape, units=units, objects="")
    return _outputs(table, volume or labels, labels.levels[0], "objects", [], reporter)


def _require_same(labels: Volume, volume: Volume) -> None:
    if labels.shape != volume.shape:
        raise InputError(
            f"labels of {labels.shape} do not fit a volume of {volume.shape}",
            where=str(labels.path), fix="Give the labels of this volume",
        )  # fmt: skip


def _outputs(
    table: Table,
    volume: Volume,
    labels: Any,
    words: str,
    facts: list[tuple[str, str]],
    reporter: Reporter,
) -> dict[str, Any]:
    found, sizes = summary(table), size_distribution(table)
    reporter.say(
        f"{table.n_rows:,} {words}, median diameter {figure(found.median, 'µm')}"
        if found.n_objects else f"{table.n_rows:,} {words}, none of them clear of the edges"
    )  # fmt: skip
    volume_um3 = float(table.column("volume_um3").sum())
    voxel_um = voxel_or_one(volume)
    whole_um3 = float(np.prod(volume.shape) * np.prod(voxel_um))
    edges = np.append(
        sizes.column("diameter_um_from"), sizes.column("diameter_um_to")[-1:]
    )  # fmt: skip
    blocks: list[Block] = [
        Facts(
            [
                (f"{words.capitalize()}", f"{table.n_rows:,}"),
                ("Cut by an edge, left out of the distribution", f"{found.n_cut:,}"),
                ("Share of the volume", percent(volume_um3 / whole_um3)),
                ("Median diameter, by number", figure(found.median, "µm")),
                ("Diameters at 10, 50 and 90 % of the volume",
                 f"{figure(found.d10)}, {figure(found.d50)} and {figure(found.d90, 'µm')}"),
                *facts,
            ]
        ),
        Text("Diameters are those of balls of the same volume. Large objects are cut by the "
             "edges more often than small ones; the distribution is corrected for that."),
        Heading("Sizes"),
        Plot("diameter (µm)", "share (%)",
             [Series("by number", edges, 100 * sizes.column("number_share"), "bars"),
              Series("by volume", (edges[:-1] + edges[1:]) / 2,
                     100 * sizes.column("volume_share"), "line")]),
        Heading("The middle slice"),
        labelled_slices(physical_array(volume), labels, voxel_um),
        Heading(words.capitalize()),
        table_rows(table, _SHOWN, whole="particles.csv"),
    ]  # fmt: skip
    return {
        "particles": table,
        "sizes": sizes,
        **report_outputs(words.capitalize(), f"Figures of {words}", blocks),
    }


def voxel_or_one(volume: Volume) -> tuple[float, float, float]:
    """Return the edges of a voxel, 1 when they are not known."""
    return volume.voxel_um or (1.0, 1.0, 1.0)
