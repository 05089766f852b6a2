"""The post room: messages wait here while their ways are down; the agent never waits for one."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from alsct_gui.model.errors import AlsctError
from alsct_gui.model.message import Message
from alsct_gui.model.notify import Notify
from alsct_gui.superfacility.credentials import Credentials
from alsct_gui.superfacility.errors import LinkDownError
from alsct_gui.superfacility.notify.base import Sender
from alsct_gui.superfacility.notify.mail import MailSender
from alsct_gui.superfacility.notify.webhook import Webhook

KEPT = 100
"""Messages that wait for one way at most; the oldest go first."""
RETRY_S = 60.0
STALE_S = 6 * 3600.0
"""A message that is older is no news any more."""


@dataclass(slots=True)
class _Way:
    """One sender, and what waits for it."""

    sender: Sender
    waiting: deque[Message]
    due_s: float = 0.0


class Post:
    """Sends messages in a thread of its own; use as a context.

    Parameters
    ----------
    senders
        Ways to people; each gets every message.
    say
        Told what could not be sent and why, a sentence; for a log.
    clock
        Seconds since 1970.
    """

    def __init__(
        self, senders: Sequence[Sender], say: Callable[[str], object],
        clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._ways = [_Way(sender, deque(maxlen=KEPT)) for sender in senders]
        self._say, self._clock = say, clock
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="alsct-notify", daemon=True)

    def put(self, message: Message) -> None:
        """Have a message sent by every way; returns at once."""
        with self._changed:
            for way in self._ways:
                way.waiting.append(message)
            self._changed.notify_all()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join(5.0)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._closed and self._next() is None:
                    self._changed.wait(self._pause_s())
                if self._closed:
                    return
                way = self._next()
                message = way.waiting[0] if way is not None else None
            if way is not None and message is not None:
                self._send(way, message)

    def _next(self) -> _Way | None:
        now_s = self._clock()
        return next((way for way in self._ways if way.waiting and way.due_s <= now_s), None)

    def _pause_s(self) -> float | None:
        due = [way.due_s for way in self._ways if way.waiting]
        return max(0.01, min(due) - self._clock()) if due else None

    def _send(self, way: _Way, message: Message) -> None:
        try:
            if self._clock() - message.time_s < STALE_S:
                way.sender.send(message)
            else:
                self._say(f"Too old to be told by {way.sender.name}: {message.title}.")
        except LinkDownError as error:
            way.due_s = self._clock() + (error.retry_after_s or RETRY_S)
            self._say(error.sentence)
            return
        except AlsctError as error:
            self._say(f"{error.sentence} Not told: {message.title}.")
        with self._changed:
            if way.waiting and way.waiting[0] is message:
                way.waiting.popleft()


def senders_of(notify: Notify, secrets: Callable[[], Credentials]) -> tuple[Sender, ...]:
    """Return the ways to people that a profile names.

    Parameters
    ----------
    notify
        Of the profile.
    secrets
        Opens the place where secrets are; called only if one is needed.

    Raises
    ------
    RefusedError
        The address of a webhook is not usable, or is not stored.
    """
    found: list[Sender] = []
    for hook in notify.webhooks:
        url = hook.url or secrets().get(f"notify-{hook.name}") or ""
        found.append(Webhook(hook.name, url))
    mails = (MailSender(m, _password(secrets, f"notify-{m.name}")) for m in notify.mails)
    return (*found, *mails)


def _password(secrets: Callable[[], Credentials], name: str) -> Callable[[], str | None]:
    return lambda: secrets().get(name)
