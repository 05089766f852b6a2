from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alsct_gui.superfacility.compute.estimate import ScanSize, Speed, run_time_s, time_limit_s
from alsct_gui.superfacility.compute.rows import (
    parse_elapsed,
    parse_test_only,
    parse_time,
    pick,
    read_row,
    rows_of,
)
from alsct_gui.superfacility.compute.states import JobState
from alsct_gui.superfacility.errors import LinkDownError, RefusedError

ZONE = ZoneInfo("America/Los_Angeles")


def test_rows_of_squeue_and_sacct() -> None:
    waits = {"jobid": "5", "name": "n", "state": "PENDING", "reason": "Resources",
             "start_time": "2026-01-01T00:00:00", "time": "0:00"}  # fmt: skip
    status = read_row(waits, ZONE)
    assert (status.state, status.starts, status.sentence) == (
        JobState.PENDING, 1767254400.0, "The job is next in the queue",
    )  # fmt: skip
    ended = {"jobid": "5", "jobname": "n", "state": "CANCELLED by 1234", "exitcode": "0:15",
             "elapsed": "1-02:03:04", "reason": "None"}  # fmt: skip
    status = read_row(ended, ZONE)
    assert (status.name, status.state, status.exit_code) == ("n", JobState.CANCELLED, 0)
    assert status.elapsed_s == 93784


def test_errors_of_slurm_are_told_from_no_rows() -> None:
    assert rows_of({"status": "OK", "output": None}) == []
    assert rows_of({"status": "ERROR", "error": "Invalid job id specified", "output": []}) == []
    for answer in ({"status": "ERROR", "error": "slurmctld down"}, [], None, {"output": ["x"]}):
        with pytest.raises(LinkDownError):
            rows_of(answer)


def test_the_job_that_does_the_work_is_picked() -> None:
    rows = [
        {"jobid": "7.batch", "jobname": "n", "state": "RUNNING"},
        {"jobid": "9", "jobname": "n", "state": "COMPLETED"},
        {"jobid": "8", "name": "n", "state": "RUNNING"},
        {"jobid": "6", "name": "m", "state": "RUNNING"},
    ]
    found = [pick(rows, "n"), pick(rows, "n", "9"), pick(rows, "n", "5"), pick(rows, "none")]
    assert [row and row["jobid"] for row in found] == ["8", "9", "8", None]


_json = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda each: (
        st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=8), each, max_size=3)
    ),
)


@given(_json | st.fixed_dictionaries({"status": st.text(max_size=3), "output": _json}))
def test_any_answer_is_rows_or_an_error(answer: Any) -> None:
    try:
        rows = rows_of(answer)
    except LinkDownError:
        return
    for row in rows:
        assert read_row(row, ZONE).state in JobState


@given(st.text(max_size=30))
def test_times_of_any_text(text: str) -> None:
    elapsed = parse_elapsed(text)
    assert elapsed is None or elapsed >= 0
    assert parse_time(text, ZONE) is None or "-" in text or text.isalnum()
    assert parse_test_only(text, ZONE) is None


def test_a_limit_is_the_estimate_with_a_margin_in_steps() -> None:
    full = ScanSize(1313, 2160, 2560, 8_500_000_000)
    bare_s = run_time_s(full, Speed(), stage=True)
    assert bare_s == pytest.approx(60 + 17 + 48.4 + 94.4, rel=0.01)
    limit_s = time_limit_s(full, Speed(), stage=True, longest_s=7200)
    assert limit_s % 300 == 0
    assert 2 * bare_s <= limit_s < 2 * bare_s + 300
    assert time_limit_s(full, Speed(), stage=True, longest_s=330) == 330
    with pytest.raises(RefusedError, match="queue"):
        time_limit_s(full, Speed(), stage=True, longest_s=100)


@given(*[st.integers(1, 5000)] * 3, st.integers(0, 10**12))
def test_more_work_never_asks_for_less(angles: int, rows: int, columns: int, raw: int) -> None:
    def limit(scale: int) -> int:
        size = ScanSize(angles * scale, rows, columns, raw * scale)
        return time_limit_s(size, Speed(), stage=True, longest_s=10**9)

    assert 300 <= limit(1) <= limit(2)
