"""Fewer bits: 8 or 16 instead of 32, with the way back inside the product."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from alsct_gui.model.errors import RecipeError
from alsct_gui.steps.blockwise import Blockwise
from alsct_gui.steps.reporter import Reporter
from alsct_gui.steps.settings import setting
from alsct_gui.steps.step import Port, Preset, Step
from alsct_gui.steps.values import MadeVolume, physical_array

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SLICES = 9


@dataclass(frozen=True, slots=True)
class FewerBits:
    """Parameters of `BITS`."""

    dtype: Literal["uint8", "uint16"] = setting(
        "uint8", label="Type", tier="newbie", words={"uint8": "8 bits", "uint16": "16 bits"},
        help="8 bits are a quarter of the size of 32, and what many programs want.",
    )  # fmt: skip
    value_range: tuple[float, float] | None = setting(
        None, label="Range", empty="found", help="Values that become black and white."
    )
    left_out_percent: float = setting(
        0.05, label="Left out", unit="%", min=0, max=20,
        help="Share of the darkest and of the brightest voxels beyond a range that is found.",
    )  # fmt: skip

    def __post_init__(self) -> None:
        if self.value_range is not None and not self.value_range[0] < self.value_range[1]:
            raise RecipeError(
                "the lower value is not below the upper", where="parameters.value_range"
            )


def fewer_bits(
    inputs: Mapping[str, Any], parameters: FewerBits, reporter: Reporter
) -> Mapping[str, MadeVolume]:
    """Scale values to whole numbers; ``value = offset + stored * step`` stands in the product."""
    from alsct_gui.files.writers.scaling import scale_of

    volume = physical_array(inputs["volume"])
    span = parameters.value_range or _range_of(volume, parameters.left_out_percent)
    work = partial(_scaled, dtype=parameters.dtype, span=span)
    lazy = Blockwise(work, [volume], dtype=parameters.dtype, voxel_bytes=9)
    return {"scaled": MadeVolume(lazy, scale=scale_of(parameters.dtype, span))}


def _range_of(volume: Any, left_out_percent: float) -> tuple[float, float]:
    """Values between which all but a few voxels of evenly spaced slices lie."""
    import numpy as np

    indices = np.unique(np.linspace(0, volume.shape[0] - 1, _SLICES).round().astype(int))
    sample = np.concatenate([volume[int(index)].ravel() for index in indices])
    sample = sample[np.isfinite(sample)]
    if not sample.size:
        return 0.0, 1.0
    low, high = (
        float(value) for value in np.percentile(sample, (left_out_percent, 100 - left_out_percent))
    )
    return (low, high) if low < high else (low, low + 1.0)


def _scaled(block: NDArray[Any], *, dtype: str, span: tuple[float, float]) -> NDArray[Any]:
    from alsct_gui.files.writers.scaling import scale_to_dtype

    return scale_to_dtype(block, dtype, span).values


BITS = Step(
    name="filter.bits",
    title="Fewer bits",
    sentence="Makes a volume four times smaller, as many programs want it.",
    parameters=FewerBits,
    inputs=(Port("volume", "volume", "Volume"),),
    outputs=(Port("scaled", "volume", "Fewer bits"),),
    run=fewer_bits,
    presets=(
        Preset("8 bits", {}, "For pictures, films and most segmentations."),
        Preset("16 bits", {"dtype": "uint16"}, "When fine differences of grey matter."),
    ),
)
