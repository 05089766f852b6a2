"""A step's products as layers of the viewer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alsct_gui.face.layerdata import labels_layer, volume_layer
from alsct_gui.files.open import open_volume
from alsct_gui.steps.step import Step


def add_products(
    viewer: Any, step: Step[Any], outputs: Mapping[str, Path], like: Any = None
) -> dict[str, Any]:
    """Add the volumes and labels among a step's products to a viewer.

    Parameters
    ----------
    viewer
        A napari viewer.
    step, outputs
        Whose products, by the names of its outputs.
    like
        The layer that they were made from: where the volume has no voxel size of its own, they
        lie as it lies.

    Returns
    -------
    layers
        By the names of the outputs.

    Raises
    ------
    InputError
        A product cannot be read.
    """
    added = {}
    for name, path in outputs.items():
        kind = step.output(name).kind
        if kind not in ("volume", "labels"):
            continue
        volume = open_volume(path)  # read by its layer, for as long as that lives
        make = labels_layer if kind == "labels" else volume_layer
        data, about, _ = make(volume)
        if like is not None:
            about = {**about, **_place(like, about, volume.shape)}
        add = viewer.add_labels if kind == "labels" else viewer.add_image
        added[name] = add(data, **about)
    return added


def _place(like: Any, about: Mapping[str, Any], shape: tuple[int, ...]) -> dict[str, Any]:
    """Place of a layer of the same voxels: that of the one it was made from."""
    levels = like.data[0] if getattr(like, "multiscale", False) else like.data
    if tuple(levels.shape) != shape or "translate" in about:
        return {}
    return {
        "scale": like.scale, "translate": like.translate, "units": like.units,
        "axis_labels": like.axis_labels,
    }  # fmt: skip
