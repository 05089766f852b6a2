"""Layers as a plugin gets them: napari hands out its viewer and what it holds in a wrapper."""

from __future__ import annotations

from typing import Any


def bare(layer: Any) -> Any:
    """Return a layer without napari's wrapper, so that it can be told by its identity."""
    return getattr(layer, "__wrapped__", layer)


def place_of(layers: Any, layer: Any) -> int:
    """Return where a layer stands in a sequence; -1 when it is not there."""
    wanted = bare(layer)
    return next((k for k, other in enumerate(layers) if bare(other) is wanted), -1)
