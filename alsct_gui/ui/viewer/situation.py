"""What stands over the canvas, from what is known of the selection. Pure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alsct_gui.ui.session import Mode
from alsct_gui.ui.viewer.mode import Cover

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
