"""Which scans a selection is of."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable

from alsct_gui.model.placement import ScanFacts
from alsct_gui.model.policy import Selection

Fits = Callable[[ScanFacts], bool]


def matcher(selection: Selection) -> Fits:
    """Return the function that says whether a scan fits a selection."""
    tests: list[Fits] = []
    if selection.proposal != "*":
        proposal = _pattern(selection.proposal)
        tests.append(lambda scan: proposal(scan.proposal))
    if selection.path != "*":
        path = _pattern(selection.path)
        tests.append(lambda scan: path(scan.path))
    if selection.export_controlled is not None:
        wanted = selection.export_controlled
        tests.append(lambda scan: scan.export_controlled is wanted)
    for key, text in selection.metadata.items():
        tests.append(_metadata_test(key, _pattern(text)))
    if not tests:
        return _always
    if len(tests) == 1:
        return tests[0]
    return lambda scan: all(test(scan) for test in tests)


def is_of_all(fits: Fits) -> bool:
    """Whether a function of `matcher` is that of a selection of all scans."""
    return fits is _always


def _always(_: ScanFacts) -> bool:
    return True


def _metadata_test(key: str, fits: Callable[[str], bool]) -> Fits:
    return lambda scan: key in scan.metadata and fits(scan.metadata[key])


def _pattern(text: str) -> Callable[[str], bool]:
    """Return a test of a text; most scans share few values, so answers are kept."""
    match = re.compile(fnmatch.translate(text)).match
    known: dict[str, bool] = {}

    def fits(value: str) -> bool:
        answer = known.get(value)
        if answer is None:
            answer = known[value] = match(value) is not None
        return answer

    return fits
