"""The work of `measure.phases`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.files.report.content import Block, Facts, Heading, Picture, Plot, Series, Text
from alsct_gui.files.report.images import grey_image
from alsct_gui.files.report.words import figure, percent, table_rows
from alsct_gui.model.errors import InputError
from alsct_gui.model.table import Column, Table
from alsct_gui.model.volume import LazyArray, Volume
from alsct_gui.steps.reporter import Reporter
from alsct_gui.steps.reports import report_outputs
from alsct_gui.steps.values import physical_array
from napari_alsct_measure.blocks import Room
from napari_alsct_measure.phases import (
    PhaseShares,
    found_thresholds,
    label_shares,
    phase_shares,
)
from napari_alsct_measure.pictures import contrast
from napari_alsct_measure.shared import region_mask, voxel_of
from napari_alsct_measure.steps.phases import Phases

Voxel = tuple[float, float, float]

_METHOD = (
    "Voxels clear of any surface count as wholes; a voxel that a surface cuts is shared out by "
    "its grey value between the levels of the two phases."
)
_COUNTED = "Voxels of each label were counted."


def measure_phases(
    volume: Volume, labels: Volume | None, p: Phases, reporter: Reporter
) -> Mapping[str, Any]:
    """Return the outputs of the step.

    Raises
    ------
    InputError
        The size of a voxel is not known, labels and volume differ in shape, or no phases can
        be told apart.
    """
    voxel_um = voxel_of(volume, p.voxel_um)
    grey = physical_array(volume)
    inside = region_mask(volume.shape, p.region, p.radius_percent)
    room = Room(volume.shape, reporter)
    if labels is not None:
        if labels.shape != volume.shape:
            raise InputError(
                f"a segmentation of {labels.shape} does not fit a volume of {volume.shape}",
                where=str(labels.path), fix="Give the segmentation of this volume",
            )  # fmt: skip
        names, found = label_shares(labels.levels[0], inside, room)
    else:
        thresholds = p.thresholds or found_thresholds(grey, p.phases, inside)
        found = phase_shares(grey, thresholds, inside, room, smoothing_px=p.smoothing_px)
        names = _names(len(found.shares))
    reporter.say("; ".join(f"{n}: {percent(s)}" for n, s in zip(names, found.shares, strict=True)))
    phases = _phase_table(found, names, volume.units, voxel_um)
    heights = _height_table(found, names, voxel_um[0])
    blocks = _blocks(grey, found, names, phases, heights, inside, voxel_um, volume.units)
    return {
        "phases": phases,
        "heights": heights,
        **report_outputs("Porosity and phase fractions", "Shares of phases", blocks),
    }


def _names(n_phases: int) -> list[str]:
    if n_phases == 2:
        return ["pores", "solid"]
    return ["pores", *(f"phase {index}" for index in range(1, n_phases))]


def _phase_table(found: PhaseShares, names: list[str], units: str, voxel_um: Voxel) -> Table:
    region_um3 = found.n_voxels * float(np.prod(voxel_um))
    limits = np.array([-np.inf, *found.thresholds, np.inf])
    thresholded = len(limits) == len(names) + 1
    unknown = np.full(len(names), np.nan)
    return Table(
        (
            Column("phase", "", "From the darkest to the brightest; or the label."),
            Column("share", "", "Of the region, surfaces shared out by grey value."),
            Column("counted_share", "", "Of the region, by counting voxels."),
            Column("volume_um3", "µm³", "Share times the volume of the region."),
            Column("level", units, "Mean grey value of voxels clear of any surface."),
            Column("from_value", units, "Threshold below; empty for the first."),
            Column("to_value", units, "Threshold above; empty for the last."),
        ),
        (
            np.array(names), found.shares, found.counted, found.shares * region_um3,
            found.levels, limits[:-1] if thresholded else unknown,
            limits[1:] if thresholded else unknown,
        ),
        {"region_um3": region_um3, "n_voxels": found.n_voxels,
         **({"porosity": float(found.shares[0])} if names[0] == "pores" else {})},
    )  # fmt: skip


def _height_table(found: PhaseShares, names: list[str], edge_um: float) -> Table:
    n_slices = len(found.by_slice)
    columns = [
        Column("slice", "", "From 0."),
        Column("z_um", "µm", "Height of the slice's middle over that of the first."),
        *(Column(f"{name.replace(' ', '_')}_share", "", f"Share of {name} in the slice.")
          for name in names),
    ]  # fmt: skip
    index = np.arange(n_slices)
    return Table(tuple(columns), (index, index * edge_um, *found.by_slice.T))


def _blocks(
    grey: LazyArray,
    found: PhaseShares,
    names: list[str],
    phases: Table,
    heights: Table,
    inside: NDArray[np.bool_],
    voxel_um: Voxel,
    units: str,
) -> list[Block]:
    z_um = heights.column("z_um")
    curves = [
        Series(name, z_um, 100 * share) for name, share in zip(names, found.by_slice.T, strict=True)
    ]  # fmt: skip
    swing = [
        (f"{name}, lowest and highest slice", f"{percent(np.nanmin(row))} to "
         f"{percent(np.nanmax(row))}")
        for name, row in zip(names, found.by_slice.T, strict=True) if np.isfinite(row).any()
    ]  # fmt: skip
    region_mm3 = phases.facts["region_um3"] / 1e9
    thresholds = ", ".join(figure(value, units) for value in found.thresholds)
    blocks: list[Block] = [
        Facts(
            [
                *((name, percent(share)) for name, share in zip(names, found.shares, strict=True)),
                *swing,
                ("Region", f"{found.n_voxels:,} voxels, {figure(region_mm3, 'mm³')}"),
                *([("Thresholds", thresholds)] if thresholds else []),
            ]
        ),
        Text(_METHOD if found.thresholds else _COUNTED),
        Heading("Over the height"),
        Plot("height (µm)", "share (%)", curves),
        Heading("Phases"),
        table_rows(phases),
        Heading("The middle slice"),
        _picture(grey, inside, voxel_um[2]),
    ]
    return blocks


def _picture(grey: LazyArray, inside: NDArray[np.bool_], edge_um: float) -> Picture:
    index = grey.shape[0] // 2
    values = np.asarray(grey[index], np.float32)
    shade = grey_image(values, *contrast(values[inside]))
    shown = np.where(inside, shade, shade // 3).astype(np.uint8)
    words = f"Slice {index}" if inside.all() else f"Slice {index}; what is dark is left out"
    return Picture(shown, words, edge_um)
