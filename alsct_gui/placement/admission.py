"""Taking a scan in: it is whole, has an identity, and its bytes a checksum."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from alsct_gui.files.check import FileState, file_state
from alsct_gui.files.identity import quick_identity
from alsct_gui.files.open import open_scan
from alsct_gui.model.errors import InputError
from alsct_gui.model.finding import Severity
from alsct_gui.model.placement import (
    Evidence,
    ScanFacts,
    StepState,
    blocked,
    waiting,
)
from alsct_gui.model.scan import People
from alsct_gui.placement.goals.base import Clock
from alsct_gui.placement.goals.reading import read_file

SHAPE = ("n_angles", "n_rows", "n_columns")
"""Metadata that tell the size of a scan."""


@dataclass(frozen=True, slots=True)
class Admission:
    """What a look at a file that was handed over came to: a scan, or why not yet."""

    scan: ScanFacts | None = None
    evidence: Evidence | None = None
    """Of the file, when it is a scan."""
    state: StepState | None = None
    """Why it is none, or not yet."""


Examine = Callable[[Path, Clock], Admission]


def examine_scan(path: Path, clock: Clock) -> Admission:
    """Look at a file; reads all of it when it is a whole scan.

    Never raises for what is in the file.
    """
    if path.is_dir():
        return Admission(
            state=blocked("it is a folder, and raw files are placed one by one",
                          "Convert it to one file")
        )  # fmt: skip
    arrival = file_state(path)
    if arrival.state is not FileState.COMPLETE:
        names = [f.message for f in arrival.findings if f.severity is Severity.ERROR]
        cause = names[0].rstrip(".") if names else "it was written to a moment ago"
        if arrival.state is FileState.ARRIVING:
            return Admission(state=waiting("the end of its writing", cause))
        return Admission(state=blocked(cause, "See alsct check; copy it again, then retry"))
    try:
        with open_scan(path) as scan:
            identity, people, shape = quick_identity(scan), scan.people, scan.projections.shape
        evidence = read_file(path, clock)
    except InputError as error:
        return Admission(state=waiting("the end of its writing", error.what))
    if evidence is None or evidence.size_bytes is None:
        return Admission(state=waiting("the file, which has vanished"))
    facts = ScanFacts(
        identity, str(path), evidence.size_bytes, evidence.sha256, people.proposal,
        selected_metadata(people, shape), admitted_s=clock(),
    )  # fmt: skip
    return Admission(facts, evidence)


def selected_metadata(people: People, shape: tuple[int, int, int]) -> Mapping[str, str]:
    """Return what selections of a policy may ask for, and how large the scan is.

    Parameters
    ----------
    people
        Who and what.
    shape
        Projections, rows, columns.
    """
    known = {
        **dict(zip(SHAPE, map(str, shape), strict=True)),
        "sample": people.sample,
        "principal_investigator": people.principal_investigator,
        "experiment_lead": people.experiment_lead,
        "beamline": people.beamline,
        "instrument": people.instrument,
        "start_time": people.start_time,
    }
    return {name: value for name, value in known.items() if value}
