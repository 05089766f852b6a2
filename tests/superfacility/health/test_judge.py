from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alsct_gui.superfacility.errors import LinkDownError, NeedsPersonError
from alsct_gui.superfacility.health.judge import (
    HOUR_S,
    Outage,
    judge_clock,
    judge_disk,
    judge_error,
    judge_folder,
    judge_key,
    judge_proposal,
    judge_quiet,
    judge_resource,
    span,
)
from alsct_gui.superfacility.health.model import LINK, LINKS, Health, LinkName, Reading, fold

NOW = 1_767_225_600.0


@pytest.mark.parametrize(
    ("left_h", "health", "said"),
    [
        (13, Health.UP, ""), (12, Health.DEGRADED, "12 h"), (4, Health.DEGRADED, "4 h"),
        (1, Health.DEGRADED, "60 min"), (0.5, Health.DEGRADED, "60 min"),
        (0, Health.DOWN, "has expired"),
    ],
)  # fmt: skip
def test_a_key_is_spoken_of_before_it_ends(left_h: float, health: Health, said: str) -> None:
    reading = judge_key(NOW + left_h * HOUR_S, NOW)
    assert reading.health is health
    assert said in reading.why
    assert judge_key(None, NOW).health is Health.UNKNOWN


@given(st.integers(0, 3600), st.integers(1, 3600))
def test_a_sentence_does_not_count_down(first_s: int, later_s: int) -> None:
    """The same state, seen twice, is told in the same words: each change is an event."""
    outage = Outage(NOW - 60, NOW + 3 * HOUR_S, "Maintenance", "active")
    coming = Outage(NOW + 3 * HOUR_S, None, "Maintenance", "planned")
    for now_s in (NOW + first_s, NOW + later_s):
        assert judge_resource("unavailable", "", [outage], now_s) == judge_resource(
            "unavailable", "", [outage], NOW
        )
        assert judge_resource("active", "", [coming], now_s) == judge_resource(
            "active", "", [coming], NOW
        )
        assert (
            judge_quiet(NOW - 7200, now_s, 3600, "It").why
            == (judge_quiet(NOW - 7200, NOW, 3600, "It").why)
            or judge_quiet(NOW - 7200, now_s, 3600, "It").health is Health.DOWN
        )


def test_outages_with_their_ends() -> None:
    on = Outage(NOW - 60, NOW + 3 * HOUR_S, "Scheduled Maintenance.", "active")
    reading = judge_resource("unavailable", "", [on], NOW)
    assert (reading.health, reading.until) == (Health.DOWN, on.end)
    assert reading.why == "Scheduled Maintenance"
    planned = Outage(NOW + 3 * HOUR_S, None, "Maintenance", "planned")
    reading = judge_resource("active", "", [planned], NOW)
    assert (reading.health, reading.why) == (Health.DEGRADED, "Maintenance is announced")
    far = Outage(NOW + 10 * HOUR_S, None, "Maintenance", "planned")
    assert judge_resource("active", "", [far], NOW).health is Health.UP
    assert judge_resource("active", "", [far], NOW).until == far.start
    assert judge_resource("active", "", [far], NOW + 11 * HOUR_S).health is Health.DOWN
    over = Outage(NOW - 60, NOW + 60, "x", "over")
    assert judge_resource("active", "", [over], NOW).health is Health.UP


@pytest.mark.parametrize(
    ("status", "health"),
    [("active", Health.UP), ("degraded", Health.DEGRADED), ("unavailable", Health.DOWN),
     ("other", Health.UNKNOWN), ("new word", Health.UNKNOWN)],
)  # fmt: skip
def test_status_words(status: str, health: Health) -> None:
    assert judge_resource(status, "", [], NOW).health is health
    assert judge_resource(status, "a note", [], NOW).why in ("", "a note")


@given(st.integers(0, 10**14), st.integers(0, 10**12), st.integers(1, 10**12))
def test_less_room_is_never_better(free: int, needed: int, per_scan: int) -> None:
    order = [Health.DOWN, Health.DEGRADED, Health.UP]
    more, less = judge_disk(free, needed, per_scan), judge_disk(free // 2, needed, per_scan)
    assert order.index(less.health) <= order.index(more.health)


@given(st.floats())
def test_any_offset_of_the_clock_is_judged(offset_s: float) -> None:
    reading = judge_clock(offset_s)
    assert (reading.health is Health.UP) == (abs(offset_s) < 30)
    assert reading.health is Health.UP or reading.why


def test_signs_of_life_and_slips() -> None:
    assert judge_quiet(NOW - 5, NOW, 10, "The stream").health is Health.UP
    assert judge_quiet(NOW - 20, NOW, 10, "The stream").health is Health.DEGRADED
    assert judge_quiet(NOW - 40, NOW, 10, "The stream").why == (
        "The stream has been quiet for more than 30 s"
    )
    assert judge_quiet(None, NOW, 10, "The stream").health is Health.UNKNOWN
    assert judge_folder("x", matches=True, inside=True).health is Health.UP
    assert "'x'" in judge_folder("x", matches=False, inside=True).why
    assert "outside" in judge_folder("x", matches=True, inside=False).why
    assert judge_proposal("BLS-00564", "bls-00564").health is Health.UP
    assert judge_proposal("BLS-00564", "BLS-00739").health is Health.DOWN
    assert judge_proposal(None, "BLS-00739").health is Health.UNKNOWN
    assert judge_error(LinkDownError("gone")).health is Health.DOWN
    assert judge_error(NeedsPersonError("login")).health is Health.DEGRADED


def test_since_stays_while_the_health_stays() -> None:
    link = LINK[LinkName.SPIN]
    first = fold(None, link, Reading(Health.UP), 1.0)
    second = fold(first, link, Reading(Health.UP), 2.0)
    third = fold(second, link, Reading(Health.DOWN, "gone"), 3.0)
    assert [(item.since, item.checked_at) for item in (first, second, third)] == [
        (1.0, 1.0), (1.0, 2.0), (3.0, 3.0),
    ]  # fmt: skip


def test_every_link_is_in_the_chain_once_and_says_what_it_affects() -> None:
    assert [link.name for link in LINKS] == list(LinkName)
    assert all(link.affects and not link.affects.endswith(".") for link in LINKS)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_times_in_words(seconds: float) -> None:
    assert span(seconds).split()[1] in ("s", "min", "h", "days")
