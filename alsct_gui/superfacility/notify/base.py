"""What sends messages to people, whatever way they go."""

from __future__ import annotations

from typing import Protocol

from alsct_gui.model.message import Message


class Sender(Protocol):
    """One way to people.

    `send` may raise `LinkDownError` (try later) or `RefusedError` (trying again is of no use).
    """

    @property
    def name(self) -> str:
        """Its name in the profile; addresses and secrets are not told."""
        ...

    def send(self, message: Message) -> None:
        """Send a message; returns when whoever carries it has taken it. Bounded in time."""
        ...
