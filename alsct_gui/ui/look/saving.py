"""Asking where to save, and writing without leaving half a file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from alsct_gui.files.names import safe_stem
from alsct_gui.model.errors import OutputError


def ask_where(
    owner: QWidget, title: str, suggested: Path, filters: str, then: Callable[[Path], object]
) -> QFileDialog:
    """Let a person choose a file to write; the dialog asks before it names one that exists.

    Parameters
    ----------
    owner
        Window it belongs to.
    title
        On the dialog.
    suggested
        Folder and name that are proposed.
    filters
        As Qt writes them: ``PNG (*.png)``.
    then
        Called with the path, once.
    """
    dialog = QFileDialog(owner, title, str(suggested.parent), filters)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix(suggested.suffix.lstrip("."))
    dialog.selectFile(suggested.name)
    dialog.fileSelected.connect(lambda chosen: then(Path(chosen)))
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()
    return dialog


def write_whole(path: Path, data: bytes) -> None:
    """Write a file beside its name and rename it when it is whole.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    beside = None
    try:
        handle, beside = tempfile.mkstemp(prefix=f".{path.name[:40]}.", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        umask = os.umask(0)
        os.umask(umask)
        Path(beside).chmod(0o666 & ~umask)
        Path(beside).replace(path)
    except OSError as error:
        if beside is not None:
            with suppress(OSError):
                Path(beside).unlink()
        raise OutputError(
            f"it cannot be written: {error.strerror or error}", where=str(path),
            fix="Choose another folder, or free space",
        ) from error  # fmt: skip


def suggested_path(selected: Path | None, words: str, suffix: str, folder: str = "") -> Path:
    """Return a path after the scan and what is shown: ``foam_Slice of row 12.png``.

    Parameters
    ----------
    selected
        The scan or volume; None for none.
    words
        What is shown.
    suffix
        With its dot.
    folder
        Where such files go; empty for the person's own folder, never beside the data.
    """
    stem = selected.stem if selected is not None else "picture"
    name = "_".join(f"{stem} {words}".split())
    return Path(folder or Path.home()) / f"{safe_stem(name)}{suffix}"
