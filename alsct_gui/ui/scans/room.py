"""Where scans come from: the watch, dialogs, dropped files, the simulator. And looking at them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QFileDialog, QWidget

from alsct_gui.files.presence import present
from alsct_gui.files.recipes import load_recipe
from alsct_gui.model.errors import AlsctError
from alsct_gui.ui.actions.book import ActionBook
from alsct_gui.ui.scans.entries import Entry, entry_of_look, entry_of_sighting, lost, opening
from alsct_gui.ui.scans.feed import Feed
from alsct_gui.ui.scans.panel import ScanList, nothing_yet
from alsct_gui.ui.services import Services
from alsct_gui.ui.session import Level, Notice, Session
from alsct_gui.ui.tasks import Tasks, answer_of
from alsct_gui.ui.widgets.marks import State
from alsct_gui.ui.widgets.parts import EmptyState
from alsct_gui.ui.widgets.pathmenu import PathMenu

if TYPE_CHECKING:
    from alsct_gui.beamline.looking import Picture
    from alsct_gui.beamline.messages import WatchState
    from alsct_gui.beamline.sightings import Change, Sighting
    from alsct_gui.recon.desk.answers import Look

_JUDGED = (State.MET, State.BLOCKED, State.FAILED)
_SIMULATED_PRESET = "narrow-detector"
_FILTER = "Scans and volumes (*.h5 *.hdf5 *.nxs *.hdf *.tif *.tiff *.zarr);;All files (*)"


class ScansRoom:
    """Two lists, of the beamline's scans and of a folder under review, and what fills them.

    Parameters
    ----------
    session, tasks, services, book
        What every panel gets.
    owner
        Window for dialogs.
    """

    def __init__(
        self, session: Session, tasks: Tasks, services: Services, book: ActionBook, owner: QWidget
    ) -> None:
        self._session, self._tasks, self._services = session, tasks, services
        self._owner = owner
        self._naming = services.profile.naming.raw_file
        self._review: Path | None = None
        self._looking: asyncio.Task[Any] | None = None
        self._identities: dict[str, Path] = {}
        self._opened: set[Path] = set()
        watched = self.watched_folders()
        empty = nothing_yet(
            ", ".join(map(str, watched)), self.ask_for_files, lambda: book.trigger("file.simulate")
        )
        self.scans = ScanList(session, "Scans", empty, self.ask_for_files)
        self.reviewed = ScanList(
            session, "Review",
            EmptyState(
                "Nothing under review",
                "Choose a folder of past scans and reconstructions. Nothing in it is changed.",
                (("Choose folder…", self.ask_for_review),),
            ),
            self.ask_for_review,
        )  # fmt: skip
        self.recent = PathMenu(
            "Open recent", lambda: [Path(text) for text in session.settings.recent],
            self.open_path, "Nothing was opened yet", owner,
        )  # fmt: skip
        self.feed = Feed(services.lookout, self._take, self._tell)
        book.bind("file.open", self.ask_for_files)
        book.bind("file.open_folder", self.ask_for_folder)
        book.bind("file.watch", self.ask_for_watch)
        book.bind("file.simulate", self.simulate)
        book.bind("view.next_scan", lambda: self.shown.step(1))
        book.bind("view.previous_scan", lambda: self.shown.step(-1))
        session.selection_changed.connect(self._look_at)
        self._started = False

    @property
    def shown(self) -> ScanList:
        """The list that is in sight."""
        return self.reviewed if self.reviewed.isVisible() else self.scans

    def watched_folders(self) -> tuple[Path, ...]:
        """Return the folders that are watched: a person's, else the profile's if it is there."""
        own = tuple(Path(text) for text in self._session.settings.watched)
        usual = self._services.raw_folder
        return own or ((usual,) if usual is not None else ())

    def start(self) -> None:
        """Begin to watch, and bring back what was opened lately; once."""
        if not self._started:
            self._tasks.start(self._begin(self.watched_folders()), "Watching folders")
        self._started = True

    def open_paths(self, paths: list[str] | list[Path]) -> None:
        """Open what a person named, dropped or chose; the first one is selected."""
        chosen = [Path(path).absolute() for path in paths]
        for path in reversed(chosen):
            if self.scans.entries.entry(path) is None:
                self.scans.put(opening(path))
        if chosen:
            self.scans.select(chosen[0])
            self._opened.update(chosen)
            self._tasks.start(self._watch((), chosen), "Watching what was opened")

    def open_path(self, path: Path) -> None:
        """Open one file or folder."""
        self.open_paths([path])

    def review(self, folder: Path) -> None:
        """List what lies in a folder, without watching it as the beamline's."""
        self._review = folder.absolute()
        self._tasks.start(self._watch((self._review,)), f"Listing {folder}")

    def simulate(self) -> None:
        """Make the simulated scan, unless it is there, and open it."""
        self._tasks.start(self._simulate(), "Making the simulated scan")

    def ask_for_files(self) -> None:
        """Let a person choose files."""
        dialog = QFileDialog(self._owner, "Open scan or volume", self._start_folder(), _FILTER)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        self._show(dialog, self.open_paths)

    def ask_for_folder(self) -> None:
        """Let a person choose a folder: a TIFF stack, a volume, or a folder of scans."""
        self._show_folder("Open folder", self.open_paths)

    def ask_for_watch(self) -> None:
        """Let a person choose one more folder to watch."""
        self._show_folder("Watch folder", self._add_watch)

    def ask_for_review(self) -> None:
        """Let a person choose a folder to review."""
        self._show_folder("Review folder", lambda chosen: self.review(Path(chosen[0])))

    def renew_icons(self) -> None:
        """Draw both lists in the theme's colours."""
        self.scans.renew_icons()
        self.reviewed.renew_icons()

    def close(self) -> None:
        """Put away."""
        self.feed.close()
        self.scans.close()
        self.reviewed.close()

    # -- the watch ---------------------------------------------------------------------

    async def _watch(self, folders: Sequence[Path], paths: Sequence[Path] = ()) -> None:
        await answer_of(self._services.lookout.watch(folders, paths))

    async def _begin(self, folders: Sequence[Path]) -> None:
        recent = [Path(text) for text in self._session.settings.recent]
        # A folder that no longer answers would hold up the watch of all others.
        there = await asyncio.to_thread(present, recent) if recent else ()
        self._opened.update(there)
        if folders or there:
            await self._watch(folders, there)

    def _add_watch(self, chosen: list[str]) -> None:
        folders = (*self._session.settings.watched, *chosen)
        self._session.remember(watched=tuple(dict.fromkeys(folders)))
        self._tasks.start(self._watch(tuple(map(Path, chosen))), "Watching a folder")

    def _take(self, change: Change, picture: Picture | None) -> None:
        """Take a change of what is watched."""
        sighting = change.sighting
        path = sighting.path
        target = self._list_of(path)
        if change.kind == "gone":
            if self._identities.get(sighting.identity) == path:
                del self._identities[sighting.identity]
            if path != self._session.selected:
                target.entries.remove(path)
                return
        elif sighting.identity and path not in self._opened:
            first = self._identities.setdefault(sighting.identity, path)
            if first != path and self._list_of(first).entries.entry(first) is not None:
                target.entries.remove(path)  # the same scan under another name
                return
        known, selected = target.entries.entry(path), path == self._session.selected
        seen = known is not None and (selected or known.state in _JUDGED)
        if path in self._opened and seen and _is_pending(sighting):
            return  # whoever opened it knows more of it
        target.put(entry_of_sighting(sighting, self._naming), announce=change.kind == "appeared")
        if picture is not None:
            target.put_picture(path, picture)
        if change.kind == "completed" and known is not None and known.state is State.MOVING:
            self._announce(entry_of_sighting(sighting, self._naming))
        news = change.kind in ("changed", "completed") or sighting.state == "arriving"
        if selected and news and _differs(self._session.look, sighting):
            self._look_at(path)

    def _tell(self, state: WatchState) -> None:
        troubles = [f"{item.folder}: {item.sentence}" for item in state.troubles]
        self.scans.say_trouble("\n".join([*([state.lost] if state.lost else []), *troubles]))

    def _announce(self, entry: Entry) -> None:
        self._session.notice(
            Notice(
                Level.DONE, f"{entry.title} is complete: {entry.words}.", action_text="Show it",
                action=lambda: self.scans.select(entry.path), key=f"complete:{entry.path}",
            )
        )  # fmt: skip

    def _list_of(self, path: Path) -> ScanList:
        if self._review is not None and path.is_relative_to(self._review):
            return self.reviewed
        return self.scans

    # -- looking closely ---------------------------------------------------------------

    def _look_at(self, path: Path | None) -> None:
        if path is None:
            return
        self._looking = self._tasks.start(
            self._look(path), f"Looking at {path.name}", instead_of=self._looking
        )

    async def _look(self, path: Path) -> None:
        self._session.busy("look", f"Looking at {path.name}")
        try:
            look = await answer_of(self._services.desk.look(path))
        except AlsctError as error:
            target = self._list_of(path)
            known = target.entries.entry(path)
            if known is not None:
                target.put(lost(known, error.sentence))
            raise
        finally:
            self._session.busy("look", "")
        target = self._list_of(path)
        known = target.entries.entry(path)
        if known is not None and known.state is State.MOVING and not look.ok:
            # What lacks is not wrong: it is still being written.
            self._session.set_look_arriving(path, look, known.words)
            return
        target.put(entry_of_look(look, known, self._naming))
        if look.thumbnail is not None:
            target.put_picture(path, look.thumbnail)
        self._session.set_look_arriving(path, look, "")
        if look.kind == "volume" and look.ok and self._session.selected == path:
            self._session.show_volume(path)

    async def _simulate(self) -> None:
        self._session.busy("simulate", "Making the simulated scan")
        try:
            path = await asyncio.to_thread(self._services.simulate)
        finally:
            self._session.busy("simulate", "")
        # A recipe that was changed is a person's own; the usual one is meant for wide detectors.
        if self._session.recipe == load_recipe(self._services.profile.defaults.preset):
            self._session.set_recipe(load_recipe(_SIMULATED_PRESET))
        self.open_path(path)

    # -- dialogs -----------------------------------------------------------------------

    def _start_folder(self) -> str:
        recent = self._session.settings.recent
        return str(Path(recent[0]).parent) if recent else ""

    def _show_folder(self, title: str, then: Any) -> None:
        dialog = QFileDialog(self._owner, title, self._start_folder())
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        self._show(dialog, then)

    def _show(self, dialog: QFileDialog, then: Any) -> None:
        dialog.filesSelected.connect(then)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()


def _is_pending(sighting: Sighting) -> bool:
    """Whether the watch waits, though no frame lacks, or for what may never be readable."""
    done, expected = sighting.frames_done, sighting.frames_expected
    return sighting.state == "arriving" and (done is None or done == expected)


def _differs(look: Look | None, sighting: Sighting) -> bool:
    """Whether another look is due: there is no good one, or the file is another since."""
    if look is None or not look.ok or sighting.kind != "scan":
        return True
    return (look.size_bytes, look.modified_ns / 1e9) != (sighting.size_bytes, sighting.modified_s)
