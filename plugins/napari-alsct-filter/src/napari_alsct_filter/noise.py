"""How strong the noise of a volume is: what strengths of filters are measured by."""

from __future__ import annotations

import numpy as np

from alsct_gui.model.errors import InputError
from alsct_gui.model.volume import LazyArray
from alsct_gui.recon.quality import noise_level

_SLICES = 5


def noise_of(volume: LazyArray) -> float:
    """Return the median noise of evenly spaced slices, in the volume's unit.

    Raises
    ------
    InputError
        There is none to measure: the slices are flat, or smaller than 3 x 3.
    """
    indices = np.unique(np.linspace(0, volume.shape[0] - 1, _SLICES + 2).round().astype(int))
    if len(indices) > 2:
        indices = indices[1:-1]  # the ends of a scan are often empty
    levels = [noise_level(np.asarray(volume[int(index)], np.float32)) for index in indices]
    found = float(np.median(levels))
    if not np.isfinite(found) or found <= 0:
        raise InputError(
            "the volume has no noise that could be measured", where="noise",
            fix="Give the noise yourself, in the volume's unit",
        )  # fmt: skip
    return found
