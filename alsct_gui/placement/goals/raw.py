"""Raw files: the one that was admitted, and its copies at other places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from alsct_gui.model.placement import (
    MET,
    Evidence,
    StateKind,
    StepState,
    blocked,
    failed,
    waiting,
)
from alsct_gui.placement.goals.base import BlockedError, Intent, Record, World
from alsct_gui.placement.goals.later import LaterReader
from alsct_gui.placement.goals.reading import Reader, proves
from alsct_gui.superfacility.transfer.base import (
    Transfer,
    TransferItem,
    TransferRequest,
    TransferState,
    TransferStatus,
)


class AdmittedRaw:
    """The raw file where it was admitted: it is there and is the same, or somebody is called."""

    def __init__(self, world: World, reader: Reader) -> None:
        self._world, self._reader = world, reader

    def observe(self, keys: Sequence[str]) -> Mapping[str, Evidence]:
        """Read the files again."""
        return _unchanged(self._world, self._reader, keys, by_bytes=True)

    def act(self, intent: Intent, record: Record) -> str:
        """Nothing can be done by itself.

        Raises
        ------
        BlockedError
            Always: it says what is wrong.
        """
        scan = self._world.scan(intent.keys[0])
        raise BlockedError(
            "the raw file is gone, or is not what was admitted", where=scan.path,
            fix="Bring it back from another place, and retry",
        )  # fmt: skip

    def poll(self, outside_id: str) -> StepState:
        """It has no work of its own."""
        return failed("there is no such work", "Nothing has to be done")

    def cancel(self, outside_id: str) -> None:
        """It has no work of its own."""


class RawCopies:
    """Copies of raw files at another place, many of one proposal in one transfer.

    Parameters
    ----------
    world
        What is known.
    place
        Name of the place they go to.
    transfer
        What moves them.
    reader
        Looks at that place.
    source, target
        How the transfer calls the place of admission and this one.
    second
        Reads the bytes at that place where `reader` can only list; None when nothing can.

    Notes
    -----
    Where nobody reads the bytes for us, a size alone is believed only of what a transfer has
    brought that compared checksums at both ends. What lies there otherwise is sent again,
    which leaves it alone if it is equal. What is there is then read once more by `second`.
    """

    def __init__(
        self, world: World, place: str, transfer: Transfer, reader: Reader,
        *, source: str, target: str, second: LaterReader | None = None,
    ) -> None:  # fmt: skip
        self._world, self._place = world, place
        self._transfer, self._reader, self._second = transfer, reader, second
        self._source, self._target = source, target
        self._succeeded: set[str] = set()

    def observe(self, keys: Sequence[str]) -> Mapping[str, Evidence]:
        """Look at the place for all of them at once.

        Raises
        ------
        NotYetError
            They are known to be there, and are being read again.
        """
        world, second = self._world, self._second
        if second is not None and all(self._is_met(key) for key in keys):
            return _unchanged(world, second, keys, by_bytes=True)
        listed = _unchanged(world, self._reader, keys, by_bytes=False)
        unread = {world.relative(world.scan(key)): key for key in listed
                  if not listed[key].sha256}  # fmt: skip
        read = second.take(unread) if second is not None else {}
        found = {key: seen for key, seen in listed.items() if seen.sha256}
        for relative, key in unread.items():
            seen = read.get(relative)
            if seen is None and self._was_compared(key):
                found[key] = listed[key]
            elif seen is not None and proves(seen, world.scan(key), by_bytes=True):
                found[key] = seen
        return found

    def act(self, intent: Intent, record: Record) -> str:
        """Submit one transfer of all of them."""
        world = self._world
        scans = [world.scan(key) for key in intent.keys]
        named = [(world.relative(scan), scan) for scan in scans]
        request = TransferRequest(
            key=intent.work,
            source=self._source,
            target=self._target,
            items=tuple(TransferItem(name, name, s.size_bytes, s.sha256) for name, s in named),
            proposal=scans[0].proposal,
            label=f"raw to {self._place}",
            submission=intent.submission or None,
        )
        return self._transfer.submit(request, record)

    def poll(self, outside_id: str) -> StepState:
        """Ask the transfer; one that is stuck is ended, so that another can begin."""
        status = self._transfer.status(outside_id)
        if status.state is TransferState.SUCCEEDED:
            self._succeeded.add(outside_id)
        if status.state is TransferState.STALLED and not status.reason.needs_person:
            self._transfer.cancel(outside_id)
            return failed(status.cause or "nothing moved for too long", status.fix)
        return transfer_state(status)

    def cancel(self, outside_id: str) -> None:
        """End the transfer."""
        self._transfer.cancel(outside_id)

    def _is_met(self, key: str) -> bool:
        record = self._world.observed.goals.get(key)
        return record is not None and record.state.kind is StateKind.MET

    def _was_compared(self, key: str) -> bool:
        """Whether a transfer has brought it and compared the checksums at both ends."""
        if self._is_met(key):
            return True
        record = self._world.observed.goals.get(key)
        work = self._world.observed.works.get(record.work) if record is not None else None
        return work is not None and work.outside_id in self._succeeded


def transfer_state(status: TransferStatus) -> StepState:
    """Return what a transfer's state means for the goals that it serves."""
    fix = status.fix
    match status.state:
        case TransferState.QUEUED | TransferState.ACTIVE:
            return StepState(
                StateKind.MOVING, done=status.bytes_done, total=status.bytes_total or 0
            )
        case TransferState.PAUSED:
            return waiting("whoever paused the transfer", status.cause or status.sentence)
        case TransferState.STALLED:
            cause = status.cause or "nothing moves"
            return blocked(cause, fix or "Look at the transfer; retry begins another one")
        case TransferState.NEEDS_PERSON:
            return blocked(status.cause or "a login or consent is missing", fix or "Log in")
        case TransferState.SUCCEEDED:
            return MET
        case TransferState.CANCELLED:
            return failed(status.cause or "the transfer was cancelled elsewhere", fix)
        case TransferState.FAILED:
            return failed(status.cause or status.sentence or "the transfer failed", fix)
        case TransferState.UNKNOWN:
            return failed(status.cause or "the transfer is not known any more", fix)


def _unchanged(
    world: World, reader: Reader, keys: Sequence[str], *, by_bytes: bool
) -> dict[str, Evidence]:
    """Return evidence of the goals whose file is whole where the reader looks."""
    named = {world.relative(world.scan(key)): key for key in keys}
    seen = reader.read({name: world.scan(key) for name, key in named.items()})
    return {
        named[name]: evidence
        for name, evidence in seen.items()
        if proves(evidence, world.scan(named[name]), by_bytes=by_bytes)
    }
