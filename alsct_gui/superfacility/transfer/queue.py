"""Many small wishes become few transfers: a service moves three at a time, not three hundred."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from alsct_gui.superfacility.transfer.base import Capabilities, TransferItem, TransferRequest

MAX_LABEL = 128
"""Longest label that Globus takes."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a batch may become."""

    max_active: int = 3
    """Transfers under way at once."""
    max_files: int = 2000
    """Most files of one batch."""
    max_bytes: int = 5_000_000_000_000
    """Bytes after which the next batch begins; a single request may exceed it."""

    @staticmethod
    def of(capabilities: Capabilities) -> Limits:
        """Limits of an adapter."""
        return Limits(capabilities.max_active, capabilities.max_files, capabilities.max_bytes)


@dataclass(frozen=True, slots=True)
class Batch:
    """Requests that travel as one transfer."""

    request: TransferRequest
    """The transfer."""
    keys: tuple[str, ...]
    """Keys of the requests in it, in their order."""


def batch(requests: Sequence[TransferRequest], limits: Limits) -> tuple[Batch, ...]:
    """Put requests together that go the same way for the same proposal.

    Requests keep their order within a batch, batches stand in the order of their first
    request, and a request is never split. A key that comes twice is taken once; two requests
    that want different files under one name never share a batch. The key of a batch is made
    from the keys in it, so the same requests make the same batch.

    Parameters
    ----------
    requests
        None of them submitted yet: what was submitted stays the batch it was.
    limits
        How large a batch may become.
    """
    open_batches: dict[tuple[str, str, str], _Growing] = {}
    grown: list[_Growing] = []
    seen: set[str] = set()
    for request in requests:
        if request.key in seen:
            continue
        seen.add(request.key)
        way = (request.source, request.target, request.proposal)
        growing = open_batches.get(way)
        if growing is None or not growing.takes(request, limits):
            growing = open_batches[way] = _Growing()
            grown.append(growing)
        growing.add(request)
    return tuple(growing.batch() for growing in grown)


def next_batches(
    waiting: Sequence[TransferRequest], n_active: int, limits: Limits
) -> tuple[Batch, ...]:
    """Return the batches to submit now; the rest waits and may still grow.

    Parameters
    ----------
    waiting
        Requests that are not submitted, the most urgent first.
    n_active
        Transfers under way.
    limits
        How many at once, and how large.
    """
    return batch(waiting, limits)[: max(0, limits.max_active - n_active)]


class _Growing:
    """A batch that is being put together."""

    def __init__(self) -> None:
        self._requests: list[TransferRequest] = []
        self._items: dict[str, TransferItem] = {}
        self._bytes = 0

    def takes(self, request: TransferRequest, limits: Limits) -> bool:
        """Whether a request fits in."""
        fresh = [item for item in request.items if item.target not in self._items]
        clash = any(
            self._items[item.target] != item
            for item in request.items if item.target in self._items
        )  # fmt: skip
        fits = len(self._items) + len(fresh) <= limits.max_files
        return not clash and fits and self._bytes + request.bytes_total <= limits.max_bytes

    def add(self, request: TransferRequest) -> None:
        """Take a request in."""
        self._requests.append(request)
        for item in request.items:
            self._items.setdefault(item.target, item)
        self._bytes = sum(item.size_bytes or 0 for item in self._items.values())

    def batch(self) -> Batch:
        """The whole."""
        first, keys = self._requests[0], tuple(request.key for request in self._requests)
        if len(keys) == 1:
            return Batch(first, keys)
        digest = hashlib.sha256("\n".join(sorted(map(repr, keys))).encode()).hexdigest()
        return Batch(
            TransferRequest(
                key=f"batch-{digest[:32]}", source=first.source, target=first.target,
                items=tuple(self._items.values()), proposal=first.proposal,
                label=f"{first.proposal or 'no proposal'}, {len(keys)} products",
            ),
            keys,
        )  # fmt: skip
