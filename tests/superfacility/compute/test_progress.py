from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alsct_gui.model.errors import CancelledError, InputError, OutputError
from alsct_gui.model.progress import Progress
from alsct_gui.superfacility.compute.progress import (
    ProgressFile,
    RunProgress,
    parse_progress,
    read_progress,
)


class Ticks:
    """A clock that shows what it is told."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_at_most_one_state_a_second_and_always_the_last(tmp_path: Path) -> None:
    path, clock = tmp_path / "progress.json", Ticks()
    with ProgressFile(path, clock) as told:
        clock.now_s = 0.4
        told.show(Progress("slices", 1, 9, 0.4))
        seen = read_progress(path)
        assert seen is not None
        assert (seen.stage, seen.done) == ("", 0)
        clock.now_s = 1.0
        told.show(Progress("slices", 3, 9, 1.0, 2.0))
        seen = read_progress(path)
        assert seen is not None
        assert (seen.stage, seen.done, seen.total, seen.eta_s) == ("slices", 3, 9, 2.0)
        told.finish(9)
    seen = read_progress(path)
    assert seen is not None
    assert (seen.state, seen.slices, seen.fraction) == ("finished", 9, 1.0)
    assert path.read_text().count("\n") == 1
    assert [item.name for item in tmp_path.iterdir()] == ["progress.json"]


def test_the_end_is_told_whatever_it_is(tmp_path: Path) -> None:
    path = tmp_path / "p"
    with pytest.raises(InputError), ProgressFile(path):
        raise InputError("is cut", where="a.h5")
    seen = read_progress(path)
    assert seen is not None
    assert (seen.state, seen.message) == ("failed", "a.h5: is cut.")
    with pytest.raises(CancelledError), ProgressFile(path):
        raise CancelledError("cancelled")
    seen = read_progress(path)
    assert seen is not None
    assert seen.state == "cancelled"


def test_without_a_path_nothing_is_written_and_a_bad_one_is_said(tmp_path: Path) -> None:
    with ProgressFile(None) as told:
        told.show(Progress("slices", 1, 2, 0.1))
        told.finish(2)
    assert not list(tmp_path.iterdir())
    with pytest.raises(OutputError, match="progress file"), ProgressFile(tmp_path / "no" / "p"):
        pass
    assert read_progress(tmp_path / "absent") is None


@given(st.text() | st.recursive(st.none() | st.floats() | st.text(), st.lists).map(json.dumps))
def test_foreign_text_is_not_progress(text: str) -> None:
    assert parse_progress(text) is None


_values = st.none() | st.booleans() | st.integers() | st.floats() | st.text()


@given(st.dictionaries(st.sampled_from(sorted(RunProgress.__slots__)), _values))
def test_hostile_values_are_passed_over(data: dict[str, object]) -> None:
    seen = parse_progress(json.dumps({**data, "state": "running"}))
    assert seen is not None
    assert 0 <= seen.fraction <= 1
    assert seen.done >= 0
