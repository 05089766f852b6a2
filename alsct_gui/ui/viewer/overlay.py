"""The 0/180 overlay: a frame and its mirrored opposite in two colours that add to grey.

Where both agree the picture is grey; where the mirror stands at the wrong centre, edges turn
orange on one side and blue on the other (Okabe and Ito's pair, which colour-blind people tell
apart; the two sum to white).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from alsct_gui.recon.desk.answers import Opposite
from alsct_gui.ui.picture import Picture
from alsct_gui.ui.tasks import answer_of
from alsct_gui.ui.theme.style import tokens
from alsct_gui.ui.viewer.contrast import Contrast
from alsct_gui.ui.viewer.mode import Surroundings
from alsct_gui.ui.viewer.newest import Newest
from alsct_gui.ui.viewer.words import overlay_words

FIRST_RGB = (1.0, 0.5, 0.0)
SECOND_RGB = (0.0, 0.5, 1.0)
_KEY = "overlay"


def mirror_offset_px(center_px: float, columns: int, binning: int = 1) -> float:
    """Where the first column of a mirrored frame lies, in full-detector columns.

    Parameters
    ----------
    center_px
        Rotation centre on the full detector.
    columns
        Columns of the frame.
    binning
        Detector pixels along an edge of one of its pixels.
    """
    # Column j of the frame has its middle at full column b j + (b - 1) / 2; mirrored about the
    # centre it goes to 2 c less that; the last column comes first in the mirrored picture.
    return 2 * center_px - binning * (columns - 1) - (binning - 1) / 2


class Overlay:
    """Two layers, the second of which moves with the centre.

    Parameters
    ----------
    around
        What every mode is given.
    on_shown
        Called with words for the bar whenever something else is seen.
    """

    def __init__(self, around: Surroundings, on_shown: Callable[[str], None]) -> None:
        self.on = False
        self._around, self._session = around, around.session
        self._on_shown = on_shown
        self._entered = False
        self._pair: Opposite | None = None
        self._path: Path | None = None
        self._contrast = Contrast()
        shelf = around.shelf
        self.first = shelf.slot("First frame", blending="additive")
        self._second = shelf.slot("Opposite frame, mirrored", blending="additive")
        self._newest: Newest[Path, tuple[Opposite, np.ndarray]] = Newest(
            around.tasks, self._fetch, self._show, lambda _: "Reading opposite projections"
        )
        self._session.recipe_changed.connect(lambda _: self._move())
        self._session.preview_changed.connect(lambda _: self._move())

    @property
    def busy(self) -> bool:
        """Whether the pair is being read."""
        return self._newest.busy

    def enter(self) -> None:
        """Show the pair of the selection, reading it first if need be."""
        self._entered = True
        path = self._session.selected
        if path is None:
            return
        # The sum of the two colours is judged against black.
        self._around.host.set_background("black")
        if self._pair is not None and self._path == path:
            self.first.unhide()
            self._second.unhide()
            self._move()
        else:
            self._newest.want(path, at_once=True)

    def leave(self) -> None:
        """Hide the pair."""
        self._newest.cancel()
        if self._entered:
            self._entered = False
            self.first.hide()
            self._second.hide()
            self._around.host.set_background(tokens().canvas)

    def forget(self) -> None:
        """Another scan is selected."""
        self._pair, self._path = None, None
        self._contrast.forget()
        self._newest.cancel()
        self.first.hide()
        self._second.hide()

    def fit(self) -> None:
        """Show the whole of the first frame."""
        self.first.fit()

    def picture(self) -> Picture | None:
        """The first frame: it is what can be measured."""
        if self._pair is None:
            return None
        pair = self._pair
        low, high = self._contrast.of(_KEY, pair.low, pair.high)
        edges = (pair.pixel_um, pair.pixel_um) if pair.pixel_um else None
        title = f"Projection {pair.indices[0]} over {pair.indices[1]} mirrored"
        return Picture(pair.first, title, "transmission", edges, low, high)

    def set_limits(self, low: float, high: float) -> None:
        """Show both with other greys."""
        self._take(*self._contrast.set(_KEY, low, high))

    def reset_limits(self) -> tuple[float, float]:
        """Let the contrast follow the pair again; returns the limits."""
        self._contrast.reset(_KEY)
        pair = self._pair
        limits = self._contrast.of(_KEY, pair.low, pair.high) if pair else (0.0, 1.0)
        self._take(*limits)
        return limits

    @property
    def center_px(self) -> tuple[float, str]:
        """The centre that the mirror stands at, and where it is from."""
        given = self._session.recipe.center.center_px
        if given is not None:
            return given, "recipe"
        preview = self._session.preview
        if preview is not None:
            return preview.center_px, "found"
        look = self._session.look
        columns = look.n_columns if look is not None else 1
        return (columns - 1) / 2, "middle of the detector; not found yet"

    def _take(self, low: float, high: float) -> None:
        self.first.set_limits((low, high))
        self._second.set_limits((low, high))

    async def _fetch(self, path: Path) -> tuple[Opposite, np.ndarray]:
        self._session.busy("viewer", "Reading opposite projections")
        try:
            pair = await answer_of(self._around.services.desk.opposite(path))
        finally:
            self._session.busy("viewer", "")
        return pair, pair.second[:, ::-1]

    def _show(self, path: Path, answer: tuple[Opposite, np.ndarray]) -> None:
        if path != self._session.selected or not self._entered:
            return
        pair, mirrored = answer
        self._pair, self._path = pair, path
        limits = self._contrast.of(_KEY, pair.low, pair.high)
        edges = (pair.pixel_um, pair.pixel_um) if pair.pixel_um else None
        self.first.show(pair.first, limits, pixel_um=edges)
        offset = mirror_offset_px(self.center_px[0], mirrored.shape[1])
        self._second.show(mirrored, limits, pixel_um=edges, offset_px=(0.0, offset), fit=False)
        self.first.tint(FIRST_RGB)
        self._second.tint(SECOND_RGB)
        self._around.host.show_scale_bar(edges is not None)
        self._tell()

    def _move(self) -> None:
        if not self._entered or self._pair is None:
            return
        offset = mirror_offset_px(self.center_px[0], self._pair.first.shape[1])
        self._second.move((0.0, offset))
        self._tell()

    def _tell(self) -> None:
        if self._pair is None:
            return
        center_px, origin = self.center_px
        pair = overlay_words(self._pair.angles_deg, self._pair.mismatch_deg)
        self._on_shown(f"{pair} · centre {center_px:.2f} px ({origin})")
