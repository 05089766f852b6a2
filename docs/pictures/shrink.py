"""Makes the pictures of a folder small enough to keep: with fewer colours, nothing else."""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

COLORS = (256, 128, 64, 48, 32)
MOST_BYTES = 300_000


def shrink(path: Path, most_bytes: int = MOST_BYTES) -> int:
    """Write a picture anew with as many colours as it may have; returns its size in bytes."""
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    # By coverage and not by count: the few coloured marks keep their colour beside many greys.
    for colors in COLORS:
        small = picture.quantize(colors, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        small.save(path, optimize=True)
        if path.stat().st_size <= most_bytes:
            break
    return path.stat().st_size


def main() -> None:
    """Shrink every PNG of a folder, to a size if one is named; fails when one stays too large."""
    most_bytes = int(sys.argv[2]) if len(sys.argv) > 2 else MOST_BYTES
    large = []
    for path in sorted(Path(sys.argv[1]).glob("*.png")):
        size_bytes = shrink(path, most_bytes)
        if size_bytes > most_bytes:
            large.append(f"{path}: {size_bytes} bytes")
    if large:
        sys.exit("\n".join(["larger than the guide allows:", *large]))


if __name__ == "__main__":
    main()
