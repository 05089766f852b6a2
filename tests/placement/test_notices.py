"""The agent tells people: real servers on loopback, and agents that are killed at any note."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from alsct_gui.model.notify import HookAddress, Mail, Notify
from alsct_gui.model.placement import Health, LinkState, Observed, StateKind
from alsct_gui.placement.agent import Agent, Services
from alsct_gui.placement.asking import ask_admit
from alsct_gui.placement.ledger import Ledger
from alsct_gui.placement.notices import KEPT, STALE_S, TELL_S, Notices
from alsct_gui.placement.services import Means
from alsct_gui.placement.telling import NOTE, Limits
from alsct_gui.superfacility.credentials import FileCredentials
from alsct_gui.superfacility.errors import RefusedError
from alsct_gui.superfacility.notify.post import PERSON_S, RETRY_S, Post, Way, ways_of
from tests.placement.placing import Facility, folder_policy, raw_file
from tests.superfacility.notify.servers import CANARY, WAIT_S, Hooks, Letters, serving

QUICK = Limits(settle_s=0.0, per_minute=100)


class Killed(BaseException):
    """Stands for the end of the process."""


class Office:
    """Agents of one ledger that tell people, one after the other.

    Parameters
    ----------
    facility
        Folders, a policy and a clock.
    notify
        Ways to people.
    """

    def __init__(self, facility: Facility, notify: Notify, secrets: Path) -> None:
        self.facility = facility
        self.ways: Mapping[str, Way] = ways_of(notify, lambda: FileCredentials(secrets))
        self.log: list[str] = []
        self._stack = ExitStack()
        self.begin()

    def begin(self) -> None:
        """Another agent after the one before has died."""
        self._stack.close()
        self._stack = ExitStack()
        facility = self.facility
        self.ledger = self._stack.enter_context(facility.ledger())
        self.post = self._stack.enter_context(Post(self.ways))
        self.notices = Notices(facility.policy, self.post, QUICK, facility.watch, self.log.append)
        means = Means(facility.policy, facility.watch, facility.queue, {"copies": facility.copier})
        services = Services(
            facility.policy, means.goals, facility.examine, lambda: facility.health,
            facility.watch, tell=self.notices.turn,
        )  # fmt: skip
        self.agent = Agent(self.ledger, services)

    def turn(self, count: int = 1) -> None:
        """Let the agent look, and what it hands over go out; the time of a look passes."""
        for _ in range(count):
            self.agent.turn()
            assert self.post.settle(WAIT_S)
            self.facility.watch.advance(TELL_S)

    def link(self, name: str, state: LinkState, **more: Any) -> None:
        now_s = self.facility.watch()
        known = dict(self.facility.health)
        self.facility.health = {**known, name: Health(name, state, now_s, **more)}

    def letters(self) -> list[dict[str, Any]]:
        """What waits, as the ledger has it."""
        return list(self.ledger.notes()[NOTE]["letters"])

    def close(self) -> None:
        self._stack.close()


@pytest.fixture
def hooks() -> Iterator[Hooks]:
    with serving(Hooks()) as server:
        yield server


@pytest.fixture
def mails() -> Iterator[Letters]:
    with serving(Letters()) as server:
        yield server


@pytest.fixture
def office(tmp_path: Path, hooks: Hooks, mails: Letters) -> Iterator[Office]:
    notify = Notify(
        (HookAddress("chat", hooks.url),),
        (Mail("crew", "127.0.0.1", "ct@a.example", ("b@a.example",), mails.port, encrypt=False),),
    )
    found = Office(Facility(tmp_path, folder_policy(tmp_path)), notify, tmp_path / "secrets")
    yield found
    found.close()


def titles(hooks: Hooks) -> list[str]:
    return [body["title"] for _, body in hooks.taken]


def test_a_beamtime_is_told_each_thing_once_by_every_way(
    office: Office, hooks: Hooks, mails: Letters
) -> None:
    """A link that goes and comes, what waits for a person, a key; agents come and go."""
    copies = office.facility.copier
    for fault in range(20):
        copies.faults.append(RefusedError(f"no right to write, code {fault}", fix="Ask for it"))
    ask_admit(office.ledger, raw_file(office.facility.root, "a.h5"))
    office.turn(2)
    assert titles(hooks) == ["1 scan needs you: no right to write, code 0"]
    for _ in range(5):  # it is tried again every hour, and refused
        office.facility.watch.advance(3600.0)
        office.begin()
        office.turn(3)
    assert len(hooks.taken) == 1
    copies.faults.clear()
    office.link("perlmutter", LinkState.DOWN, why="maintenance")
    office.turn(2)
    office.begin()
    office.turn(2)
    office.link("perlmutter", LinkState.UP)
    office.turn(2)
    assert titles(hooks)[1:] == ["Perlmutter is down", "Perlmutter is back"]
    end_s = office.facility.watch() + 12.5 * 3600
    office.link("key", LinkState.UP, until_s=end_s, fix="Make a new one")
    for _ in range(26):
        office.begin()
        office.turn(2)
        office.facility.watch.advance(1800.0 - 2 * TELL_S)
    keys = [title for title in titles(hooks) if title.startswith("The key for NERSC expires in")]
    assert [title.split(" in ")[1] for title in keys] == ["12 h", "4 h", "60 min"]
    assert len(mails.taken) == len(hooks.taken)
    assert office.letters() == []
    assert office.log == []


def test_a_debt_that_is_paid_is_told(office: Office, hooks: Hooks) -> None:
    office.facility.health = {
        name: Health(name, LinkState.DOWN, office.facility.watch(), why="away")
        for place in office.facility.policy.places for name in place.links
    }  # fmt: skip
    assert office.facility.health, "the policy has a place behind a link"
    ask_admit(office.ledger, raw_file(office.facility.root, "a.h5"))
    office.turn(3)
    for name in list(office.facility.health):
        office.link(name, LinkState.UP)
    office.turn(8)
    assert any(title.startswith("All that was owed to") for title in titles(hooks))
    assert max(Counter(titles(hooks)).values()) == 1


def test_a_way_that_is_down_stops_nothing_and_is_tried_again(
    office: Office, hooks: Hooks, mails: Letters
) -> None:
    hooks.statuses = [503, 503]
    ask_admit(office.ledger, raw_file(office.facility.root, "a.h5"))
    office.link("perlmutter", LinkState.DOWN)
    office.turn(6)
    kinds = {record.state.kind for record in office.agent.observed.goals.values()}
    assert kinds == {StateKind.MET}, "work goes on"
    assert len(mails.taken) == 1, "the other way works"
    (letter,) = office.letters()
    assert (letter["way"], letter["handed"]) == ("chat", False)
    assert len(hooks.taken) == 1
    assert len(office.log) == 1
    assert "503" in office.log[0]
    assert CANARY not in office.log[0]
    office.begin()  # and it is not forgotten with the agent
    office.facility.watch.advance(RETRY_S)
    office.turn(2)
    assert len(office.log) == 2
    office.facility.watch.advance(RETRY_S)
    office.turn(2)
    assert office.letters() == []
    assert (len(hooks.taken), len(mails.taken)) == (3, 1)


def test_what_a_way_does_not_take_is_in_the_log(office: Office, hooks: Hooks) -> None:
    hooks.statuses = [404]
    office.link("perlmutter", LinkState.DOWN)
    office.turn(2)
    assert office.letters() == []
    assert office.log[0].endswith("Not told: Perlmutter is down.")


def test_a_person_who_has_to_do_something_first_is_waited_for(
    tmp_path: Path, mails: Letters
) -> None:
    mail = Mail("crew", "127.0.0.1", "a@b.example", ("c@b.example",), mails.port, "ct", False)
    facility = Facility(tmp_path, folder_policy(tmp_path))
    office = Office(facility, Notify(mails=(mail,)), tmp_path / "secrets")
    office.link("perlmutter", LinkState.DOWN)
    office.turn(2)
    assert "alsct agent secret notify-crew" in office.log[0]
    FileCredentials(tmp_path / "secrets").put("notify-crew", CANARY)
    facility.watch.advance(PERSON_S)
    office.turn(2)
    assert len(mails.taken) == 1
    assert CANARY not in json.dumps(office.ledger.notes())
    office.close()


def test_no_turn_waits_for_a_way_that_does_not_answer(office: Office, hooks: Hooks) -> None:
    ask_admit(office.ledger, raw_file(office.facility.root, "a.h5"))
    office.link("perlmutter", LinkState.DOWN)
    hooks.gate = threading.Event()
    try:
        for _ in range(6):
            office.agent.turn()
            office.facility.watch.advance(TELL_S)
        kinds = {record.state.kind for record in office.agent.observed.goals.values()}
        assert kinds == {StateKind.MET}
        assert hooks.taken == []
    finally:
        hooks.gate.set()
    office.turn(2)
    assert titles(hooks) == ["Perlmutter is down"]


class Dying:
    """Writes the notes of a ledger, and dies with the agent at one of them.

    Parameters
    ----------
    ledger
        The ledger.
    last
        Number of the note at which it dies.
    after
        Whether that note is still written.
    """

    def __init__(self, ledger: Ledger, last: int, *, after: bool) -> None:
        self._ledger, self._left, self._after = ledger, last, after

    def notes(self) -> Mapping[str, Mapping[str, Any]]:
        return self._ledger.notes()

    def note(self, name: str, data: Mapping[str, Any]) -> None:
        self._left -= 1
        if self._left != 0 or self._after:
            self._ledger.note(name, data)
        if self._left == 0:
            raise Killed


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("last", range(1, 6))
def test_an_agent_that_is_killed_at_any_note_tells_nothing_twice(
    office: Office, hooks: Hooks, mails: Letters, last: int, after: bool
) -> None:
    dead = False
    notes: Any = Dying(office.ledger, last, after=after)
    for number in range(20):
        observed = Observed(links={
            "perlmutter": Health("perlmutter", LinkState.DOWN, office.facility.watch() - 90),
            "globus": Health("globus", LinkState.DOWN if number > 2 else LinkState.UP,
                             office.facility.watch() - 90),
        })  # fmt: skip
        try:
            office.notices.turn(observed, notes)
        except Killed:
            dead = True
            office.begin()
            notes = office.ledger
        assert office.post.settle(WAIT_S)
        office.facility.watch.advance(TELL_S)
    assert dead
    subjects = [line for letter in mails.taken for line in letter.decode().splitlines()
                if line.startswith("Subject: ")]  # fmt: skip
    told = [f"chat has told: {title}" for title in titles(hooks)]
    told += [f"crew has told: {subject.partition('] ')[2]}" for subject in subjects]
    assert max(Counter(told).values()) == 1
    unknown = [line.partition("whether ")[2].rstrip(".") for line in office.log]
    assert {*told, *unknown} == {
        f"{way} has told: {link} is down"
        for way in ("chat", "crew") for link in ("Perlmutter", "Globus")
    }, "what was not told is in the log"  # fmt: skip
    assert office.letters() == []


def test_what_is_old_or_too_much_or_for_nobody_is_given_up(office: Office, hooks: Hooks) -> None:
    now_s = office.facility.watch()

    def letter(way: str, number: int, age_s: float = 0.0) -> dict[str, Any]:
        return {
            "way": way, "due_s": now_s + 999, "handed": False, "title": f"n{number}",
            "words": "", "time_s": now_s - age_s, "grave": True,
        }  # fmt: skip

    many = [letter("chat", number) for number in range(KEPT + 2)]
    odd = [letter("crew", 1, STALE_S + 1), letter("gone", 2), {"way": "chat"}, 7, None]
    office.ledger.note(NOTE, {"letters": [*many, *odd], "down": ["perlmutter"]})
    office.turn()
    left = office.letters()
    assert [each["title"] for each in left] == [f"n{n}" for n in range(2, KEPT + 2)]
    assert sorted(office.log) == sorted(
        ["Given up for chat: n0.", "Given up for chat: n1.", "Given up for crew: n1.",
         "Given up for gone: n2."]
    )  # fmt: skip
    assert hooks.taken == []


def test_where_nobody_is_named_nothing_is_decided(tmp_path: Path) -> None:
    facility = Facility(tmp_path, folder_policy(tmp_path))
    office = Office(facility, Notify(), tmp_path / "secrets")
    office.link("perlmutter", LinkState.DOWN)
    office.turn(3)
    assert NOTE not in office.ledger.notes()
    office.close()
