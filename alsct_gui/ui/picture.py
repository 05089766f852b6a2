"""What is on the canvas now, for whoever measures it or says where it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Picture:
    """The two-dimensional image in view."""

    image: NDArray[Any]
    """Values, shape (row, column)."""
    title: str
    """What it is: “Projection 812 at 61.9°”."""
    units: str
    """Unit of the values, such as ``1/cm`` or ``counts``; empty for none."""
    pixel_um: tuple[float, float] | None
    """Edges of a pixel (row, column) in micrometre; None when unknown or not a length."""
    low: float
    """Value shown as black."""
    high: float
    """Value shown as white."""
