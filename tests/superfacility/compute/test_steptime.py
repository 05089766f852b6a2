"""What the job of a step asks for: a pure function of what is known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alsct_gui.superfacility.compute.estimate import QUANTUM_S
from alsct_gui.superfacility.compute.steptime import Took, step_time

LONGEST_S = 4 * 3600
GB = 10**9

TOOK = st.builds(
    Took, st.floats(0.001, 1e7), st.integers(1, 10**14), st.booleans(),
)  # fmt: skip


def test_a_run_like_it_tells_how_long_it_takes() -> None:
    runs = [Took(1000.0, 56 * GB, same=True), Took(9000.0, 56 * GB, same=False)]
    found = step_time(56 * GB, runs, longest_s=LONGEST_S)
    assert found.limit_s == 2100, "a minute to start, and twice what it took, in five minutes"
    assert found.why == "asks for 35 min, as a run like it took up to 17 min"
    longer = step_time(112 * GB, runs, longest_s=LONGEST_S)
    assert longer.limit_s == 4200, "twice the input"
    assert step_time(GB, runs, longest_s=LONGEST_S).limit_s == 2100, "what is smaller, the same"


def test_runs_of_other_sizes_do_not_count_where_there_are_nearer_ones() -> None:
    near = [Took(60.0 + n, GB, same=True) for n in range(5)]
    far = Took(9000.0, 100 * GB, same=True)
    found = step_time(GB, [far, *near], longest_s=LONGEST_S)
    assert found.limit_s == 300
    assert found.why == "asks for 5 min, as 5 runs like it took up to 2 min"


def test_a_step_that_ran_otherwise_gets_more() -> None:
    other = [Took(1000.0, 56 * GB, same=False)]
    found = step_time(56 * GB, other, longest_s=LONGEST_S)
    assert found.limit_s == 4200
    assert found.why.startswith("asks for 1 h 10 min, as its step, elsewhere or otherwise, took")


def test_what_nobody_knows_is_thought_to_be_slow() -> None:
    small = step_time(2 * GB, [], longest_s=LONGEST_S)
    assert (small.limit_s, small.why) == (
        2100,
        "asks for 35 min, as nobody knows how long it takes",
    )
    large = step_time(56 * GB, [], longest_s=LONGEST_S)
    assert large.limit_s == LONGEST_S
    assert large.why == "asks for 4 h, all that its queue gives, as nobody knows how long it takes"
    unknown = step_time(None, [], longest_s=LONGEST_S)
    assert (unknown.limit_s, "not known" in unknown.why) == (LONGEST_S, True)


def test_a_job_that_was_cut_off_gets_twice_the_time() -> None:
    runs = [Took(300.0, GB, same=True)]
    limits = [
        step_time(GB, runs, longest_s=LONGEST_S, failures=n).limit_s for n in (0, 1, 2, 3, 999)
    ]
    assert limits == [900, 1500, 2700, 5400, LONGEST_S]
    assert "more than before it failed" in step_time(GB, runs, longest_s=7200, failures=1).why


@given(
    st.none() | st.integers(0, 10**14), st.lists(TOOK, max_size=8), st.integers(60, 7 * 86400),
    st.integers(0, 10**6),
)  # fmt: skip
def test_it_is_what_a_queue_takes(
    bytes_in: int | None, runs: list[Took], longest_s: int, failures: int
) -> None:
    found = step_time(bytes_in, runs, longest_s=longest_s, failures=failures)
    assert 0 < found.limit_s <= longest_s
    assert found.limit_s == longest_s or found.limit_s % QUANTUM_S == 0
    assert found.why.startswith("asks for ")
    again = step_time(bytes_in, runs, longest_s=longest_s, failures=failures + 1)
    assert again.limit_s >= found.limit_s


@given(st.integers(1, 10**13), st.lists(TOOK, min_size=1, max_size=5))
def test_every_run_that_counts_would_have_ended_in_time(bytes_in: int, runs: list[Took]) -> None:
    found = step_time(bytes_in, runs, longest_s=10**14)
    counting = [run for run in runs if run.same] or runs
    assert all(run.seconds < found.limit_s for run in counting)


@pytest.mark.parametrize("longest_s", [60, 299, 14_400])
def test_a_short_queue_is_no_mistake(longest_s: int) -> None:
    assert step_time(GB, [], longest_s=longest_s).limit_s <= longest_s
