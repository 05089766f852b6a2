"""The widgets that napari opens: the face of each step, and two rulers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from alsct_gui.face.resultface import ResultFace
from alsct_gui.files.report.content import Plot, Series
from alsct_gui.model.table import Table

_OBJECT_COLUMNS = (
    "label", "diameter_um", "volume_um3", "sphericity", "length_um", "width_um", "thickness_um",
    "tilt_deg", "azimuth_deg", "surface_um2", "mean", "z_um", "y_um", "x_um", "touches_edge",
)  # fmt: skip


class PhasesWidget(ResultFace):
    """Porosity and phase fractions."""

    step_name = "measure.phases"
    table_output = "phases"
    columns = ("phase", "share", "counted_share", "volume_um3", "level")

    def plot_of(self, tables: Mapping[str, Table]) -> Plot | None:
        """Return the shares over the height."""
        heights = tables["heights"]
        names = [item.name for item in heights.columns if item.name.endswith("_share")]
        curves = [
            Series(name.removesuffix("_share").replace("_", " "), heights.column("z_um"),
                   100 * heights.column(name))
            for name in names
        ]  # fmt: skip
        return Plot("height (µm)", "share (%)", curves)


class ParticlesWidget(ResultFace):
    """Particles and pores."""

    step_name = "measure.particles"
    table_output = "particles"
    columns = _OBJECT_COLUMNS

    def plot_of(self, tables: Mapping[str, Table]) -> Plot | None:
        """Return the distribution of sizes."""
        return size_plot(tables["sizes"])


class LabelsWidget(ResultFace):
    """Figures of labels."""

    step_name = "measure.labels"
    table_output = "particles"
    columns = _OBJECT_COLUMNS

    def plot_of(self, tables: Mapping[str, Table]) -> Plot | None:
        """Return the distribution of sizes."""
        return size_plot(tables["sizes"])

    def joined_layer(self, table: Table, layers: Mapping[str, Any]) -> Any:
        """Return the layer that was measured."""
        return self.inputs.layers().get("labels")


class ThicknessWidget(ResultFace):
    """Local thickness."""

    step_name = "measure.thickness"

    def plot_of(self, tables: Mapping[str, Table]) -> Plot | None:
        """Return the distribution of thickness."""
        table = tables["distribution"]
        edges = np.append(table.column("thickness_um_from"), table.column("thickness_um_to")[-1:])
        bars = Series("", edges, 100 * table.column("volume_share"), "bars")
        return Plot("thickness (µm)", "share of the phase (%)", [bars], x_from_zero=True)


def size_plot(sizes: Table) -> Plot:
    """Return a distribution of sizes, by number and by volume."""
    edges = np.append(sizes.column("diameter_um_from"), sizes.column("diameter_um_to")[-1:])
    middles = (edges[:-1] + edges[1:]) / 2
    return Plot(
        "diameter (µm)", "share (%)",
        [Series("by number", edges, 100 * sizes.column("number_share"), "bars"),
         Series("by volume", middles, 100 * sizes.column("volume_share"))],
    )  # fmt: skip
