"""The agent tells people who do not look at the window: each thing once, over every way.

::

    decided  --note-->  waits  --note-->  handed to the post room  -->  outcome  --note-->  gone

What was told, and which message waits for which way, is one note in the ledger, written before
a message goes out. A message that had been handed over when the agent died may have arrived:
it is not sent again, and the log says so. To tell nothing twice comes before telling it surely,
since the board shows all of it anyway.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from alsct_gui.model.message import Message
from alsct_gui.model.placement import Observed
from alsct_gui.model.policy import Policy
from alsct_gui.placement.goals.base import Clock
from alsct_gui.placement.telling import (
    NOTE,
    Limits,
    Told,
    tell,
    told_from_plain,
    told_to_plain,
)
from alsct_gui.superfacility.notify.post import Post

TELL_S = 5.0
"""Time between two looks whether something is worth telling."""
STALE_S = 6 * 3600.0
"""A message that is older is no news any more."""
KEPT = 100
"""Messages that wait for one way at most; the oldest are given up."""


class Notes(Protocol):
    """Where the note is kept: the ledger."""

    def note(self, name: str, data: Mapping[str, Any]) -> None:
        """Keep a note; the one before is forgotten."""
        ...

    def notes(self) -> Mapping[str, Mapping[str, Any]]:
        """Return all notes by name."""
        ...


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that waits for one way."""

    way: str
    message: Message
    due_s: float = 0.0
    """Not to be sent before."""
    handed: bool = False
    """Whether it was handed over, so that it may have arrived."""


def say(sentence: str) -> None:
    """Write a sentence into the agent's log."""
    sys.stderr.write(f"alsct agent: {sentence}\n")
    sys.stderr.flush()


class Notices:
    """Decides, keeps and hands over what is told; never waits for anybody.

    Parameters
    ----------
    policy
        Names sites and what leads to them.
    post
        Sends in a thread of its own.
    limits
        How much is told.
    clock
        Seconds since 1970.
    log
        Told what could not be sent and why, a sentence.
    """

    def __init__(
        self, policy: Policy, post: Post, limits: Limits, clock: Clock,
        log: Callable[[str], object] = say,
    ) -> None:  # fmt: skip
        self._policy, self._post, self._limits, self._clock = policy, post, limits, clock
        self._log = log
        self._told: Told | None = None
        self._letters: tuple[Letter, ...] = ()
        self._kept: Mapping[str, Any] = {}
        self._looked_s = -TELL_S
        self._said: dict[str, str] = {}

    def turn(self, observed: Observed, notes: Notes) -> None:
        """Tell what is worth telling by now, and take in how it went with what was sent.

        Raises
        ------
        LedgerError
            The note cannot be written; nothing is sent then.
        """
        if not self._post.ways:
            return
        told = self._told if self._told is not None else self._begin(notes)
        now_s = self._clock()
        self._take_outcomes(now_s)
        if now_s - self._looked_s >= TELL_S:
            self._looked_s = now_s
            told, messages = tell(self._policy, observed, told, now_s, self._limits)
            self._letters += tuple(Letter(w, m, now_s) for m in messages for w in self._post.ways)
        self._told = told
        self._give_up(now_s)
        handed = self._hand_over(now_s)
        self._keep(notes)
        for letter in handed:
            self._post.put(letter.way, letter.message)

    def _begin(self, notes: Notes) -> Told:
        """Take up what the last agent has left."""
        self._kept = notes.notes().get(NOTE, {})
        letters = _letters_from_plain(self._kept.get("letters", ()))
        for letter in letters:
            if letter.handed:
                self._log(f"It is not known whether {letter.way} has told: {letter.message.title}.")
        self._letters = tuple(letter for letter in letters if not letter.handed)
        self._told = told_from_plain(self._kept)
        return self._told

    def _take_outcomes(self, now_s: float) -> None:
        for outcome in self._post.outcomes():
            mine = (
                letter for letter in self._letters
                if letter.handed and (letter.way, letter.message) == (outcome.way, outcome.message)
            )  # fmt: skip
            letter = next(mine, None)
            if letter is None:
                continue
            self._letters = tuple(other for other in self._letters if other is not letter)
            if not outcome.why:
                self._said.pop(outcome.way, None)
                continue
            if outcome.again_s is None:
                self._log(f"{outcome.why} Not told: {outcome.message.title}.")
                continue
            if self._said.get(outcome.way) != outcome.why:  # once, not every minute
                self._said[outcome.way] = outcome.why
                self._log(outcome.why)
            later = replace(letter, due_s=now_s + outcome.again_s, handed=False)
            self._letters = (later, *self._letters)

    def _give_up(self, now_s: float) -> None:
        """Forget what is old, too much, or for a way that the profile no longer names."""
        left: list[Letter] = []
        count: dict[str, int] = {}
        for letter in reversed(self._letters):
            count[letter.way] = count.get(letter.way, 0) + 1
            old = now_s - letter.message.time_s > STALE_S or count[letter.way] > KEPT
            if letter.handed or (letter.way in self._post.ways and not old):
                left.insert(0, letter)
            else:
                self._log(f"Given up for {letter.way}: {letter.message.title}.")
        self._letters = tuple(left)

    def _hand_over(self, now_s: float) -> list[Letter]:
        """Mark what goes out now: one message a way at a time, in their order."""
        busy = {letter.way for letter in self._letters if letter.handed}
        handed, letters = [], []
        for letter in self._letters:
            if letter.way not in busy:
                busy.add(letter.way)  # what comes later waits behind it
                if letter.due_s <= now_s:
                    letter = replace(letter, handed=True)
                    handed.append(letter)
            letters.append(letter)
        self._letters = tuple(letters)
        return handed

    def _keep(self, notes: Notes) -> None:
        """Write the note, if it says otherwise than the one before."""
        if self._told is None:
            return
        plain = {**told_to_plain(self._told), "letters": [_to_plain(x) for x in self._letters]}
        if plain != self._kept:
            notes.note(NOTE, plain)
            self._kept = plain


def _to_plain(letter: Letter) -> dict[str, Any]:
    message = letter.message
    return {
        "way": letter.way, "due_s": letter.due_s, "handed": letter.handed,
        "title": message.title, "words": message.words, "time_s": message.time_s,
        "grave": message.grave,
    }  # fmt: skip


def _letters_from_plain(plain: object) -> tuple[Letter, ...]:
    """Read letters back; what makes no sense is no letter."""
    found = []
    for each in plain if isinstance(plain, list) else ():
        try:
            message = Message(
                str(each["title"]), str(each["words"]), float(each["time_s"]), bool(each["grave"])
            )
            found.append(
                Letter(str(each["way"]), message, float(each["due_s"]), bool(each["handed"]))
            )
        except (KeyError, TypeError, ValueError):
            continue
    return tuple(found)
