"""Non-local means: averages places that look alike, so texture stays."""

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


@dataclass(frozen=True, slots=True)
class NonlocalMeans:
    """Parameters of `NLM`."""

    strength: float = setting(
        0.8, label="Strength", tier="newbie", min=0.05, max=10,
        help="How unlike places may be that are averaged, in units of the noise.",
    )  # fmt: skip
    over: Literal["volume", "slice"] = setting(
        "slice", label="Neighbours", words=OVER,
        help="Where like places are looked for; all directions take about 40 times as long.",
    )  # fmt: skip
    patch_px: int = setting(
        5, label="Patch", unit="px", min=3, max=15, odd=True, help="Edge of what is compared."
    )
    distance_px: int = setting(
        6, label="Search", unit="px", min=1, max=25, help="How far like places are looked for."
    )
    noise: float | None = setting(
        None, label="Noise", min=0, empty="measured", help="Standard deviation of the noise.",
    )  # fmt: skip


def nonlocal_means(
    inputs: Mapping[str, Any], parameters: NonlocalMeans, reporter: Reporter
) -> Mapping[str, MadeVolume]:
    """Average places by how alike their surroundings are (scikit-image).

    Raises
    ------
    InputError
        The noise is to be measured, and there is none.
    """
    from napari_alsct_filter.noise import noise_of

    volume = physical_array(inputs["volume"])
    work = partial(_means, p=parameters, noise=parameters.noise or noise_of(volume))
    reach = parameters.distance_px + parameters.patch_px // 2 + 1
    depth = reach if parameters.over == "volume" else 0
    lazy = Blockwise(work, [volume], halo=(depth, reach, reach), voxel_bytes=60, processes=True)
    return {"filtered": MadeVolume(lazy)}


def _means(block: NDArray[Any], *, p: NonlocalMeans, noise: float) -> NDArray[Any]:
    import numpy as np
    from skimage.restoration import denoise_nl_means

    if p.over == "volume" and len(block) > 1:
        return np.asarray(_denoised(denoise_nl_means, block, p, noise))
    return np.stack([_denoised(denoise_nl_means, plane, p, noise) for plane in block])


def _denoised(denoise: Any, image: NDArray[Any], p: NonlocalMeans, noise: float) -> NDArray[Any]:
    return denoise(
        image, patch_size=p.patch_px, patch_distance=p.distance_px, h=p.strength * noise,
        sigma=noise, fast_mode=True, preserve_range=True,
    )  # fmt: skip


NLM = Step(
    name="filter.nlm",
    title="Non-local means",
    sentence="Averages places that look alike: noise goes, texture and thin lines stay.",
    parameters=NonlocalMeans,
    inputs=(Port("volume", "volume", "Volume"),),
    outputs=(Port("filtered", "volume", "Non-local means"),),
    run=nonlocal_means,
    presets=(
        Preset("standard", {}, "Slice by slice."),
        Preset("strong", {"strength": 1.4}, "Slice by slice, smoother."),
        Preset("in all directions", {"over": "volume", "distance_px": 3}, "Better and far slower."),
    ),
    reference="Buades, Coll and Morel 2005, CVPR; Darbon et al. 2008, ISBI (fast version)",
)
