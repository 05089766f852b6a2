"""Which features are computed: a frozen recipe, its names and how far it looks."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.errors import RecipeError

Float32Array = NDArray[np.float32]

MAX_SCALES = 8
LEAST_SCALE_PX, MOST_SCALE_PX = 0.5, 16.0
_REACH = 3.0
"""Sigmas at which a Gaussian is cut."""


@dataclass(frozen=True, slots=True)
class FeatureRecipe:
    """Features of one voxel; each family is computed at every scale."""

    scales_px: tuple[float, ...] = (1.0, 2.0, 4.0)
    """Sigmas of the Gaussians, in voxels, growing."""
    values: bool = True
    """The smoothed value itself."""
    differences: bool = True
    """Value at a scale minus that at the next: blobs of a size."""
    edges: bool = True
    """Length of the gradient."""
    curvatures: bool = True
    """Eigenvalues of the Hessian, largest first: sheets, tubes and blobs."""
    spreads: bool = True
    """Standard deviation within a Gaussian window: how rough it is."""
    textures: bool = True
    """Square roots of the eigenvalues of the structure tensor within a Gaussian window, largest
    first: how strong the grain is along and across."""
    inner_px: float = field(default=1.0, metadata={"min": LEAST_SCALE_PX, "max": 4.0})
    """Sigma of the gradients that the structure tensor is made of."""
    flat: bool = False
    """Whether neighbouring slices are left out."""

    def __post_init__(self) -> None:
        scales = self.scales_px
        if not 1 <= len(scales) <= MAX_SCALES:
            raise RecipeError(
                f"{len(scales)} scales were given", where="features.scales_px",
                fix=f"Give 1 to {MAX_SCALES}",
            )  # fmt: skip
        inside = all(LEAST_SCALE_PX <= scale <= MOST_SCALE_PX for scale in scales)
        growing = all(a < b for a, b in itertools.pairwise(scales))
        if not (inside and growing):
            raise RecipeError(
                f"{', '.join(map(str, scales))} are no scales", where="features.scales_px",
                fix=f"Give growing numbers from {LEAST_SCALE_PX} to {MOST_SCALE_PX}",
            )  # fmt: skip
        if not self.names:
            raise RecipeError(
                "no features are left", where="features", fix="Switch a family of them on"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the features, in the order in which they are stored."""
        triple = ("1", "2", "3")
        named: list[str] = []
        for index, scale in enumerate(self.scales_px):
            at = f"{scale:g}"
            if self.values:
                named.append(f"value {at}")
            if self.differences and index + 1 < len(self.scales_px):
                named.append(f"difference {at}")
            if self.edges:
                named.append(f"edge {at}")
            if self.curvatures:
                named.extend(f"curvature {at} {number}" for number in triple)
            if self.spreads:
                named.append(f"spread {at}")
            if self.textures:
                named.extend(f"texture {at} {number}" for number in triple)
        return tuple(named)

    @property
    def reach_px(self) -> tuple[int, int, int]:
        """How far around a voxel (slice, y, x) its features look."""
        largest = radius_px(self.scales_px[-1])
        reach = largest + 1 if self.edges or self.curvatures else largest
        if self.textures:
            reach = max(reach, largest + 1 + radius_px(self.inner_px))
        return (0 if self.flat else reach), reach, reach


def radius_px(sigma_px: float) -> int:
    """Return how many neighbours on one side a Gaussian takes."""
    return int(_REACH * sigma_px + 0.5)


def gaussian(sigma_px: float) -> Float32Array:
    """Return the weights of a Gaussian from its middle outwards, shape (radius + 1,).

    Their sum over both sides is 1.
    """
    distance = np.arange(radius_px(sigma_px) + 1)
    weights = np.exp(-0.5 * (distance / sigma_px) ** 2)
    total = weights[0] + 2 * weights[1:].sum()
    scaled: Float32Array = (weights / total).astype(np.float32)
    return scaled
