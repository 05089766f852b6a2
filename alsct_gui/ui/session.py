"""What the whole window agrees on: the selection, the recipe, what is wrong.

One object, on the GUI's thread. Panels read its properties, listen to its signals and call its
methods; they do not know each other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from alsct_gui.model.history import History
from alsct_gui.model.recipe import Recipe, recipe_from_dict, recipe_to_dict
from alsct_gui.model.settings_path import assign
from alsct_gui.settings import Settings, with_recent
from alsct_gui.ui.tasks import details_of, sentence_of

if TYPE_CHECKING:
    from alsct_gui.placement.runs.model import RunView
    from alsct_gui.recon.desk.answers import Look, Preview
    from alsct_gui.ui.board.view import BoardView


class Mode(StrEnum):
    """What the viewer shows of the selection."""

    PROJECTIONS = "projections"
    SINOGRAM = "sinogram"
    PREVIEW = "preview"
    VOLUME = "volume"
    COMPARE = "compare"


class Level(StrEnum):
    """How much a notice matters; each has a shape and a colour."""

    INFO = "info"
    DONE = "done"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, eq=False)
class Notice:
    """Something the window says by itself."""

    level: Level
    """How much it matters."""
    sentence: str
    """What happened, where, and what to do."""
    details: str = ""
    """For “copy details”; empty when there is no more to know."""
    action_text: str = ""
    """A verb on a button; empty for none."""
    action: Callable[[], object] | None = None
    """What the button does."""
    key: str = ""
    """A newer notice with the same key takes its place; empty for none."""


@dataclass(frozen=True, slots=True)
class OnBoard:
    """What is chosen on the board, as far as actions depend on it."""

    scans: int = 0
    """Scans."""
    goals: int = 0
    """Goals that are not met."""
    moving: int = 0
    """Goals that something is under way for."""
    held: int = 0
    """Goals that a person holds back."""
    wantable: int = 0
    """Places at which something could be wanted that is not."""
    unwantable: int = 0
    """Goals whose wish can be taken back."""
    arrivals: int = 0
    """Files that are no scans yet."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What the window is in, as far as actions depend on it."""

    has_scan: bool = False
    """A scan is selected and can be read."""
    has_preview: bool = False
    """A slice of it was made."""
    has_volume: bool = False
    """A volume is open."""
    in_space: bool = False
    """It is seen in 3-D, where nothing can be measured."""
    can_undo: bool = False
    """The recipe was changed."""
    can_redo: bool = False
    """A change was undone."""
    mode: Mode = Mode.PROJECTIONS
    """What the viewer shows."""
    running: int = 0
    """Runs that are queued or going on here."""
    on_board: OnBoard = OnBoard()
    """What is chosen on the board."""


