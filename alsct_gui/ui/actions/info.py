"""What a command is, and when it can be given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from alsct_gui.ui.session import Situation

When = Callable[[Situation], bool]


def always(_: Situation) -> bool:
    """At any time."""
    return True


def with_scan(situation: Situation) -> bool:
    """While a readable scan is selected."""
    return situation.has_scan


def with_volume(situation: Situation) -> bool:
    """While a volume is open."""
    return situation.has_volume


def with_picture(situation: Situation) -> bool:
    """While there is anything to look at."""
    return situation.has_scan or situation.has_volume


def with_flat_picture(situation: Situation) -> bool:
    """While there is a picture of two dimensions."""
    return with_picture(situation) and not situation.in_space


def why_not(when: When, situation: Situation) -> str:
    """Say what a command that cannot be given now waits for; empty when it can."""
    if when(situation):
        return ""
    if when is with_flat_picture and situation.in_space:
        return "Not in 3-D: choose slices or three cuts."
    return _NEEDS.get(when, "")


_NEEDS: dict[When, str] = {
    with_scan: "Needs a scan that can be read.",
    with_volume: "Needs a volume: reconstruct a scan or open one.",
    with_picture: "Needs a scan or a volume.",
    with_flat_picture: "Needs a scan or a volume.",
}


@dataclass(frozen=True, slots=True)
class ActionInfo:
    """One command."""

    key: str
    """Stable name, ``group.verb``."""
    text: str
    """A verb and its object, as menus and the palette show it."""
    menu: str
    """Menu it stands in, by its title; the sheet groups by it too."""
    tip: str
    """One sentence: what it does."""
    shortcut: str = ""
    """As Qt writes it, for example ``Ctrl+K``; empty for none."""
    icon: str = ""
    """Name of the icon; empty for none."""
    when: When = always
    """Whether it can be given now."""
    checkable: bool = False
    """Whether it is on or off."""
    separated: bool = False
    """Whether a line stands above it in its menu."""
