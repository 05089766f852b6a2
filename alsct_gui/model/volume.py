"""A reconstructed volume, however it is stored: lazy levels, voxel size, provenance."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.errors import InputError
from alsct_gui.model.finding import Finding


class LazyArray(Protocol):
    """A three-dimensional array (slice, y, x) that reads what is asked for."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Slices, y, x."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the stored values."""

    @property
    def size(self) -> int:
        """Number of values."""

    @property
    def ndim(self) -> int:
        """Three."""

    def __getitem__(self, key: Any) -> NDArray[Any]:
        """Read a block: integers, slices and an ellipsis, as for numpy.

        Raises
        ------
        InputError
            The bytes cannot be read.
        """


@dataclass(frozen=True, eq=False)
class Volume:
    """A volume, opened lazily. Use as a context manager, or call `close`."""

    path: Path
    """The file or folder that was opened."""
    layout: str
    """``ome-zarr`` or ``tiff``."""
    levels: tuple[LazyArray, ...]
    """Finest first, each about half the one before; at least one."""
    voxel_um: tuple[float, float, float] | None = None
    """Edges of a voxel of the finest level (slice, y, x); None when unknown."""
    units: str = ""
    """Unit of the values, for example ``1/cm``; empty when unknown."""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    """How it was made, as plain data of `model.product.Provenance`; empty when unknown."""
    warnings: tuple[Finding, ...] = ()
    """What was missing or odd when it was opened."""
    closer: Any = None
    """Callable that frees the file handles; None when there are none."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Slices, y, x of the finest level."""
        slices, y, x = self.levels[0].shape
        return slices, y, x

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the stored values."""
        return self.levels[0].dtype

    @property
    def scale(self) -> tuple[float, float] | None:
        """Offset and step of integers, ``value = offset + stored * step``; None when unscaled.

        Raises
        ------
        InputError
            The provenance holds something else than two finite numbers.
        """
        pair = self.provenance.get("scale")
        if pair is None:
            return None
        try:
            offset, step = (float(value) for value in pair)
        except (TypeError, ValueError) as error:
            raise self._bad_scale(pair) from error
        if not (math.isfinite(offset) and math.isfinite(step)) or step == 0:
            raise self._bad_scale(pair)
        return offset, step

    def physical(self, stored: NDArray[Any]) -> NDArray[Any]:
        """Return stored values in `units`; see `to_physical`."""
        return to_physical(stored, self.scale)

    def _bad_scale(self, pair: Any) -> InputError:
        return InputError(
            f"its scale is {str(pair)[:80]}, not two finite numbers", where=str(self.path),
            fix="Convert the volume again from its float32 original",
        )  # fmt: skip

    def close(self) -> None:
        """Free the file handles."""
        if self.closer is not None:
            self.closer()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def to_physical(stored: NDArray[Any], scale: tuple[float, float] | None) -> NDArray[Any]:
    """Turn stored values into physical ones.

    Parameters
    ----------
    stored
        Any shape and type.
    scale
        Offset and step of `Volume.scale`; None returns the values as they are.

    Returns
    -------
    values
        float32, ``offset + stored * step``, or `stored` itself.
    """
    if scale is None:
        return stored
    return (scale[0] + stored * scale[1]).astype(np.float32)
