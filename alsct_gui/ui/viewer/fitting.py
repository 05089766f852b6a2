"""Sets the camera so that pictures are seen whole.

napari's own `reset_view` fails for flat layers while there is a layer of more dimensions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.ui.viewer.host import NapariHost

MARGIN = 0.02


def fit_flat(host: NapariHost, layers: Sequence[Any]) -> None:
    """Show layers whole, in the two dimensions that are seen.

    Parameters
    ----------
    host
        The viewer.
    layers
        Of napari; none leaves the camera where it is.
    """
    if not layers:
        return
    outlines = np.array([outline_of(layer) for layer in layers])
    low, high = outlines[:, 0].min(axis=0), outlines[:, 1].max(axis=0)
    camera, canvas = host.viewer.scene.camera, host.canvas
    room = np.array([canvas.height(), canvas.width()]) * (1 - MARGIN)
    middle = (low + high) / 2
    camera.center = (camera.center[0], float(middle[0]), float(middle[1]))
    camera.zoom = float(np.min(room / np.maximum(high - low, 1e-9)))
    host.note_fit()


def outline_of(layer: Any) -> NDArray[np.float64]:
    """Return where a flat picture lies: centres of its first and its last pixel, (row, column).

    napari's own `extent` stays that of the last picture while a layer is hidden and napari does
    not cut slices in a thread.
    """
    first = np.asarray(layer.translate[-2:], np.float64)
    return np.array([first, first + (np.array(layer.data.shape[-2:]) - 1) * layer.scale[-2:]])
