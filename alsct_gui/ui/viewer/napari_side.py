"""What napari itself has of a volume while its layers are in use: the volume, and labels on it."""

from __future__ import annotations

from collections.abc import Callable

from alsct_gui.ui.session import Level, Mode, Notice
from alsct_gui.ui.viewer.contrast import Limits
from alsct_gui.ui.viewer.flat_view import FlatView
from alsct_gui.ui.viewer.labels import Segmentation
from alsct_gui.ui.viewer.mode import Surroundings
from alsct_gui.ui.viewer.opened import OpenedVolume
from alsct_gui.ui.viewer.real_layer import RealLayer

_BEING_MADE = "A segmentation needs a finished volume; this one is being made."


class NapariSide:
    """Puts the volume into napari for plugins and for painting, and takes it away again.

    Parameters
    ----------
    around
        What every mode is given.
    flat
        Draws slices; in napari's layer while that is there.
    on_slice
        Called when napari is moved to another slice.
    say
        Shows a few words about the segmentation.
    """

    def __init__(
        self, around: Surroundings, flat: FlatView, on_slice: Callable[[int], None],
        say: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._around, self._flat = around, flat
        self.real = RealLayer(around.shelf, on_slice)
        self.labels = Segmentation(around, say)
        self.labels_wanted = False
        """Whether a person asked to paint and waits for the volume."""

    def settle(
        self, opened: OpenedVolume | None, index: int, limits: Limits, *, in_slices: bool
    ) -> None:
        """Let napari have the volume itself, or not, as its layers are in use."""
        in_use = self._around.book["view.layers"].isChecked() or self.labels.sheet is not None
        wanted = opened is not None and in_use
        if wanted and opened is not None and self.real.layer is None:
            self.real.put(opened, limits, index)
        elif not wanted:
            self.real.remove()
        if not in_slices:
            self.real.hide()
        self._flat.use(self.real if wanted else self._flat.flat)
        self.labels.show_on(index, in_slices)

    def go_to(self, index: int, *, in_slices: bool) -> None:
        """Show another slice."""
        self.real.go_to(index)
        self.labels.show_on(index, in_slices)

    def ask_to_paint(self) -> None:
        """Remember that a person wants to paint, and show volumes."""
        self.labels_wanted = True
        self._around.session.set_mode(Mode.VOLUME)

    def may_paint(self, opened: OpenedVolume) -> bool:
        """Answer whoever asked to paint: not on what is still being made."""
        self.labels_wanted = False
        if opened.partial is not None:
            self._around.session.notice(Notice(Level.WARNING, _BEING_MADE, key="labels"))
        return opened.partial is None

    def hide(self, index: int) -> None:
        """Hide both layers."""
        self.real.hide()
        self.labels.show_on(index, False)

    def drop(self) -> None:
        """Another volume is shown: take both layers away."""
        self.labels.drop()
        self.real.remove()

    def close(self) -> None:
        """Save what was painted, and take both layers away."""
        self.labels.close()
        self.labels.remove()
        self.real.remove()
