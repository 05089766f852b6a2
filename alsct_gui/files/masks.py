"""Where values are not finite or negative, as labels to lay over a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

PLAIN = 0
NOT_FINITE = 1
NEGATIVE = 2


@dataclass(frozen=True, slots=True, eq=False)
class ValueMask:
    """Labels of values that a person should know of."""

    labels: NDArray[np.uint8]
    """Shape of the values: `PLAIN`, `NOT_FINITE` (NaN or infinite) or `NEGATIVE`."""
    n_not_finite: int
    n_negative: int


def value_mask(values: NDArray[Any], below: float = 0.0) -> ValueMask:
    """Mark values that are not finite, or negative beyond the noise.

    Parameters
    ----------
    values
        Physical values, any shape.
    below
        Values under this count as negative: 0, or minus a few times the noise, so that
        the noise around empty space is not marked. At most 0.

    Raises
    ------
    ValueError
        `below` is positive or not finite.
    """
    if not -np.inf < below <= 0:
        raise ValueError(f"negative values lie below 0 at most, not below {below}")
    labels = np.zeros(values.shape, np.uint8)
    if values.dtype.kind not in "f":
        negative = values < below
        labels[negative] = NEGATIVE
        return ValueMask(labels, 0, int(np.count_nonzero(negative)))
    odd = ~np.isfinite(values)
    negative = (values < below) & ~odd
    labels[negative] = NEGATIVE
    labels[odd] = NOT_FINITE
    return ValueMask(labels, int(np.count_nonzero(odd)), int(np.count_nonzero(negative)))
