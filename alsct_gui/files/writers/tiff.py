"""TIFF stacks named as at 8.3.2: ``rec<stem>/<stem>_00000.tiff`` and so on.

Slices are numbered from 0 at the first slice of the volume, as the production scripts do;
which detector row that was stands in ``provenance.json`` (``resolved.region.rows``) beside
them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from alsct_gui.files.provenance import TIFF_FILE
from alsct_gui.files.writers.partial import Partial, sync_file
from alsct_gui.files.writers.sliced import SlicedWriter


class TiffWriter(SlicedWriter):
    """Writes a folder with a TIFF file a slice; see `VolumeWriter` for its use."""

    slab_size = 16

    def __init__(
        self,
        partial: Partial,
        shape: tuple[int, int, int],
        dtype: np.dtype[Any],
        voxel_um: tuple[float, float, float] | None,
        provenance: Mapping[str, Any],
        threads: int,
    ) -> None:
        super().__init__(partial, shape, dtype, provenance, threads)
        self._voxel_um = voxel_um
        self._stem = slice_stem(self.path.name)

    def _store(self, first: int, slices: NDArray[Any]) -> None:
        for index, image in enumerate(slices, start=first):
            tifffile.imwrite(
                self._slice_path(index), np.ascontiguousarray(image), byteorder="<",
                photometric="minisblack", metadata=None, software="alsct-gui",
                **self._tags(),
            )  # fmt: skip

    def _tags(self) -> dict[str, Any]:
        if self._voxel_um is None:
            return {"description": "ImageJ=1.54\nslices=1\n"}
        thickness, edge_y, edge_x = self._voxel_um
        # ImageJ reads pixels per `unit` from the resolution tags, whatever their own unit.
        return {
            "description": f"ImageJ=1.54\nslices=1\nunit=um\nspacing={thickness:.9g}\n",
            "resolution": (1.0 / edge_x, 1.0 / edge_y),
            "resolutionunit": "NONE",
        }

    def _slice_path(self, index: int) -> Path:
        return self._partial.content / f"{self._stem}_{index:05d}.tiff"

    def _sync(self, first: int, stop: int) -> None:
        for index in range(first, stop):
            sync_file(self._slice_path(index))

    def _seal(self, provenance: Mapping[str, Any]) -> None:
        text = json.dumps(dict(provenance), indent=2, allow_nan=False)
        (self._partial.content / TIFF_FILE).write_text(text, encoding="utf-8")


def slice_stem(folder_name: str) -> str:
    """Return the scan's name from that of its stack: ``recabc`` becomes ``abc``."""
    return folder_name.removeprefix("rec") or folder_name
