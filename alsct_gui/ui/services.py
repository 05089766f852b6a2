"""What the window is given: everything beyond Qt, built and closed by `alsct_gui.app`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Protocol

from alsct_gui.model.profile import Profile

if TYPE_CHECKING:
    from alsct_gui.beamline.client import Lookout
    from alsct_gui.model.policy import Policy
    from alsct_gui.placement.runs.queue import RunQueue
    from alsct_gui.recon.desk.client import Desk


@dataclass(frozen=True, slots=True)
class FaultChoice:
    """A fault that can be switched on."""

    name: str
    """As the fault desk calls it."""
    title: str
    """What it is called."""
    means: str
    """What happens while it is on, a sentence without a full stop."""
    group: str
    """What it strikes, for the menu."""


class FaultSwitches(Protocol):
    """The fault desk of a simulated facility; `on`, `switch` and `clear` may block for a moment."""

    @property
    def reason(self) -> str:
        """Why nothing can be switched; empty when it can."""
        ...

    @property
    def choices(self) -> tuple[FaultChoice, ...]:
        """Faults that there are."""
        ...

    def on(self) -> frozenset[str]:
        """Names of the faults that are on."""
        ...

    def switch(self, name: str, *, on: bool) -> None:
        """Switch a fault on or off, everywhere it can strike."""
        ...

    def clear(self) -> None:
        """Switch all faults off."""
        ...


@dataclass(frozen=True, eq=False)
class Facility:
    """What the board is about: a ledger, a policy, and who works on them."""

    ledger: Path
    """The ledger's file, which need not exist yet."""
    policy: Policy | None
    """What is wanted; None when it cannot be read."""
    trouble: str = ""
    """Why the policy cannot be read; empty when it can."""
    configured: bool = False
    """Whether scans are admitted on this machine: the policy's folder is there."""
    start_agent: Callable[[], object] = lambda: None
    """Starts an agent that outlives the window (blocks for a moment)."""
    log_in: Callable[[Event], None] | None = None
    """Has a person log in to Globus (blocks until they have, or the event gives it up); None
    where the beamline's own client logs in by itself."""
    scicat_page: str = ""
    """Address of a dataset's page, ``{id}`` for the dataset; empty when not known."""
    faults: FaultSwitches | None = None
    """Faults of the simulated facility; None unless one is simulated."""


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
    facility: Facility = Facility(Path(), None)
    """Where scans belong, and what is known of it."""
