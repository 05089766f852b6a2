"""Labels of a volume: saved beside it as OME-Zarr, and read back.

A label image is an OME-Zarr 0.5 image of one level, compressed, with the attribute
``image-label`` (https://ngff.openmicroscopy.org/0.5/#labels-md); our attribute ``alsct``
says which volume it belongs to. Saving writes a whole new copy, gives it the name, and
keeps the last copies as ``<name>.old-<time>``; see `alsct_gui.files.writers.partial`.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from alsct_gui.files.findings import broken
from alsct_gui.files.names import safe_stem
from alsct_gui.files.provenance import ATTRIBUTE, json_safe
from alsct_gui.files.volumes import describe_zarr
from alsct_gui.files.writers.omezarr import ome_metadata
from alsct_gui.files.writers.partial import Partial, sync_tree
from alsct_gui.model.errors import InputError, OutputError
from alsct_gui.model.progress import CancelToken
from alsct_gui.model.volume import LazyArray, Volume

BACKUPS = 2
"""Earlier copies that are kept."""
SLAB_SLICES = 8
"""Slices that are held in memory while saving, and stored in one file."""
CHUNK_EDGE_PX = 256

_SUFFIX = ".labels.zarr"
_KIND = "labels"


class LabelArray(Protocol):
    """An integer array in memory or on disk."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> np.dtype[Any]: ...

    def __getitem__(self, key: Any) -> Any: ...


@dataclass(frozen=True, slots=True, eq=False)
class SavedLabels:
    """Labels as they were read back."""

    path: Path
    labels: LazyArray
    """Integers, shape (slice, y, x); one slice when `slice_index` is set."""
    slice_index: int | None
    """Slice of the volume that the labels are of; None when they are of the whole volume."""
    voxel_um: tuple[float, float, float] | None
    """Edges of a voxel (slice, y, x)."""
    volume_path: str
    """Where the volume was when they were saved."""
    created: str
    """ISO 8601, UTC."""
    warnings: tuple[str, ...] = ()
    """Sentences."""


def labels_path(volume_path: Path, name: str = "labels") -> Path:
    """Return where labels of a name are kept: ``<volume>.<name>.labels.zarr`` beside it."""
    return volume_path.with_name(f"{volume_path.stem}.{safe_stem(name)}{_SUFFIX}")


def volume_identity(volume: Volume) -> str:
    """Return a SHA-256 over shape, type and provenance of a volume, without reading voxels.

    It tells reconstructions of this program apart; volumes of other programs that have no
    provenance differ by shape and type alone.
    """
    about = [list(volume.shape), volume.dtype.str, json_safe(volume.provenance)]
    text = json.dumps(about, sort_keys=True, default=str)
    return hashlib.sha256(b"alsct volume 1\n" + text.encode()).hexdigest()


