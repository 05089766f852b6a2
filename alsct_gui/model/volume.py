"""A reconstructed volume, however it is stored: lazy levels, voxel size, provenance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

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
