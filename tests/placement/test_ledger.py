"""One file that forgets nothing: numbered events, one writer at a time, whatever the names."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alsct_gui.model.errors import InputError
from alsct_gui.model.placement import (
    MET,
    Evidence,
    Flow,
    GoalKey,
    GoalRecord,
    Observed,
    ScanFacts,
    StateKind,
    StepState,
    blocked,
    idempotency_key,
    scan_part,
    waiting,
)
from alsct_gui.model.policy import Product
from alsct_gui.placement.events import Event, EventKind, dump, event, lean
from alsct_gui.placement.fold import (
    WISHES,
    advance,
    fold,
    observed_from_plain,
    observed_to_plain,
)
from alsct_gui.placement.ledger import SCHEMA_VERSION, Ledger, LedgerError
from alsct_gui.placement.tables import DERIVED, EVENTS

ID = "ab" * 32
PART = scan_part(ID)
KEY = GoalKey(PART, Product.RAW, "cfs").text
hostile = st.text(st.characters(exclude_categories=()), max_size=40)
"""Any text, with what Python makes of bytes that are no unicode, and zero bytes."""


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "a 'b' # ? % é" / "ledger.sqlite", clock=lambda: 5.0) as opened:
        yield opened


def scan_event(path: str = "/raw/a.h5") -> Event:
    return event(EventKind.SCAN, scan=lean(ScanFacts(ID, path, 3, "0" * 64)), path=path)


def state_event(state: StepState = MET, *keys: str) -> Event:
    return event(EventKind.STATE, keys=list(keys or (KEY,)), state=lean(state))


def test_events_are_numbered_and_read_back(ledger: Ledger) -> None:
    stored = ledger.append([scan_event(), state_event(waiting("globus"))])
    assert [(item.seq, item.time_s) for item in stored] == [(1, 5.0), (2, 5.0)]
    ledger.append([state_event()])
    assert ledger.tail(0)[:2] == stored
    assert [item.seq for item in ledger.tail(1)] == [2, 3]
    assert [item.seq for item in ledger.tail(0, limit=2)] == [1, 2]
    assert ledger.last_seq() == 3
    assert [item.seq for item in ledger.timeline(PART)] == [1, 2, 3]
    assert ledger.timeline("0" * 32) == ()
    assert ledger.problems() == ()


@pytest.mark.parametrize(
    "statement",
    ["UPDATE events SET kind = 'x'", "DELETE FROM events",
     "INSERT INTO events VALUES (9, 0, 'x', '{}')", "INSERT INTO events VALUES (1, 0, 'x', '{}')"],
)  # fmt: skip
def test_nobody_changes_the_past_nor_leaves_a_gap(statement: str, ledger: Ledger) -> None:
    ledger.append([scan_event()])
    with sqlite3.connect(ledger.path) as other, pytest.raises(sqlite3.IntegrityError):
        other.execute(statement)
    other.close()
    assert ledger.last_seq() == 1


def test_it_is_brought_to_the_disk(ledger: Ledger) -> None:
    rows = {
        n: ledger._db.execute(f"PRAGMA {n}").fetchone()[0] for n in ("journal_mode", "synchronous")
    }
    assert rows == {"journal_mode": "wal", "synchronous": 2}


def test_what_cannot_be_stored_leaves_nothing_of_its_batch(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="Out of range"):
        ledger.append([scan_event(), event(EventKind.AGENT, what=float("nan"))])
    assert ledger.last_seq() == 0
    ledger.append([scan_event()])


@given(hostile, hostile)
def test_hostile_names_come_back_unchanged(path: str, proposal: str) -> None:
    data = {"path": path, "proposal": proposal}
    text = dump(data)
    assert text.isascii()
    assert json.loads(text) == data


def test_hostile_names_go_through_the_file(ledger: Ledger) -> None:
    names = [
        "$(rm -rf /)\n'\"; DROP TABLE events; --",
        "\udcff\udc80 not unicode",
        "a\0b",
        "é🜚\u202e",
    ]
    for name in names:
        ledger.append([event(EventKind.ASKED, what="admit", path=name)])
    assert [item.data["path"] for item in ledger.tail(0)] == names
    assert list(ledger.observed().arrivals) == names
    ledger.keep_snapshot(ledger.observed())
    assert list(ledger.observed().arrivals) == names


_WRITER = """
import sys
from pathlib import Path
from alsct_gui.placement.events import EventKind, event
from alsct_gui.placement.ledger import Ledger
with Ledger(Path(sys.argv[1])) as opened:
    for _ in range(20):
        opened.append([event(EventKind.AGENT, what="started")] * 2)
