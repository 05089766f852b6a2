"""What is told to people who do not look at the window."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """Something worth telling."""

    title: str
    """In a few words, one line."""
    words: str
    """All of it: sentences, a line each."""
    time_s: float
    """When it was noticed, seconds since 1970."""
    grave: bool = False
    """Whether somebody should come."""

    @property
    def text(self) -> str:
        """Title and words."""
        return f"{self.title}\n{self.words}".rstrip()
