"""Opening a scan only after a look at it from a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alsct_gui.model.errors import InputError
from alsct_gui.model.finding import Finding, Severity

if TYPE_CHECKING:
    from alsct_gui.model.scan import Scan


@contextmanager
def opened(
    path: Path,
    range_deg: float | None = None,
    quantity: str | None = None,
    sinogram: bool = False,
    *,
    whole: bool = False,
    told: Callable[[Sequence[Finding]], object] | None = None,
) -> Iterator[Scan]:
    """Open a scan for as long as the block lasts.

    Parameters
    ----------
    path
        The scan.
    range_deg, quantity, sinogram
        What a TIFF cannot say of itself; see `open_scan`.
    whole
        Refuse a scan that the check finds an error in; otherwise only one on which the HDF5
        library hangs or crashes.
    told
        Called with what the check found, when the scan is not refused.

    Raises
    ------
    InputError
        It cannot be opened, or is refused; names the first finding and what to do.
    """
    # Here, so that commands which only name this module start at once.
    from alsct_gui.files.check import check_scan
    from alsct_gui.files.open import open_scan

    findings = check_scan(path)
    for item in findings:
        lost = item.name == "reader-lost"
        if lost or (whole and item.severity is Severity.ERROR):
            raise InputError(
                f"{item.name}: {item.message.rstrip('.')}",
                where=str(path),
                fix=(item.fix or "See alsct check").rstrip("."),
                name=item.name,
            )
    if told is not None:
        told(findings)
    options: dict[str, Any] = {}
    if range_deg is not None:
        options["range_deg"] = range_deg
    if quantity is not None:
        options["quantity"] = quantity
    if sinogram:
        options["kind"] = "sinogram"
    with open_scan(path, **options) as scan:
        yield scan
