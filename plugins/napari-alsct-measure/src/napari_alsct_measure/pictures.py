"""Pictures and tables of reports on volumes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.files.report.content import Picture, Pictures
from alsct_gui.files.report.images import grey_image, overlay
from alsct_gui.model.volume import LazyArray

_LONGEST_PX = 640


def labelled_slices(
    grey: LazyArray, labels: LazyArray | NDArray[Any], voxel_um: tuple[float, float, float]
) -> Pictures:
    """Return the middle slice, plain and with its objects in colours."""
    index = grey.shape[0] // 2
    step = _step(grey.shape)
    values = np.asarray(grey[index, ::step, ::step], np.float32)
    shade = grey_image(values, *contrast(values))
    numbers = np.asarray(labels[index])[::step, ::step].astype(np.int64)
    edge = voxel_um[2] * step
    return Pictures(
        (
            Picture(shade, f"Slice {index}", edge),
            Picture(overlay(shade, numbers), f"Slice {index}, objects in colours", edge),
        )
    )


def value_slices(
    grey: LazyArray,
    values: NDArray[np.float32],
    index: int,
    words: str,
    voxel_um: tuple[float, float, float],
) -> Pictures:
    """Return a slice, and a figure of each of its pixels in colours."""
    step = _step(grey.shape)
    plain = np.asarray(grey[index, ::step, ::step], np.float32)
    shade = grey_image(plain, *contrast(plain))
    shown = values[::step, ::step]
    edge = voxel_um[2] * step
    return Pictures(
        (Picture(shade, f"Slice {index}", edge), Picture(heat(shown, shade), words, edge))
    )


def heat(values: NDArray[np.float32], ground: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return values above 0 in colours from blue to yellow, on a darkened grey picture."""
    stops = np.array([(38, 70, 140), (33, 145, 140), (94, 201, 98), (253, 231, 37)], np.float64)
    top = max(float(values.max(initial=0)), 1e-9)
    share = np.clip(values / top, 0, 1) * (len(stops) - 1)
    colours = np.stack(
        [np.interp(share, np.arange(len(stops)), stops[:, channel]) for channel in range(3)], -1
    )
    dark = ground[..., None] * 0.5
    return np.rint(np.where((values > 0)[..., None], colours, dark)).astype(np.uint8)


def contrast(values: NDArray[np.float32]) -> tuple[float, float]:
    """Return the grey values that are shown black and white."""
    known = values[np.isfinite(values)]
    if not len(known):
        return 0.0, 1.0
    low, high = np.percentile(known, (0.5, 99.5))
    return float(low), float(high)


def _step(shape: tuple[int, ...]) -> int:
    return max(1, -(-max(shape[1:]) // _LONGEST_PX))
