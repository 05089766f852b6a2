"""What stands over the canvas, from what is known of the selection. Pure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from alsct_gui.ui.session import Mode
from alsct_gui.ui.viewer.mode import Cover
from alsct_gui.ui.viewer.opened import OpenedVolume, is_partial
from alsct_gui.ui.viewer.volumewords import made_words

if TYPE_CHECKING:
    from alsct_gui.recon.desk.answers import Look

STARTING = Cover("Starting the viewer…", "This takes a few seconds.")
NOTHING = Cover("Nothing is selected", "Choose a scan in the list, or drop a file or folder here.")
OF_SCANS = (Mode.PROJECTIONS, Mode.SINOGRAM, Mode.PREVIEW)


def arriving_words(so_far: str) -> str:
    """Say how far a scan is that cannot be worked on yet."""
    return f"{so_far[:1].upper()}{so_far[1:]}. It can be worked on once it is whole."


def cover_for(
    *, ready: bool, mode: Mode, selected: Path | None, look: Look | None, volume: Path | None
) -> Cover | None:
    """Words that hold whatever the mode; None when the mode speaks for itself.

    Parameters
    ----------
    ready
        Whether the viewer is open.
    mode
        What is to be shown.
    selected
        The selection.
    look
        What is known of it; None until it was looked at.
    volume
        The volume that is shown.
    """
    if not ready:
        return STARTING
    if mode not in OF_SCANS:
        return None if volume is not None else Cover(
            "No volume is open", "Open one from the list, or reconstruct a scan."
        )  # fmt: skip
    if selected is None:
        return NOTHING
    if look is None:
        return Cover(f"Reading {selected.name}…", str(selected.parent))
    if look.ok and look.kind != "scan":
        return Cover(
            f"{selected.name} is a volume", "It has no projections; the tab Volume shows it."
        )
    return None


def volume_cover(
    path: Path, opened: OpenedVolume | None, error: str, *, index: int, in_slices: bool,
    open_other: Callable[[], object], follow: Callable[[], object],
) -> Cover | None:  # fmt: skip
    """Words while a volume cannot be seen; None when there is a picture.

    Parameters
    ----------
    path
        Of the volume.
    opened
        The same, open; None until it is.
    error
        Why it cannot be opened; empty when it can.
    index
        The slice that is to be seen.
    in_slices
        Whether slices are shown.
    open_other, follow
        What the buttons do.
    """
    name = path.name[1 : -len(".partial")] if is_partial(path) else path.name
    if error:
        return Cover(f"{name} cannot be shown", error, "Open another volume…", open_other)
    if opened is None:
        return Cover(f"Opening {name}…", str(path.parent))
    if opened.state == "gone":
        return Cover(f"{opened.name} is gone", "The run was cancelled or began anew.")
    if in_slices and not opened.has(index):
        made = made_words(opened.finished, opened.volume.shape[0])
        button = ("Follow the newest", follow) if opened.finished else ("", None)
        return Cover("Not yet made", f"Slice {index} comes when its turn does: {made}.", *button)
    return None
