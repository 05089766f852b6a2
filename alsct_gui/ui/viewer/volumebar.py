"""What one moves through a volume with, below the canvas."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSpinBox, QToolButton, QWidget

from alsct_gui.ui.theme.icons import icon
from alsct_gui.ui.theme.style import digits_font
from alsct_gui.ui.viewer.bars import Choice, Counter
from alsct_gui.ui.viewer.mode import bar_row
from alsct_gui.ui.viewer.opened import OpenedVolume
from alsct_gui.ui.viewer.strip import Strip
from alsct_gui.ui.viewer.volumewords import Voxel, facts_words, place_words
from alsct_gui.ui.widgets.parts import ElidedLabel, Reading, label

LAYOUTS = (
    ("slices", "Slices", "One slice after the other"),
    ("cuts", "Three cuts", "Slice and the two upright cuts through one point (X)"),
    ("3d", "3-D", "The whole volume, seen through (D)"),
)
RENDERINGS = (
    ("mip", "Brightest", "The largest value along each line of sight"),
    ("attenuated_mip", "Brightest, fading", "The largest value; what lies behind fades"),
    ("iso", "Surface", "The surface at the middle of the contrast"),
)


_PLACE_TIP = "How many slices there are, and the depth of this one"
_ROOMY_PX = 1000
_3D_TIPS = {
    True: "The whole volume, seen through (D)",
    False: "3-D shows finished volumes; this one is being made",
}


class VolumeBar(QWidget):
    """One row: slider and numbers at the left, facts and layouts at the right."""

    played = Signal(bool)
    cursor_set = Signal(int, int)
    """A person gave y and x."""
    crossed = Signal(bool)
    """Whether the cross-hair is to be seen."""
    rendered = Signal(str)
    """Another rendering of 3-D."""

    def __init__(self) -> None:
        super().__init__()
        row = bar_row(self)
        self._fill_left(row)
        self._fill_right(row)
        self.show_layout("slices")
        self.renew_icons()

    def _fill_left(self, row: QHBoxLayout) -> None:
        self.play = QToolButton()
        self.play.setCheckable(True)
        self.play.setToolTip("Shows one slice after the other, up to 30 a second")
        self.play.setAccessibleName("Play")
        self.play.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.play.toggled.connect(self._play)
        self.counter = Counter(
            "slice", "Number of the slice, from 0 at the top (arrow keys, Ctrl+wheel); "
            "while it moves, as many pixels are read as the screen can show",
        )  # fmt: skip
        self.strip = Strip(self.counter)
        self.place = Reading()
        self.place.setToolTip(_PLACE_TIP)
        self._others = QWidget()
        others = QHBoxLayout(self._others)
        others.setContentsMargins(0, 0, 0, 0)
        others.setSpacing(4)
        self.y_at, self.x_at = QSpinBox(), QSpinBox()
        for name, spin in (("y", self.y_at), ("x", self.x_at)):
            spin.setFont(digits_font(spin.font()))
            spin.setFixedWidth(64)
            spin.setAlignment(Qt.AlignmentFlag.AlignRight)
            spin.setKeyboardTracking(False)
            spin.setAccessibleName(name)
            spin.setToolTip(f"Position of the cut along {name}, pixels from 0")
            spin.valueChanged.connect(
                lambda _: self.cursor_set.emit(self.y_at.value(), self.x_at.value())
            )
            others.addWidget(label(name, "faint"))
            others.addWidget(spin)
        row.addWidget(self.play)
        row.addWidget(self.counter, 2)
        row.addWidget(self.place)
        row.addWidget(self._others)

    def _fill_right(self, row: QHBoxLayout) -> None:
        self.facts = ElidedLabel("", "faint")
        self.said = label("", "faint")
        self.labels = label("", "faint")
        self.labels.setToolTip("The segmentation saves itself two seconds after the last stroke")
        self.cross = QToolButton()
        self.cross.setAccessibleName("Cross-hair")
        self.cross.setCheckable(True)
        self.cross.setChecked(True)
        self.cross.setToolTip(
            "Cross-hair: shows where the cuts lie; click or drag in a cut to move them"
        )
        self.cross.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.cross.toggled.connect(self.crossed)
        self.rendering = QComboBox()
        for key, words, tip in RENDERINGS:
            self.rendering.addItem(words, key)
            self.rendering.setItemData(self.rendering.count() - 1, tip,
                                       Qt.ItemDataRole.ToolTipRole)  # fmt: skip
        self.rendering.setToolTip("How 3-D is drawn")
        self.rendering.setAccessibleName("Rendering")
        self.rendering.currentIndexChanged.connect(
            lambda _: self.rendered.emit(self.rendering.currentData())
        )
        self.layouts = Choice(LAYOUTS)
        row.addWidget(self.facts, 1)
        row.addWidget(self.said)
        row.addWidget(self.labels)
        row.addWidget(self.cross)
        row.addWidget(self.rendering)
        row.addWidget(self.layouts)

    def show_layout(self, key: str) -> None:
        """Show what belongs to a layout."""
        self.layouts.set_key(key)
        for part in (self.play, self.counter, self.place):
            part.setVisible(key != "3d")
        self._others.setVisible(key == "cuts")
        self.cross.setVisible(key == "cuts")
        self.rendering.setVisible(key == "3d")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        # Where there is little room, they are in the tool tip beside the number alone.
        self.facts.setVisible(event.size().width() >= _ROOMY_PX)

    def clear(self) -> None:
        """Say nothing of a volume: another one is being opened."""
        self._set_facts("")
        self.place.clear()
        self._set_shape((1, 1, 1))

    def take(self, opened: OpenedVolume) -> None:
        """Say how large a volume is, in what unit, and what can be seen of it."""
        volume, whole = opened.volume, opened.partial is None
        self._set_shape(volume.shape)
        self._set_facts(facts_words(volume.shape, volume.voxel_um, volume.units))
        self.strip.setVisible(not whole)
        self.layouts.allow("3d", whole, _3D_TIPS[whole])

    def _set_facts(self, words: str) -> None:
        self.facts.set_text(words)
        self.place.setToolTip("\n".join(filter(None, (_PLACE_TIP, words))))

    def _set_shape(self, shape: Sequence[int]) -> None:
        self.counter.set_count(shape[0])
        for spin, size in ((self.y_at, shape[1]), (self.x_at, shape[2])):
            with QSignalBlocker(spin):
                spin.setRange(0, size - 1)

    def show_place(self, cursor: Voxel, opened: OpenedVolume | None) -> None:
        """Show where one is; without a signal."""
        if opened is not None:
            voxel_um = opened.volume.voxel_um
            edge_um = voxel_um[0] if voxel_um is not None else None
            self.place.set_text(place_words(cursor[0], opened.volume.shape[0], edge_um))
        self.counter.set_index(cursor[0])
        for spin, at in ((self.y_at, cursor[1]), (self.x_at, cursor[2])):
            with QSignalBlocker(spin):
                spin.setValue(at)

    def renew_icons(self) -> None:
        """Draw icons in the theme's colours."""
        self.play.setIcon(icon("pause" if self.play.isChecked() else "run"))
        self.cross.setIcon(icon("crosshair"))
        self.strip.update()

    def _play(self, on: bool) -> None:
        self.renew_icons()
        self.played.emit(on)
