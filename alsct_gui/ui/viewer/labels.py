"""A segmentation over the volume: painted with napari's controls, saved by itself."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QTimer

from alsct_gui.files import cuts
from alsct_gui.files.labels import labels_path, load_labels, save_labels
from alsct_gui.model.errors import AlsctError
from alsct_gui.model.volume import Volume
from alsct_gui.ui.session import Level, Notice
from alsct_gui.ui.viewer.mode import Surroundings
from alsct_gui.ui.viewer.solid import SolidSlot

if TYPE_CHECKING:
    from napari.layers import Labels

SAVE_MS = 2000
"""From the last stroke to saving."""
DTYPE = np.dtype(np.uint16)
_NAME = "segmentation"


@dataclass(frozen=True, slots=True)
class LabelRoom:
    """Whether labels of the whole volume fit, in words."""

    whole: bool
    bytes: int
    sentence: str


@dataclass(eq=False)
class Sheet:
    """Labels in memory and where they are kept."""

    data: NDArray[Any]
    """Shape (slice, y, x), or (y, x) of one slice."""
    volume: Volume
    slice_index: int | None
    changed: bool = False
    """Whether there is something to save."""

    @property
    def path(self) -> Path:
        """Where they are kept."""
        return path_of(self.volume, self.slice_index)


def room_for(shape: tuple[int, int, int], memory_bytes: int) -> LabelRoom:
    """Say whether labels of a whole volume fit into the memory there is. Pure.

    Parameters
    ----------
    shape
        Of the volume.
    memory_bytes
        That there is.
    """
    needed = math.prod(shape) * DTYPE.itemsize
    allowed = int(memory_bytes * cuts.MEMORY_SHARE)
    if needed <= allowed:
        return LabelRoom(True, needed, f"Segmentation of the whole volume, {_size(needed)}")
    return LabelRoom(
        False, math.prod(shape[1:]) * DTYPE.itemsize,
        f"Segmentation of this slice: the whole volume needs {_size(needed)}, "
        f"{_size(allowed)} may be taken",
    )  # fmt: skip


def path_of(volume: Volume, slice_index: int | None) -> Path:
    """Where the labels of a volume, or of one of its slices, are kept."""
    name = _NAME if slice_index is None else f"{_NAME}-{slice_index:05d}"
    return labels_path(volume.path, name)


def read_sheet(volume: Volume, slice_index: int | None) -> tuple[Sheet, tuple[str, ...]] | None:
    """Read saved labels into memory; None when there are none. Call it in a thread.

    Raises
    ------
    InputError
        They do not fit the volume, or are damaged.
    """
    path = path_of(volume, slice_index)
    if not path.exists():
        return None
    saved = load_labels(path, volume)
    data = np.asarray(saved.labels[...])
    if slice_index is not None:
        data = data[0]
    return Sheet(data, volume, slice_index), saved.warnings


def find_sheet(volume: Volume) -> tuple[Sheet, tuple[str, ...]] | None:
    """Read what was painted on a volume before: all of it, else the slice saved last.

    Raises
    ------
    InputError
        As `read_sheet`.
    """
    if path_of(volume, None).exists():
        whole = room_for(volume.shape, cuts.available_memory_bytes()).whole
        return read_sheet(volume, None) if whole else None
    found = []
    for index in range(volume.shape[0]) if volume.path.parent.is_dir() else ():
        path = path_of(volume, index)
        if path.exists():
            found.append((path.stat().st_mtime, index))
    return read_sheet(volume, max(found)[1]) if found else None


class Segmentation(SolidSlot):
    """The layer named *Segmentation*.

    Parameters
    ----------
    around
        What every mode is given.
    say
        Shows a few words beside the volume's facts.
    """

    def __init__(self, around: Surroundings, say: Callable[[str], None]) -> None:
        super().__init__(around.shelf, "Segmentation")
        self._around, self._say = around, say
        self._sheet: Sheet | None = None
        self._due: list[Sheet] = []
        self._task: asyncio.Task[None] | None = None
        self._seen_at: tuple[float, ...] = ()
        self._timer = QTimer(singleShot=True, interval=SAVE_MS)
        self._timer.timeout.connect(self._save_soon)

    @property
    def sheet(self) -> Sheet | None:
        """What is painted on; None while there is no segmentation."""
        return self._sheet

    @property
    def is_saved(self) -> bool:
        """Whether all that was painted is on the disk."""
        waits = self._sheet is not None and self._sheet.changed
        return not waits and not self._due and (self._task is None or self._task.done())

    async def load(self, volume: Volume) -> None:
        """Show what was painted on a volume before."""
        try:
            found = await asyncio.to_thread(find_sheet, volume)
        except AlsctError as error:
            self._around.session.report(f"Opening the segmentation of {volume.path.name}", error)
            return
        if found is not None:
            self._show_found(*found)

    async def begin(self, volume: Volume, index: int) -> None:
        """Let a person paint: on the whole volume when it fits, else on one slice."""
        room = room_for(volume.shape, cuts.available_memory_bytes())
        slice_index = None if room.whole else index
        sheet = self._sheet
        if sheet is None or sheet.slice_index != slice_index:
            found = await asyncio.to_thread(read_sheet, volume, slice_index)
            if found is not None:
                self._show_found(*found)
            else:
                shape = volume.shape if room.whole else volume.shape[1:]
                self._show(Sheet(np.zeros(shape, DTYPE), volume, slice_index))
            self._say(room.sentence)
        if self._layer is not None:
            self._around.host.viewer.layers.selection.active = self._layer
            self._layer.mode = "paint"

    def show_on(self, index: int, on: bool) -> None:
        """Be seen with a slice; labels of one slice only on theirs."""
        sheet = self._sheet
        if sheet is not None and self._layer is not None:
            seen = on and sheet.slice_index in (None, index)
            if self._layer.visible != seen:
                self._layer.visible = seen

    def drop(self) -> None:
        """Another volume is shown: save what is not saved and take the layer away."""
        self._save_soon()
        self._sheet = None
        self.remove()
        self._say("")

    async def settle(self) -> None:
        """Wait until all that was painted is saved."""
        self._save_soon()
        if self._task is not None:
            await self._task

    def close(self) -> None:
        """Save what is left, at once: the window is closing and nothing may be lost."""
        self._timer.stop()
        left = [*self._due, *([self._sheet] if self._sheet is not None else [])]
        self._due.clear()
        for sheet in left:
            if sheet.changed:
                sheet.changed = False
                save_labels(sheet.data, sheet.volume, sheet.path, slice_index=sheet.slice_index)

    def lose(self, layer: object) -> None:
        if layer is self._layer:
            self._save_soon()
            self._sheet = None
        super().lose(layer)

    def _show_found(self, sheet: Sheet, warnings: tuple[str, ...]) -> None:
        for words in warnings:
            self._around.session.notice(Notice(Level.WARNING, words, str(sheet.path)))
        self._show(sheet)
        place = "" if sheet.slice_index is None else f" of slice {sheet.slice_index}"
        self._say(f"Segmentation{place} opened")

    def _show(self, sheet: Sheet) -> None:
        from napari.layers import Labels

        self._save_soon()
        edges = (sheet.volume.voxel_um or (1.0, 1.0, 1.0))[-sheet.data.ndim :]
        layer: Labels = Labels(
            sheet.data, name=self.name, scale=edges, units=(self._shelf.unit,) * len(edges)
        )
        self._sheet = sheet
        self.place(layer)
        layer.events.paint.connect(self._changed)
        layer.events.data.connect(self._replaced)
        layer.events.set_data.connect(self._drawn_anew)

    def _changed(self) -> None:
        if self._sheet is not None:
            self._sheet.changed = True
            self._say("Segmentation not yet saved")
            self._timer.start()

    def _replaced(self) -> None:
        """Take other data that a plugin has put into the layer."""
        if self._sheet is not None and self._layer is not None:
            self._sheet.data = np.asarray(self._layer.data)
            self._changed()

    def _drawn_anew(self) -> None:
        """Undo and redo tell of themselves only by drawing the same slice anew."""
        point = tuple(self._around.host.viewer.dims.point)
        again, self._seen_at = point == self._seen_at, point
        layer: Any = self._layer
        if again and layer is not None and (layer._undo_history or layer._redo_history):  # noqa: SLF001
            self._changed()

    def _save_soon(self) -> None:
        self._timer.stop()
        sheet = self._sheet
        if sheet is not None and sheet.changed and sheet not in self._due:
            self._due.append(sheet)
        if self._due and (self._task is None or self._task.done()):
            self._task = self._around.tasks.start(self._save(), "Saving the segmentation")

    async def _save(self) -> None:
        while self._due:
            sheet = self._due[0]
            sheet.changed = False
            try:
                await asyncio.to_thread(
                    save_labels, sheet.data, sheet.volume, sheet.path,
                    slice_index=sheet.slice_index,
                )  # fmt: skip
            except BaseException:
                sheet.changed = True
                self._due.clear()
                self._say("Segmentation not saved")
                raise
            self._due.pop(0)
            if sheet is self._sheet and not sheet.changed:
                self._say(saved_words(datetime.now().astimezone()))


def saved_words(now: datetime) -> str:
    """Say when it was saved: ``Segmentation saved 14:02``."""
    return f"Segmentation saved {now:%H:%M}"


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e9 else f"{max(n_bytes / 1e6, 0.1):.1f} MB"
