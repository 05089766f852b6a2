"""Keeps the slice in view in step with the recipe: newest wins, slow engines wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from time import monotonic
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from alsct_gui.model.errors import AlsctError
from alsct_gui.model.errors import CancelledError as WorkCancelledError
from alsct_gui.ui.actions.book import ActionBook
from alsct_gui.ui.reconstruct.previewplan import (
    HASTY_S,
    PreviewState,
    Wish,
    coarse_binning,
    is_scan,
    waiting_words,
)
from alsct_gui.ui.services import Services
from alsct_gui.ui.session import Mode, Session
from alsct_gui.ui.tasks import Tasks, answer_of

_GATHER_MS = 60
_REST_MS = 160


class PreviewMaker(QObject):
    """Asks for the slice whenever recipe, row or selection change.

    While a value is being moved a large slice is made coarse first, and whole as soon as the
    value rests; a coarse one that is under way is let finish, so that one sees the movement.

    Parameters
    ----------
    session, tasks, services, book
        What every panel gets.
    """

    state_changed = Signal(object)  # PreviewState

    def __init__(
        self, session: Session, tasks: Tasks, services: Services, book: ActionBook
    ) -> None:
        super().__init__()
        self._session, self._tasks, self._desk = session, tasks, services.desk
        self.state = PreviewState()
        self.found_center: Callable[[], float | None] = lambda: None
        """Tells the axis that every method together found; None while it is not known."""
        # Until the engines have been listed, only our own is known to be quick.
        self._quick: frozenset[str] | None = None
        self._dragging = False
        self._changed_s = 0.0
        self._hasty = False
        self._shown: Wish | None = None
        self._asked: Wish | None = None
        self._coarse: int | None = None
        self._task: asyncio.Task[Any] | None = None
        self._generation = 0
        self._gather = self._timer(_GATHER_MS, self._ask_newest)
        self._rest = self._timer(_REST_MS, self._ask_whole)
        session.recipe_changed.connect(self._wanted)
        session.row_changed.connect(self._wanted)
        session.look_changed.connect(self._looked)
        book.bind("recon.preview", self.make_now)

    @property
    def wish(self) -> Wish | None:
        """What is wanted now; None without a scan."""
        session = self._session
        if session.selected is None or not is_scan(session.look):
            return None
        recipe, found_px = session.recipe, self.found_center()
        if recipe.center.method != "manual" and found_px is not None:
            # One value everywhere: the slice is made about the axis that the panel shows.
            given = replace(recipe.center, method="manual", center_px=found_px)
            recipe = replace(recipe, center=given)
        return Wish(session.selected, session.row, recipe).key

    def refresh(self) -> None:
        """Look again whether the slice in view is the one that is wanted."""
        self._wanted()

    def know_engines(self, quick: frozenset[str]) -> None:
        """Take the names of the engines that need no click."""
        self._quick = quick
        self._wanted()

    def drag(self, on: bool) -> None:
        """Hear that a slider is held, or let go."""
        self._dragging = on
        if not on and self._coarse is not None:
            self._rest.start()

    def make_now(self) -> None:
        """Make the slice, whatever the engine, and show it."""
        self._session.set_mode(Mode.PREVIEW)
        if self.wish is not None:
            self._ask(self.wish, None)

    def close(self) -> None:
        """Ask no more."""
        self._gather.stop()
        self._rest.stop()
        self._cancel()

    def _timer(self, interval_ms: int, does: Any) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(interval_ms)
        timer.timeout.connect(does)
        return timer

    def _looked(self, _: object) -> None:
        self._shown = None
        if self.wish is None:
            self._gather.stop()
            self._rest.stop()
            self._cancel()
            self._say(PreviewState())
        else:
            self._wanted()

    def _wanted(self, *_: object) -> None:
        """Something changed: gather what else changes at once, then ask."""
        if self.wish is None:
            return
        now_s = monotonic()
        self._hasty = self._dragging or now_s - self._changed_s < HASTY_S
        self._changed_s = now_s
        if not self._gather.isActive():
            self._gather.start()

    def _ask_newest(self) -> None:
        wish = self.wish
        if wish is None:
            return
        if wish == self._shown:
            self._cancel()
            self._say(PreviewState())
            return
        engine = wish.recipe.engine.name
        if not self._is_quick(engine):
            self._cancel()
            stale = self._session.preview is not None
            self._say(PreviewState(stale=stale, waits=waiting_words(engine)))
            return
        look = self._session.look
        columns = look.n_columns if look is not None else 0
        coarse = coarse_binning(wish.recipe, columns, hasty=self._hasty)
        self._rest.stop()
        if coarse is not None and self._coarse is not None and self._task is not None:
            return  # its answer asks for the newest
        self._ask(wish, coarse)

    def _ask_whole(self) -> None:
        wish = self.wish
        if wish is not None and self._is_quick(wish.recipe.engine.name):
            self._ask(wish, None)

    def _is_quick(self, engine: str) -> bool:
        return engine == "fourier" if self._quick is None else engine in self._quick

    def _ask(self, wish: Wish, coarse: int | None) -> None:
        if self._task is not None and wish == self._asked and coarse == self._coarse:
            return
        self._rest.stop()
        self._generation += 1
        self._asked, self._coarse = wish, coarse
        self._task = self._tasks.start(
            self._make(wish, coarse, self._generation), "Making the slice", instead_of=self._task
        )

    async def _make(self, wish: Wish, coarse: int | None, generation: int) -> None:
        self._session.busy("preview", f"Reconstructing row {wish.row}")
        self._say(PreviewState(making=True, stale=self._session.preview is not None))
        trouble = ""
        try:
            preview = await answer_of(
                self._desk.preview(wish.path, wish.recipe, wish.row, binning=coarse)
            )
        except WorkCancelledError:
            return
        except AlsctError as error:
            trouble = error.sentence
        finally:
            if generation == self._generation:
                self._session.busy("preview", "")
                self._task = None
        if generation != self._generation or self._session.selected != wish.path:
            return
        if trouble:
            stale = self._session.preview is not None
            self._say(PreviewState(trouble=trouble, stale=stale))
            return
        self._shown = wish if coarse is None else None
        self._session.set_preview(preview)
        self._after(wish, coarse)

    def _after(self, wish: Wish, coarse: int | None) -> None:
        """Go on: with what was wished meanwhile, or with the whole slice."""
        if wish != self.wish:
            self._ask_newest()
            return
        self._say(PreviewState(making=coarse is not None))
        if coarse is not None:
            self._rest.start()

    def _cancel(self) -> None:
        self._generation += 1
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._asked, self._coarse = None, None
        self._session.busy("preview", "")

    def _say(self, state: PreviewState) -> None:
        if state != self.state:
            self.state = state
            self.state_changed.emit(state)
