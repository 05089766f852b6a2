"""A volume with its truth, and how both are stored."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.files.provenance import json_safe
from alsct_gui.files.writers.base import create_volume
from alsct_gui.model.errors import InputError, OutputError

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]
Rows = Sequence[Mapping[str, float]]

TRUTH_FILE = "truth.json"
_SLAB_SLICES = 32


@dataclass(frozen=True, eq=False)
class Specimen:
    """A volume as an analysis gets it, and what it should find there.

    Places in the tables are (z, y, x) in micrometres from the centre of voxel (0, 0, 0).
    """

    values: Float32Array
    """Shape (slice, y, x)."""
    voxel_um: float
    """Edge of a voxel."""
    facts: Mapping[str, float] = field(default_factory=dict)
    """Single numbers: porosity, grey levels, noise."""
    tables: Mapping[str, Rows] = field(default_factory=dict)
    """Rows of ``spheres``, ``voids``, ``fibres``, ``breaks``, ``cracks``, ``heights``."""


def truth_folder(path: Path) -> Path:
    """Return where the truth of a specimen lies: ``<stem>.truth`` beside it."""
    return path.with_name(f"{path.stem}.truth")


def write_specimen(path: Path, specimen: Specimen) -> Path:
    """Write a specimen as an OME-Zarr volume, its truth beside it.

    Raises
    ------
    OutputError
        A volume or a truth of that name exists, or the disk refuses.
    """
    folder = truth_folder(path)
    if folder.exists():
        raise OutputError("the truth exists", where=str(folder), fix="Choose another name")
    edge = specimen.voxel_um
    n_slices, n_y, n_x = specimen.values.shape
    writer = create_volume(
        path, shape=(n_slices, n_y, n_x), dtype=np.float32, voxel_um=(edge, edge, edge),
        provenance={"simulated": True, "facts": dict(specimen.facts)},
    )  # fmt: skip
    with writer:
        for first in range(0, n_slices, _SLAB_SLICES):
            writer.write(first, specimen.values[first : first + _SLAB_SLICES])
        writer.finish()
    try:
        folder.mkdir()
        plain = {"facts": specimen.facts, "tables": specimen.tables}
        text = json.dumps(json_safe(plain), indent=1)
        (folder / TRUTH_FILE).write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(
            f"the truth cannot be written ({error})", where=str(folder),
            fix="Look at free space and permissions",
        ) from error  # fmt: skip
    return path


def read_truth(path: Path) -> tuple[dict[str, float], dict[str, list[dict[str, float]]]]:
    """Read the facts and tables of a specimen.

    Raises
    ------
    InputError
        There is no truth beside it, or it cannot be read.
    """
    file = truth_folder(path) / TRUTH_FILE
    try:
        plain: Any = json.loads(file.read_text(encoding="utf-8"))
        return dict(plain["facts"]), dict(plain["tables"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"the truth of this specimen cannot be read ({error})", where=str(file),
            fix="Only simulated volumes have one",
        ) from error  # fmt: skip
