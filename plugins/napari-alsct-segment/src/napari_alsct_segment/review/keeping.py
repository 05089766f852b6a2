"""Where edited labels are kept: a copy beside what was edited, which stays as it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.files.labels import save_labels
from alsct_gui.files.open import open_volume
from alsct_gui.model.errors import AlsctError
from alsct_gui.model.volume import Volume

_ENDING, _EDITED = ".labels.zarr", ".edited.labels.zarr"
MOST_EDITS = 10_000
"""Edits whose words go into the file; the newest ones."""


def edited_path(labels_path: Path) -> Path:
    """Return where the edited copy of labels goes: ``<name>.edited.labels.zarr`` beside them."""
    name = labels_path.name
    if name.endswith(_EDITED):
        return labels_path
    return labels_path.with_name(f"{name.removesuffix(_ENDING).removesuffix('.zarr')}{_EDITED}")


def save_edited(
    labels: NDArray[np.integer[Any]],
    path: Path,
    *,
    provenance: Mapping[str, Any],
    voxel_um: tuple[float, float, float] | None,
    edits: Sequence[str],
) -> Path:
    """Save edited labels with how they were made and what was edited.

    Parameters
    ----------
    labels
        Shape (slice, y, x).
    path
        See `edited_path`; what has the name is kept as a backup.
    provenance
        Of what was edited, plain data.
    voxel_um
        Edges of a voxel; None when unknown.
    edits
        What was done, in words, the first first.

    Raises
    ------
    OutputError
        The disk refuses.
    """
    earlier = provenance.get("edits")
    words = [*(earlier if isinstance(earlier, list) else []), *edits][-MOST_EDITS:]
    with _volume_of(labels, path, provenance, voxel_um) as volume:
        return save_labels(labels, volume, path, made={**provenance, "edits": words})


def _volume_of(
    labels: NDArray[Any],
    path: Path,
    provenance: Mapping[str, Any],
    voxel_um: tuple[float, float, float] | None,
) -> Any:
    """The volume that labels are of: opened when it is there, else only named."""
    named = Path(str(provenance.get("volume_path") or path))
    if provenance.get("volume_path") and named.exists():
        try:
            volume = open_volume(named)
        except AlsctError:
            volume = None  # it was replaced by something else; the labels are saved all the same
        if volume is not None and volume.shape == labels.shape:
            return volume
        if volume is not None:
            volume.close()
    return nullcontext(Volume(path=named, layout="memory", levels=(labels,), voxel_um=voxel_um))
