"""Rings taken out of slices, for volumes whose raw scan is gone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from alsct_gui.steps.blockwise import Blockwise
from alsct_gui.steps.reporter import Reporter
from alsct_gui.steps.settings import setting
from alsct_gui.steps.step import Port, Preset, Step
from alsct_gui.steps.values import MadeVolume, physical_array

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Rings:
    """Parameters of `RINGS`."""

    width_px: int = setting(
        15, label="Widest ring", unit="px", tier="newbie", min=3, max=101, odd=True,
        help="Rings up to this width are taken out.",
    )  # fmt: skip
    arcs: int = setting(
        1, label="Arcs", min=1, max=36,
        help="Into how many arcs a ring is cut; more for rings that change along the way.",
    )  # fmt: skip
    center_y_px: float | None = setting(
        None, label="Centre y", unit="px", empty="middle", help="Row of the rotation axis.",
    )  # fmt: skip
    center_x_px: float | None = setting(
        None, label="Centre x", unit="px", empty="middle", help="Column of the rotation axis.",
    )  # fmt: skip
    limit: float | None = setting(
        None, label="Largest ring", tier="power", min=0, empty="any",
        help="Rings that differ by more are left alone: they are structure.",
    )  # fmt: skip


def remove_rings(
    inputs: Mapping[str, Any], parameters: Rings, reporter: Reporter
) -> Mapping[str, MadeVolume]:
    """Subtract from every slice what is the same along circles about the rotation axis."""
    work = partial(_without_rings, p=parameters)
    lazy = Blockwise(work, [physical_array(inputs["volume"])], voxel_bytes=40, whole_planes=True)
    return {"filtered": MadeVolume(lazy)}


def _without_rings(block: NDArray[Any], *, p: Rings) -> NDArray[Any]:
    import numpy as np

    from napari_alsct_filter.polar import remove_from_slice

    middle = [(size - 1) / 2 for size in block.shape[1:]]
    center = (
        middle[0] if p.center_y_px is None else p.center_y_px,
        middle[1] if p.center_x_px is None else p.center_x_px,
    )
    return np.stack(
        [remove_from_slice(plane, center, p.width_px, p.arcs, p.limit) for plane in block]
    )


RINGS = Step(
    name="filter.rings",
    title="Ring removal",
    sentence="Takes rings out of slices. Where the raw scan is there, the ring filters of the "
    "reconstruction are better.",
    parameters=Rings,
    inputs=(Port("volume", "volume", "Volume"),),
    outputs=(Port("filtered", "volume", "Without rings"),),
    run=remove_rings,
    presets=(
        Preset("whole rings", {}, "Rings about the middle of the slices."),
        Preset("arcs", {"arcs": 8}, "Rings that change along the way, or half turns."),
        Preset("wide rings", {"width_px": 31}, "Bands; check that no structure goes."),
    ),
    reference="Sijbers and Postnov 2004, Physics in Medicine and Biology 49:N247",
)
