"""The post room: messages go out in a thread of its own, so that the agent never waits for one."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Self

from alsct_gui.model.errors import AlsctError
from alsct_gui.model.message import Message
from alsct_gui.model.notify import HookAddress, Mail, Notify
from alsct_gui.superfacility.credentials import Credentials
from alsct_gui.superfacility.errors import LinkDownError, NeedsPersonError
from alsct_gui.superfacility.notify.base import Sender

RETRY_S = 60.0
"""After how long a message is sent again, where the service does not say."""
PERSON_S = 3600.0
"""The same where a person has to do something first: an account is not tried often in vain."""
_END_S = 5.0

Way = Callable[[], Sender]
"""Makes a sender; may read a secret, and raises `AlsctError` when it cannot."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it went with a message on one way."""

    way: str
    """Name of the way."""
    message: Message
    """What was to be sent."""
    why: str = ""
    """A sentence that tells why it was not sent; empty when it was."""
    again_s: float | None = None
    """After how long trying again is of use; None when it is sent, or is not taken."""


class Post:
    """Sends messages, each once, and tells how it went; use as a context for its thread.

    Parameters
    ----------
    ways
        Ways to people, by name; each is built when it is first needed.
    """

    def __init__(self, ways: Mapping[str, Way]) -> None:
        self._ways = dict(ways)
        self._built: dict[str, Sender] = {}
        self._changed = threading.Condition()
        self._waiting: deque[tuple[str, Message]] = deque()
        self._outcomes: list[Outcome] = []
        self._busy, self._closed = False, False
        self._thread = threading.Thread(target=self._run, name="alsct-notify", daemon=True)

    @property
    def ways(self) -> tuple[str, ...]:
        """Names of the ways to people."""
        return tuple(self._ways)

    def put(self, way: str, message: Message) -> None:
        """Have a message sent; returns at once."""
        with self._changed:
            self._waiting.append((way, message))
            self._changed.notify_all()

    def outcomes(self) -> tuple[Outcome, ...]:
        """Return how it went since this was last asked."""
        with self._changed:
            found, self._outcomes = tuple(self._outcomes), []
        return found

    def settle(self, timeout_s: float) -> bool:
        """Wait until nothing is under way; whether that is so."""
        with self._changed:
            return self._changed.wait_for(lambda: not (self._busy or self._waiting), timeout_s)

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
        self._thread.join(_END_S)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._waiting)
                if self._closed:
                    return
                way, message = self._waiting.popleft()
                self._busy = True
            outcome = self._send(way, message)
            with self._changed:
                self._busy = False
                self._outcomes.append(outcome)
                self._changed.notify_all()

    def _send(self, way: str, message: Message) -> Outcome:
        try:
            if way not in self._built:
                self._built[way] = self._ways[way]()
        except AlsctError as error:  # a person may store what is lacking
            return Outcome(way, message, error.sentence, RETRY_S)
        try:
            self._built[way].send(message)
        except LinkDownError as error:
            return Outcome(way, message, error.sentence, error.retry_after_s or RETRY_S)
        except NeedsPersonError as error:
            return Outcome(way, message, error.sentence, PERSON_S)
        except AlsctError as error:
            return Outcome(way, message, error.sentence)
        except Exception as error:  # noqa: BLE001 (a mistake in one way stops neither the others nor work)
            return Outcome(
                way, message, f"{way}: a mistake in the program ({type(error).__name__})."
            )
        return Outcome(way, message)


def ways_of(notify: Notify, secrets: Callable[[], Credentials]) -> dict[str, Way]:
    """Return the ways to people that a profile names.

    Parameters
    ----------
    notify
        Of the profile.
    secrets
        Opens the place where secrets are; called only if one is needed.
    """
    found: dict[str, Way] = {hook.name: partial(_hook, hook, secrets) for hook in notify.webhooks}
    found.update({mail.name: partial(_mail, mail, secrets) for mail in notify.mails})
    return found


def _hook(hook: HookAddress, secrets: Callable[[], Credentials]) -> Sender:
    # What speaks to servers takes time to import, and most agents have nobody to tell.
    from alsct_gui.superfacility.notify.webhook import Webhook

    return Webhook(hook.name, hook.url or secrets().get(f"notify-{hook.name}") or "")


def _mail(mail: Mail, secrets: Callable[[], Credentials]) -> Sender:
    from alsct_gui.superfacility.notify.mail import MailSender

    return MailSender(mail, lambda: secrets().get(f"notify-{mail.name}"))