def save_labels(
    labels: LabelArray,
    volume: Volume,
    path: Path,
    *,
    slice_index: int | None = None,
    made: Mapping[str, Any] | None = None,
    backups: int = BACKUPS,
    cancel: CancelToken | None = None,
) -> Path:
    """Save labels; what has the name is replaced once the new copy is whole.

    Parameters
    ----------
    labels
        Integers or booleans of the volume's shape; with `slice_index`, of one slice,
        shape (y, x). Read slab by slab: whoever goes on painting meanwhile may find a
        stroke half saved until the next time.
    volume
        The volume that they are of.
    path
        Final name; see `labels_path`.
    slice_index
        Slice that two-dimensional labels are of.
    made
        How a step made them, plain data; None for what a person painted.
    backups
        Earlier copies that are kept, the newest ones.
    cancel
        Ends it; the earlier copy stays as it is.

    Raises
    ------
    OutputError
        The labels do not fit the volume, another program saves to the name, or the disk
        refuses.
    CancelledError
        By `cancel`.
    """
    blocks = _as_blocks(labels, volume, path, slice_index)
    about = {
        **(made or {}),
        "kind": _KIND,
        "volume": volume.path.name,
        "volume_path": str(volume.path.absolute()),
        "volume_identity": volume_identity(volume),
        "volume_shape": list(volume.shape),
        "slice_index": slice_index,
        "voxel_um": volume.voxel_um,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    partial = Partial.open(path, "labels", resume=False, anew=True, replace=True)
    try:
        _write_array(partial.content, blocks, cancel)
        _write_group(partial.content, path, blocks.shape, volume, about)
        sync_tree(partial.content)
        final = partial.publish()
    except OSError as error:
        partial.discard()
        raise OutputError(
            f"the labels cannot be saved ({error.strerror or error})", where=str(path),
            fix="Free space or save them in another folder; the earlier copy is as it was",
        ) from error  # fmt: skip
    except BaseException:
        partial.discard()
        raise
    for old in backups_of(path)[max(0, backups) :]:
        shutil.rmtree(old)
    return final


def backups_of(path: Path) -> list[Path]:
    """Return the earlier copies of saved labels, newest first."""
    start = f"{path.name}.old-"
    found = (item for item in path.parent.iterdir() if item.name.startswith(start))
    return sorted(found, key=lambda item: item.name, reverse=True)


def load_labels(path: Path, volume: Volume | None = None) -> SavedLabels:
    """Open saved labels lazily.

    Parameters
    ----------
    path
        As saved, or a backup of it.
    volume
        The volume that they are laid over.

    Raises
    ------
    InputError
        They are no labels, or do not fit the volume.
    """
    if not (path / "zarr.json").is_file():
        fix = "Check the path"
        if path.parent.is_dir() and (kept := backups_of(path)):
            fix = f"An earlier copy is there: {kept[0].name}"
        raise InputError("there are no labels", where=str(path), fix=fix)
    image = describe_zarr(path, path)
    about, labels = image.provenance, image.levels[0]
    if about.get("kind") != _KIND or labels.dtype.kind not in "iu":
        raise InputError(
            "it holds no labels of this program", where=str(path),
            fix="Open it as a volume",
        )  # fmt: skip
    slice_index = _checked_slice(about, labels, path)
    warnings = () if volume is None else _check_fit(about, labels, slice_index, volume, path)
    return SavedLabels(
        path=path,
        labels=labels,
        slice_index=slice_index,
        voxel_um=image.voxel_um,
        volume_path=str(about.get("volume_path", "")),
        created=str(about.get("created", "")),
        warnings=warnings,
    )


@dataclass(frozen=True, slots=True)
class _Blocks:
    """Labels as slabs of slices."""

    source: LabelArray
    shape: tuple[int, int, int]
    dtype: np.dtype[Any]
    flat: bool
    """Whether the source is one slice."""

    def read(self, first: int, stop: int) -> NDArray[Any]:
        block = self.source[None] if self.flat else self.source[first:stop]
        return np.asarray(block, self.dtype)


def _as_blocks(labels: LabelArray, volume: Volume, path: Path, slice_index: int | None) -> _Blocks:
    wanted = volume.shape if slice_index is None else volume.shape[1:]
    dtype = np.dtype(np.uint8) if labels.dtype.kind == "b" else labels.dtype.newbyteorder("=")
    wrong = ""
    if dtype.kind not in "iu":
        wrong = f"labels are integers, not {labels.dtype}"
    elif tuple(labels.shape) != tuple(wanted):
        wrong = f"labels of {tuple(labels.shape)} do not fit a volume of {volume.shape}"
    elif slice_index is not None and not 0 <= slice_index < volume.shape[0]:
        wrong = f"there is no slice {slice_index} in a volume of {volume.shape}"
    if wrong:
        raise OutputError(wrong, where=str(path), fix="Save them with the volume they are of")
    n_slices = volume.shape[0] if slice_index is None else 1
    shape = (n_slices, volume.shape[1], volume.shape[2])
    return _Blocks(labels, shape, dtype, slice_index is not None)


def _write_array(folder: Path, blocks: _Blocks, cancel: CancelToken | None) -> None:
    import zarr

    n_slices, n_y, n_x = blocks.shape
    chunk = (min(SLAB_SLICES, n_slices), min(CHUNK_EDGE_PX, n_y), min(CHUNK_EDGE_PX, n_x))
    shard = (chunk[0], -(-n_y // chunk[1]) * chunk[1], -(-n_x // chunk[2]) * chunk[2])
    array = zarr.create_array(
        folder, name="0", shape=blocks.shape, dtype=blocks.dtype, chunks=chunk, shards=shard,
        fill_value=0, dimension_names=("z", "y", "x"),
    )  # fmt: skip
    for first in range(0, n_slices, chunk[0]):
        if cancel is not None:
            cancel.check()
        stop = min(first + chunk[0], n_slices)
        array[first:stop] = blocks.read(first, stop)


def _write_group(
    folder: Path,
    path: Path,
    shape: tuple[int, int, int],
    volume: Volume,
    about: Mapping[str, Any],
) -> None:
    ome = ome_metadata(path.name, [shape], volume.voxel_um, None)
    image = ome["multiscales"][0]
    del image["type"], image["metadata"]  # nothing was averaged
    if about["slice_index"] is not None:
        step = volume.voxel_um[0] if volume.voxel_um else 1.0
        place = {"type": "translation", "translation": [about["slice_index"] * step, 0.0, 0.0]}
        image["datasets"][0]["coordinateTransformations"].append(place)
    ome["image-label"] = {"source": {"image": f"../{volume.path.name}"}}
    group = {
        "zarr_format": 3,
        "node_type": "group",
        "attributes": {"ome": ome, ATTRIBUTE: json_safe(about)},
    }
    text = json.dumps(group, indent=2, allow_nan=False)
    (folder / "zarr.json").write_text(text, encoding="utf-8")


def _checked_slice(about: Mapping[str, Any], labels: LazyArray, path: Path) -> int | None:
    index = about.get("slice_index")
    if index is not None and (type(index) is not int or index < 0 or labels.shape[0] != 1):
        raise broken("shape-absurd", f"Labels of slice {str(index)[:40]}", where=str(path))
    return index


def _check_fit(
    about: Mapping[str, Any],
    labels: LazyArray,
    slice_index: int | None,
    volume: Volume,
    path: Path,
) -> tuple[str, ...]:
    """Return sentences on what is odd of labels over a volume.

    Raises
    ------
    InputError
        They do not fit.
    """
    wanted = volume.shape if slice_index is None else (1, *volume.shape[1:])
    if labels.shape != wanted or (slice_index or 0) >= volume.shape[0]:
        raise InputError(
            f"labels of {labels.shape} do not fit a volume of {volume.shape}", where=str(path),
            fix=f"Open them with {str(about.get('volume', 'the volume they are of'))[:200]}",
        )  # fmt: skip
    if about.get("volume_identity") != volume_identity(volume):
        made_of = str(about.get("volume", "another volume"))[:200]
        return (f"The labels were made on {made_of}, which is another reconstruction.",)
    return ()
