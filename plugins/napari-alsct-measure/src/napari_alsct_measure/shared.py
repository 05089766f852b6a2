"""What the steps of this package share: the voxel, the foreground, the region."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.errors import InputError
from alsct_gui.model.volume import LazyArray, Volume
from alsct_gui.steps.blockwise import Blockwise
from alsct_gui.steps.settings import setting
from alsct_gui.steps.values import physical_array
from napari_alsct_measure.blocks import Chosen

Phase = Literal["bright", "dark"]
Region = Literal["whole", "cylinder"]

PHASE_WORDS = {"bright": "bright particles", "dark": "dark pores"}
REGION_WORDS = {"whole": "whole volume", "cylinder": "upright cylinder"}


def voxel_setting() -> Any:
    """Make the field of a parameter type for a voxel's edge."""
    return setting(
        None, label="Voxel", unit="µm", tier="power", min=1e-4, empty="as the volume tells",
        help="Edge of a voxel, for volumes that do not tell it.",
    )  # fmt: skip


def voxel_of(volume: Volume, given_um: float | None = None) -> tuple[float, float, float]:
    """Return the edges of a voxel: those of the volume, else the given one.

    Raises
    ------
    InputError
        Neither is known.
    """
    if volume.voxel_um is not None:
        return volume.voxel_um
    if given_um is None:
        raise InputError(
            "the volume does not tell how large a voxel is", where=str(volume.path),
            fix="Give the voxel size (voxel_um)",
        )  # fmt: skip
    return given_um, given_um, given_um


def smoothed(volume: Volume, sigma_px: float) -> LazyArray:
    """Return a volume's values in its unit, smoothed by a Gaussian as they are read."""
    values = physical_array(volume)
    if sigma_px <= 0:
        return values
    halo = int(4 * sigma_px + 0.5)

    def work(block: NDArray[np.float32]) -> NDArray[np.float32]:
        from scipy.ndimage import gaussian_filter

        known = np.isfinite(block)
        smooth: NDArray[np.float32] = gaussian_filter(np.where(known, block, 0), sigma_px)
        # What is missing stays missing: it must not become foreground.
        return np.where(known, smooth, np.float32(np.nan))

    return Blockwise(work, [values], halo=(halo, halo, halo), whole_planes=True)


def foreground(values: LazyArray, phase: Phase, threshold: float) -> Chosen:
    """Return the bright or the dark side of a threshold as a mask."""
    if phase == "bright":
        return Chosen(values, low=threshold)
    return Chosen(values, high=threshold)


def region_mask(shape: tuple[int, ...], region: Region, radius_percent: float) -> NDArray[np.bool_]:
    """Return the pixels of a slice that belong to a region, shape (y, x)."""
    n_y, n_x = shape[1:]
    if region == "whole":
        return np.ones((n_y, n_x), np.bool_)
    y, x = np.ogrid[:n_y, :n_x]
    radius = radius_percent / 100 * min(n_y, n_x) / 2
    return np.asarray(np.hypot(y - (n_y - 1) / 2, x - (n_x - 1) / 2) <= radius)
