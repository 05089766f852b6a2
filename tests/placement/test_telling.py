"""What is worth telling: once, together, and no more than a person can bear."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from alsct_gui.model.message import Message
from alsct_gui.model.placement import (
    MET,
    GoalKey,
    GoalRecord,
    Health,
    LinkState,
    Observed,
    StepState,
    blocked,
    failed,
    waiting,
)
from alsct_gui.model.policy import Lane, Place, Policy, Product, Site, Wish
from alsct_gui.placement.telling import (
    Limits,
    Told,
    beginning,
    tell,
    told_from_plain,
    told_to_plain,
)

NOW_S = 1_800_000_000.0
POLICY = Policy(
    "p", (Site("here", outside=False), Site("nersc", "NERSC")),
    (Lane("here"), Lane("globus"), Lane("slurm")),
    (
        Place("raw", "here", "here"), Place("cfs", "nersc", "globus", links=("globus",)),
        Place("rec", "nersc", "slurm", links=("perlmutter",)),
    ),
    "raw", (Wish("w", Product.RAW, ("cfs",)),),
)  # fmt: skip
NO_RIGHT = blocked("no right to write", "Ask for it")


def key(number: int, place: str = "cfs", product: Product = Product.RAW) -> str:
    recipe = "a" * 12 if product is Product.RECONSTRUCTION else "-"
    return GoalKey(f"{number:032x}", product, place, recipe).text


def goals(*states: StepState, place: str = "cfs", since_s: float = NOW_S - 600) -> Observed:
    observed = Observed()
    for number, state in enumerate(states):
        name = key(number, place)
        observed.goals[name] = GoalRecord(name, state, since_s)
    return observed


def link(name: str, state: LinkState, since_s: float = NOW_S - 600, **more: object) -> Health:
    return Health(name, state, since_s, **more)  # type: ignore[arg-type]


class Teller:
    """Tells again and again, as an agent does."""

    def __init__(self, told: Told | None = None, limits: Limits | None = None) -> None:
        self.told, self.limits = told or Told(), limits
        self.sent: list[Message] = []

    def __call__(self, observed: Observed, now_s: float = NOW_S) -> tuple[Message, ...]:
        self.told, messages = tell(POLICY, observed, self.told, now_s, self.limits)
        self.sent += messages
        return messages


def test_a_link_that_goes_down_and_returns_is_told_once_each() -> None:
    teller, observed = Teller(), Observed()
    observed.links["perlmutter"] = link(
        "perlmutter", LinkState.DOWN, why="maintenance", affects="Work goes on here"
    )
    (message,) = teller(observed)
    assert message.title == "Perlmutter is down"
    assert message.words == "maintenance. Work goes on here."
    assert message.grave
    assert teller(observed, NOW_S + 3600) == ()
    observed.links["perlmutter"] = link("perlmutter", LinkState.UP, NOW_S + 3600)
    assert teller(observed, NOW_S + 3610) == (), "it has to last"
    (back,) = teller(observed, NOW_S + 3700)
    assert back.title == "Perlmutter is back"
    assert not back.grave
    assert teller(observed, NOW_S + 9999) == ()


def test_what_comes_and_goes_is_no_news() -> None:
    teller, observed = Teller(), Observed()
    for step in range(40):
        state = LinkState.DOWN if step % 2 else LinkState.UP
        observed.links["globus"] = link("globus", state, NOW_S + 30 * step)
        teller(observed, NOW_S + 30 * step + 29)
    assert teller.sent == []


def test_what_waits_for_a_person_is_told_by_its_cause() -> None:
    teller = Teller()
    observed = goals(NO_RIGHT, NO_RIGHT, blocked("no such proposal", "Name it"), waiting("x"))
    (message,) = teller(observed)
    assert message.title == "2 scans need you: no right to write, and 1 more"
    assert message.words.splitlines() == [
        "2 scans need you: no right to write. Ask for it.",
        "1 scan needs you: no such proposal. Name it.",
    ]
    assert teller(observed, NOW_S + 600) == ()
    name = key(0)
    observed.goals[name] = replace(observed.goals[name], state=MET)
    teller(observed, NOW_S + 700)
    observed.goals[name] = GoalRecord(name, NO_RIGHT, NOW_S + 800)
    (again,) = teller(observed, NOW_S + 3600)
    assert again.title == "1 scan needs you: no right to write"


def test_what_is_tried_again_and_blocked_again_is_told_again_only_for_another_cause() -> None:
    teller, name, now_s = Teller(), key(0), NOW_S
    for number in range(8, 30):  # every hour
        cause = f"failed {number} times, at last: no answer within {number} s"
        for state in (waiting("globus"), blocked(cause, "Look at it"), failed("it stalls")):
            observed = Observed(goals={name: GoalRecord(name, state, now_s)})
            teller(observed, now_s + 600)
            now_s += 1200
    (message,) = teller.sent
    assert message.title.endswith("failed 8 times, at last: no answer within 8 s")
    teller(goals(NO_RIGHT), now_s)
    assert [m.title for m in teller.sent[1:]] == ["1 scan needs you: no right to write"]


def test_causes_that_differ_by_a_number_are_told_as_one() -> None:
    causes = (blocked(f"{free} bytes are free", "Make room") for free in (7, 100, 2048))
    (message,) = Teller()(goals(*causes))
    assert message.title == "3 scans need you: 7 bytes are free"


def test_a_cause_that_holds_up_scan_after_scan_is_told_once_an_hour() -> None:
    teller = Teller()
    for minute in range(1, 121):
        states = [NO_RIGHT] * minute
        observed = goals(*states, since_s=NOW_S - 100)
        teller(observed, NOW_S + 60 * minute)
    assert [message.title for message in teller.sent] == [
        "1 scan needs you: no right to write", "60 scans need you: no right to write",
    ]  # fmt: skip


def test_nobody_is_told_of_what_a_person_holds() -> None:
    observed = goals(NO_RIGHT)
    name = key(0)
    observed.goals[name] = replace(observed.goals[name], held=True)
    assert Teller()(observed) == ()


def test_a_debt_is_told_when_it_is_paid_after_an_outage() -> None:
    teller = Teller()
    owed = goals(*[waiting("globus")] * 37)
    assert teller(owed) == (), "every scan is owed for a while"
    owed.links["globus"] = link("globus", LinkState.DOWN)
    assert [m.title for m in teller(owed)] == ["Globus is down"]
    owed.links["globus"] = link("globus", LinkState.UP, NOW_S + 900)
    for number in range(30):
        owed.goals[key(number)] = replace(owed.goals[key(number)], state=MET)
    assert [m.title for m in teller(owed, NOW_S + 1000)] == ["Globus is back"]
    for number in range(30, 37):
        owed.goals[key(number)] = replace(owed.goals[key(number)], state=MET)
    (paid,) = teller(owed, NOW_S + 2000)
    assert paid.title == "All that was owed to NERSC is there"
    assert paid.words == "At most 37 scans were owed."
    assert teller(owed, NOW_S + 3000) == ()


def test_a_key_is_spoken_of_three_times() -> None:
    teller, observed = Teller(), Observed()
    end_s = NOW_S + 13 * 3600
    observed.links["key"] = link("key", LinkState.UP, until_s=end_s, fix="Make a new one")
    for hours in range(13):
        teller(observed, NOW_S + 3600 * hours + 60)
    teller(observed, end_s - 60)
    assert [message.title for message in teller.sent] == [
        "The key for NERSC expires in 12 h", "The key for NERSC expires in 4 h",
        "The key for NERSC expires in 59 min",
    ]  # fmt: skip
    observed.links["key"] = link("key", LinkState.UP, until_s=end_s + 48 * 3600)
    assert teller(observed, end_s) == ()
    (anew,) = teller(observed, end_s + 37 * 3600)
    assert "expires in 11 h" in anew.title


def test_no_more_than_so_many_in_a_minute_and_the_rest_together() -> None:
    teller = Teller(limits=Limits(settle_s=0.0, per_minute=2))
    observed = Observed()
    for number in range(10):
        name = f"link-{number}"
        observed.links[name] = link(name, LinkState.DOWN)
        teller(observed, NOW_S + number)
    assert len(teller.sent) == 2
    (rest,) = teller(observed, NOW_S + 61)
    assert rest.title == "link-2 is down, and 7 more"
    assert len(rest.words.splitlines()) == 8


def test_a_window_that_opens_is_told_nothing_old() -> None:
    observed = goals(NO_RIGHT, waiting("globus"))
    observed.links["globus"] = link("globus", LinkState.DOWN)
    teller = Teller(beginning(POLICY, observed))
    assert teller(observed) == ()
    observed.links["globus"] = link("globus", LinkState.UP, NOW_S)
    assert [m.title for m in teller(observed, NOW_S + 99)] == ["Globus is back"]


def test_what_was_told_survives_the_agent() -> None:
    limits = Limits(per_minute=1)
    teller = Teller(limits=limits)
    observed = goals(NO_RIGHT)
    observed.links["globus"] = link("globus", LinkState.DOWN)
    teller(observed)
    observed.links["cfs"] = link("cfs", LinkState.DOWN)
    assert teller(observed, NOW_S + 1) == ()
    plain = json.loads(json.dumps(told_to_plain(teller.told)))
    again = Teller(told_from_plain(plain), limits)
    assert again.told == teller.told
    (rest,) = again(observed, NOW_S + 100)
    assert rest.title == "Community file system is down"
    for bad in (
        {},
        {"owed": 5},
        {"waiting": [1]},
        {"blocked": ["a"]},
        {"key_hours": "x"},
        {"sent_s": "ab"},
    ):
        assert told_from_plain(bad) == Told()


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["globus", "cfs", "key"]), st.sampled_from(list(LinkState)),
            st.floats(0, 300),
        ),
        max_size=40,
    )
)  # fmt: skip
def test_never_the_same_twice_in_a_row(steps: list[tuple[str, LinkState, float]]) -> None:
    teller, observed, now_s = Teller(limits=Limits(per_minute=1000)), Observed(), NOW_S
    for name, state, pause_s in steps:
        known = observed.links.get(name)
        if known is None or known.state is not state:
            observed.links[name] = link(name, state, now_s)
        now_s += pause_s
        teller(observed, now_s)
    said: dict[str, str] = {}
    for message in teller.sent:
        for line in [message.title, *message.words.splitlines()]:
            for name in ("Globus", "Community file system", "Key for NERSC"):
                for word in ("is down", "is back"):
                    if line.startswith(f"{name} {word}") and message.title != line:
                        assert said.get(name) != word
                        said[name] = word
