"""What every volume writer is, and the one function that makes one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Protocol, Self, cast

import numpy as np
from numpy.typing import DTypeLike, NDArray

from alsct_gui.model.errors import OutputError

VolumeFormat = Literal["ome-zarr", "tiff"]


class VolumeWriter(Protocol):
    """Takes slices in any order, from any thread, and makes one product of them.

    As a context manager: leaving it without `finish` closes the files and keeps the
    partial product, so that the work can be resumed; leaving it by a `CancelledError`
    removes the partial product.
    """

    @property
    def path(self) -> Path:
        """Final name of the product."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of the volume (slice, y, x)."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Stored type."""

    def write(self, first_slice: int, slices: NDArray[Any]) -> None:
        """Store a block of slices; safe to call from several threads.

        Parameters
        ----------
        first_slice
            Index of the block's first slice in the volume. Slices that an earlier run
            stored (see `done_slices`) may be in it; they are passed over.
        slices
            Shape (slice, y, x), any number of slices, already of the stored type. It is
            not changed, and not kept after the call.

        Raises
        ------
        OutputError
            The block does not fit the volume, a slice was given before, or the disk
            refuses.
        """

    def done_slices(self) -> NDArray[np.bool_]:
        """Return which slices are stored, shape (slice,); the others are still wanted."""

    def finish(self, provenance: Mapping[str, Any] | None = None) -> Path:
        """Make the product whole, give it its final name, and return that.

        Parameters
        ----------
        provenance
            Plain data that replaces what `create_volume` was given.

        Raises
        ------
        OutputError
            Slices are missing, or the final name is taken.
        """

    def abort(self) -> None:
        """Remove the partial product; whatever has the final name is left alone."""

    def close(self) -> None:
        """Free threads and files; the partial product stays and can be resumed."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


def create_volume(
    path: Path,
    *,
    shape: tuple[int, int, int],
    dtype: DTypeLike,
    voxel_um: tuple[float, float, float] | None = None,
    format: VolumeFormat = "ome-zarr",  # noqa: A002 (the word that recipes use)
    provenance: Mapping[str, Any] | None = None,
    threads: int = 1,
    resume: bool = False,
    on_mismatch: Literal["refuse", "anew"] = "refuse",
    replace: bool = False,
) -> VolumeWriter:
    """Start a volume, or go on with one that was left unfinished.

    Parameters
    ----------
    path
        Final name of the product; it appears only when the product is whole.
    shape
        Shape of the volume (slice, y, x).
    dtype
        float32, uint16 or uint8.
    voxel_um
        Edges of a voxel (z, y, x) in micrometre; None when unknown.
    format
        ``ome-zarr``, or ``tiff`` for a folder with a file a slice.
    provenance
        Plain data stored inside the product; see `alsct_gui.files.provenance`.
    threads
        How many threads one call of `write` may use.
    resume
        Go on with a partial product that an earlier run left, when it was made with the
        same shape, type, recipe, input and versions; without it such a partial product is
        removed and the work starts anew.
    on_mismatch
        What to do when `resume` finds a partial product of something else.
    replace
        Allow that the final name is taken: the old product is moved aside to
        ``<name>.old-<time>`` once the new one is whole.

    Raises
    ------
    OutputError
        The final name is taken, another run is writing it, the partial product is of
        another recipe, or the folder cannot be written.
    """
    path = Path(path)
    kind = stored_type(dtype, where=str(path))
    if len(shape) != 3 or min(shape) < 1:
        raise OutputError(f"{shape} is not the shape of a volume", where=str(path))
    sizes = (int(shape[0]), int(shape[1]), int(shape[2]))
    from alsct_gui.files.provenance import json_safe
    from alsct_gui.files.writers.partial import Partial, fingerprint

    plain = json_safe(provenance or {})
    mark = fingerprint(plain, shape=sizes, dtype=str(kind), voxel_um=voxel_um, format=format)
    partial = Partial.open(
        path, mark, resume=resume, anew=on_mismatch == "anew", replace=replace
    )  # fmt: skip
    try:
        writer: object
        if format == "tiff":
            from alsct_gui.files.writers.tiff import TiffWriter

            writer = TiffWriter(partial, sizes, kind, voxel_um, plain, threads)
        else:
            from alsct_gui.files.writers.omezarr import OmeZarrWriter

            writer = OmeZarrWriter(partial, sizes, kind, voxel_um, plain, threads)
    except BaseException:
        partial.close()
        raise
    return cast(VolumeWriter, writer)


def stored_type(dtype: DTypeLike, *, where: str) -> np.dtype[Any]:
    """Return a type that volumes are stored in.

    Raises
    ------
    OutputError
        It is none of float32, uint16 and uint8.
    """
    try:
        kind = np.dtype(dtype)
    except TypeError:
        kind = None
    if kind is None or kind.name not in ("float32", "uint16", "uint8"):
        raise OutputError(
            f"cannot store values of type {dtype}", where=where, fix="Take float32, uint16 or uint8"
        )
    return kind
