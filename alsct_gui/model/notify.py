"""Who is told what is worth telling, and how: part of a beamline's profile."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class HookAddress:
    """An address that takes messages as JSON."""

    name: str
    """Short name; the secret of it is kept as ``notify-NAME``."""
    url: str = ""
    """Where to; empty when the address is a secret and kept as such."""


@dataclass(frozen=True, slots=True)
class Mail:
    """E-mail through a server."""

    name: str
    """Short name; the password of the account is kept as ``notify-NAME``."""
    host: str
    """Mail server."""
    sender: str
    """Address it comes from."""
    recipients: tuple[str, ...]
    """Addresses it goes to."""
    port: int = field(default=587, metadata={"min": 1, "max": 65535})
    """Port of the server."""
    user: str = ""
    """Account at the server; empty for none."""
    encrypt: bool = True
    """Whether to insist on encryption (STARTTLS)."""
    tag: str = "8.3.2"
    """In brackets before each subject; empty for none."""


@dataclass(frozen=True, slots=True)
class Notify:
    """Ways to people, and how much goes over them."""

    webhooks: tuple[HookAddress, ...] = ()
    """Addresses that take messages as JSON."""
    mails: tuple[Mail, ...] = ()
    """E-mail."""
    per_minute: int = field(default=2, metadata={"min": 1, "max": 60})
    """Messages in a minute at most; the rest is told together, later."""
    settle_s: float = field(default=60.0, metadata={"min": 0.0})
    """How long a thing must last before it is told."""
