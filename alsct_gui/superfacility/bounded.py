"""Calls that end in time, whatever the service does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from alsct_gui.superfacility.errors import LinkDownError

T = TypeVar("T")


def bounded(call: Callable[[], T], timeout_s: float, *, where: str) -> T:
    """Call something in a thread of its own and wait for it at most so long.

    A time-out of the HTTP library bounds one read; a service that sends a byte now and then
    holds a call for ever. The thread of a call that is late goes on until its library gives
    up; nobody waits for it, and what it returns is dropped.

    Raises
    ------
    LinkDownError
        It took too long.
    """
    outcome: list[T] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(call())
        except BaseException as error:  # noqa: BLE001 - raised in the thread that waits
            failure.append(error)

    thread = threading.Thread(target=run, name=f"call-{where}", daemon=True)
    thread.start()
    thread.join(timeout_s)
    if thread.is_alive():
        raise LinkDownError(
            f"no answer within {timeout_s:g} s", where=where, fix="It is tried again by itself"
        )
    if failure:
        raise failure[0]
    return outcome[0]
