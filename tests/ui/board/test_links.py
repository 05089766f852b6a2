"""The chain's chips and what there is to know of a link, in words; no window."""

from __future__ import annotations

from alsct_gui.model.placement import Health, LinkState, Observed
from alsct_gui.placement.feed import FeedState, Snapshot
from alsct_gui.superfacility.health.model import LINKS
from alsct_gui.ui.board.forecast import Outage
from alsct_gui.ui.board.links import AGENT, LOG_IN, START, Chip, chips_of, trouble_words
from alsct_gui.ui.widgets.marks import State
from alsct_gui.ui.words import clock_words
from tests.ui.board.making import NOW_S, Made, in_outage


def chips(made: Made, agent: int | None = 7, **more: object) -> dict[str, Chip]:
    snapshot = Snapshot(FeedState.OPEN, observed=made.observed, agent=agent)
    found = chips_of(snapshot, made.board().waits, NOW_S, **more)  # type: ignore[arg-type]
    return {chip.key: chip for chip in found}


def facts(chip: Chip) -> dict[str, str]:
    return {fact.name: fact.words for fact in chip.facts}


def test_links_stand_in_the_order_in_which_a_scan_meets_them() -> None:
    made = Made()
    for name in ("tape", "key", "perlmutter", "acquisition", "globus"):
        made.link(name)
    assert list(chips(made)) == [AGENT, "acquisition", "globus", "perlmutter", "key", "tape"]
    assert [chip.state for chip in chips(made).values()] == [State.MET] * 6


def test_every_link_of_the_chain_has_a_short_name() -> None:
    made = Made()
    for link in LINKS:
        made.link(link.name)
    shorts = [chip.short for chip in chips(made).values()]
    assert len(set(shorts)) == len(LINKS) + 1
    assert max(map(len, shorts)) <= 10


def test_a_link_that_is_down_says_all_there_is_to_know() -> None:
    made = in_outage(12)
    planned = (Outage(NOW_S + 86400, NOW_S + 90000, "new network", True),)
    chip = chips(made, outages=planned)["perlmutter"]
    assert chip.state is State.FAILED
    since = clock_words(NOW_S - 3600, NOW_S)
    assert chip.sentence == f"Perlmutter is down since {since}: maintenance."
    known = facts(chip)
    assert list(known) == ["Since", "Reason", "Effect", "To do", "Until", "Outages"]
    assert known["Since"] == f"{since}, 60 min ago"
    assert known["Effect"] == "Reconstructions run here alone; 12 goals wait for it"
    assert known["Until"] == f"{clock_words(NOW_S + 14400, NOW_S)}, in 4 h"
    assert "new network" in known["Outages"]
    assert "To do: Work goes on here" in chip.text
    snapshot = Snapshot(FeedState.OPEN, observed=made.observed, agent=7)
    later = chips_of(snapshot, {}, NOW_S + 5 * 3600)
    past = facts(next(c for c in later if c.key == "perlmutter"))["Until"]
    assert past.endswith(", which has passed")


def test_a_link_that_is_up_has_nothing_to_do() -> None:
    made = Made()
    made.link("globus")
    assert list(facts(chips(made)["globus"])) == ["Since"]
    assert trouble_words(tuple(chips(made).values())) == ""


def test_degraded_and_unknown_are_told_apart() -> None:
    made = Made()
    made.link("disk", LinkState.DEGRADED, why="There is room for 3 more scans")
    made.link("clock", LinkState.UNKNOWN)
    found = chips(made)
    assert (found["disk"].state, found["clock"].state) == (State.BLOCKED, State.UNKNOWN)
    assert "wants a look" in trouble_words(tuple(found.values()))
    assert "Clock is not known" in found["clock"].sentence


def test_without_an_agent_nobody_looks() -> None:
    made = in_outage(1)
    found = chips(made, None)
    assert found[AGENT].state is State.FAILED
    assert found[AGENT].action == START
    assert {chip.state for key, chip in found.items() if key != AGENT} == {State.UNKNOWN}
    assert found["globus"].sentence.startswith("Nobody looks while the agent does not run.")


def test_where_no_facility_is_set_up_nobody_misses_the_agent() -> None:
    assert chips_of(Snapshot(), {}, NOW_S, configured=False) == ()
    (chip,) = chips_of(Snapshot(FeedState.OPEN), {}, NOW_S, configured=False)
    assert chip.state is State.UNKNOWN


def test_a_person_can_log_in_at_the_link_of_globus() -> None:
    made = in_outage(1)
    assert {chip.action for chip in chips(made).values()} == {""}
    found = chips(made, logs_in=True)
    assert {key for key, chip in found.items() if chip.action == LOG_IN} == {"globus"}


def test_words_from_outside_stay_one_sentence() -> None:
    observed = Observed(links={"x": Health("x", LinkState.DOWN, why="<b>odd</b>.")})
    (_, chip) = chips_of(Snapshot(FeedState.OPEN, observed=observed, agent=1), {}, NOW_S)
    assert chip.sentence == "x is down: <b>odd</b>."
