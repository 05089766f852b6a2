"""A picture of the canvas as PNG, which says in itself what it shows."""

from __future__ import annotations

import asyncio
from pathlib import Path

from PySide6.QtCore import QBuffer, QIODevice, QObject
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog, QWidget

from alsct_gui.ui.actions.book import ActionBook
from alsct_gui.ui.look.saving import ask_where, suggested_path, write_whole
from alsct_gui.ui.look.sight import Sight
from alsct_gui.ui.picture import Picture
from alsct_gui.ui.session import Level, Notice, Session
from alsct_gui.ui.tasks import Tasks


class Screenshots(QObject):
    """Takes the picture at once, then asks where to save it.

    Parameters
    ----------
    session
        Whose selection names the file.
    tasks
        Where it is written.
    sight
        What is taken.
    book
        Its command is bound here.
    owner
        Window of the dialog.
    """

    def __init__(
        self, session: Session, tasks: Tasks, sight: Sight, book: ActionBook, owner: QWidget
    ) -> None:
        super().__init__()
        self._session, self._tasks, self._sight, self._owner = session, tasks, sight, owner
        self._folder = ""
        self.dialog: QFileDialog | None = None
        book.bind("look.screenshot", self.take)

    def take(self) -> None:
        """Take the canvas as it is now, and ask for a name."""
        picture = self._sight.picture
        if picture is None:
            return
        image = self._sight.screenshot()
        for key, words in self._texts(picture).items():
            image.setText(key, words)
        path = suggested_path(self._session.selected, picture.title, ".png", self._folder)
        self.dialog = ask_where(
            self._owner, "Save screenshot", path, "PNG (*.png)",
            lambda chosen: self._tasks.start(self._write(chosen, image), "Saving the screenshot"),
        )  # fmt: skip

    def close(self) -> None:
        """Nothing runs by itself."""

    def renew_icons(self) -> None:
        """No icons."""

    def _texts(self, picture: Picture) -> dict[str, str]:
        """What stands in the file, by PNG's own keywords where there are some."""
        selected = self._session.selected
        unit = f" {picture.units}" if picture.units else ""
        texts = {
            "Title": picture.title,
            "Source": str(selected) if selected is not None else "",
            "Software": "alsct-gui",
            "Recipe": self._session.recipe.name,
            "Contrast": f"{picture.low:.6g} to {picture.high:.6g}{unit}",
        }
        if picture.pixel_um is not None:
            texts["Pixel"] = f"{picture.pixel_um[0]:.6g} x {picture.pixel_um[1]:.6g} um"
        return {key: words for key, words in texts.items() if words}

    async def _write(self, path: Path, image: QImage) -> None:
        self._folder = str(path.parent)
        await asyncio.to_thread(lambda: write_whole(path, png_of(image)))
        self._session.notice(Notice(Level.DONE, f"The screenshot is in {path}.", key="look.saved"))


def png_of(image: QImage) -> bytes:
    """Return an image as PNG, with its texts."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]  # the stubs want bytes here
    return bytes(buffer.data().data())
