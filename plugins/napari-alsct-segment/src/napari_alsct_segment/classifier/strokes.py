"""Strokes on disk: the marked voxels alone, so that they are saved in a moment."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.errors import InputError
from napari_alsct_segment.classifier.samples import MOST_SCRIBBLES, Scribbles
from napari_alsct_segment.modelfile import array_of, read_model, write_model

KIND = "strokes"
_SUFFIX = ".strokes.safetensors"


def strokes_path(volume_path: Path) -> Path:
    """Return where the strokes of a volume are kept: beside it."""
    return volume_path.with_name(f"{volume_path.stem}{_SUFFIX}")


def save_strokes(strokes: Scribbles, path: Path, shape: tuple[int, ...]) -> None:
    """Write strokes; what has the name is replaced once they are whole.

    Parameters
    ----------
    strokes
        Marked voxels.
    path
        See `strokes_path`.
    shape
        Of the volume that they are of.

    Raises
    ------
    OutputError
        The disk refuses.
    """
    arrays: dict[str, NDArray[Any]] = {
        "places": strokes.places.astype(np.int32), "values": strokes.values.astype(np.uint8),
    }  # fmt: skip
    write_model(path, KIND, {"shape": list(shape)}, arrays)


def load_strokes(path: Path, shape: tuple[int, ...]) -> Scribbles:
    """Read strokes.

    Raises
    ------
    InputError
        They are none, or of another volume.
    """
    stored, where = read_model(path, KIND), str(path)
    said: Any = stored.about.get("shape")
    if said != list(shape):
        raise InputError(
            f"they are of a volume of {str(said)[:60]}, not of {tuple(shape)}", where=where,
            fix="Move the file away, or open the volume that they are of",
        )  # fmt: skip
    places = array_of(stored, "places", "int32", (None, 3), where).astype(np.int64)
    values = array_of(stored, "values", "uint8", (len(places),), where).astype(np.int64)
    outside = (places < 0).any() or (places >= np.array(shape)).any()
    if outside or (values < 1).any() or len(places) > MOST_SCRIBBLES:
        raise InputError("they lie outside of the volume", where=where, fix="Paint them anew")
    return Scribbles(places, values)


class Keeper:
    """Holds strokes until they are saved; may be used from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: tuple[Scribbles, Path, tuple[int, ...]] | None = None

    def put(self, strokes: Scribbles, path: Path, shape: tuple[int, ...]) -> None:
        """Keep the newest strokes."""
        with self._lock:
            self._waiting = strokes, path, shape

    def flush(self) -> bool:
        """Save what waits; says whether there was something.

        Raises
        ------
        OutputError
            The disk refuses.
        """
        with self._lock:
            waiting, self._waiting = self._waiting, None
            if waiting is None:
                return False
            save_strokes(*waiting)
            return True
