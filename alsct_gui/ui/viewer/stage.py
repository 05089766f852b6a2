"""The centre of the window: tabs for the modes, the canvas, a bar to move with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QImage, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import (
    QApplication,
    QButtonGroup,
    QHBoxLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from alsct_gui.ui.actions.book import ActionBook
from alsct_gui.ui.picture import Picture
from alsct_gui.ui.services import Services
from alsct_gui.ui.session import Mode, Session
from alsct_gui.ui.tasks import Tasks
from alsct_gui.ui.viewer.bars import Unsqueezed
from alsct_gui.ui.viewer.compare import CompareMode
from alsct_gui.ui.viewer.cover import CoverPage
from alsct_gui.ui.viewer.host import NapariHost, View, import_napari, to_image
from alsct_gui.ui.viewer.layers import Shelf
from alsct_gui.ui.viewer.mode import Cover, Surroundings, ViewMode
from alsct_gui.ui.viewer.projections import Projections
from alsct_gui.ui.viewer.sinograms import Sinograms
from alsct_gui.ui.viewer.situation import OF_SCANS, arriving_words, cover_for
from alsct_gui.ui.viewer.slices import Slices
from alsct_gui.ui.viewer.volume import VolumeMode
from alsct_gui.ui.widgets.parts import GAP_PX, set_role

if TYPE_CHECKING:
    from alsct_gui.recon.desk.answers import Look

_TITLES = {
    Mode.PROJECTIONS: "Projections", Mode.SINOGRAM: "Sinogram", Mode.PREVIEW: "Preview",
    Mode.VOLUME: "Volume", Mode.COMPARE: "Compare",
}  # fmt: skip
_TOOLS = (
    "view.fit", "view.contrast", "look.line", "look.region", "look.histogram",
    "look.metadata", "look.screenshot", "view.layers",
)  # fmt: skip
_STEPS = (
    ("Left", -1), ("Right", 1), ("PgUp", -10), ("PgDown", 10),
)  # fmt: skip


class Stage(QWidget):
    """Shows the selection in one of the modes.

    Parameters
    ----------
    session, tasks, services, book
        What every panel gets.
    """

    picture_changed = Signal(object)
    """Picture | None: what is seen is another one."""
    limits_changed = Signal(float, float)
    """Values shown as black and as white."""
    pixel_pointed = Signal(str)
    """What is under the mouse, in words; empty for nothing."""

    def __init__(
        self, session: Session, tasks: Tasks, services: Services, book: ActionBook
    ) -> None:
        super().__init__()
        self.setObjectName("panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._session, self._tasks, self._book = session, tasks, book
        self.host = NapariHost()
        self.shelf = Shelf(self.host)
        self.around = Surroundings(session, tasks, services, book, self.host, self.shelf)
        self._modes: dict[Mode, ViewMode] = {}
        self._shown: ViewMode | None = None
        self._tabs: dict[Mode, QToolButton] = {}
        self._views: dict[Mode, View] = {}
        self._build()
        # Before the modes hear of it, which then show pictures.
        session.look_changed.connect(self._take_look)
        for make in (Projections, Sinograms, Slices, VolumeMode, CompareMode):
            self.add_mode(make(self.around))
        for mode in Mode:
            book.bind(f"view.{mode.value}", lambda mode=mode: session.set_mode(mode))
        book.bind("view.fit", lambda: self._on_mode(lambda mode: mode.fit()))
        book.bind("view.contrast", lambda: self._on_mode(lambda mode: mode.reset_limits()))
        book.bind("view.layers", self.host.show_layers)
        self.host.outgrown.connect(lambda: self._on_mode(lambda mode: mode.fit()))
        session.mode_changed.connect(lambda _: self._settle())
        session.selection_changed.connect(lambda _: self._settle())
        session.look_changed.connect(lambda _: self._settle())
        session.volume_changed.connect(lambda _: self._settle())
        session.situation_changed.connect(lambda _: self._show_tabs())
        self._settle()

    # -- what others use ---------------------------------------------------------------

    @property
    def picture(self) -> Picture | None:
        """What is seen; None while there is no picture."""
        return self._shown.picture() if self._shown is not None else None

    @property
    def mode(self) -> ViewMode | None:
        """The mode that is shown; None while words cover the canvas."""
        return self._shown

    @property
    def is_quiet(self) -> bool:
        """Whether everything that was asked for is on the canvas."""
        return self._shown is None or (self._shown.is_quiet and self.host.is_quiet)

    def mode_of(self, key: Mode) -> ViewMode:
        """Return a mode by its key."""
        return self._modes[key]

    def add_mode(self, mode: ViewMode) -> None:
        """Put in a mode; its tab is there already."""
        self._modes[mode.key] = mode
        mode.bar.setVisible(False)
        self._bars.addWidget(mode.bar)
        signals = mode.signals
        signals.picture_changed.connect(lambda picture: self._pass_picture(mode, picture))
        signals.limits_changed.connect(lambda low, high: self._pass_limits(mode, low, high))
        signals.pixel_pointed.connect(self.pixel_pointed)
        signals.cover_changed.connect(self._settle)
        self._settle()

    def set_limits(self, low: float, high: float) -> None:
        """Show the picture with other greys, as a person chose."""
        self._on_mode(lambda mode: mode.set_limits(low, high))

    def set_colormap(self, name: str) -> None:
        """Show pictures in other colours, by napari's name for them."""
        self.shelf.set_colormap(name)

    def screenshot(self) -> QImage:
        """Return what the canvas shows, alone."""
        return to_image(self.host.screenshot())

    async def open(self) -> None:
        """Make the viewer; the window stays responsive while napari is imported."""
        self._settle()
        await asyncio.to_thread(import_napari)
        self.host.open()
        viewer = self.host.viewer
        viewer.layers.events.removed.connect(lambda event: self.shelf.forget(event.value))
        viewer.mouse_wheel_callbacks.append(self._wheel)
        self._settle()

    def clear(self) -> None:
        """Show nothing any more, so that nothing is asked for: the window is closing."""
        self._leave()

    async def settle(self) -> None:
        """Wait until all that was painted is saved."""
        volume = self._modes.get(Mode.VOLUME)
        if isinstance(volume, VolumeMode):
            await volume.labels.settle()

    def renew_icons(self) -> None:
        """Take over the theme's colours."""
        self.host.renew_theme()
        for mode in self._modes.values():
            mode.renew_icons()

    def shut(self) -> None:
        """Put the modes away and close the viewer; idempotent."""
        self.clear()
        for mode in self._modes.values():
            mode.close()
        self._modes.clear()
        self._views.clear()
        self.host.shut()

    # -- building ----------------------------------------------------------------------

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        row = QHBoxLayout()
        row.setContentsMargins(GAP_PX, 0, GAP_PX, 0)
        row.setSpacing(0)
        tabs = Unsqueezed()
        tab_row = QHBoxLayout(tabs)
        tab_row.setContentsMargins(0, 0, 0, 0)
        tab_row.setSpacing(0)
        group = QButtonGroup(self)
        for mode, title in _TITLES.items():
            tab = QToolButton()
            tab.setText(title)
            tab.setCheckable(True)
            tab.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            set_role(tab, "tab")
            tab.clicked.connect(lambda _=False, mode=mode: self._session.set_mode(mode))
            group.addButton(tab)
            self._tabs[mode] = tab
            tab_row.addWidget(tab)
        row.addWidget(tabs)
        row.addStretch(1)
        for key in _TOOLS:
            row.addWidget(self._book.button(key))
        column.addLayout(row)
        column.addWidget(self.host, 1)
        self._bars = QVBoxLayout()
        column.addLayout(self._bars)
        self.cover = CoverPage(self.host)
        for keys, by in _STEPS:
            self._shortcut(keys, partial(self._step, by))
        self._shortcut("Home", lambda: self._on_mode(lambda mode: mode.step_to(False)))
        self._shortcut("End", lambda: self._on_mode(lambda mode: mode.step_to(True)))

    def _shortcut(self, keys: str, does: Callable[[], object]) -> None:
        shortcut = QShortcut(QKeySequence(keys), self)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(does)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_cover()

    # -- what is shown -----------------------------------------------------------------

    def _settle(self) -> None:
        """Show the mode that is chosen, or the words that stand in its place."""
        session = self._session
        self._show_tabs()
        look, selected, key = session.look, session.selected, session.mode
        cover = cover_for(
            ready=self.host.is_open, mode=key, selected=selected, look=look, volume=session.volume
        )
        mode = self._modes.get(key)
        if cover is None and look is not None and not look.ok and key in OF_SCANS:
            self._enter(None)
            name = selected.name if selected is not None else Path(look.path).name
            if session.arriving:
                self.cover.say(Cover(f"{name} is still arriving", arriving_words(session.arriving)))
                self._place_cover()
                return
            self.cover.list_findings(name, look.findings)
            self._place_cover()
            return
        self._enter(mode if cover is None else None)
        if cover is None and mode is not None:
            cover = mode.cover()
        if cover is None:
            self.cover.hide()
        else:
            self.cover.say(cover)
            self._place_cover()

    def _take_look(self, look: Look | None) -> None:
        if look is not None:
            self.shelf.measure_in("pixel" if look.pixel_um is None else "um")

    def _enter(self, mode: ViewMode | None) -> None:
        if mode is self._shown:
            return
        self._leave()
        if mode is None:
            return
        self._shown = mode
        self.host.show_sliders(mode.shows_sliders)
        mode.bar.setVisible(True)
        mode.enter()
        self._look_again(mode)
        focus = QApplication.focusWidget()
        if focus is None or self.isAncestorOf(focus):
            # The keys move through frames at once, unless a person is in a list or a field.
            self.host.canvas.setFocus()
        self.picture_changed.emit(mode.picture())

    def _look_again(self, mode: ViewMode) -> None:
        """Look at a mode's pictures as one did when it was left; they differ in size."""
        view = self._views.get(mode.key)
        if view is None:
            return
        if view.whole:
            mode.fit()
        else:
            self.host.set_view(view)

    def _leave(self) -> None:
        mode, self._shown = self._shown, None
        if mode is None:
            return
        if (view := self.host.view()) is not None:
            self._views[mode.key] = view
        mode.bar.setVisible(False)
        mode.leave()
        self.picture_changed.emit(None)

    def _show_tabs(self) -> None:
        for mode, tab in self._tabs.items():
            tab.setChecked(mode is self._session.mode)
            action = self._book[f"view.{mode.value}"]
            tab.setEnabled(action.isEnabled())
            tab.setToolTip(action.toolTip())

    def _place_cover(self) -> None:
        self.cover.setGeometry(self.host.rect())

    def _on_mode(self, does: Callable[[ViewMode], object]) -> None:
        if self._shown is not None:
            does(self._shown)

    def _step(self, by: int) -> None:
        self._on_mode(lambda mode: mode.step(by))

    def _pass_picture(self, mode: ViewMode, picture: Picture | None) -> None:
        if mode is self._shown:
            self.picture_changed.emit(picture)

    def _pass_limits(self, mode: ViewMode, low: float, high: float) -> None:
        if mode is self._shown:
            self.limits_changed.emit(low, high)

    def _wheel(self, _viewer: object, event: object) -> None:
        modifiers = {str(getattr(key, "name", key)) for key in getattr(event, "modifiers", ())}
        delta = getattr(event, "delta", (0.0, 0.0))
        turned = next((d for d in reversed(delta) if d), 0.0)
        if modifiers & {"Control", "Shift"} and turned:
            self._step(-1 if turned > 0 else 1)
            event.handled = True  # type: ignore[attr-defined]
