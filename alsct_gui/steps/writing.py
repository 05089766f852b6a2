"""What a step made, brought to the disk with its provenance; each product whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.files.labels import save_labels
from alsct_gui.files.provenance import json_safe
from alsct_gui.files.space import require_space, volume_bytes
from alsct_gui.files.tables import write_table
from alsct_gui.files.writers.base import VolumeFormat, VolumeWriter, create_volume
from alsct_gui.files.writers.partial import make_way, refuse_taken
from alsct_gui.model.errors import OutputError
from alsct_gui.model.table import Table
from alsct_gui.model.volume import LazyArray, Volume
from alsct_gui.steps.blocks import Block
from alsct_gui.steps.blockwise import Blockwise
from alsct_gui.steps.reporter import Reporter
from alsct_gui.steps.step import Port, Step
from alsct_gui.steps.values import MadeFile, MadeLabels, MadeVolume

Plain = Mapping[str, Any]
Finished = Callable[[], Plain]
"""Called when the values are on the disk; returns the whole provenance."""

_SLAB_SLICES = 16
_STORED = ("float32", "uint16", "uint8")
_SUFFIXES = {
    "volume": ".zarr", "labels": ".labels.zarr", "table": ".csv", "model": ".safetensors",
}  # fmt: skip


def suffix_of(kind: str) -> str:
    """Return the ending of the name of an output; empty where each file has its own."""
    return _SUFFIXES.get(kind, "")


def product_name(port: Port, value: Any) -> str:
    """Return the name of an output in the folder of a step that makes several."""
    suffix = value.suffix if isinstance(value, MadeFile) else suffix_of(port.kind)
    return f"{port.name}{suffix}"


def default_name(step: Step[Any], stem: str = "") -> str:
    """Return a name for what a step makes: one product, or the folder of several.

    Parameters
    ----------
    step
        The step.
    stem
        What it was made of; empty leaves it out.
    """
    name = ".".join(filter(None, (stem, step.name.rpartition(".")[2])))
    single = step.outputs[0].kind if len(step.outputs) == 1 else ""
    return f"{name}{suffix_of(single)}"


def write_product(
    port: Port,
    value: Any,
    path: Path,
    *,
    source: Volume | None,
    provenance: Plain,
    finished: Finished,
    reporter: Reporter,
    replace: bool = False,
    resume: bool = False,
) -> Path:
    """Write one output of a step.

    Parameters
    ----------
    port
        Which output.
    value
        As the step returned it.
    path
        Its final name. A volume becomes OME-Zarr when the name ends in ``.zarr``, else a
        folder of TIFF slices.
    source
        The volume that the step was about; None when there is none.
    provenance
        Plain data, as far as it is known before the values are written.
    finished
        Called without arguments when they are written; returns the whole provenance.
    reporter
        Progress, cancel, budget.
    replace
        Move what has the name aside.
    resume
        Go on with what a killed run left of the same volume; with `replace`, what it left of
        another is thrown away.

    Raises
    ------
    OutputError
        The name is taken, the value is not what the port announces, or the disk refuses.
    """
    if port.kind == "volume":
        return _write_volume(
            _as_volume(value, port), path, source, provenance, finished, reporter,
            replace=replace, resume=resume,
        )  # fmt: skip
    if port.kind == "labels":
        if not replace:
            refuse_taken(path)
        values = value.values if isinstance(value, MadeLabels) else value
        same = not isinstance(value, MadeLabels) or value.same_voxels
        labels = values if isinstance(values, np.ndarray) else on_scratch(values, reporter)
        about = source if source is not None and labels.shape == source.shape else Volume(
            path=source.path if source is not None else path, layout="memory", levels=(labels,),
            voxel_um=source.voxel_um if source is not None and same else None,
        )  # fmt: skip
        return save_labels(labels, about, path, made=finished(), cancel=reporter.cancel)
    if port.kind == "table" and isinstance(value, Table):
        return write_table(path, value, finished(), replace=replace)
    if isinstance(value, MadeFile):
        return _write_file(value, path, finished(), replace=replace)
    raise OutputError(
        f"the output {port.name} is a {type(value).__name__}, not a {port.kind}", where=str(path)
    )


def on_scratch(values: LazyArray, reporter: Reporter) -> NDArray[Any]:
    """Compute an array into one on the scratch disk, which goes when nobody uses it."""
    result = reporter.scratch_array(values.shape, values.dtype)
    for first, slab in _slabs(values, reporter, None):
        result[first : first + len(slab)] = slab
    return result


def _write_volume(
    made: MadeVolume,
    path: Path,
    source: Volume | None,
    provenance: Plain,
    finished: Finished,
    reporter: Reporter,
    *,
    replace: bool,
    resume: bool,
) -> Path:
    values = made.values
    z, y, x = values.shape
    dtype = np.dtype("uint8" if values.dtype.kind == "b" else values.dtype).name
    stored = dtype if dtype in _STORED else "float32"
    own = volume_facts(made, source)
    layout: VolumeFormat = "ome-zarr" if path.suffix == ".zarr" else "tiff"
    require_space(path, volume_bytes((z, y, x), stored, pyramid=layout == "ome-zarr"))
    writer = create_volume(
        path, shape=(z, y, x), dtype=stored, voxel_um=own["voxel_um"], format=layout,
        provenance={**provenance, **own}, threads=reporter.threads, replace=replace,
        resume=resume, on_mismatch="anew" if replace else "refuse",
    )  # fmt: skip
    with writer:
        for first, slab in _slabs(values, reporter, writer):
            writer.write(first, np.ascontiguousarray(slab, stored))
        reporter.check()
        return writer.finish({**finished(), **own})


def volume_facts(made: MadeVolume, source: Volume | None) -> dict[str, Any]:
    """Return what a volume says of its values: unit, scale, voxel."""
    same = source is not None and made.same_voxels
    voxel_um = made.voxel_um or (source.voxel_um if same and source is not None else None)
    units = made.units if made.units is not None else source.units if source is not None else ""
    return {"units": units, "scale": made.scale, "voxel_um": voxel_um}


def _slabs(values: LazyArray, reporter: Reporter, writer: VolumeWriter | None) -> Any:
    """Yield (first slice, slices) until all are made; those that are stored are passed over."""
    done = np.zeros(values.shape[0], np.bool_) if writer is None else writer.done_slices()
    if isinstance(values, Blockwise):
        wanted = [
            block for block in values.plan(reporter.memory_bytes, reporter.threads)
            if not done[block.inner[0]].all()
        ]  # fmt: skip
        yield from _strips(values, wanted, reporter)
        return
    starts = [
        first for first in range(0, values.shape[0], _SLAB_SLICES)
        if not done[first : first + _SLAB_SLICES].all()
    ]  # fmt: skip
    for first in reporter.each(starts, "slices"):
        yield first, values[first : first + _SLAB_SLICES]


def _strips(values: Blockwise, blocks: list[Block], reporter: Reporter) -> Any:
    """Put blocks together to strips of whole slices."""
    strip = np.empty((0, 0, 0), values.dtype)
    left = 0
    for (z, y, x), block in values.blocks(blocks, reporter):
        if not left:
            left = (z.stop - z.start) * values.shape[1] * values.shape[2]
            strip = np.empty((z.stop - z.start, *values.shape[1:]), values.dtype)
        strip[:, y, x] = block
        left -= block.size
        if not left:
            yield z.start, strip


def _write_file(made: MadeFile, path: Path, provenance: Plain, *, replace: bool) -> Path:
    part = path.with_name(f".{path.name}.part")
    about = path.with_name(f"{path.name}.json")
    for name in (about, path):
        make_way(name, replace=replace)
    try:
        made.write(part, provenance)
        text = json.dumps(json_safe(provenance), indent=2, allow_nan=False)
        about.write_text(text, encoding="utf-8")
        part.rename(path)
    except OSError as error:
        raise OutputError(
            f"the file cannot be written ({error.strerror or error})", where=str(path),
            fix="Free space or give another folder",
        ) from error  # fmt: skip
    finally:
        part.unlink(missing_ok=True)
    return path


def _as_volume(value: Any, port: Port) -> MadeVolume:
    made = value if isinstance(value, MadeVolume) else MadeVolume(value)
    if getattr(made.values, "ndim", 0) != 3:
        raise OutputError(f"the output {port.name} has not the axes (slice, y, x)", where=port.name)
    return made
