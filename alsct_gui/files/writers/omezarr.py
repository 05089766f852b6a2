"""OME-Zarr 0.5 volumes: zarr 3, sharded, with a pyramid that grows as slices come.

Every call of `write` also halves what it can: when both slices of a pair are stored, their
mean goes to the next level, and so on upwards. A slice whose partner came in another call
is read back from its shard (it is still in the page cache), so no slices are held in
memory, whatever the order in which they come.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.files.provenance import ATTRIBUTE
from alsct_gui.files.writers.partial import Partial, sync_file
from alsct_gui.files.writers.pyramid import halve, level_shapes
from alsct_gui.files.writers.shards import SLAB_SLICES, ShardedLevel
from alsct_gui.files.writers.sliced import SlicedWriter

OME_VERSION = "0.5"


class OmeZarrWriter(SlicedWriter):
    """Writes one OME-Zarr 0.5 image; see `VolumeWriter` for its use."""

    slab_size = SLAB_SLICES

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
        self._shapes = level_shapes(shape)
        self._levels = [
            ShardedLevel(partial.content / str(i), level, dtype)
            for i, level in enumerate(self._shapes)
        ]
        self._stored = _stored_slices(self._done, self._shapes)
        self._started = [stored.copy() for stored in self._stored]
        self._write_arrays()
        self._write_group(provenance)

    def _store(self, first: int, slices: NDArray[Any]) -> None:
        self._put(0, first, slices)

    def _put(self, level: int, first: int, slices: NDArray[Any]) -> None:
        """Store slices of a level, and all that follows from them in coarser levels."""
        self._levels[level].write(first, slices)
        for parent, stop in self._take_ready_parents(level, first, first + len(slices)):
            children = self._children(level, parent, stop, first, slices)
            self._put(level + 1, parent, halve(children))

    def _take_ready_parents(self, level: int, first: int, stop: int) -> list[tuple[int, int]]:
        """Mark slices as stored; return the runs of parents that this thread must make.

        A run either has all its children in [first, stop) or is a single parent.
        """
        with self._lock:
            stored = self._stored[level]
            stored[first:stop] = True
            if level + 1 == len(self._levels):
                return []
            n_children = _children_per_parent(self._shapes[level][0])
            started = self._started[level + 1]
            ready = []
            for parent in range(first // n_children, (stop - 1) // n_children + 1):
                if stored[parent * n_children : (parent + 1) * n_children].all():
                    if not started[parent]:
                        ready.append(parent)
                    started[parent] = True
        inside = [
            p for p in ready
            if p * n_children >= first and min((p + 1) * n_children, len(stored)) <= stop
        ]  # fmt: skip
        runs = [(p, p + 1) for p in ready if p not in inside]
        if inside:
            runs.append((inside[0], inside[-1] + 1))
        return runs

    def _children(
        self, level: int, parent: int, stop: int, first: int, slices: NDArray[Any]
    ) -> NDArray[Any]:
        """Return the slices of a level below parents [parent, stop)."""
        n_slices = self._shapes[level][0]
        n_children = _children_per_parent(n_slices)
        start, end = parent * n_children, min(stop * n_children, n_slices)
        if first <= start and end <= first + len(slices):
            return slices[start - first : end - first]
        return self._levels[level].read(start, end)

    def _sync(self, first: int, stop: int) -> None:
        for level in self._levels:
            for slab in range(first // level.shard[0], (stop - 1) // level.shard[0] + 1):
                if level.shard_path(slab).exists():
                    sync_file(level.shard_path(slab))
            n_children = _children_per_parent(level.shape[0])
            first, stop = first // n_children, (stop - 1) // n_children + 1

    def _seal(self, provenance: Mapping[str, Any]) -> None:
        self._write_group(provenance, window=self._display_window())

    def _display_window(self) -> dict[str, float]:
        """Return the range of values, and a range to look at, from the coarsest level."""
        values = self._levels[-1].read(0, self._shapes[-1][0])
        values = values[np.isfinite(values)]
        if not values.size:
            return {"min": 0.0, "max": 1.0, "start": 0.0, "end": 1.0}
        start, end = np.percentile(values, (0.5, 99.5))
        figures = {"min": values.min(), "max": values.max(), "start": start, "end": end}
        return {name: float(value) for name, value in figures.items()}

    def _write_arrays(self) -> None:
        import zarr

        for number, level in enumerate(self._levels):
            (level.folder / "zarr.json").unlink(missing_ok=True)  # an earlier run's
            zarr.create_array(
                self._partial.content, name=str(number), shape=level.shape, dtype=self._dtype,
                chunks=level.chunk, shards=level.shard, compressors=None, fill_value=0,
                dimension_names=("z", "y", "x"),
            )  # fmt: skip

    def _write_group(
        self, provenance: Mapping[str, Any], window: Mapping[str, float] | None = None
    ) -> None:
        attributes = {
            "ome": ome_metadata(self.path.name, self._shapes, self._voxel_um, window),
            ATTRIBUTE: dict(provenance),
        }
        group = {"zarr_format": 3, "node_type": "group", "attributes": attributes}
        text = json.dumps(group, indent=2, allow_nan=False)
        (self._partial.content / "zarr.json").write_text(text, encoding="utf-8")


def ome_metadata(
    name: str,
    shapes: list[tuple[int, int, int]],
    voxel_um: tuple[float, float, float] | None,
    window: Mapping[str, float] | None,
) -> dict[str, Any]:
    """Return the ``ome`` attribute of a volume (OME-Zarr 0.5, multiscales and omero).

    Parameters
    ----------
    name
        For people.
    shapes
        Shapes (z, y, x) of the levels, finest first.
    voxel_um
        Edges of a voxel of the finest level (z, y, x); None leaves the axes without unit.
    window
        ``min``, ``max``, ``start`` and ``end`` for the display; None leaves it out.
    """
    axes: list[dict[str, str]] = [{"name": axis, "type": "space"} for axis in "zyx"]
    if voxel_um is not None:
        axes = [axis | {"unit": "micrometer"} for axis in axes]
    scale = np.asarray(voxel_um or (1.0, 1.0, 1.0), dtype=np.float64)
    finest, datasets = scale.copy(), []
    for number in range(len(shapes)):
        if number:
            scale = scale * np.where(np.asarray(shapes[number - 1]) > 1, 2, 1)
        # Centres of coarse voxels lie between those of the fine ones that they average.
        transforms: list[dict[str, Any]] = [{"type": "scale", "scale": scale.tolist()}]
        if number:
            offset = ((scale - finest) / 2).tolist()
            transforms.append({"type": "translation", "translation": offset})
        datasets.append({"path": str(number), "coordinateTransformations": transforms})
    metadata: dict[str, Any] = {
        "version": OME_VERSION,
        "multiscales": [
            {
                "name": name, "axes": axes, "datasets": datasets, "type": "mean",
                "metadata": {"description": "2x2x2 mean of the finite voxels"},
            }
        ],
    }  # fmt: skip
    if window is not None:
        channel = {"active": True, "color": "FFFFFF", "label": "attenuation", "window": window}
        metadata["omero"] = {"channels": [channel], "rdefs": {"model": "greyscale"}}
    return metadata


def _children_per_parent(n_slices: int) -> int:
    return 2 if n_slices > 1 else 1


def _stored_slices(
    done: NDArray[np.bool_], shapes: list[tuple[int, int, int]]
) -> list[NDArray[np.bool_]]:
    """Return for each level which slices are stored when `done` are at the finest."""
    stored = [done.copy()]
    for shape in shapes[1:]:
        below = stored[-1]
        starts = np.arange(shape[0]) * _children_per_parent(len(below))
        stored.append(np.logical_and.reduceat(below, starts))
    return stored
