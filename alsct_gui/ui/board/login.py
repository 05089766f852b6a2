"""The login to Globus, begun with one click, given up with another."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

from alsct_gui.model.errors import AlsctError, CancelledError
from alsct_gui.ui.session import Level, Notice, Session
from alsct_gui.ui.tasks import Tasks, details_of

_SERVICE = "Here the beamline's own client logs in to Globus, by itself."


class Login:
    """One login at a time, in a process of its own, while the window goes on.

    Parameters
    ----------
    session, tasks
        What every panel gets.
    log_in
        Has a person log in, until they have or the event gives it up; None where none has to.
    """

    def __init__(
        self, session: Session, tasks: Tasks, log_in: Callable[[threading.Event], None] | None
    ) -> None:
        self._session, self._tasks, self._log_in = session, tasks, log_in
        self._given_up: threading.Event | None = None

    def begin(self) -> None:
        """Open the page of the login in the browser; one that is open already is given up."""
        if self._log_in is None:
            self._say(Level.INFO, _SERVICE)
            return
        self.close()
        self._given_up = threading.Event()
        self._tasks.start(self._wait(self._log_in, self._given_up), "Logging in to Globus")
        self._session.notice(
            Notice(
                Level.INFO, "The browser shows the login to Globus. Finish it there.",
                action_text="Give up", action=self.close, key="login",
            )
        )  # fmt: skip

    def close(self) -> None:
        """Give up a login that is not finished."""
        if self._given_up is not None:
            self._given_up.set()
            self._given_up = None

    async def _wait(
        self, log_in: Callable[[threading.Event], None], given_up: threading.Event
    ) -> None:
        try:
            await asyncio.to_thread(log_in, given_up)
        except CancelledError:
            return  # another one was begun, or whoever gave it up knows
        except AlsctError as error:
            self._session.notice(
                Notice(
                    Level.WARNING, error.sentence, details=details_of(error),
                    action_text="Log in", action=self.begin, key="login",
                )
            )  # fmt: skip
            return
        finally:
            given_up.set()  # also when the window closes: the thread ends with the process
        self._say(Level.INFO, "You are logged in to Globus; what waited for that is tried again.")

    def _say(self, level: Level, sentence: str) -> None:
        self._session.notice(Notice(level, sentence, key="login"))
