"""The tables of a ledger, in the order in which its versions brought them."""

from __future__ import annotations

EVENTS = """
CREATE TABLE events (
    seq INTEGER PRIMARY KEY, time_s REAL NOT NULL, kind TEXT NOT NULL, data TEXT NOT NULL
);
CREATE TRIGGER events_stay BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TRIGGER events_are_kept BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'events are never removed'); END;
CREATE TRIGGER events_follow BEFORE INSERT ON events
WHEN NEW.seq IS NOT (SELECT COALESCE(MAX(seq), 0) + 1 FROM events)
BEGIN SELECT RAISE(ABORT, 'events follow one another'); END;
"""
DERIVED = """
CREATE TABLE snapshot (
    one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, data BLOB NOT NULL
);
CREATE TABLE mentions (
    scan BLOB NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (scan, seq)
) WITHOUT ROWID;
CREATE TABLE progress (
    work TEXT PRIMARY KEY, time_s REAL NOT NULL, done INTEGER NOT NULL, total INTEGER NOT NULL
) WITHOUT ROWID;
"""
NOTES = """
CREATE TABLE notes (
    name TEXT PRIMARY KEY, time_s REAL NOT NULL, data TEXT NOT NULL
) WITHOUT ROWID;
"""
