from __future__ import annotations

import numpy as np
import pytest

from alsct_gui.model.errors import RecipeError
from alsct_gui.recon.preprocess.rings.wavelet import remove_stripes_by_wavelet
from tests.recon.preprocess.stripes import (
    noisy_sinogram,
    striped_sinogram,
    wavelet_reference,
)


@pytest.mark.parametrize("shape", [(60, 101), (181, 256), (97, 64), (7, 40), (40, 7)])
def test_equals_the_filter_step_by_step(shape: tuple[int, int]) -> None:
    for sigma, level, wavelet, pad in (
        (3.0, 8, "db5", True),
        (2.0, 4, "haar", False),
        (0.7, 5, "sym4", True),
        (40.0, 3, "db2", True),
    ):
        sinogram = striped_sinogram(*shape)
        padding = shape[0] // 8 if pad else 0
        expected = wavelet_reference(sinogram, sigma, level, wavelet, padding)
        remove_stripes_by_wavelet(sinogram, sigma, level, wavelet, pad)
        # A few roundings of float32 at values of up to 3.
        assert np.abs(sinogram - expected).max() < 6e-6


def test_takes_a_stripe_to_its_ends_where_tomopys_zeros_leave_half_of_it() -> None:
    # Two differences to tomopy's remove_stripe_fw: the edge is repeated instead of zeros,
    # and the damping is centred at frequency zero, not half a bin off it.
    clean = noisy_sinogram(240, 128)
    striped = clean.copy()
    striped[:, 50] += 1.0
    theirs = [
        wavelet_reference(x, 3.0, 6, "db5", 30, pad_mode="constant", half_bin=True)[:, 50]
        for x in (striped, clean)
    ]
    for x in (striped, clean):
        remove_stripes_by_wavelet(x, 3.0, 6, "db5", True)
    left, left_by_theirs = (striped - clean)[:, 50], theirs[0] - theirs[1]
    assert np.abs(left).max() < 0.02
    assert left_by_theirs[0] == pytest.approx(0.5, abs=0.02)
    assert np.abs(left_by_theirs - left)[60:180].max() < 0.01


def test_without_width_only_the_mean_of_a_stripe_is_taken() -> None:
    sinogram = striped_sinogram(64, 64)
    expected = wavelet_reference(sinogram, 1e-3, 4, "db5", 0)
    remove_stripes_by_wavelet(sinogram, 0.0, 4, "db5", False)
    assert np.abs(sinogram - expected).max() < 6e-6


def test_an_unknown_wavelet_is_named() -> None:
    with pytest.raises(RecipeError, match="nonsense"):
        remove_stripes_by_wavelet(striped_sinogram(20, 20), 3.0, 2, "nonsense", True)
