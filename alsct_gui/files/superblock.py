"""The first bytes of an HDF5 file, read without the HDF5 library.

They tell what the library only hints at by failing: how long the file should be, and
whether its writer has closed it (HDF5 File Format Specification 3.0, section II.A).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_UNDEFINED = 0xFFFFFFFFFFFFFFFF
_LARGEST_USER_BLOCK = 1 << 26


@dataclass(frozen=True, slots=True)
class Superblock:
    """What an HDF5 superblock says about the file as a whole."""

    version: int
    """0 to 3."""
    file_bytes: int
    """Length of the file as it is."""
    end_bytes: int
    """Length that the file should have, as its writer last stored it; 0 when unknown."""
    open_for_write: bool
    """True when a writer has it open, or was killed (version 3 only)."""
    swmr_write: bool
    """True when it is written so that others may read meanwhile."""

    @property
    def missing_bytes(self) -> int:
        """How many bytes the file lacks at its end."""
        return max(0, self.end_bytes - self.file_bytes)


def read_superblock(path: Path) -> Superblock | None:
    """Read the superblock; None when the file has none, hence is no HDF5.

    A user block may stand before it, so offsets 0, 512, 1024, 2048 … are tried.
    """
    size = path.stat().st_size
    offset = 0
    with path.open("rb") as file:
        while offset < min(size, _LARGEST_USER_BLOCK):
            file.seek(offset)
            head = file.read(96)
            if head.startswith(HDF5_SIGNATURE):
                return _decode(head, size)
            offset = 512 if offset == 0 else offset * 2
    return None


def _decode(head: bytes, size: int) -> Superblock:
    version = head[8] if len(head) > 8 else 255
    end = flags = 0
    if version in (0, 1):
        offset_bytes = head[13] if len(head) > 13 else 0
        start = 24 if version == 0 else 28
        end = _end(head, start, offset_bytes, field=2)
    elif version in (2, 3):
        offset_bytes = head[9] if len(head) > 9 else 0
        flags = head[11] if version == 3 and len(head) > 11 else 0
        end = _end(head, 12, offset_bytes, field=2)
    return Superblock(version, size, end, bool(flags & 1), bool(flags & 4))


def _end(head: bytes, start: int, width: int, field: int) -> int:
    """End-of-file address: the third of the addresses that begin at `start`.

    The library counts it from the beginning of the file, also behind a user block.
    """
    begin = start + field * width
    raw = head[begin : begin + width]
    if width not in (2, 4, 8) or len(raw) < width:
        return 0
    value = int.from_bytes(raw, "little")
    return 0 if value == _UNDEFINED >> (64 - 8 * width) else value
