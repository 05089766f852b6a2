"""The median of a neighbourhood: takes single bright and dark voxels, keeps edges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from alsct_gui.steps.blockwise import Blockwise
from alsct_gui.steps.reporter import Reporter
from alsct_gui.steps.settings import setting
from alsct_gui.steps.step import Port, Preset, Step
from alsct_gui.steps.values import MadeVolume, physical_array

if TYPE_CHECKING:
    from numpy.typing import NDArray

OVER = {"volume": "all directions", "slice": "the slice"}


@dataclass(frozen=True, slots=True)
class Median:
    """Parameters of `MEDIAN`."""

    size_px: int = setting(
        3, label="Window", unit="px", tier="newbie", min=3, max=9, odd=True,
        help="Edge of the neighbourhood; larger takes more noise and more detail.",
    )  # fmt: skip
    over: Literal["volume", "slice"] = setting(
        "volume", label="Neighbours", words=OVER, help="Where the neighbours are taken from."
    )


def median(
    inputs: Mapping[str, Any], parameters: Median, reporter: Reporter
) -> Mapping[str, MadeVolume]:
    """Replace every voxel by the median of its neighbourhood, edge voxels repeated outwards."""
    half = parameters.size_px // 2
    depth = half if parameters.over == "volume" else 0
    work = partial(_median, half=half, depth=depth)
    lazy = Blockwise(
        work, [physical_array(inputs["volume"])], halo=(depth, half, half), voxel_bytes=9
    )
    return {"filtered": MadeVolume(lazy)}


def _median(block: NDArray[Any], *, half: int, depth: int) -> NDArray[Any]:
    from napari_alsct_filter.kernels import median_block

    return median_block(block, half, depth)


MEDIAN = Step(
    name="filter.median",
    title="Median",
    sentence="Takes single bright and dark voxels away and keeps edges.",
    parameters=Median,
    inputs=(Port("volume", "volume", "Volume"),),
    outputs=(Port("filtered", "volume", "Median"),),
    run=median,
    presets=(
        Preset("light", {}, "A 3 x 3 x 3 neighbourhood: for specks and a little noise."),
        Preset("strong", {"size_px": 5}, "5 x 5 x 5: for coarse noise; fine detail goes, too."),
        Preset("slice by slice", {"over": "slice"}, "When slices are far apart or few."),
    ),
)
