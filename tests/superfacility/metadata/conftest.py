"""A SciCat on loopback, accounts of several kinds, and records of a simulated scan."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from alsct_gui.files.identity import quick_identity
from alsct_gui.files.open import open_scan
from alsct_gui.model.center import CenterResult
from alsct_gui.model.finding import Finding, Severity
from alsct_gui.model.placement import ScanFacts
from alsct_gui.model.product import Provenance, Quality
from alsct_gui.model.recipe import Center, Recipe
from alsct_gui.simulator.facility.clock import ManualClock
from alsct_gui.simulator.facility.faults import FaultDesk
from alsct_gui.simulator.facility.scicat import INGESTOR, ScicatStandIn
from alsct_gui.simulator.facility.scicat_rules import User
from alsct_gui.simulator.spec import SimulationSpec
from alsct_gui.simulator.write import simulate_scan
from alsct_gui.superfacility.credentials import FileCredentials
from alsct_gui.superfacility.metadata.base import Record, RecordFile
from alsct_gui.superfacility.metadata.build import Made, RecordRules, raw_record
from alsct_gui.superfacility.metadata.mapping import load_table
from alsct_gui.superfacility.metadata.scicat import Scicat
from alsct_gui.superfacility.metadata.scicat_session import ScicatAccess
from alsct_gui.superfacility.proposals import ProposalGroups

CANARY = "canary-password-5d1e"
ADMIN = User("writer", CANARY, ("staff",), admin=True, deletes=True)
PRIVILEGED = User("helper", CANARY, ("832",), privileged=True)
RULES = RecordRules(
    "20.500.12345", "beamline@example.org",
    ProposalGroups(r"BLS-\d{5}", r"\g<0>"), ("832",), "/ALS/8.3.2",
)  # fmt: skip
MODIFIED = "2026-02-03T05:00:00.000Z"
RECIPE = Recipe(name="a recipe", center=Center("manual", 7.5))


@dataclass
class Catalogue:
    """The stand-in, and what a test needs to know of it."""

    service: ScicatStandIn
    desk: FaultDesk
    clock: ManualClock
    credentials: FileCredentials
    make: Callable[..., Scicat]


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    clock = ManualClock()
    desk = FaultDesk(clock)
    credentials = FileCredentials(tmp_path / "secrets")
    credentials.put("scicat", CANARY)
    users = (ADMIN, PRIVILEGED, INGESTOR)
    with ScicatStandIn(desk, users=users, memory=tmp_path / "scicat.json") as service:

        def make(**words: object) -> Scicat:
            known = {"user": ADMIN.name, "answer_s": 1.0, "call_s": 20.0}
            access = ScicatAccess(service.url, **{**known, **words})  # type: ignore[arg-type]
            return Scicat(access, credentials)

        yield Catalogue(service, desk, clock, credentials, make)
        desk.clear()


@pytest.fixture(scope="session")
def scan_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    spec = SimulationSpec(
        n_columns=16, n_rows=4, n_angles=31, n_flats=2, n_darks=2, title="a $(x) 'é\" name"
    )
    return simulate_scan(tmp_path_factory.mktemp("scan"), spec)


@pytest.fixture(scope="session")
def facts(scan_file: Path) -> ScanFacts:
    with open_scan(scan_file) as scan:
        identity = quick_identity(scan)
    return ScanFacts(
        identity, str(scan_file), scan_file.stat().st_size, "ab" * 32, "BLS-00564",
        {"principal_investigator": "Ada Example"},
    )  # fmt: skip


@pytest.fixture(scope="session")
def record(scan_file: Path, facts: ScanFacts) -> Record:
    with open_scan(scan_file) as scan:
        table = load_table(scan.layout)
        return raw_record(scan, facts, RULES, table, str(scan_file.parent), MODIFIED)


@pytest.fixture
def made(facts: ScanFacts) -> Made:
    """A reconstruction whose noise could not be worked out."""
    quality = Quality(4, 4, 0.9, 0.1, float("nan"), 0.0, 0.0, 0)
    how = Provenance(
        RECIPE, replace(RECIPE, name="resolved"), facts.path, facts.id, "cd" * 32,
        CenterResult(7.5, 1.0, (), 0.0), {"alsct-gui": "0.1.0", "Python": "3.11.4"}, "fourier 1",
        4, "2026-02-03T06:00:00Z", 0.65, "1/cm", quality=quality,
        findings=(Finding("flats-few", Severity.WARNING, "Few flats."),), seconds={"total": 1.5},
    )  # fmt: skip
    return Made(how, "/made/rec a.zarr", (RecordFile("zarr.json", 10, MODIFIED),))
