"""Scans arrive: names, proposals, files that grow, and an end at any time."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from alsct_gui.files.check import FileState, check_scan, file_state
from alsct_gui.files.open import open_scan
from alsct_gui.model.errors import CancelledError
from alsct_gui.simulator.acquisition import (
    HOSTILE_TITLES,
    Acquisition,
    planned_scans,
    take_scan,
    tiny_scan,
)


def test_the_plan_is_the_same_for_a_seed_and_no_two_scans_are() -> None:
    planned = planned_scans(60, 7)
    assert planned == planned_scans(60, 7)
    assert len({(scan.folder, scan.spec.file_name) for scan in planned}) == 60
    assert len({scan.spec.seed for scan in planned}) == 60
    titles = {scan.spec.title for scan in planned}
    assert titles >= set(HOSTILE_TITLES)
    assert not {s.spec.title for s in planned_scans(60, 7, hostile_every=0)} & set(HOSTILE_TITLES)


def test_scans_lie_where_their_names_say_and_are_whole(tmp_path: Path) -> None:
    planned = planned_scans(10, spec=tiny_scan(), hostile_every=2)
    for scan in planned:
        path = take_scan(scan, tmp_path)
        assert path == tmp_path / scan.folder / scan.spec.file_name
        with open_scan(path) as opened:
            assert opened.people.proposal == scan.spec.proposal
    assert check_scan(path) == ()
    assert sorted(p.suffix for p in tmp_path.rglob("*.*") if p.is_file()) == [".h5"] * 10


def test_an_acquisition_takes_them_in_turn_and_tells(tmp_path: Path) -> None:
    told: list[Path] = []
    planned = planned_scans(3, spec=tiny_scan())
    with Acquisition(tmp_path, planned, told=told.append) as taking:
        assert taking.wait(30)
    assert told == taking.taken == [tmp_path / s.folder / s.spec.file_name for s in planned]
    assert taking.error is None


def test_it_ends_in_the_middle_of_a_scan_and_says_what_was_in_the_way(tmp_path: Path) -> None:
    (scan,) = planned_scans(1, spec=tiny_scan())
    stop = threading.Event()
    stop.set()
    with pytest.raises(CancelledError):
        take_scan(scan, tmp_path, stop=stop)
    left = tmp_path / scan.folder / scan.spec.file_name
    assert left.exists()
    assert file_state(left).state is FileState.ARRIVING
    with Acquisition(tmp_path, [scan]) as taking:
        assert taking.wait(30)
    assert taking.error is not None
    assert taking.error.what == "the file exists"
