"""A raw scan as layers: projections, and beside them flats and darks."""

from __future__ import annotations

import weakref
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from alsct_gui.face.layerdata import LayerData, contrast_limits
from alsct_gui.files.checked import opened
from alsct_gui.files.volumes import StackArray
from alsct_gui.model.scan import FrameStack, Scan

AXES = ("angle", "row", "column")


class _Open:
    """The open file that some arrays read from; closed with the last of them."""


class _Frames(StackArray):
    """A stack of frames that keeps its file open."""

    def __init__(self, stack: FrameStack, held: _Open) -> None:
        super().__init__(stack)
        self._held = held


def scan_layers(path: Path) -> list[LayerData]:
    """Open a scan as layers; no frame is read but the one whose greys are shown.

    A damaged file is looked at in a process of its own first, which it may hang or end.

    Raises
    ------
    InputError
        It cannot be read as a scan.
    """
    with ExitStack() as stack:
        scan = stack.enter_context(opened(path))
        held = _Open()
        layers = [_layer(scan, "projections", _Frames(scan.projections, held))]
        for name, frames in (("flats", scan.flats), ("darks", scan.darks)):
            if frames is not None and frames.shape[0]:
                layers.append(_layer(scan, name, _Frames(frames, held)))
        weakref.finalize(held, stack.pop_all().close)
    return layers


def _layer(scan: Scan, kind: str, frames: StackArray) -> LayerData:
    edge_um = scan.geometry.pixel_size_um
    unit = "pixel" if edge_um is None else "um"
    about: dict[str, Any] = {
        "name": f"{scan.path.stem} {kind}",
        "scale": (1.0, edge_um or 1.0, edge_um or 1.0),
        "units": ("pixel", unit, unit),
        "axis_labels": AXES,
        "contrast_limits": contrast_limits(frames),
        # Flats and darks are there for whoever wants them, and do not hide the projections.
        "visible": kind == "projections",
        "metadata": {
            "scan_path": str(scan.path.absolute()),
            "scan_part": kind,
            "quantity": scan.quantity,
            "warnings": [f"{item.message} {item.fix}".strip() for item in scan.warnings],
        },
    }
    if kind == "projections":
        about["metadata"] |= {
            "angles_deg": scan.geometry.angles_deg.tolist(), "scan": dict(scan.metadata),
        }  # fmt: skip
    return frames, about, "image"