"""


def test_several_writers_take_turns(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    command = [sys.executable, "-c", _WRITER, str(path)]
    writers = [subprocess.Popen(command) for _ in range(3)]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    with Ledger(path) as opened:
        assert opened.last_seq() == 120
        assert opened.problems() == ()


def test_a_reader_learns_that_somebody_has_written(ledger: Ledger) -> None:
    with Ledger(ledger.path, create=False) as reader:
        before = reader.changes()
        assert reader.changes() == before
        ledger.append([scan_event()])
        assert reader.changes() != before
        assert [item.seq for item in reader.tail(0)] == [1]


def test_a_snapshot_changes_nothing(ledger: Ledger) -> None:
    ledger.append([scan_event(), state_event(blocked("a", "b"))])
    ledger.keep_snapshot(ledger.observed())
    assert ledger.snapshot_seq() == 2
    ledger.append([state_event(waiting("you"))])
    assert ledger.observed() == fold(ledger.tail(0))
    assert ledger.problems() == ()
    ledger.drop_snapshot()
    assert ledger.observed() == fold(ledger.tail(0))


def test_a_snapshot_that_lies_is_found(ledger: Ledger) -> None:
    ledger.append([scan_event()])
    wrong = ledger.observed()
    wrong.goals[KEY] = GoalRecord(KEY, MET, 0.0)
    ledger.keep_snapshot(wrong)
    assert ledger.problems() == ("The snapshot does not follow from the events",)


def test_notes_are_of_now_and_no_history(ledger: Ledger) -> None:
    ledger.append([scan_event()])
    ledger.note("forecast", {"wait_s": 60.0, "outages": [{"what": "é \udcff"}]})
    ledger.note("forecast", {"wait_s": None})
    ledger.note("throughput", {"samples": []})
    assert ledger.notes() == {"forecast": {"wait_s": None}, "throughput": {"samples": []}}
    assert ledger.last_seq() == 1
    with pytest.raises(ValueError, match="Out of range"):
        ledger.note("forecast", {"wait_s": float("inf")})
    assert ledger.notes()["forecast"] == {"wait_s": None}
    assert ledger.problems() == ()


def test_a_gap_is_found(ledger: Ledger) -> None:
    ledger.append([scan_event(), state_event(), state_event()])
    ledger._db.execute("DROP TRIGGER events_are_kept")
    ledger._db.execute("DELETE FROM events WHERE seq = 2")
    assert ledger.problems() == ("Events have a gap: 2 of them, from 1 to 3",)


@pytest.mark.parametrize("version", [1, 2])
def test_an_earlier_version_is_brought_up_to_date(version: int, tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with sqlite3.connect(path) as old:
        for script in (EVENTS, DERIVED)[:version]:
            old.executescript(script)
        row = (1, 5.0, "scan", dump(scan_event().data))
        old.execute("INSERT INTO events VALUES (?, ?, ?, ?)", row)
        if version == 2:
            old.execute("INSERT INTO mentions VALUES (?, 1)", (bytes.fromhex(PART),))
        old.execute(f"PRAGMA user_version = {version}")
    old.close()
    with Ledger(path, create=False) as opened:
        assert [item.seq for item in opened.timeline(PART)] == [1]
        assert opened.problems() == ()
        assert opened.notes() == {}
        assert opened._version() == SCHEMA_VERSION


def test_what_is_no_ledger_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="alsct agent run"):
        Ledger(tmp_path / "absent", create=False)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "text").write_text("hello " * 999)
    with pytest.raises(InputError, match="cannot be read"):
        Ledger(tmp_path / "text")
    with sqlite3.connect(tmp_path / "other") as other:
        other.execute("CREATE TABLE scans (id)")
    other.close()
    with pytest.raises(InputError, match="another program"):
        Ledger(tmp_path / "other")
    with sqlite3.connect(tmp_path / "later") as later:
        later.execute("PRAGMA user_version = 99")
    later.close()
    with pytest.raises(InputError, match="newer program"):
        Ledger(tmp_path / "later")
    (tmp_path / "file").touch()
    with pytest.raises(LedgerError, match="ALSCT_LEDGER"):
        Ledger(tmp_path / "file" / "ledger")


def test_damage_is_told(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with Ledger(path) as opened:
        opened.append([scan_event(f"/raw/{n}") for n in range(200)])
        opened._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw = bytearray(path.read_bytes())
    raw[4096:] = b"\xff" * (len(raw) - 4096)
    path.write_bytes(raw)
    try:
        with Ledger(path) as opened:
            assert opened.problems() != ()
    except InputError as error:
        assert "alsct agent check" in error.fix  # noqa: PT017 (either way it is told)


def test_an_event_of_a_later_version_is_kept_and_counts(ledger: Ledger) -> None:
    ledger.append([scan_event(), Event("tea-break", {"cups": 2}), state_event()])
    observed = ledger.observed()
    assert (observed.seq, len(observed.goals)) == (3, 1)


def test_events_are_taken_in_order_only() -> None:
    with pytest.raises(ValueError, match="does not follow"):
        advance(Observed(), Event("agent", {}, 0.0, 2))


KEYS = [GoalKey(PART, product, "cfs").text for product in (Product.RAW, Product.ACCESS)]
key_lists = st.lists(st.sampled_from(KEYS), min_size=1, max_size=2, unique=True)
state_plain = st.sampled_from([waiting("a"), blocked("b", "c", 7.0)]).map(lean)
events = st.one_of(
    st.builds(lambda keys, state: event(EventKind.STATE, keys=keys, state=state), key_lists,
              state_plain),
    st.builds(lambda keys, work: event(EventKind.INTENT, keys=keys, work=work), key_lists,
              st.sampled_from("wv")),
    st.builds(lambda work: event(EventKind.OUTSIDE, work=work, id="7"), st.sampled_from("wv")),
    st.builds(lambda work: event(EventKind.SUBMISSION, work=work, submission="s"),
              st.sampled_from("wv")),
    st.builds(lambda work: event(EventKind.ENDED, work=work, how="done"), st.sampled_from("wv")),
    st.builds(lambda keys: event(EventKind.MET, keys=keys, evidence=lean(Evidence("x", 1.0, 3))),
              key_lists),
    st.builds(lambda keys, state: event(EventKind.FAILED, keys=keys, state=state), key_lists,
              state_plain),
    st.builds(lambda keys, state: event(EventKind.LOST, keys=keys, state=state), key_lists,
              state_plain),
    st.builds(lambda keys: event(EventKind.AUDITED, keys=keys), key_lists),
    st.builds(lambda what, keys: event(EventKind.ASKED, what=what, keys=keys, path="/p",
                                       scans=[PART], priority=3, proposal="P",
                                       suffix="/raw/cfs/0123456789ab", recipe={"name": "r"},
                                       owner=f"prefect/{keys[0][-5:]}", until_s=9.0),
              st.sampled_from(WISHES), key_lists),
    st.builds(lambda run: event(EventKind.FLOW, scans=[PART], flow=lean(Flow("o", 3, run))),
              st.sampled_from("12")),
    st.just(scan_event()),
)  # fmt: skip


@given(st.lists(events, max_size=25), st.integers(0, 25))
def test_a_fold_from_a_snapshot_is_the_fold_of_all(found: list[Event], cut: int) -> None:
    stored = [Event(item.kind, item.data, float(n), n) for n, item in enumerate(found, 1)]
    whole = fold(stored)
    half = json.loads(dump(observed_to_plain(fold(stored[:cut]))))
    assert fold(stored[cut:], observed_from_plain(half)) == whole
    for record in whole.goals.values():
        assert record.state.kind is not StateKind.MET or record.evidence is not None


def test_work_keys_depend_on_what_is_done_and_how_often() -> None:
    assert idempotency_key(("a", "b"), 0) == idempotency_key(("b", "a"), 0)
    assert len({idempotency_key(("a",), 0), idempotency_key(("a",), 1),
                idempotency_key(("a", "b"), 0)}) == 3  # fmt: skip


def test_an_obligation_takes_less_than_two_kilobytes(tmp_path: Path) -> None:
    count, path = 300, tmp_path / "ledger.sqlite"
    with Ledger(path) as opened:
        _life_of(opened, [f"{n:064x}"[::-1] for n in range(count)])
        opened.keep_snapshot(opened.observed())
        assert len(opened.observed().goals) == 2 * count
        opened._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert path.stat().st_size / (2 * count) < 2000


def _life_of(ledger: Ledger, ids: list[str]) -> None:
    """Everything that happens to the copies of scans: an outage, two failures, success."""
    for scan in ids:
        facts = ScanFacts(scan, f"/data/raw/BLS-00564_someone/20260801_120000_{scan[:20]}.h5",
                          8_500_000_000, scan, "BLS-00564", {"sample": "a sample"})  # fmt: skip
        evidence = lean(Evidence(facts.path, 1.8e9, 8_500_000_000, scan))
        raw = [GoalKey(scan_part(scan), Product.RAW, "data832-raw").text]
        ledger.append([event(EventKind.SCAN, scan=lean(facts), path=facts.path),
                       event(EventKind.MET, keys=raw, evidence=evidence)])  # fmt: skip
    keys = [GoalKey(scan_part(scan), Product.RAW, "nersc-cfs").text for scan in ids]
    scans = [scan_part(scan) for scan in ids]
    for state in (waiting("raw at data832-raw"), waiting("globus", "it is away", 1.8e9)):
        ledger.append([state_event(state, *keys)])
    for work in ("1" * 32, "2" * 32):
        ledger.append([event(EventKind.INTENT, work=work, keys=keys)])
        ledger.append([event(EventKind.OUTSIDE, work=work, id="3" * 36, scans=scans)])
        ledger.append([event(EventKind.FAILED, keys=keys, state=lean(waiting("a"))),
                       event(EventKind.ENDED, work=work, how="failed", scans=scans)])  # fmt: skip
    seen = lean(Evidence("nersc:/a/path/as/long/as/usual", 1.8e9, 8_500_000_000, "0" * 64))
    ledger.append([event(EventKind.MET, keys=[key], evidence=seen) for key in keys])
