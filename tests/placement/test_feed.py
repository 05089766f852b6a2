"""A ledger seen from the reading side: every change arrives, nothing is held up or changed."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from alsct_gui.model.errors import InputError
from alsct_gui.model.placement import MET, GoalKey, ScanFacts, StateKind, scan_part, waiting
from alsct_gui.model.policy import Product
from alsct_gui.placement.asking import ask_admit, ask_want
from alsct_gui.placement.events import Event, EventKind, event, lean
from alsct_gui.placement.feed import Feed, FeedState, Snapshot, timeline_of
from alsct_gui.placement.ledger import SCHEMA_VERSION, Ledger, LedgerError
from alsct_gui.placement.onlyone import AgentLock
from tests.placement.placing import Facility, folder_policy, raw_file

ID = "cd" * 32
PART = scan_part(ID)
KEY = GoalKey(PART, Product.RAW, "cfs").text
WAIT_S = 30.0


class Taken:
    """Keeps what a feed hands out, and waits for what fits."""

    def __init__(self) -> None:
        self.all: list[Snapshot] = []
        self._came = threading.Condition()

    def __call__(self, snapshot: Snapshot) -> None:
        with self._came:
            self.all.append(snapshot)
            self._came.notify_all()

    def until(self, fits: Callable[[Snapshot], object], what: str) -> Snapshot:
        with self._came:
            came = self._came.wait_for(lambda: self.all and fits(self.all[-1]), WAIT_S)
            assert came, f"never: {what}; last {self.all[-1:]}"
            return self.all[-1]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a 'b' # é" / "ledger.sqlite"


@pytest.fixture
def taken(path: Path) -> Iterator[Taken]:
    taken = Taken()
    feed = Feed(path, taken, clock=lambda: 7.0)
    feed.start()
    yield taken
    feed.close()
    assert not feed._thread.is_alive()


def scan_event(path: str = "/raw/a.h5") -> Event:
    return event(EventKind.SCAN, scan=lean(ScanFacts(ID, path, 3, "0" * 64)), path=path)


def test_a_ledger_that_comes_later_is_followed(taken: Taken, path: Path) -> None:
    none = taken.until(lambda s: s.state is FeedState.MISSING, "that there is none")
    assert none.sentence == f"{path}: there is no ledger. Start alsct agent run."
    with Ledger(path) as ledger:
        taken.until(lambda s: s.state is FeedState.OPEN, "an empty ledger")
        ledger.append([scan_event()])
        seen = taken.until(lambda s: s.observed.seq == 1, "its first event")
        assert (seen.sentence, seen.time_s, seen.agent) == ("", 7.0, None)
        assert set(seen.observed.scans) == {PART}
        state = waiting("globus", "maintenance")
        ledger.append([event(EventKind.STATE, keys=[KEY], state=lean(state))])
        later = taken.until(lambda s: KEY in s.observed.goals, "the goal")
        assert later.observed == ledger.observed()
        assert seen.observed.goals == {}, "what was handed out has changed"


def test_how_far_work_is_comes_without_an_event(taken: Taken, path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.append([scan_event(), event(EventKind.INTENT, work="w", keys=[KEY])])
        taken.until(lambda s: "w" in s.observed.works, "the work")
        ledger.note_progress("w", waiting("x"))
        ledger.note_progress("w", MET)
        taken.until(lambda s: s.progress == {"w": (0, 0)}, "how far it is")


def test_notes_and_wishes_come_too(taken: Taken, path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.append([scan_event()])
        ask_want(ledger, [PART], Product.RAW, "tape")
        ledger.note("nersc-forecast", {"wait_s": 5})
        found = taken.until(lambda s: s.notes, "the note")
        assert found.notes == {"nersc-forecast": {"wait_s": 5}}
        assert found.observed.asked[PART].wanted == {"/raw/tape/-"}


def test_it_is_told_whether_an_agent_lives(taken: Taken, path: Path) -> None:
    with Ledger(path):
        taken.until(lambda s: s.state is FeedState.OPEN, "the ledger")
        with AgentLock(path):
            taken.until(lambda s: s.agent == os.getpid(), "the agent")
        taken.until(lambda s: s.agent is None, "that it has ended")


def test_a_ledger_of_a_later_version_is_left_alone(taken: Taken, path: Path) -> None:
    with Ledger(path):
        pass
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    found = taken.until(lambda s: s.state is FeedState.LATER, "the later version")
    assert found.sentence.endswith("Use the newer program.")


def test_a_ledger_that_is_brought_further_while_it_is_followed(taken: Taken, path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.append([scan_event()])
        taken.until(lambda s: s.observed.seq == 1, "the scan")
        with closing(sqlite3.connect(path)) as newer:
            newer.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
        found = taken.until(lambda s: s.state is FeedState.LATER, "the later version")
        assert set(found.observed.scans) == {PART}, "what was known is out of sight"
        with pytest.raises(LedgerError, match="Use the newer program"):
            ledger.append([scan_event("/raw/b.h5")])
        assert ledger.last_seq() == 1


def test_a_ledger_of_an_earlier_version_waits_for_the_agent(taken: Taken, path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.append([scan_event()])
    with closing(sqlite3.connect(path)) as db:
        db.executescript("DROP TABLE mentions; DROP TABLE snapshot; DROP TABLE progress;")
        db.execute("PRAGMA user_version = 1")
    content = path.read_bytes()
    found = taken.until(lambda s: s.state is FeedState.OLD, "the earlier version")
    assert "The agent brings it up to date" in found.sentence
    assert path.read_bytes() == content


def test_a_locked_ledger_says_so_and_what_was_known_stays(taken: Taken, path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.append([scan_event()])
        taken.until(lambda s: s.observed.seq == 1, "the scan")
    # Out of WAL, where a writer keeps readers away.
    replaced = path.with_name("other.sqlite")
    with closing(sqlite3.connect(path)) as db:
        db.execute("VACUUM INTO ?", (str(replaced),))
    with closing(sqlite3.connect(replaced, isolation_level=None)) as db:
        db.execute("BEGIN EXCLUSIVE")
        replaced.replace(path)
        for part in ("-wal", "-shm"):
            path.with_name(path.name + part).unlink(missing_ok=True)
        found = taken.until(lambda s: s.state is FeedState.LOCKED, "that it is locked")
        assert "locked by another program" in found.sentence
        assert set(found.observed.scans) == {PART}
        db.execute("ROLLBACK")
        taken.until(lambda s: s.state is FeedState.OPEN, "that it is open again")


@pytest.mark.parametrize(
    ("content", "state"),
    [(b"no ledger at all " * 100, FeedState.UNREADABLE), (b"", FeedState.MISSING)],
)
def test_what_is_no_ledger_is_said_to_be_none(
    taken: Taken, path: Path, content: bytes, state: FeedState
) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    found = taken.until(lambda s: s.state is state and "there is no" not in s.sentence, "that")
    assert str(path) in found.sentence
    assert path.read_bytes() == content


def test_another_programs_database_is_no_ledger(taken: Taken, path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE mine (x)")
    taken.until(lambda s: s.state is FeedState.UNREADABLE, "that it is none")


def test_a_file_in_its_place_is_followed_instead(taken: Taken, path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.append([scan_event()])
        taken.until(lambda s: s.observed.seq == 1, "the first ledger")
    other = path.with_name("other.sqlite")
    with Ledger(other) as ledger:
        ledger.append([scan_event("/raw/b.h5")])
    for part in ("-wal", "-shm"):  # else SQLite takes them for the other's
        path.with_name(path.name + part).unlink()
    other.replace(path)
    seen = taken.until(
        lambda s: [f.path for f in s.observed.scans.values()] == ["/raw/b.h5"], "the other"
    )
    assert seen.state is FeedState.OPEN


def test_an_event_that_makes_no_sense_is_named(taken: Taken, path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.append([Event(EventKind.MET, {"keys": [KEY]})])
    found = taken.until(lambda s: s.state is FeedState.UNREADABLE, "what is wrong")
    assert "is not understood (KeyError: 'evidence')" in found.sentence


def test_a_ledger_that_is_read_cannot_be_written(path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.append([scan_event()])
    with Ledger(path, write=False) as reading:
        assert set(reading.observed().scans) == {PART}
        with pytest.raises(LedgerError, match="readonly"):
            reading.append([scan_event()])
        assert reading.last_seq() == 1
    with pytest.raises(InputError, match="there is no ledger"):
        Ledger(path.with_name("none.sqlite"), write=False)


def test_a_timeline_begins_before_the_file_was_a_scan(tmp_path: Path) -> None:
    facility = Facility(tmp_path, folder_policy(tmp_path))
    name = "a 'b' \"c\" é.h5"
    with facility.ledger() as ledger:
        ask_admit(ledger, raw_file(tmp_path, "other.h5"))
        ask_admit(ledger, raw_file(tmp_path, name))
        agent = facility.agent(ledger)
        facility.turns(agent)
        part = next(p for p, s in agent.observed.scans.items() if s.path.endswith(name))
        told = timeline_of(facility.ledger_path, part)
        assert [item.data.get("path", "")[-len(name) :] for item in told[:2]] == [name, name]
        assert [item.kind for item in told[:2]] == ["asked", "scan"]
        assert told[1:] == ledger.timeline(part)
        states = agent.observed.goals.values()
        assert {record.state.kind for record in states} == {StateKind.MET}
    with pytest.raises(InputError):
        timeline_of(tmp_path / "none.sqlite", part)
