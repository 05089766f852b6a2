"""Single metadata values taken from an HDF5 file, with what was missing or odd noted."""

from __future__ import annotations

from math import isfinite
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from alsct_gui.files.findings import finding
from alsct_gui.files.hdf5 import Hdf5Source, hdf5_errors
from alsct_gui.files.metadata import MAX_TEXT, describe
from alsct_gui.model.errors import InputError, UnsafeInputError
from alsct_gui.model.finding import Finding

MAX_SERIES = 1_000_000
"""Values of one per-frame key."""


class Keys:
    """Looks values up and never fails: what cannot be had is noted.

    Parameters
    ----------
    source
        The open file.
    """

    def __init__(self, source: Hdf5Source) -> None:
        self.source = source
        self.findings: list[Finding] = []
        """What was odd, in the order in which it was met."""
        self.missing: list[str] = []
        """Names that were asked for with `number`, `text` or `series` and are not there."""

    def find(self, name: str) -> h5py.Dataset | None:
        """Return a dataset; None, and a finding, when the way to it is refused or damaged."""
        try:
            return self.source.dataset(name)
        except InputError as error:
            self.findings.append(finding(error.name or "unreadable", error.what, where=name))
            return None

    def has(self, name: str) -> bool:
        """Say whether a dataset is there; its absence is not noted."""
        return self.find(name) is not None

    def values(self, name: str) -> list[Any]:
        """Values of a small dataset as a list; empty when missing. Scalars may be arrays."""
        item = self.find(name)
        if item is None:
            self.missing.append(name)
            return []
        try:
            with hdf5_errors(name):
                value = describe(item)
        except InputError as error:
            self.findings.append(finding("unreadable", error.what, where=name))
            return []
        return value if isinstance(value, list) else [value]

    def number(self, name: str, element: int = 0) -> float | None:
        """Return one finite number, or None when it is missing or no number."""
        values = self.values(name)
        if not values:
            return None
        value = as_number(values[element]) if element < len(values) else None
        if value is None or not isfinite(value):
            self.findings.append(finding("value-odd", f"The value is {values[:4]!r}", where=name))
            return None
        return value

    def text(self, name: str) -> str:
        """Return a text, empty when missing."""
        values = self.values(name)
        return str(values[0])[:MAX_TEXT] if values else ""

    def series(self, name: str) -> NDArray[np.float64] | None:
        """Return a list of numbers, None when missing or no numbers; not finite ones stay."""
        item = self.find(name)
        if item is None:
            self.missing.append(name)
            return None
        try:
            with hdf5_errors(name):
                if item.shape is None or item.dtype.kind not in "iuf" or item.size > MAX_SERIES:
                    return None
                return np.asarray(item[()], dtype=np.float64).ravel()
        except UnsafeInputError:
            raise
        except InputError as error:
            self.findings.append(finding("unreadable", error.what, where=name))
            return None

    def units(self, name: str) -> str:
        """Return the ``units`` attribute of a dataset in lower case, empty without one."""
        item = self.find(name)
        try:
            with hdf5_errors(name):
                value = "" if item is None else item.attrs.get("units", "")
        except InputError:
            return ""
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        return str(value).strip().lower()


def as_number(value: Any) -> float | None:
    """Return a number from a number, or from a text with white space around one; else None."""
    try:
        return float(str(value).strip()) if isinstance(value, str) else float(value)
    except (TypeError, ValueError):
        return None
