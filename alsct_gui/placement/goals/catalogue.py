"""Rows of scans in this program's own catalogue.

The catalogue is another room; it is handed in by whoever wires the two together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from alsct_gui.model.placement import MET, Evidence, ScanFacts, StepState
from alsct_gui.placement.goals.base import Intent, Record, World


class Rows(Protocol):
    """A catalogue, as far as this goal needs one."""

    @property
    def where(self) -> str:
        """Path of the catalogue."""
        ...

    def enter(self, scan: ScanFacts) -> None:
        """Enter a scan, or bring its row up to date; a second time changes nothing.

        Raises
        ------
        AlsctError
            It cannot be written.
        """
        ...

    def digest(self, scan: ScanFacts) -> str:
        """Read a scan's row back: a checksum of it, or empty when it is not there as it should be.

        Raises
        ------
        AlsctError
            It cannot be read.
        """
        ...


class CatalogueRows:
    """Rows of scans, entered and read back.

    Parameters
    ----------
    world
        What is known.
    rows
        The catalogue.
    """

    def __init__(self, world: World, rows: Rows) -> None:
        self._world, self._rows = world, rows

    def observe(self, keys: Sequence[str]) -> Mapping[str, Evidence]:
        """Read the rows back."""
        found = {}
        for key in keys:
            digest = self._rows.digest(self._world.scan(key))
            if digest:
                now_s = self._world.clock()
                found[key] = Evidence(self._rows.where, now_s, record=digest)
        return found

    def act(self, intent: Intent, record: Record) -> str:
        """Enter the rows; that takes a moment, and needs no patience."""
        for key in intent.keys:
            self._rows.enter(self._world.scan(key))
        return f"rows {intent.work}"

    def poll(self, outside_id: str) -> StepState:
        """What was entered is there when `act` returns."""
        return MET

    def cancel(self, outside_id: str) -> None:
        """Nothing is under way."""
