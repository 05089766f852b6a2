"""Things worth keeping, within a bound of bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")


class BoundedCache:
    """Keeps what was used last; what does not fit beside it goes. Safe for several threads.

    Parameters
    ----------
    max_bytes
        How much is kept; something larger than that is not kept at all.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._kept: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def used_bytes(self) -> int:
        """Bytes of what is kept."""
        with self._lock:
            return sum(size for _, size in self._kept.values())

    def get(self, key: Hashable, make: Callable[[], T], size_bytes: Callable[[T], int]) -> T:
        """Return what is kept under a key, or make it and keep it."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                found: T = self._kept[key][0]
                return found
        made = make()  # without the lock: others are not held up, at worst it is made twice
        size = size_bytes(made)
        if size <= self.max_bytes:
            with self._lock:
                self._kept[key] = (made, size)
                self._kept.move_to_end(key)
                while sum(item[1] for item in self._kept.values()) > self.max_bytes:
                    self._kept.popitem(last=False)
        return made
