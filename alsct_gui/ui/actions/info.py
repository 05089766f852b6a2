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


def with_goals(situation: Situation) -> bool:
    """While cells of the board are chosen that are wanted and not met."""
    return situation.on_board.goals > 0


def with_retry(situation: Situation) -> bool:
    """While anything is chosen on the board that can be tried again."""
    return situation.on_board.goals > 0 or situation.on_board.arrivals > 0


def with_moving(situation: Situation) -> bool:
    """While cells of the board are chosen that something is under way for."""
    return situation.on_board.moving > 0


def with_held(situation: Situation) -> bool:
    """While cells of the board are chosen that a person holds back."""
    return situation.on_board.held > 0


def with_rows(situation: Situation) -> bool:
    """While scans are chosen on the board."""
    return situation.on_board.scans > 0


def with_wantable(situation: Situation) -> bool:
    """While cells of the board are chosen at which something could be wanted."""
    return situation.on_board.wantable > 0


def with_unwantable(situation: Situation) -> bool:
    """While cells of the board are chosen whose wish can be taken back."""
    return situation.on_board.unwantable > 0


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
    with_goals: "Needs cells of the board that are wanted and not met.",
    with_retry: "Needs cells of the board that are wanted and not met.",
    with_moving: "Needs cells of the board that something is under way for.",
    with_held: "Needs cells of the board that are held.",
    with_rows: "Needs scans that are chosen on the board.",
    with_wantable: "Needs cells of the board at which nothing is wanted.",
    with_unwantable: "Needs cells of the board that are wanted and not met.",
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
