"""What the viewer says: pixels, rows, frames. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

UNITS = {"line-integrals": "line integral", "transmission": "transmission", "counts": "counts"}


def unit_of(quantity: str) -> str:
    """Unit of a frame's or sinogram's values, as it stands behind a number."""
    return UNITS.get(quantity, quantity)


def value_words(value: float, unit: str) -> str:
    """Say a value: ``0.412 1/cm``, ``12034 counts``."""
    if not math.isfinite(value):
        return "no value"
    text = f"{value:.0f}" if unit == "counts" else f"{value:.4g}"
    return f"{text} {unit}".rstrip()


@dataclass(frozen=True, slots=True)
class Axes:
    """How the two axes of a picture are called, and where it lies on the detector."""

    down: str = "row"
    across: str = "column"
    binning: int = 1
    """Detector pixels along an edge of a pixel of the picture."""


def pixel_words(axes: Axes, row: int, column: int, value: float, unit: str) -> str:
    """Say what is under the mouse: ``column 1283, row 900 · 0.412 1/cm``.

    Parameters
    ----------
    axes
        How the axes are called.
    row, column
        Pixel of the picture.
    value
        Its value.
    unit
        Unit of it.
    """
    middle = (axes.binning - 1) // 2
    across = column * axes.binning + middle
    down = row * axes.binning + middle
    return f"{axes.across} {across}, {axes.down} {down} · {value_words(value, unit)}"


def length_words(length_um: float) -> str:
    """Say a length: ``340 µm``, ``2.16 mm``."""
    return f"{length_um:.0f} µm" if abs(length_um) < 1000 else f"{length_um / 1000:.2f} mm"


def row_words(row: int, n_rows: int, pixel_um: float | None) -> str:
    """Say where a row is, behind its number: ``of 2160 · 5.85 mm from top``."""
    words = f"of {n_rows}"
    return words if pixel_um is None else f"{words} · {length_words(row * pixel_um)} from top"


def angle_words(angle_deg: float | None) -> str:
    """Say at what angle: ``61.88°``; nothing for flats and darks."""
    return "" if angle_deg is None else f"{angle_deg:.2f}°".replace("-", "−")


def time_words(seconds: float) -> str:
    """Say how long a slice took: ``0.34 s``."""
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.0f} s"


def center_words(center_px: float, confidence: float) -> str:
    """Say about which column the slice was made, and how sure that is."""
    words = f"centre {center_px:.2f} px"
    return words if confidence >= 0.5 else f"{words} (a guess)"


def overlay_words(angles_deg: tuple[float, float], mismatch_deg: float) -> str:
    """Say which two frames lie over each other."""
    words = f"{angles_deg[0]:.1f}° and {angles_deg[1]:.1f}° mirrored".replace("-", "−")
    return words if mismatch_deg < 0.05 else f"{words}, {mismatch_deg:.1f}° off half a turn"
