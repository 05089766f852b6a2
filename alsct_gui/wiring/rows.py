"""The catalogue as goals of placement see it: two rooms that do not know each other."""

from __future__ import annotations

from pathlib import Path

from alsct_gui.catalog.model import Dataset
from alsct_gui.catalog.preview import preview_of
from alsct_gui.catalog.store import Catalog
from alsct_gui.model.placement import ScanFacts


class ScanRows:
    """Rows of scans; see `placement.goals.catalogue.Rows`.

    Parameters
    ----------
    path
        The catalogue's file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def where(self) -> str:
        """Path of the catalogue."""
        return str(self._path)

    def enter(self, scan: ScanFacts) -> None:
        """Enter a scan with a picture of it."""
        with Catalog(self._path) as catalog:
            catalog.enter(dataset_of(scan), preview_of(Path(scan.path)))

    def digest(self, scan: ScanFacts) -> str:
        """Read a scan's row back."""
        with Catalog(self._path) as catalog:
            found = catalog.get(scan.id)
        wanted = dataset_of(scan)
        return wanted.digest if found is not None and found.dataset == wanted else ""


def dataset_of(scan: ScanFacts) -> Dataset:
    """Return a scan as the catalogue keeps it."""
    return Dataset(
        scan.id, scan.path, "scan", Path(scan.path).stem, scan.proposal, scan.size_bytes,
        scan.sha256, scan.admitted_s, dict(scan.metadata),
    )  # fmt: skip
