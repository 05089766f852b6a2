"""Total variation: flat areas become flat, edges stay sharp."""

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
from napari_alsct_filter.median import OVER

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_HALO_PX = 32
"""Widest neighbourhood of a block. An iteration looks one voxel further, so up to so many
iterations blocks give what the whole volume would; beyond, differences are below rounding."""


@dataclass(frozen=True, slots=True)
class TotalVariation:
    """Parameters of `TV`."""

    strength: float = setting(
        1.0, label="Strength", tier="newbie", min=0.01, max=20,
        help="How much is smoothed, in units of the noise: 0.5 little, 2 much.",
    )  # fmt: skip
    over: Literal["volume", "slice"] = setting(
        "volume", label="Neighbours", words=OVER, help="Where neighbours are drawn together."
    )
    noise: float | None = setting(
        None, label="Noise", min=0, empty="measured", help="Standard deviation of the noise.",
    )  # fmt: skip
    iterations: int = setting(
        20, label="Iterations", tier="power", min=1, max=500,
        help="How near it comes to the minimum: 20 within about 1 %.",
    )  # fmt: skip


def total_variation(
    inputs: Mapping[str, Any], parameters: TotalVariation, reporter: Reporter
) -> Mapping[str, MadeVolume]:
    """Minimise the squared distance to the volume plus a weight times its total variation.

    Raises
    ------
    InputError
        The noise is to be measured, and there is none.
    """
    from napari_alsct_filter.noise import noise_of

    volume = physical_array(inputs["volume"])
    noise = parameters.noise or noise_of(volume)
    work = partial(
        _tv, weight=parameters.strength * noise, iterations=parameters.iterations,
        flat=parameters.over == "slice",
    )  # fmt: skip
    reach = min(parameters.iterations, MOST_HALO_PX)
    depth = 0 if parameters.over == "slice" else reach
    lazy = Blockwise(work, [volume], halo=(depth, reach, reach), voxel_bytes=36)
    return {"filtered": MadeVolume(lazy)}


def _tv(block: NDArray[Any], *, weight: float, iterations: int, flat: bool) -> NDArray[Any]:
    import numpy as np

    from napari_alsct_filter.kernels import tv_block

    if not flat:
        return tv_block(block, weight, iterations)
    return np.concatenate([tv_block(plane[None], weight, iterations) for plane in block])


TV = Step(
    name="filter.tv",
    title="Total variation",
    sentence="Makes flat areas flat and keeps edges sharp: for samples of few materials.",
    parameters=TotalVariation,
    inputs=(Port("volume", "volume", "Volume"),),
    outputs=(Port("filtered", "volume", "Total variation"),),
    run=total_variation,
    presets=(
        Preset("standard", {}, "For a segmentation by threshold."),
        Preset("light", {"strength": 0.4}, "Keeps fine texture."),
        Preset("strong", {"strength": 2.5}, "For very noisy or few-angle scans."),
    ),
    reference="Beck and Teboulle 2009, IEEE Transactions on Image Processing 18:2419",
)
