"""One volume into another: format, stored type, a part of it; streamed, provenance kept."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.files.provenance import CONVERTED, json_safe
from alsct_gui.files.space import require_space, volume_bytes
from alsct_gui.files.volumes import open_volume
from alsct_gui.files.writers.base import VolumeFormat, create_volume, stored_type
from alsct_gui.files.writers.scaling import scale_of, scale_to_dtype
from alsct_gui.model.errors import InputError, OutputError, RecipeError
from alsct_gui.model.progress import CancelToken, Progress, ProgressCallback
from alsct_gui.model.volume import Volume

Range = tuple[int, int]
_SLAB_SLICES = 16
_SLAB_BYTES = 256 * 2**20
_SAMPLE_SLICES = 8
_SAMPLE_PERCENT = (0.05, 99.95)


def convert_volume(
    source: Path,
    target: Path,
    *,
    format: VolumeFormat = "ome-zarr",  # noqa: A002 (the word of recipes)
    dtype: str | None = None,
    value_range: tuple[float, float] | None = None,
    slices: Range | None = None,
    rows: Range | None = None,
    columns: Range | None = None,
    threads: int = 1,
    replace: bool = False,
    resume: bool = False,
    progress: ProgressCallback | None = None,
    cancel: CancelToken | None = None,
) -> Path:
    """Write a volume again in another format, type or part.

    Parameters
    ----------
    source
        An OME-Zarr volume or a TIFF stack.
    target
        Final name of the new one.
    format
        ``ome-zarr`` or ``tiff``.
    dtype
        float32, uint16 or uint8; None keeps the stored type where it is one of these, else
        takes float32.
    value_range
        Values (not stored integers) that become 0 and the highest integer; None takes the
        0.05 and 99.95 percentiles of some slices. Not used when the type stays.
    slices, rows, columns
        Parts [start, stop) that are kept, along slice, y and x.
    threads
        Threads for writing.
    replace, resume
        As for `alsct_gui.files.writers.base.create_volume`.
    progress
        Called after each slab of slices, from the calling thread.
    cancel
        Looked at before each slab; the partial product is removed.

    Returns
    -------
    path
        The new volume. Its provenance is the old one's, with ``scale`` as it is now and
        an entry ``converted`` with what was done.

    Raises
    ------
    InputError
        The source is no volume, or a range lies outside it.
    RecipeError
        `value_range` is none.
    OutputError, ResourceError
        The target is taken, cannot be written, or does not fit on the disk.
    CancelledError
        By `cancel`.
    """
    cancel = cancel or CancelToken()
    _refuse_nested(Path(source), Path(target))
    with open_volume(source) as volume:
        part = tuple(
            _bounded(wanted, size, name)
            for wanted, size, name in zip(
                (slices, rows, columns), volume.shape, ("slices", "rows", "columns"), strict=True
            )
        )
        kind = stored_type(dtype or _kept_type(volume.dtype), where=str(target))
        shape = (len(part[0]), len(part[1]), len(part[2]))
        require_space(target.parent, volume_bytes(shape, kind, pyramid=format == "ome-zarr"))
        change, scale = _change_of_values(volume, part, kind, value_range)
        provenance = _carried_on(volume, part, scale)
        writer = create_volume(
            target, shape=shape, dtype=kind, voxel_um=volume.voxel_um, format=format,
            provenance=provenance, threads=threads, replace=replace, resume=resume,
        )  # fmt: skip
        with writer:
            done = writer.done_slices()
            began = time.monotonic()
            for first, stop in _slabs(shape, volume.dtype):
                cancel.check()
                if not done[first:stop].all():
                    writer.write(first, change(_read(volume, part, first, stop)))
                _tell(progress, stop, shape[0], time.monotonic() - began)
            cancel.check()
            return writer.finish()


def _refuse_nested(source: Path, target: Path) -> None:
    real_source, real_target = source.resolve(), target.absolute().parent.resolve()
    if real_target.is_relative_to(real_source):
        raise OutputError(
            "the new volume would lie inside the old one", where=str(target),
            fix="Give another place",
        )  # fmt: skip


def _bounded(wanted: Range | None, size: int, name: str) -> range:
    start, stop = wanted or (0, size)
    if not 0 <= start < stop <= size:
        raise InputError(
            f"{name} [{start}, {stop}) do not lie in a volume of {size}", where=name,
            fix=f"Give [start, stop) with 0 <= start < stop <= {size}",
        )  # fmt: skip
    return range(start, stop)


def _kept_type(dtype: np.dtype[Any]) -> str:
    return dtype.name if dtype.name in ("uint8", "uint16") else "float32"


def _read(volume: Volume, part: tuple[range, ...], first: int, stop: int) -> NDArray[Any]:
    start = part[0].start
    rows, columns = (slice(axis.start, axis.stop) for axis in part[1:])
    return volume.levels[0][start + first : start + stop, rows, columns]


def _slabs(shape: tuple[int, int, int], dtype: np.dtype[Any]) -> list[Range]:
    """Cut the slices into slabs that fit shards and a modest memory."""
    slice_bytes = shape[1] * shape[2] * max(dtype.itemsize, 4)
    size = _SLAB_SLICES
    while size > 1 and size * slice_bytes > _SLAB_BYTES:
        size //= 2
    return [(first, min(first + size, shape[0])) for first in range(0, shape[0], size)]


def _change_of_values(
    volume: Volume,
    part: tuple[range, ...],
    kind: np.dtype[Any],
    value_range: tuple[float, float] | None,
) -> tuple[Callable[[NDArray[Any]], NDArray[Any]], tuple[float, float] | None]:
    """Return what turns stored into new values, and the new ``scale``."""
    scale = _stored_scale(volume)
    if kind == volume.dtype.newbyteorder("="):
        return lambda block: np.ascontiguousarray(block, dtype=kind), scale

    def as_float(block: NDArray[Any]) -> NDArray[np.float32]:
        if scale is None:
            return np.ascontiguousarray(block, dtype=np.float32)
        return (scale[0] + block * scale[1]).astype(np.float32)

    if kind == np.float32:
        return as_float, None
    if value_range is not None and not -np.inf < value_range[0] < value_range[1] < np.inf:
        raise RecipeError(f"{value_range} is not a range of values", where="value_range")
    span = value_range or _found_range(volume, part, as_float)
    return lambda block: scale_to_dtype(as_float(block), kind, span).values, scale_of(kind, span)


def _stored_scale(volume: Volume) -> tuple[float, float] | None:
    """Return (offset, step) of an integer volume that tells it, else None."""
    pair = volume.provenance.get("scale")
    if pair is None:
        return None
    try:
        offset, step = (float(value) for value in pair)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"its scale is {pair!r}, not two numbers"[:200], where=str(volume.path)
        ) from error
    return offset, step


def _found_range(
    volume: Volume,
    part: tuple[range, ...],
    as_float: Callable[[NDArray[Any]], NDArray[np.float32]],
) -> tuple[float, float]:
    last = len(part[0]) - 1
    indices = sorted({round(i * last / (_SAMPLE_SLICES - 1)) for i in range(_SAMPLE_SLICES)})
    sample = np.concatenate([as_float(_read(volume, part, i, i + 1)).ravel() for i in indices])
    sample = sample[np.isfinite(sample)]
    if not sample.size:
        return 0.0, 1.0
    low, high = (float(value) for value in np.percentile(sample, _SAMPLE_PERCENT))
    return (low, high) if low < high else (low, low + 1.0)


def _carried_on(
    volume: Volume, part: tuple[range, ...], scale: tuple[float, float] | None
) -> dict[str, Any]:
    """Return the old provenance with what the conversion changed.

    Volumes of other programs have none; then only the conversion is told.
    """
    steps = volume.provenance.get(CONVERTED)
    step = {
        "source": volume.path.name,
        "slices": [part[0].start, part[0].stop],
        "rows": [part[1].start, part[1].stop],
        "columns": [part[2].start, part[2].stop],
        "scale": scale,
    }
    plain: dict[str, Any] = json_safe(
        {
            **volume.provenance,
            "scale": scale,
            CONVERTED: [*(steps if isinstance(steps, list) else []), step],
        }
    )
    return plain


def _tell(progress: ProgressCallback | None, done: int, total: int, elapsed_s: float) -> None:
    if progress is not None:
        eta_s = elapsed_s / done * (total - done)
        progress(Progress("slices", done, total, elapsed_s, eta_s))
