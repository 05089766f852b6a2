"""Products that were made elsewhere and are brought here, file by file.

::

    .alsct-brought-<mark>/       beside the name, while files arrive
        rec<scan>.zarr/          what becomes the product, renamed when whole
        files.json               what has to arrive: size of each file, and what else is known

The mark is made from the goal, so another transfer goes on where the last one ended.
`BroughtGoals` is what reconstructions and analyses share.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from alsct_gui.model.errors import OutputError
from alsct_gui.model.placement import MET, Evidence, GoalKey, StateKind, StepState, failed
from alsct_gui.model.policy import Place
from alsct_gui.placement.goals.base import Intent, Record, World
from alsct_gui.placement.goals.raw import transfer_state
from alsct_gui.superfacility.transfer.base import (
    Transfer,
    TransferItem,
    TransferRequest,
    TransferState,
    key_digest,
)

LISTING = "files.json"
Listing = Mapping[str, Mapping[str, int | str]]
"""By ``files`` the size in bytes, by ``sums`` the SHA-256 of each file, when they are known."""


@dataclass(frozen=True, slots=True)
class Way:
    """How files get from another place to one of this machine."""

    transfer: Transfer
    """What moves them."""
    source: str
    """What the transfer calls the other place."""
    target: str
    """What it calls this one."""
    source_root: str
    """Folder of the other place, on its own machine."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """The files of one product, where it was made."""

    folder: str
    """Folder that holds them, on that place's own machine."""
    files: Mapping[str, int]
    """Size in bytes of each, by its path in the folder."""


class BroughtGoals(ABC):
    """Products of another place, in a folder of this machine.

    Parameters
    ----------
    world
        What is known.
    place
        The place; its root is a folder of this machine.
    way
        How files get here.
    """

    def __init__(self, world: World, place: Place, way: Way) -> None:
        self._world, self._place, self._way = world, place, way

    @abstractmethod
    def observe(self, keys: Sequence[str]) -> Mapping[str, Evidence]:
        """Look which products are here."""

    def act(self, intent: Intent, record: Record) -> str:
        """List the products where they were made, and submit a transfer of their files."""
        parcels = {key: self._parcel(key) for key in intent.keys}
        items = []
        for key, parcel in parcels.items():
            self._expect(key, parcel.files)
            source = PurePosixPath(parcel.folder).relative_to(self._way.source_root)
            target = PurePosixPath(self.aside(key).relative_to(self._place.root))
            items += [
                TransferItem(str(source / name), str(target / name), size_bytes)
                for name, size_bytes in sorted(parcel.files.items())
            ]
        request = TransferRequest(
            key=intent.work, source=self._way.source, target=self._way.target, items=tuple(items),
            proposal=self._world.scan(intent.keys[0]).proposal,
            label=f"{GoalKey.parse(intent.keys[0]).product} to {self._place.name}",
            submission=intent.submission or None,
        )  # fmt: skip
        return self._way.transfer.submit(request, record)

    def poll(self, outside_id: str) -> StepState:
        """Ask the transfer; what has arrived whole gets its name."""
        transfer = self._way.transfer
        status = transfer.status(outside_id)
        if status.state is TransferState.STALLED and not status.reason.needs_person:
            transfer.cancel(outside_id)
            return failed(status.cause or "nothing moved for too long", status.fix)
        state = transfer_state(status)
        works = self._world.observed.works.values()
        keys = next((work.keys for work in works if work.outside_id == outside_id), ())
        if state.kind is StateKind.MOVING:
            for key in keys:
                self._meanwhile(key)
        if state.kind is not StateKind.MET:
            return state
        for key in keys:
            settled = self._settle(key)
            if settled.kind is not StateKind.MET:
                return settled
        return MET

    def cancel(self, outside_id: str) -> None:
        """End the transfer; what has arrived stays aside for the next time."""
        self._way.transfer.cancel(outside_id)

    def aside(self, key: str) -> Path:
        """Folder in which the files of a goal arrive."""
        return self._output(key).parent / f".alsct-brought-{key_digest(key)}"

    @abstractmethod
    def _parcel(self, key: str) -> Parcel:
        """List a whole product where it was made.

        Raises
        ------
        OutputError
            It is not there any more; see `gone`.
        """

    @abstractmethod
    def _output(self, key: str) -> Path:
        """Name that a product gets here."""

    @abstractmethod
    def _settle(self, key: str) -> StepState:
        """Give what has arrived its name, when it is whole; else say what it lacks or awaits."""

    def _meanwhile(self, key: str) -> None:  # noqa: B027 (most have nothing to do)
        """Do what can be done while files travel."""

    def _there(self, key: str) -> str:
        """Key of the goal where the product is made."""
        goal = GoalKey.parse(key)
        return GoalKey(goal.scan, goal.product, self._place.source, goal.recipe).text

    def _gone(self) -> OutputError:
        return OutputError(
            "the product is not there any more as it was", where=self._place.source,
            fix="Nothing has to be done: it is looked at again there",
        )  # fmt: skip

    def _expect(self, key: str, files: Mapping[str, int]) -> None:
        """Write down what has to arrive; what has arrived of another product makes way for it."""
        aside, known = self.aside(key), None
        try:
            with suppress(ValueError, KeyError, TypeError, FileNotFoundError):
                known = read_listing(aside)["files"]
            if known != files and aside.exists():
                shutil.rmtree(aside)
        except OSError as error:
            raise self._unwritable(aside, error) from error
        self._keep(key, {"files": files})  # sums that were known may be of another one by now

    def _keep(self, key: str, listing: Listing) -> None:
        """Write down what is known of files that have to arrive."""
        aside = self.aside(key)
        part = aside / f"{LISTING}.part"
        try:
            aside.mkdir(parents=True, exist_ok=True)
            with part.open("w", encoding="ascii") as file:
                json.dump(listing, file)
                file.flush()
                os.fsync(file.fileno())
            part.replace(aside / LISTING)
        except OSError as error:
            raise self._unwritable(aside, error) from error

    def _unwritable(self, aside: Path, error: OSError) -> OutputError:
        return OutputError(
            f"the folder cannot be written ({error.strerror})", where=str(aside),
            fix="See whether it is mounted and has room",
        )  # fmt: skip


def read_listing(aside: Path) -> Listing:
    """Read what has to arrive.

    Raises
    ------
    OSError, ValueError, KeyError, TypeError
        It is not there, or is none.
    """
    plain = json.loads((aside / LISTING).read_bytes())
    return {"files": dict(plain["files"]), "sums": dict(plain.get("sums", {}))}


def regular_bytes(file: Path) -> int | None:
    """Return the size in bytes of a regular file; None when there is none."""
    try:
        status = file.lstat()
    except OSError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def unnamed(content: Path, error: OSError) -> OutputError:
    """Return the words that say that a product has arrived and does not get its name."""
    return OutputError(
        f"the product cannot be given its name ({error.strerror})", where=str(content)
    )
