"""Which greys a picture is shown with. Pure."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass, field

Limits = tuple[float, float]


@dataclass
class Contrast:
    """Limits by what is shown: they follow the picture until a person sets them.

    A key is whatever has a contrast of its own, such as raw projections beside corrected ones.
    """

    _set: dict[Hashable, Limits] = field(default_factory=dict)

    def of(self, key: Hashable, low: float, high: float) -> Limits:
        """Limits for a picture whose own robust limits are `low` and `high`."""
        return self._set.get(key, ordered(low, high))

    def set(self, key: Hashable, low: float, high: float) -> Limits:
        """Take a person's limits; they hold until `reset` or `forget`."""
        self._set[key] = ordered(low, high)
        return self._set[key]

    def is_set(self, key: Hashable) -> bool:
        """Whether a person has set them."""
        return key in self._set

    def reset(self, key: Hashable) -> None:
        """Let them follow the picture again."""
        self._set.pop(key, None)

    def forget(self) -> None:
        """Let all of them follow their pictures, as for another scan."""
        self._set.clear()


def ordered(low: float, high: float) -> Limits:
    """Limits that a picture can be drawn with: finite, the first below the second."""
    low = low if math.isfinite(low) else 0.0
    high = high if math.isfinite(high) else low + 1.0
    if low > high:
        low, high = high, low
    if high - low <= 1e-12 * max(1.0, abs(low)):
        high = low + max(1e-6, 1e-6 * abs(low))
    return low, high
