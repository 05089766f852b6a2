"""What the axis tool is made of, and how it is drawn; `axistool` says what it does."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from alsct_gui.ui.actions.book import ActionBook
from alsct_gui.ui.reconstruct.axiswords import (
    CONVENTION,
    METHODS,
    REACH_PX,
    STEP_PX,
    AxisView,
    slider_steps,
)
from alsct_gui.ui.reconstruct.editors import ValueEdit
from alsct_gui.ui.reconstruct.estimaterow import EstimateRow
from alsct_gui.ui.theme.icons import icon
from alsct_gui.ui.theme.style import digits_font
from alsct_gui.ui.widgets.parts import GAP_PX, button, label, set_role, set_state


class AxisFace(QWidget):
    """Field, a row for each method, slider and buttons.

    Parameters
    ----------
    book
        Its command for the overlay is a button here.
    find_again
        Runs every method.
    """

    def __init__(self, book: ActionBook, find_again: Callable[[], object]) -> None:
        super().__init__()
        self._base_px = 0.0
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(self._make_value())
        self.wrong = label("", "wrong", wrap=True)
        column.addWidget(self.wrong)
        self.rows = {method: EstimateRow(method) for method in METHODS}
        for found in self.rows.values():
            column.addWidget(found)
        self.slider = AxisSlider()
        column.addWidget(self.slider)
        column.addLayout(self._make_ends())
        self.words = label("", "small", wrap=True)
        column.addWidget(self.words)
        column.addLayout(self._make_buttons(book, find_again))
        self.renew_icons()

    def _make_value(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(GAP_PX)
        name = label("Centre", "faint")
        name.setFixedWidth(48)
        self.edit = ValueEdit()
        self.edit.setFont(digits_font(self.edit.font()))
        self.edit.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.edit.setMinimumWidth(72)
        self.edit.setToolTip(CONVENTION)
        self.edit.setAccessibleName("Centre")
        self.spread = label("", "value")
        self.spread.setToolTip("Half of the distance between the methods that are sure, in px")
        self.auto = QToolButton()
        self.auto.setText("Auto")
        self.auto.setCheckable(True)
        self.auto.setToolTip("Takes what the methods find, also in the run")
        for part, stretch in (
            (name, 0), (self.edit, 1), (label("px", "faint"), 0), (self.spread, 0), (self.auto, 0),
        ):  # fmt: skip
            row.addWidget(part, stretch)
        return row

    def _make_ends(self) -> QGridLayout:
        ends = QGridLayout()
        ends.setContentsMargins(0, 0, 0, 0)
        self._low, self._middle, self._high = (label("", "small") for _ in range(3))
        for place, (part, side) in enumerate(
            ((self._low, Qt.AlignmentFlag.AlignLeft), (self._middle, Qt.AlignmentFlag.AlignHCenter),
             (self._high, Qt.AlignmentFlag.AlignRight))
        ):  # fmt: skip
            part.setFont(digits_font(part.font()))
            ends.addWidget(part, 0, place, side)
            ends.setColumnStretch(place, 1)
        return ends

    def _make_buttons(self, book: ActionBook, find_again: Callable[[], object]) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(GAP_PX)
        self.again = button(
            "Find again", find_again, tip="Runs every method around the present row (C)"
        )
        action = book["recon.overlay"]
        self.overlay = button("Overlay 0/180", action.trigger, tip=action.toolTip())
        self.overlay.setCheckable(True)
        action.toggled.connect(self.overlay.setChecked)
        action.enabledChanged.connect(self.overlay.setEnabled)
        self.overlay.setEnabled(action.isEnabled())
        row.addWidget(self.again, 1)
        row.addWidget(self.overlay, 1)
        return row

    def renew_icons(self) -> None:
        """Draw in the theme's colours."""
        self.again.setIcon(icon("center"))
        self.overlay.setIcon(icon("overlay"))
        for row in self.rows.values():
            row.update()

    def mark(self, words: str) -> None:
        """Say what is wrong with what was typed; empty words for nothing."""
        self.wrong.setText(words)
        self.wrong.setVisible(bool(words))
        set_state(self.edit, "state", "wrong" if words else "")

    def show_view(
        self, view: AxisView, *, has_scan: bool, searching: bool, found_px: float | None
    ) -> None:
        """Draw what is known of the axis.

        Parameters
        ----------
        view
            Value, spread and sentence.
        has_scan
            Whether there is a scan whose axis it is.
        searching
            Whether the methods are at work.
        found_px
            What they found; the slider is laid about it.
        """
        known = view.center_px is not None and has_scan
        if not self.edit.isModified():
            self.edit.setText(f"{view.center_px:.2f}" if known else "")
            self.edit.setModified(False)
            self.mark("")
        self.edit.setPlaceholderText("looking …" if searching else "–")
        self.spread.setText(view.spread)
        self.spread.setVisible(bool(view.spread))
        for part in (self.edit, self.auto, self.again, *self.rows.values()):
            part.setEnabled(has_scan)
        with QSignalBlocker(self.auto):
            self.auto.setChecked(view.source != "given")
        self.words.setText(view.sentence if has_scan else "")
        self.words.setVisible(bool(view.sentence) and has_scan)
        set_role(self.words, "caution" if view.warns else "small")
        for row in self.rows.values():
            row.set_current(known and row.holds(view.center_px))
        self._draw_slider(view.center_px if known else None, found_px)

    def _draw_slider(self, center_px: float | None, found_px: float | None) -> None:
        self.slider.setEnabled(center_px is not None)
        texts = ("", "", "")
        if center_px is not None:
            if not self.slider.isSliderDown() and not self._within(center_px):
                found = found_px if found_px is not None else center_px
                near = abs(found - center_px) < REACH_PX
                self._base_px = round((found if near else center_px) / STEP_PX) * STEP_PX
            with QSignalBlocker(self.slider):
                self.slider.setValue(slider_steps(center_px, self._base_px))
            middle = self._base_px
            texts = (f"{middle - REACH_PX:g}", f"{middle:g}", f"{middle + REACH_PX:g}")
        for part, text in zip((self._low, self._middle, self._high), texts, strict=True):
            part.setText(text)

    def _within(self, center_px: float) -> bool:
        return self._base_px > 0 and abs(center_px - self._base_px) <= REACH_PX


class AxisSlider(QSlider):
    """A slider about the middle; a click on it goes there; the wheel leaves it alone."""

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        most = round(REACH_PX / STEP_PX)
        self.setRange(-most, most)
        self.setSingleStep(1)
        self.setPageStep(4)
        self.setToolTip(
            f"Moves the axis by up to {REACH_PX:.0f} px, in steps of {STEP_PX:g} px ([ and ])"
        )
        self.setAccessibleName("Centre")

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()
