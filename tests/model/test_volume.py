from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alsct_gui.model.errors import InputError
from alsct_gui.model.volume import Volume, to_physical


def volume(**provenance: Any) -> Volume:
    return Volume(Path("v.zarr"), "ome-zarr", (), provenance=provenance)


def test_integers_get_their_values_back() -> None:
    stored = np.array([0, 100, 65535], np.uint16)
    scaled = volume(scale=[-1.0, 0.5])
    assert scaled.scale == (-1.0, 0.5)
    values = scaled.physical(stored)
    assert values.dtype == np.float32
    assert values.tolist() == [-1.0, 49.0, 32766.5]


def test_without_a_scale_values_are_as_stored() -> None:
    stored = np.arange(3, dtype=np.float32)
    assert volume().scale is None
    assert volume(scale=None).physical(stored) is stored
    assert to_physical(stored, None) is stored


@pytest.mark.parametrize("scale", [3, "ab", [1], [1, 2, 3], ["x", 1], [0, float("inf")], [0, 0]])
def test_an_odd_scale_is_an_input_error(scale: Any) -> None:
    with pytest.raises(InputError, match="scale"):
        _ = volume(scale=scale).scale
