"""Undo and redo over a frozen value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Generic, Self, TypeVar

Value = TypeVar("Value")

_KEPT = 200


@dataclass(frozen=True, slots=True)
class History(Generic[Value]):
    """A value, what it was before, and what it was before undoing.

    Changes that carry the same `touch` follow one another as one step, so that a slider that
    is dragged is undone at once.
    """

    present: Value
    """The value as it is."""
    past: tuple[Value, ...] = ()
    """Earlier values, oldest first."""
    future: tuple[Value, ...] = ()
    """Values that were undone, the next one first."""
    touch: str = ""
    """What the last change was made with; empty when the next one is a step of its own."""

    def changed(self, value: Value, touch: str = "") -> Self:
        """Return the history after a change; unchanged when the value is the same."""
        if value == self.present:
            return self
        if touch and touch == self.touch and not self.future:
            return replace(self, present=value)
        past = (*self.past, self.present)[-_KEPT:]
        return replace(self, present=value, past=past, future=(), touch=touch)

    def settled(self) -> Self:
        """Return the history so that the next change is a step of its own."""
        return replace(self, touch="")

    def undone(self) -> Self:
        """Return the history one step back; unchanged when there is none."""
        if not self.past:
            return self
        future = (self.present, *self.future)
        return replace(self, present=self.past[-1], past=self.past[:-1], future=future, touch="")

    def redone(self) -> Self:
        """Return the history one undone step forward; unchanged when there is none."""
        if not self.future:
            return self
        past = (*self.past, self.present)
        return replace(self, present=self.future[0], past=past, future=self.future[1:], touch="")
