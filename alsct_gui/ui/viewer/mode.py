"""What the stage asks of a mode, and what every mode shares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from alsct_gui.ui.actions.book import ActionBook
from alsct_gui.ui.picture import Picture
from alsct_gui.ui.services import Services
from alsct_gui.ui.session import Mode, Session
from alsct_gui.ui.tasks import Tasks
from alsct_gui.ui.viewer.host import NapariHost
from alsct_gui.ui.widgets.parts import GAP_PX, MARGIN_PX

if TYPE_CHECKING:
    from alsct_gui.ui.viewer.layers import Shelf


@dataclass(frozen=True, eq=False)
class Surroundings:
    """What every mode is given."""

    session: Session
    tasks: Tasks
    services: Services
    book: ActionBook
    host: NapariHost
    """Open, once a mode is entered."""
    shelf: Shelf
    """The layers that modes show pictures in."""

    def measure(self, *, known: bool) -> None:
        """Measure own layers in micrometre, with a scale bar, where pixels have a size."""
        self.shelf.measure_in("um" if known else "pixel")
        self.host.show_scale_bar(known)


@dataclass(frozen=True)
class Cover:
    """Words over the canvas while there is nothing to see."""

    title: str
    words: str
    verb: str = ""
    """On a button; empty for none."""
    does: Callable[[], object] | None = None


class ModeSignals(QObject):
    """What a mode tells the stage."""

    picture_changed = Signal(object)
    """Picture | None."""
    limits_changed = Signal(float, float)
    """Values shown as black and as white."""
    pixel_pointed = Signal(str)
    """What is under the mouse, in words; empty for nothing."""
    cover_changed = Signal()
    """Look at `ViewMode.cover` again."""


class ViewMode(Protocol):
    """One way to look at the selection.

    The stage calls `enter` when the mode is chosen (napari is open then) and `leave` when
    another one is; layers are hidden between the two, not removed.
    """

    key: Mode
    title: str
    """On the tab."""
    bar: QWidget
    """What one moves with, below the canvas; the stage shows it between `enter` and `leave`."""
    signals: ModeSignals
    shows_sliders: bool
    """Whether napari's own sliders are shown."""

    @property
    def is_quiet(self) -> bool:
        """Whether everything that was asked for has come."""

    def enter(self) -> None:
        """Show the mode's layers and begin to listen."""

    def leave(self) -> None:
        """Hide the mode's layers; stop what runs."""

    def close(self) -> None:
        """Put away; called once, before napari is shut."""

    def cover(self) -> Cover | None:
        """Words to lay over the canvas; None while there is a picture."""

    def picture(self) -> Picture | None:
        """What is seen, for whoever measures it."""

    def set_limits(self, low: float, high: float) -> None:
        """Take a contrast from a person."""

    def reset_limits(self) -> None:
        """Let the contrast follow the picture again."""

    def fit(self) -> None:
        """Show the whole picture."""

    def step(self, by: int) -> None:
        """Go on by so many frames, rows or slices."""

    def step_to(self, last: bool) -> None:
        """Go to the first or the last one."""

    def renew_icons(self) -> None:
        """Draw icons in the theme's colours."""


def bar_row(bar: QWidget) -> QHBoxLayout:
    """Make a widget a mode's bar, and return the row that its parts go into."""
    bar.setObjectName("panel")
    bar.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
    bar.setFixedHeight(40)
    row = QHBoxLayout(bar)
    row.setContentsMargins(MARGIN_PX, 4, MARGIN_PX, 4)
    row.setSpacing(GAP_PX)
    return row
