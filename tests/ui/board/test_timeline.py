"""The story of a scan, told from a real ledger; no window."""

from __future__ import annotations

from pathlib import Path

from alsct_gui.model.placement import ScanFacts
from alsct_gui.model.policy import Product
from alsct_gui.placement.asking import ask_admit, ask_of_goals, ask_priority, ask_proposal
from alsct_gui.placement.events import Event, EventKind
from alsct_gui.placement.feed import timeline_of
from alsct_gui.ui.board.columns import Names
from alsct_gui.ui.board.timeline import Entry, OutsideId, Pages, entries_of, story
from alsct_gui.ui.widgets.marks import State
from tests.placement.placing import START_S, Facility, away, down, folder_policy, raw_file
from tests.ui.board.making import CFS, HERE, REC, identity, key, night_policy, part

NAMES = Names(night_policy())
TASK = "0f4f2f1e-6a52-11ee-8c0a-6b1e5a2b3c4d"


def told(*events: Event, scan: ScanFacts | None = None, **more: object) -> tuple[Entry, ...]:
    return entries_of(events, part(1), scan, NAMES, **more)  # type: ignore[arg-type]


def test_a_scan_from_its_handing_over_to_the_archive(tmp_path: Path) -> None:
    facility = Facility(tmp_path, folder_policy(tmp_path))
    facility.health = down("globus")
    with facility.ledger() as ledger:
        for name in ("a.h5", "b.h5"):
            ask_admit(ledger, raw_file(tmp_path, name))
        agent = facility.agent(ledger)
        facility.turns(agent, 3)
        facility.health = {}
        facility.copier.faults = [away()]
        facility.turns(agent)
        one = next(p for p, scan in agent.observed.scans.items() if scan.path.endswith("a.h5"))
        ask_priority(ledger, [one], 5)
        ask_proposal(ledger, [one], "BLS-00002")
        ask_of_goals(ledger, "hold", [f"{one}/raw/tape/-"])
        facility.turns(agent, 2)
        scan = agent.observed.scans[one]
    events = timeline_of(facility.ledger_path, one)
    entries = entries_of(events, one, scan, Names(facility.policy))
    titles = [entry.title for entry in entries]
    assert titles[:3] == ["Handed over", "Admitted", "Raw file at raw is there"]
    assert "Raw file at cfs" in titles
    waits = next(entry for entry in entries if entry.title == "Raw file at cfs")
    assert waits.words == "Waits for Globus: globus is away."
    assert waits.state is State.WAITING
    decided = next(entry for entry in entries if entry.title.endswith("decided on"))
    assert decided.words == "With 1 other scan"
    assert titles.count("Raw file at cfs is there") == 1, "the other scan's are not told"
    assert "Priority set to +5" in titles
    assert "Proposal set to BLS-00002" in titles
    assert (titles[-1], entries[-1].words) == ("A person asked: hold back", "raw file at tape")
    assert not any("Something else" in title for title in titles)
    assert [entry.time_s for entry in entries] == sorted(entry.time_s for entry in entries)
    text = story(entries, scan, START_S)
    assert text.startswith(f"{scan.path}\nidentity {scan.id}\nSHA-256 {scan.sha256}\n")
    assert text.count("\n    Submission ") == 2


def test_ids_lead_to_the_providers_pages() -> None:
    copy = [
        Event(EventKind.INTENT, {"work": "w", "keys": [key(1, Product.RAW, CFS)]}),
        Event(EventKind.OUTSIDE, {"work": "w", "id": TASK}),
    ]
    assert told(*copy)[-1].ids == (
        OutsideId("Globus task", TASK, f"https://app.globus.org/activity/{TASK}"),
    )
    volume = [
        Event(EventKind.INTENT, {"work": "w", "keys": [key(1, Product.RECONSTRUCTION, REC)]}),
        Event(EventKind.OUTSIDE, {"work": "w", "id": "1234567"}),
    ]
    job = told(*volume, pages=Pages(job="https://nersc/job/{id}"))[-1].ids[0]
    assert (job.noun, job.text, job.page) == ("Job", "1234567", "https://nersc/job/1234567")
    here = [
        Event(EventKind.INTENT, {"work": "w", "keys": [key(1, Product.RECONSTRUCTION, HERE)]}),
        Event(EventKind.OUTSIDE, {"work": "w", "id": "20270115-1"}),
    ]
    assert told(*here)[-1].ids == (OutsideId("Run", "20270115-1", run="20270115-1"),)
    record = Event(
        EventKind.MET,
        {"keys": [key(1, Product.METADATA, "scicat")],
         "evidence": {"where": "x", "observed_s": 1.0, "record": "20.500/a digest"}},
    )  # fmt: skip
    pages = Pages(scicat="https://scicat/datasets/{id}")
    assert told(record, pages=pages)[0].ids[0].page == "https://scicat/datasets/20.500%2Fa"
    assert told(record)[0].ids[0].page == ""


def test_an_id_cannot_change_the_address() -> None:
    events = [
        Event(EventKind.INTENT, {"work": "w", "keys": [key(1, Product.RECONSTRUCTION, REC)]}),
        Event(EventKind.OUTSIDE, {"work": "w", "id": "1?x=<script>"}),
    ]
    assert told(*events, pages=Pages(job="https://nersc/{id}"))[-1].ids[0].page == ""


def test_the_exposure_comes_first() -> None:
    scan = ScanFacts(
        identity(1), "/raw/a.h5", 1, "a" * 64, "BLS-1",
        {"start_time": "2027-01-15T07:00:00+00:00", "experiment_lead": "Ada"},
    )  # fmt: skip
    admitted = Event(
        EventKind.SCAN, {"scan": {"size_bytes": 10, "sha256": "a" * 64}}, 1_800_000_000.0
    )
    entries = told(admitted, scan=scan)
    assert [entry.title for entry in entries] == ["Exposed", "Admitted"]
    assert entries[0].words == "Ada · BLS-1"
    late = ScanFacts(identity(1), "a", 1, "a", metadata={"start_time": "2099-01-15T07:00:00"})
    assert [entry.title for entry in told(admitted, scan=late)] == ["Admitted"]


def test_what_a_later_version_wrote_is_told_as_such() -> None:
    entries = told(
        Event("dream", {"keys": [key(1, Product.RAW, CFS)]}), Event(EventKind.MET, {"keys": 5}),
        Event(EventKind.OUTSIDE, {"work": "unknown", "id": "x"}),
        Event(EventKind.ENDED, {"work": "unknown", "how": "eaten"}),
    )  # fmt: skip
    assert [entry.title for entry in entries] == [
        "Something else (dream)", "Something else (met)", "Under way outside", "Work ended",
    ]  # fmt: skip
    assert entries[-1].words == "eaten"


def test_a_wish_names_product_and_place() -> None:
    wish = Event(EventKind.ASKED, {
        "what": "want", "scans": [part(1)], "suffix": f"/raw/{CFS}/-",
    })  # fmt: skip
    (entry,) = told(wish)
    assert (entry.title, entry.words) == ("A person asked: want this", "raw file at NERSC CFS")
