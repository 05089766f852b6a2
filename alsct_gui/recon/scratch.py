"""A large float32 array in sinogram order, in memory or in a file.

The file is written and read by plain calls. A memory map would count as the program's own
memory, and a full disk would kill the process instead of raising an error.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.errors import OutputError

Float32Array = NDArray[np.float32]


class SinogramStore:
    """Sinograms that are filled a few angles at a time and read a few rows at a time.

    Parameters
    ----------
    shape
        Rows, angles, columns.
    path
        File to keep them in, made anew; None for memory.

    Raises
    ------
    OutputError
        The file cannot be made.
    """

    def __init__(self, shape: tuple[int, int, int], path: Path | None) -> None:
        self.shape, self._path = shape, path
        self._array: Float32Array | None = None
        self._file = -1
        if path is None:
            self._array = np.empty(shape, np.float32)
            return
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._refused(error) from error

    def put(self, first_angle: int, frames: Float32Array) -> None:
        """Store frames of shape (angle, row, column).

        Raises
        ------
        OutputError
            The disk is full, or refuses otherwise.
        """
        if self._array is not None:
            self._array[:, first_angle : first_angle + len(frames)] = frames.transpose(1, 0, 2)
            return
        try:
            for row in range(self.shape[0]):
                lines = np.ascontiguousarray(frames[:, row])
                self._write(lines.view(np.uint8).reshape(-1).data, self._offset(row, first_angle))
        except OSError as error:
            raise self._refused(error) from error

    def get(self, first: int, stop: int, step: int) -> Float32Array:
        """Return every ``step``-th row of [first, stop), shape (row, angle, column)."""
        if self._array is not None:
            return self._array[first:stop:step].copy()
        rows = range(first, stop, step)
        out = np.empty((len(rows), *self.shape[1:]), np.float32)
        for index, row in enumerate(rows):
            self._read(out[index].view(np.uint8).reshape(-1).data, self._offset(row, 0))
        return out

    def remove(self) -> None:
        """Free the memory, or close and remove the file."""
        self._array = None
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _offset(self, row: int, angle: int) -> int:
        return 4 * (row * self.shape[1] + angle) * self.shape[2]

    def _write(self, data: memoryview, offset: int) -> None:
        while data:
            done = os.pwrite(self._file, data, offset)
            data, offset = data[done:], offset + done

    def _read(self, data: memoryview, offset: int) -> None:
        while data:
            done = os.preadv(self._file, [data], offset)
            if done == 0:
                raise OutputError("was cut short while in use", where=str(self._path))
            data, offset = data[done:], offset + done

    def _refused(self, error: OSError) -> OutputError:
        return OutputError(
            f"the corrected projections cannot be kept ({error.strerror or error})",
            where=str(self._path), fix="Free space or give another folder, then resume the run",
        )  # fmt: skip
