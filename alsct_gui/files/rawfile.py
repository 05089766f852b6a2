"""A plain file read at given offsets by several threads at once."""

from __future__ import annotations

import os
from pathlib import Path

from alsct_gui.files.findings import broken


class RawFile:
    """An open file without a position: each read names its offset.

    ``preadv`` lets go of the interpreter lock and shares no state, so that threads read
    side by side, which HDF5 with its one global lock does not allow. Memory maps are not
    used: a file that shrinks under a map kills the process.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self.bytes_read = 0
        """Bytes read so far; a diagnostic, not exact while several threads read."""

    @property
    def size_bytes(self) -> int:
        """Length of the file now."""
        return os.fstat(self._descriptor).st_size

    def read_into(self, buffer: memoryview, offset: int) -> None:
        """Fill a buffer of bytes from an offset.

        Raises
        ------
        InputError
            The file ends before the buffer is full, or cannot be read.
        """
        done, wanted = 0, len(buffer)
        while done < wanted:
            try:
                got = os.preadv(self._descriptor, [buffer[done:]], offset + done)
            except (OSError, OverflowError, ValueError) as error:
                raise broken("frames-unreadable", str(error), where=self.path.name) from error
            if got == 0:
                raise broken(
                    "truncated",
                    f"{wanted - done} bytes are missing at byte {offset + done}",
                    where=self.path.name,
                )
            done += got
        self.bytes_read += wanted

    def close(self) -> None:
        """Close it; reads that come later raise `InputError`."""
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)
