"""`alsct-gui --simulate`: a whole facility for the window, and the switches of its fault desk."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from alsct_gui.model.errors import AlsctError
from alsct_gui.placement.onlyone import agent_pid
from alsct_gui.simulator.facility.desk import Card, Desk, read_card
from alsct_gui.simulator.facility.faults import FaultName
from alsct_gui.simulator.facility.kinds import KINDS, FaultKind
from alsct_gui.simulator.facility.serve import FacilityProcess
from alsct_gui.simulator.facility.tree import Tree
from alsct_gui.ui.services import FaultChoice

FOLDER_VARIABLE = "ALSCT_FACILITY"
"""Environment variable that names the folder of the facility, as for `alsct facility`."""
PLANNED_IN_S, PLANNED_FOR_S = 120.0, 600.0
"""When a planned outage of the menu begins, and how long it lasts."""
_JOBS = (
    FaultName.NODE_FAIL, FaultName.TIMEOUT, FaultName.HELD, FaultName.JOB_NOT_FOUND,
    FaultName.NO_OUTPUT,
)  # fmt: skip
_MACHINE = (FaultName.OUTAGE, FaultName.PLANNED_OUTAGE)


@dataclass(frozen=True, eq=False)
class Simulated:
    """A simulated facility, or why there is none."""

    tree: Tree
    """Where everything lies."""
    card: Card | None
    """How it is reached; None when none runs."""
    trouble: str = ""
    """Why none runs; empty when one does."""

    @property
    def ledger(self) -> Path:
        """The ledger of its scans."""
        return self.tree.root / "ledger.sqlite"

    @property
    def scans(self) -> Path:
        """Folder for the simulated scan, below that of the raw files."""
        return self.tree.raw / "BLS-00000_simulated"

    @property
    def switches(self) -> DeskSwitches:
        """The switches of its fault desk; they say so when there is none."""
        desk = Desk(self.card.control) if self.card is not None else None
        return DeskSwitches(desk, self.trouble)


class DeskSwitches:
    """Faults that are switched on and off, each everywhere it usually strikes.

    Parameters
    ----------
    desk
        The fault desk; None when there is no facility.
    reason
        Why there is none.
    """

    def __init__(self, desk: Desk | None, reason: str = "") -> None:
        self._desk, self._reason = desk, reason

    @property
    def reason(self) -> str:
        """Why nothing can be switched; empty when it can."""
        return "" if self._desk is not None else self._reason or "No facility runs."

    @property
    def choices(self) -> tuple[FaultChoice, ...]:
        """Faults that there are, in the order of a menu."""
        return tuple(
            FaultChoice(kind.name.value, kind.title, kind.means, _group(kind)) for kind in KINDS
        )

    def on(self) -> frozenset[str]:
        """Names of the faults that are on the desk."""
        if self._desk is None:
            return frozenset()
        return frozenset(fault.name.value for fault in self._desk.faults().values())

    def switch(self, name: str, *, on: bool) -> None:
        """Switch a fault on or off."""
        if self._desk is None:
            return
        known = [number for number, f in self._desk.faults().items() if f.name.value == name]
        if on and not known:
            planned = name == FaultName.PLANNED_OUTAGE.value
            self._desk.put(
                name, in_s=PLANNED_IN_S if planned else None,
                for_s=PLANNED_FOR_S if planned else None,
            )  # fmt: skip
        for number in known if not on else ():
            self._desk.take(number)

    def clear(self) -> None:
        """Switch all faults off."""
        if self._desk is not None:
            self._desk.clear()


@contextmanager
def simulated_facility(root: Path | None = None) -> Iterator[Simulated]:
    """Use the facility that runs in a folder, or run one as long as the block lasts.

    Its variables stand in this process's environment, so that an agent finds its services. An
    agent that works on its ledger ends with a facility that was started here.

    Parameters
    ----------
    root
        Its folder; None for that of this user.
    """
    tree = Tree((root or facility_folder()).absolute())
    with ExitStack() as stack:
        card, trouble = _running(tree), ""
        if card is None:
            process = FacilityProcess(tree.root)
            try:
                card = process.start()
                stack.callback(process.stop)
                stack.callback(_end_agent, Simulated(tree, card).ledger)
            except (AlsctError, OSError) as error:
                trouble = error.sentence if isinstance(error, AlsctError) else f"{error}."
        if card is not None:
            os.environ.update(card.environment)
        yield Simulated(tree, card, trouble)


def facility_folder() -> Path:
    """Return the folder of this user's facility."""
    named = os.environ.get(FOLDER_VARIABLE)
    if named:
        return Path(named)
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(data).expanduser() / "alsct-gui" / "facility"


def _running(tree: Tree) -> Card | None:
    """The card of a facility that answers; None when none does."""
    try:
        card = read_card(tree.card)
        Desk(card.control).faults()
    except AlsctError:
        return None
    return card


def _end_agent(ledger: Path) -> None:
    pid = agent_pid(ledger)
    if pid is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)


def _group(kind: FaultKind) -> str:
    if kind.name in _MACHINE:
        return "Machine"
    if kind.name in _JOBS:
        return "Jobs"
    return "Transfers" if kind.where.startswith(("task", "consent")) else "Line"
