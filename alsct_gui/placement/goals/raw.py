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
    """

    def __init__(
        self, world: World, place: str, transfer: Transfer, reader: Reader,
        *, source: str, target: str,
    ) -> None:  # fmt: skip
        self._world, self._place = world, place
        self._transfer, self._reader = transfer, reader
        self._source, self._target = source, target

    def observe(self, keys: Sequence[str]) -> Mapping[str, Evidence]:
        """Look at the place for all of them at once."""
        return _unchanged(self._world, self._reader, keys, by_bytes=False)

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
        if status.state is TransferState.STALLED and not status.reason.needs_person:
            self._transfer.cancel(outside_id)
            return failed(status.cause or "nothing moved for too long", status.fix)
        return transfer_state(status)

    def cancel(self, outside_id: str) -> None:
        """End the transfer."""
        self._transfer.cancel(outside_id)


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
