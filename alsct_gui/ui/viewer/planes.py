"""Reads cuts beside the event loop, keeps the latest, and reads ahead."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence

from alsct_gui.files.cuts import Cut
from alsct_gui.ui.viewer.opened import OpenedVolume, Plane

CACHE_BYTES = 256_000_000
"""Ten whole slices of 2560 × 2560, or forty of half the width."""
_AT_ONCE = 2
_Key = tuple[Cut, int]


class PlaneReader:
    """Gives cuts of one volume.

    Parameters
    ----------
    opened
        The volume; `close` closes it.
    cache_bytes
        What is kept at most.
    """

    def __init__(self, opened: OpenedVolume, cache_bytes: int = CACHE_BYTES) -> None:
        self.opened = opened
        self._cache: OrderedDict[_Key, Plane] = OrderedDict()
        self._cache_bytes = cache_bytes
        self._kept_bytes = 0
        self._pending: dict[_Key, asyncio.Future[Plane]] = {}
        self._ahead: list[_Key] = []
        self._closed = False

    @property
    def kept_bytes(self) -> int:
        """What the kept cuts take."""
        return self._kept_bytes

    async def read(self, cut: Cut, level: int = 0) -> Plane:
        """Return a cut, from memory when it was read before.

        Raises
        ------
        InputError
            It cannot be read.
        """
        key = (cut, level)
        kept = self.kept(cut, level)
        if kept is not None:
            return kept
        # Shielded: whoever else waits for the same cut goes on waiting.
        return await asyncio.shield(self._start(key))

    def kept(self, cut: Cut, level: int = 0) -> Plane | None:
        """Return a cut that was read before; None when it must be read."""
        kept = self._cache.get((cut, level))
        if kept is not None:
            self._cache.move_to_end((cut, level))
        return kept

    def read_ahead(self, cuts: Sequence[Cut], level: int) -> None:
        """Read what is likely wanted next; what was likely before is forgotten."""
        keys = [(cut, level) for cut in cuts]
        self._ahead = [key for key in keys if key not in self._cache and key not in self._pending]
        self._go_ahead()

    def close(self) -> None:
        """Forget everything and close the volume; waits for reads under way: call in a thread."""
        self._closed = True
        self._ahead.clear()
        self.opened.close()

    def _start(self, key: _Key) -> asyncio.Future[Plane]:
        pending = self._pending.get(key)
        if pending is None:
            loop = asyncio.get_running_loop()
            pending = loop.run_in_executor(None, self.opened.plane, *key)
            self._pending[key] = pending
            pending.add_done_callback(lambda done: self._take(key, done))
        return pending

    def _take(self, key: _Key, done: asyncio.Future[Plane]) -> None:
        self._pending.pop(key, None)
        # An error is told to whoever asks for the cut; one that was only guessed has nobody.
        if self._closed or done.cancelled() or done.exception() is not None:
            return
        if self._lasts(key[0]):
            self._keep(key, done.result())
        self._go_ahead()

    def _lasts(self, cut: Cut) -> bool:
        """Whether a cut stays as it is: those of a product in the making fill up."""
        if self.opened.partial is None:
            return True
        return cut.axis == "slice" and self.opened.has(cut.index)

    def _keep(self, key: _Key, plane: Plane) -> None:
        old = self._cache.pop(key, None)
        self._kept_bytes += plane.image.nbytes - (old.image.nbytes if old is not None else 0)
        self._cache[key] = plane
        while self._kept_bytes > self._cache_bytes and len(self._cache) > 1:
            _, dropped = self._cache.popitem(last=False)
            self._kept_bytes -= dropped.image.nbytes

    def _go_ahead(self) -> None:
        while self._ahead and len(self._pending) < _AT_ONCE and not self._closed:
            self._start(self._ahead.pop(0))
