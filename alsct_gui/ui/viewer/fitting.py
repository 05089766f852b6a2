"""Sets the camera so that pictures are seen whole.

napari's own `reset_view` fails for flat layers while there is a layer of more dimensions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

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
    # First row of an extent: the smallest coordinates, second row: the largest ones.
    low = np.min([layer.extent.world[0, -2:] for layer in layers], axis=0)
    high = np.max([layer.extent.world[1, -2:] for layer in layers], axis=0)
    camera, canvas = host.viewer.scene.camera, host.canvas
    room = np.array([canvas.height(), canvas.width()]) * (1 - MARGIN)
    middle = (low + high) / 2
    camera.center = (camera.center[0], float(middle[0]), float(middle[1]))
    camera.zoom = float(np.min(room / np.maximum(high - low, 1e-9)))
    host.note_fit()