class Session(QObject):
    """The state that panels share.

    Parameters
    ----------
    settings
        As they were loaded.
    recipe
        What to start with.
    """

    selection_changed = Signal(object)  # Path | None: what is selected; its Look comes later
    look_changed = Signal(object)  # Look | None: what the selection is and whether it is sound
    mode_changed = Signal(object)  # Mode
    row_changed = Signal(int)  # detector row of the slice, counted from the top
    recipe_changed = Signal(object)  # Recipe
    preview_changed = Signal(object)  # Preview | None: the newest slice of the selection
    volume_changed = Signal(object)  # Path | None: the volume that is shown
    situation_changed = Signal(object)  # Situation
    settings_changed = Signal(object)  # Settings
    runs_changed = Signal(object)  # tuple[RunView, ...], newest first
    board_changed = Signal(object)  # BoardView: what the ledger says
    noticed = Signal(object)  # Notice
    busy_changed = Signal(str)  # what is going on at once, in words; empty for nothing

    def __init__(self, settings: Settings, recipe: Recipe) -> None:
        super().__init__()
        self.settings = settings
        self._history: History[Recipe] = History(recipe)
        self._selected: Path | None = None
        self._look: Look | None = None
        self._preview: Preview | None = None
        self._volume: Path | None = None
        self._mode = Mode.PROJECTIONS
        self._row = 0
        self._in_space = False
        self._arriving = ""
        self._situation = Situation()
        self._busy: dict[str, str] = {}
        self._runs: tuple[RunView, ...] = ()
        self._board: BoardView | None = None
        self._on_board = OnBoard()

    # -- selection ---------------------------------------------------------------------

    @property
    def selected(self) -> Path | None:
        """The scan or volume that is selected."""
        return self._selected

    @property
    def look(self) -> Look | None:
        """What is known of the selection; None until it was looked at."""
        return self._look

    def select(self, path: Path | None) -> None:
        """Select a scan or volume; whoever listens looks at it."""
        if path == self._selected:
            return
        self._selected, self._arriving = path, ""
        self._look, self._preview = None, None
        self.selection_changed.emit(path)
        self.look_changed.emit(None)
        self.preview_changed.emit(None)
        self._settle()

    def set_look(self, path: Path, look: Look) -> None:
        """Take what was found of a path; dropped when it is no longer the selection."""
        if path != self._selected:
            return
        self._look = look
        if look.kind == "scan" and not 0 < self._row < look.n_rows:
            self.set_row(look.n_rows // 2)
        self.remember(recent=with_recent(self.settings.recent, str(path)))
        self.look_changed.emit(look)
        self._settle()

    @property
    def arriving(self) -> str:
        """How far the selection is while it is still being written; empty when it is whole."""
        return self._arriving

    def set_look_arriving(self, path: Path, look: Look, words: str) -> None:
        """Take what was found of a scan that is still being written; what lacks will come."""
        self._arriving = words if path == self._selected else ""
        self.set_look(path, look)

    # -- what is shown -----------------------------------------------------------------

    @property
    def mode(self) -> Mode:
        """What the viewer shows."""
        return self._mode

    def set_mode(self, mode: Mode) -> None:
        """Show something else of the selection."""
        if mode is not self._mode:
            self._mode = mode
            self.mode_changed.emit(mode)
            self._settle()

    @property
    def row(self) -> int:
        """Detector row of sinogram and preview, 0 at the top."""
        return self._row

    def set_row(self, row: int) -> None:
        """Choose another detector row."""
        if row != self._row:
            self._row = row
            self.row_changed.emit(row)

    @property
    def volume(self) -> Path | None:
        """The volume that is shown."""
        return self._volume

    def show_volume(self, path: Path | None) -> None:
        """Open a volume in the viewer."""
        if path != self._volume:
            self._volume = path
            self.volume_changed.emit(path)
        if path is not None:
            self.set_mode(Mode.VOLUME)
        self._settle()

    def set_in_space(self, on: bool) -> None:
        """Say whether the volume is seen in 3-D."""
        self._in_space = on
        self._settle()

    @property
    def preview(self) -> Preview | None:
        """The newest slice of the selection."""
        return self._preview

    def set_preview(self, preview: Preview | None) -> None:
        """Take a new slice."""
        self._preview = preview
        self.preview_changed.emit(preview)
        self._settle()

    # -- the recipe --------------------------------------------------------------------

    @property
    def recipe(self) -> Recipe:
        """The recipe as it is now."""
        return self._history.present

    def set_recipe(self, recipe: Recipe, touch: str = "") -> None:
        """Change the recipe; changes with the same `touch` are undone as one."""
        self._take(self._history.changed(recipe, touch))

    def set_setting(self, path: str, value: Any, touch: str = "") -> None:
        """Change one setting by its path, such as ``center.center_px``.

        Raises
        ------
        RecipeError
            There is no such setting, or the value does not fit.
        """
        data = recipe_to_dict(self.recipe)
        assign(data, path, value)
        self.set_recipe(recipe_from_dict(data), touch)

    def settle_recipe(self) -> None:
        """Let the next change be a step of its own, as when a slider is let go."""
        self._history = self._history.settled()

    def undo(self) -> None:
        """Take back the last change of the recipe."""
        self._take(self._history.undone())

    def redo(self) -> None:
        """Make the change that was taken back again."""
        self._take(self._history.redone())

    def _take(self, history: History[Recipe]) -> None:
        changed = history.present != self._history.present
        self._history = history
        if changed:
            self.recipe_changed.emit(history.present)
        self._settle()

    # -- words -------------------------------------------------------------------------

    def notice(self, notice: Notice) -> None:
        """Say something."""
        self.noticed.emit(notice)

    def report(self, doing: str, error: Exception) -> None:
        """Say that something failed; nothing modal, the details can be copied."""
        self.notice(Notice(Level.ERROR, f"{doing}: {sentence_of(error)}", details_of(error)))

    def busy(self, key: str, words: str) -> None:
        """Say what goes on at once, such as “Reading projection 12”; empty words end it."""
        if words:
            self._busy[key] = words
        else:
            self._busy.pop(key, None)
        self.busy_changed.emit(self.busy_words)

    @property
    def busy_words(self) -> str:
        """What goes on at once; empty for nothing."""
        return " · ".join(self._busy.values())

    # -- settings and situation --------------------------------------------------------

    def remember(self, **changes: Any) -> None:
        """Change settings; whoever saves them listens."""
        settings = replace(self.settings, **changes)
        if settings != self.settings:
            self.settings = settings
            self.settings_changed.emit(settings)

    @property
    def situation(self) -> Situation:
        """What actions depend on."""
        return self._situation

    @property
    def runs(self) -> tuple[RunView, ...]:
        """Runs on this workstation, newest first."""
        return self._runs

    def set_runs(self, runs: tuple[RunView, ...]) -> None:
        """Take how the runs are."""
        if runs != self._runs:
            self._runs = runs
            self.runs_changed.emit(runs)
            self._settle(sum(not run.state.ended for run in runs))

    @property
    def board(self) -> BoardView | None:
        """What the ledger says; None until it was read."""
        return self._board

    def set_board(self, view: BoardView) -> None:
        """Take what the ledger says now."""
        self._board = view
        self.board_changed.emit(view)

    def set_on_board(self, chosen: OnBoard) -> None:
        """Say what is chosen on the board."""
        self._on_board = chosen
        self._settle()

    def _settle(self, running: int | None = None) -> None:
        look = self._look
        situation = Situation(
            has_scan=look is not None and look.kind == "scan" and look.ok,
            has_preview=self._preview is not None,
            has_volume=self._volume is not None,
            in_space=self._in_space and self._mode is Mode.VOLUME,
            can_undo=bool(self._history.past),
            can_redo=bool(self._history.future),
            mode=self._mode,
            running=self._situation.running if running is None else running,
            on_board=self._on_board,
        )
        if situation != self._situation:
            self._situation = situation
            self.situation_changed.emit(situation)
