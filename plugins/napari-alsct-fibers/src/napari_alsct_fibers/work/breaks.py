"""The work of `fibers.breaks`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.files.report.content import (
    Block,
    Facts,
    Heading,
    Picture,
    Pictures,
    Plot,
    Series,
    Text,
)
from alsct_gui.files.report.images import grey_image
from alsct_gui.files.report.words import figure, table_rows
from alsct_gui.model.errors import InputError
from alsct_gui.model.table import Table
from alsct_gui.model.volume import LazyArray, Volume
from alsct_gui.steps.reporter import Reporter
from alsct_gui.steps.reports import report_outputs
from alsct_gui.steps.values import physical_array
from napari_alsct_fibers.analysis import Composite, Search, analyse
from napari_alsct_fibers.breaks import Judgement
from napari_alsct_fibers.clusters import Clusters, find_clusters
from napari_alsct_fibers.direction import Axis, Turned, turned_edges
from napari_alsct_fibers.steps.breaks import FibreBreaks
from napari_alsct_fibers.tables import break_table, count_table, fibre_table, places_of

_SHOWN = (
    "break", "fibre", "slice", "z_um", "y_um", "x_um", "opening_um", "depth", "certainty",
    "cluster",
)  # fmt: skip
_PICTURES = 6
_WIDEST_SLICES = 40.0


def find(volume: Volume, p: FibreBreaks, reporter: Reporter) -> Mapping[str, Any]:
    """Return the outputs of the step.

    Raises
    ------
    InputError
        The size of a voxel is not known, or no fibres are found.
    """
    voxel_um = _voxel(volume, p.voxel_um)
    grey = physical_array(volume)
    widest = _WIDEST_SLICES if p.widest_um is None else p.widest_um / min(voxel_um)
    search = Search(
        radius_px=None if p.diameter_um is None else p.diameter_um / 2 / voxel_um[2],
        bright=p.fibres == "bright",
        axis=p.axis,
        rings=p.rings,
        gap_value=p.gap_value,
        # A gap must not end its fibre; cross-sections are those of seven slices.
        patience_slices=max(_WIDEST_SLICES, widest) + 5,
    )
    judgement = Judgement(
        least_z=p.least_z,
        least_depth=p.least_depth,
        bleeding=p.bleeding,
        widest_slices=widest,
    )
    found = analyse(grey, search, judgement, reporter)
    breaks = found.found.breaks
    clusters = _clusters(found, voxel_um, p.cluster_diameters)
    table = break_table(breaks, found, voxel_um, clusters)
    fibres = fibre_table(found, voxel_um)
    edges = turned_edges(voxel_um, found.axis)
    counts = count_table(
        [table.column("along_um")], ["breaks"], found.paths.places.shape[1], edges[0], p.bins
    )
    reporter.say(f"{len(breaks.fibre):,} breaks")
    return {
        "breaks": table,
        "fibres": fibres,
        "counts": counts,
        "doubtful": break_table(found.found.rejected, found, voxel_um),
        **report_outputs(
            "Fibre breaks", "Fibres and their breaks",
            _blocks(grey, found, table, fibres, counts, clusters, edges),
        ),
    }  # fmt: skip


def _voxel(volume: Volume, given_um: float | None) -> tuple[float, float, float]:
    if volume.voxel_um is not None:
        return volume.voxel_um
    if given_um is None:
        raise InputError(
            "the volume does not tell how large a voxel is", where=str(volume.path),
            fix="Give the voxel size (voxel_um)",
        )  # fmt: skip
    return given_um, given_um, given_um


def _clusters(found: Composite, voxel_um: tuple[float, float, float], diameters: float) -> Clusters:
    breaks, edges = found.found.breaks, turned_edges(voxel_um, found.axis)
    reach_um = diameters * 2 * found.radius_px * edges[1]
    places = places_of(breaks, found) * edges[1:]
    return find_clusters(places, breaks.slice * edges[0], reach_um, reach_um)


def _blocks(
    grey: LazyArray,
    found: Composite,
    table: Table,
    fibres: Table,
    counts: Table,
    clusters: Clusters,
    edges: tuple[float, float, float],
) -> list[Block]:
    openings = table.column("opening_um")
    diameter_um = fibres.facts["diameter_um"]
    length_mm = float(fibres.column("length_um").sum()) / 1000
    ranges = np.append(counts.column("slice_from"), counts.column("slice_to")[-1:])
    chance = (
        f"{clusters.n_pairs:,} pairs of neighbouring breaks; chance makes "
        f"{clusters.pairs_by_chance:.1f}"
    )
    blocks: list[Block] = [
        Facts(
            [
                ("Breaks", f"{table.n_rows:,}"),
                ("Fibres", f"{fibres.n_rows:,}, of which "
                 f"{int((fibres.column('n_breaks') > 0).sum()):,} are broken"),
                ("Breaks per length of fibre",
                 figure(table.n_rows / max(length_mm, 1e-9), "per mm")),
                ("Median opening", figure(float(np.median(openings)), "µm")
                 if len(openings) else "–"),
                ("Clusters", f"{clusters.n_clusters:,}; {chance}"),
                ("Fibre diameter", figure(diameter_um, "µm", 3)),
                ("Fibres run along", f"{found.axis}, leaning "
                 f"{figure(float(np.median(fibres.column('tilt_deg'))), '°', 2)} (median)"),
                ("Dips that were taken for no break", f"{len(found.found.rejected.fibre):,}"),
            ]
        ),
        Text("A break is a gap of air in a fibre. Its opening is that of a blurred gap "
             "fitted to the grey values along the fibre. Cracks of the matrix that a fibre "
             "bridges are none. Look through the breaks of least certainty."),
        Heading("Breaks over the height"),
        Plot("slice", "breaks",
             [Series("", ranges, counts.column("breaks").astype(np.float64), "bars")]),
    ]  # fmt: skip
    if len(openings):
        share, widths = np.histogram(openings, 24, (0.0, float(openings.max()) * 1.0001))
        blocks += [
            Heading("Openings"),
            Plot("opening (µm)", "breaks", [Series("", widths, share.astype(np.float64), "bars")]),
            Heading("Some breaks"),
            *_pictures(grey, found, edges),
        ]  # fmt: skip
    return [*blocks, Heading("Breaks"), table_rows(table, _SHOWN, whole="breaks.csv")]


def _pictures(grey: LazyArray, found: Composite, edges: tuple[float, float, float]) -> list[Block]:
    """Cuts along the fibre through the surest and the least sure breaks."""
    breaks = found.found.breaks
    order = np.argsort(-breaks.certainty, kind="stable")
    half = _PICTURES // 2
    chosen = np.unique(np.concatenate([order[:half], order[-half:]]))
    chosen = chosen[np.argsort(-breaks.certainty[chosen], kind="stable")]
    places = places_of(breaks, found)
    cuts = [
        Picture(
            _cut(grey, found.axis, breaks.slice[index], places[index], found.radius_px),
            f"Slice {breaks.slice[index]:.0f}, fibre {breaks.fibre[index] + 1}: opening "
            f"{figure(float(breaks.opening[index]) * edges[0], 'µm', 3)}",
        )
        for index in chosen.tolist()
    ]
    return [Pictures(cuts[start : start + half]) for start in range(0, len(cuts), half)]


def _cut(
    grey: LazyArray, axis: Axis, height: float, place: NDArray[np.float64], radius_px: float
) -> NDArray[np.uint8]:
    """The plane along the fibre through its middle, about a break."""
    turned = grey if axis == "z" else Turned(grey, axis)
    reach = round(8 * radius_px)
    first, row, column = round(height), round(float(place[0])), round(float(place[1]))
    block = np.asarray(
        turned[
            max(0, first - reach) : first + reach + 1, row,
            max(0, column - reach) : column + reach + 1,
        ],
        np.float32,
    )  # fmt: skip
    low, high = np.percentile(block, (1, 99.5))
    return grey_image(block, float(low), float(high))
