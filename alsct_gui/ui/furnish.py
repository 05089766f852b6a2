"""Which panel stands where. Each panel is made from the session and the services alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from alsct_gui.ui.program import Program


class Themed(Protocol):
    """Something that is drawn in the theme's colours."""

    def renew_icons(self) -> None:
        """Draw icons and painted parts in the theme's colours."""


class Part(Themed, Protocol):
    """Something in the window that has to be put away."""

    def close(self) -> object:
        """Put away: end timers, cancel what was asked for."""


@dataclass(frozen=True, eq=False)
class Parts:
    """What the window is furnished with."""

    open_path: Callable[[Path], object]
    """Open a file or folder that a person named."""
    all: tuple[Part, ...]
    """Everything that must be put away."""


def furnish(program: Program) -> Parts:
    """Make every panel, place it, and bind its commands."""
    return Parts(program.session.select, ())
