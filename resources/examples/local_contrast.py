"""Example: a plain Python function. Needs numpy and scipy, and nothing of alsct-gui."""

import numpy as np
from scipy.ndimage import uniform_filter

TITLE = "Local contrast"


def run(volume, window: int = 15, strength: float = 0.7, slice_by_slice: bool = True):
    """Evens out slow changes of grey, such as cupping, so that one threshold fits everywhere.

    Parameters
    ----------
    volume : array
        Shape (slice, y, x).
    window : int
        Edge of the neighbourhood in pixels.
    strength : float
        0 leaves the volume as it is, 1 takes all of the slow change away.
    slice_by_slice : bool
        Whether the neighbourhood lies in the slice alone.
    """
    out = np.empty(volume.shape, np.float32)
    mean = float(np.mean(volume[len(volume) // 2]))
    if not slice_by_slice:
        return volume - strength * (uniform_filter(volume, window) - mean)
    for index, plane in enumerate(volume):
        out[index] = plane - strength * (uniform_filter(plane, window) - mean)
        print(f"PROGRESS {(index + 1) / len(volume):.3f} slices", flush=True)
    return out
