"""A mode that shows one picture at a time in one layer: what such modes share."""

from __future__ import annotations

from collections.abc import Hashable

from PySide6.QtWidgets import QWidget

from alsct_gui.ui.picture import Picture
from alsct_gui.ui.session import Mode
from alsct_gui.ui.viewer.contrast import Contrast
from alsct_gui.ui.viewer.layers import Slot
from alsct_gui.ui.viewer.mode import Cover, ModeSignals, Surroundings
from alsct_gui.ui.viewer.pointer import Place, Pointer
from alsct_gui.ui.viewer.words import Axes, pixel_words


class ImageMode:
    """Keeps a picture, its layer, its contrast and what is under the mouse.

    Parameters
    ----------
    around
        What every mode is given.
    name
        Of the layer.
    """

    key: Mode
    title: str
    shows_sliders = False

    def __init__(self, around: Surroundings, name: str) -> None:
        self.around = around
        self.session, self.tasks, self.desk = around.session, around.tasks, around.services.desk
        self.signals = ModeSignals()
        self.bar = QWidget()
        self.slot = around.shelf.slot(name)
        self.slot.on_limits = self._limits_from_napari
        self.contrast = Contrast()
        self.entered = False
        self.pointer = Pointer(around.host, self._words_at, self.signals.pixel_pointed.emit)
        self._picture: Picture | None = None
        self._own_limits = (0.0, 1.0)
        self._axes = Axes()
        self._contrast_key: Hashable = ""

    # -- what the stage asks -----------------------------------------------------------

    @property
    def is_quiet(self) -> bool:
        """Nothing is under way."""
        return True

    def enter(self) -> None:
        """Show the layer and listen to the mouse."""
        self.entered = True
        self.pointer.enter()
        self.refresh()

    def leave(self) -> None:
        """Hide the layer."""
        self.entered = False
        self.around.host.show_scale_bar(False)
        self.pointer.leave()
        self.slot.hide()

    def close(self) -> None:
        """Nothing to put away."""

    def cover(self) -> Cover | None:
        """No words: there is a picture."""
        return None

    def picture(self) -> Picture | None:
        """What is seen."""
        return self._picture

    def set_limits(self, low: float, high: float) -> None:
        """Take a contrast from a person."""
        self._take_limits(*self.contrast.set(self._contrast_key, low, high))

    def reset_limits(self) -> None:
        """Let the contrast follow the picture again."""
        self.contrast.reset(self._contrast_key)
        self._take_limits(*self.contrast.of(self._contrast_key, *self._own_limits))

    def fit(self) -> None:
        """Show the whole picture."""
        self.slot.fit()

    def step(self, by: int) -> None:
        """Nothing to go through."""

    def step_to(self, last: bool) -> None:
        """Nothing to go through."""

    def renew_icons(self) -> None:
        """No icons."""

    # -- what modes do -----------------------------------------------------------------

    def refresh(self) -> None:
        """Ask for what is to be seen now."""

    def forget(self) -> None:
        """Another scan is selected: the picture is gone, the contrast is free."""
        self.contrast.forget()
        self._picture = None
        self.slot.hide()
        self.signals.picture_changed.emit(None)

    def show_picture(
        self, picture: Picture, *, key: Hashable, axes: Axes,
        offset_px: tuple[float, float] = (0.0, 0.0),
    ) -> None:  # fmt: skip
        """Show a picture, with the limits that hold for its key.

        Parameters
        ----------
        picture
            With its own robust limits.
        key
            Which contrast it has.
        axes
            How its axes are called.
        offset_px
            Where its first pixel lies, in pixels of its own.
        """
        self._own_limits = (picture.low, picture.high)
        self._contrast_key, self._axes = key, axes
        low, high = self.contrast.of(key, picture.low, picture.high)
        changed = self._picture is None or (self._picture.low, self._picture.high) != (low, high)
        self._picture = Picture(
            picture.image, picture.title, picture.units, picture.pixel_um, low, high
        )
        self.slot.show(picture.image, (low, high), pixel_um=picture.pixel_um, offset_px=offset_px)
        self.around.host.show_scale_bar(picture.pixel_um is not None)
        self.signals.picture_changed.emit(self._picture)
        if changed:
            self.signals.limits_changed.emit(low, high)
        self.pointer.point()

    def _take_limits(self, low: float, high: float) -> None:
        self.slot.set_limits((low, high))
        self._tell_limits(low, high)

    def _limits_from_napari(self, low: float, high: float) -> None:
        self.contrast.set(self._contrast_key, low, high)
        self._tell_limits(low, high)

    def _tell_limits(self, low: float, high: float) -> None:
        if self._picture is None:
            return
        seen = self._picture
        self._picture = Picture(seen.image, seen.title, seen.units, seen.pixel_um, low, high)
        self.signals.limits_changed.emit(low, high)

    def pointed(self) -> tuple[Slot, Picture | None, Axes]:
        """The layer and the picture whose pixels are told."""
        return self.slot, self._picture, self._axes

    def _words_at(self, place: Place) -> str:
        slot, seen, axes = self.pointed()
        pixel = slot.pixel_at(place) if seen is not None else None
        if seen is None or pixel is None:
            return ""
        return pixel_words(axes, *pixel, float(seen.image[pixel]), seen.units)
