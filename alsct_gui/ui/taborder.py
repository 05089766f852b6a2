"""The Tab key goes through the window as one reads it: panel by panel, row by row.

Qt goes by the order in which widgets were made, and many are made late: napari's, the rows of
an estimate, the pages of a drawer. So the order is found anew at each press, from where things
lie.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QAbstractButton, QWidget


@dataclass(frozen=True, slots=True)
class Box:
    """Where something lies, pixels from the upper left corner."""

    left: int
    top: int
    height: int

    @property
    def middle(self) -> float:
        """Half-way down."""
        return self.top + self.height / 2


def reading_order(boxes: Sequence[Box]) -> list[int]:
    """Return the places of boxes in the order in which one reads them. Pure.

    What has its middle above the lower edge of the first of a row is in that row.
    """
    waiting = sorted(range(len(boxes)), key=lambda at: (boxes[at].top, boxes[at].left))
    order: list[int] = []
    while waiting:
        first = boxes[waiting[0]]
        row = [at for at in waiting if boxes[at].middle < first.top + first.height]
        row = row or waiting[:1]
        order += sorted(row, key=lambda at: boxes[at].left)
        waiting = [at for at in waiting if at not in row]
    return order


def takes_tab(part: QWidget) -> bool:
    """Return whether Tab stops at a widget; of a choice, at what is chosen: arrows change it."""
    if part.focusProxy() is not None:
        return False
    group = part.group() if isinstance(part, QAbstractButton) else None
    if group is not None and group.exclusive() and group.checkedButton() is not None:
        return part is group.checkedButton()
    return bool(part.focusPolicy() & Qt.FocusPolicy.TabFocus)


def stops_in(panel: QWidget) -> list[QWidget]:
    """Return what Tab stops at within a panel, as it is seen now, in reading order."""
    found = [
        part
        for part in panel.findChildren(QWidget)
        if part.isVisible() and part.isEnabled() and takes_tab(part)
    ]
    corners = [part.mapTo(panel, QPoint(0, 0)) for part in found]
    boxes = [
        Box(corner.x(), corner.y(), part.height())
        for corner, part in zip(corners, found, strict=True)
    ]
    return [found[at] for at in reading_order(boxes)]


def next_stop(
    panels: Sequence[QWidget], current: QWidget | None, *, forward: bool
) -> QWidget | None:
    """Return where Tab goes from a widget, round and round.

    Parameters
    ----------
    panels
        In their order.
    current
        What has the keyboard.
    forward
        False for Shift+Tab.

    Returns
    -------
    QWidget or None
        None when what has the keyboard lies in none of the panels: an order of its own holds
        there.
    """
    home = next(
        (panel for panel in panels if current is not None and panel.isAncestorOf(current)), None
    )
    if current is not None and home is None and current not in panels:
        return None
    stops = [stop for panel in panels for stop in stops_in(panel)]
    if not stops:
        return None
    if current in stops:
        return stops[(stops.index(current) + (1 if forward else -1)) % len(stops)]
    # It stops at what lies within a stop, or at something that Tab does not stop at.
    around = [at for at, stop in enumerate(stops) if current and stop.isAncestorOf(current)]
    if around:
        return stops[(around[-1] + (1 if forward else -1)) % len(stops)]
    beside = stops_in(home) if home is not None else []
    within = beside or stops
    return within[0 if forward else -1]
