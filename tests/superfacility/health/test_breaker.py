from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alsct_gui.superfacility.health.breaker import Breaker, Limits, Position

LIMITS = Limits(failures=3, first_s=30, longest_s=100)
_events = st.lists(st.tuples(st.sampled_from(["ask", "well", "ill"]), st.floats(0, 200)))


def play(events: list[tuple[str, float]]) -> tuple[Breaker, float, list[float]]:
    """Play events as a caller does: a call goes out only when the breaker allows it."""
    breaker, now_s, calls = Breaker(LIMITS), 0.0, []
    for what, after_s in events:
        now_s += after_s
        if what == "ask" and breaker.allows(now_s):
            breaker = breaker.asked(now_s)
            calls.append(now_s)
        elif what == "well":
            breaker = breaker.succeeded()
        elif what == "ill":
            breaker = breaker.failed(now_s)
        assert 0 <= breaker.wait_s <= LIMITS.longest_s
        assert breaker.retry_s(now_s) >= 0
        assert (breaker.retry_s(now_s) == 0) == breaker.allows(now_s)
    return breaker, now_s, calls


@given(_events)
def test_whatever_happens_it_opens_again_in_bounded_time(events: list[tuple[str, float]]) -> None:
    breaker, now_s, _ = play(events)
    assert breaker.allows(now_s + LIMITS.longest_s)
    assert breaker.succeeded().allows(now_s)
    assert breaker.succeeded().position is Position.CLOSED


@given(_events)
def test_closed_means_fewer_failures_than_the_limit(events: list[tuple[str, float]]) -> None:
    breaker, _, _ = play(events)
    if breaker.position is Position.CLOSED:
        assert breaker.failures < LIMITS.failures
    else:
        assert breaker.failures >= LIMITS.failures


@given(st.integers(1, 30))
def test_a_dead_link_is_asked_ever_more_rarely(trials: int) -> None:
    breaker, now_s, waits = Breaker(LIMITS), 0.0, []
    for _ in range(LIMITS.failures):
        breaker = breaker.asked(now_s).failed(now_s)
    for _ in range(trials):
        assert not breaker.allows(now_s)
        waits.append(breaker.retry_s(now_s))
        now_s += waits[-1]
        assert breaker.allows(now_s)
        breaker = breaker.asked(now_s)
        assert not breaker.allows(now_s), "one trial at a time"
        breaker = breaker.failed(now_s)
    assert waits == sorted(waits)
    assert waits[0] == pytest.approx(30)
    assert max(waits) <= LIMITS.longest_s


def test_a_trial_that_is_never_answered_does_not_block_for_ever() -> None:
    breaker = Breaker(LIMITS)
    for _ in range(3):
        breaker = breaker.failed(0.0)
    assert breaker.position is Position.OPEN
    breaker = breaker.asked(30.0)
    assert breaker.position is Position.HALF_OPEN
    assert not breaker.allows(59.0)
    assert breaker.allows(60.0)
