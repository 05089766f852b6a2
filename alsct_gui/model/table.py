"""A table of figures, with the unit and the meaning of every column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Column:
    """What stands in a column."""

    name: str
    """Heading, with the unit in it: ``diameter_um``."""
    unit: str = ""
    """For people: ``µm``; empty for none."""
    meaning: str = ""
    """A sentence."""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Rows of figures.

    Raises
    ------
    ValueError
        The columns are not as many as the values, or not equally long.
    """

    columns: tuple[Column, ...]
    """What the columns are."""
    values: tuple[NDArray[Any], ...]
    """One array a column, each of shape (row,)."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Figures of the whole, such as ``porosity``; plain data."""
    objects: str = ""
    """Output with the labels whose objects the rows are; the column ``label`` numbers them."""

    def __post_init__(self) -> None:
        if len(self.columns) != len(self.values):
            raise ValueError(f"{len(self.columns)} columns, {len(self.values)} arrays")
        if len({len(column) for column in self.values}) > 1:
            raise ValueError("the columns are not equally long")

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.values[0]) if self.values else 0

    def column(self, name: str) -> NDArray[Any]:
        """Return the values of a column.

        Raises
        ------
        KeyError
            There is none of this name.
        """
        for column, values in zip(self.columns, self.values, strict=True):
            if column.name == name:
                return values
        raise KeyError(name)
