"""What the window is given: everything beyond Qt, built and closed by `alsct_gui.app`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from alsct_gui.model.profile import Profile

if TYPE_CHECKING:
    from alsct_gui.beamline.client import Lookout
    from alsct_gui.placement.runs.queue import RunQueue
    from alsct_gui.recon.desk.client import Desk


@dataclass(frozen=True, eq=False)
class Services:
    """The rooms below, as the window uses them."""

    profile: Profile
    """The beamline's profile."""
    raw_folder: Path | None
    """The profile's folder of raw scans, if it is there."""
    scratch_folder: Path | None
    """The profile's folder of reconstructions, if it is there."""
    desk: Desk
    """Reads scans, makes slices, in a process of its own."""
    lookout: Lookout
    """Watches folders, in a process of its own."""
    runs: RunQueue
    """Whole reconstructions, queued on this workstation."""
    simulate: Callable[[], Path]
    """Makes the simulated scan (blocks for seconds: call it from a thread); returns it."""
