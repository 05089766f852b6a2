from __future__ import annotations

import numpy as np
import pytest

from alsct_gui.recon.preprocess.hardening import correct_hardening


@pytest.mark.parametrize("threads", [1, 2])
def test_polynomial_without_a_constant(threads: int) -> None:
    x = np.linspace(-0.5, 4, 3 * 5 * 7, dtype=np.float32).reshape(3, 5, 7)
    expected = 1.1 * x + 0.05 * x**2 - 0.002 * x**3
    result = correct_hardening(x, (1.1, 0.05, -0.002), threads)
    assert result is x
    np.testing.assert_allclose(x, expected, rtol=1e-6, atol=1e-6)


def test_one_coefficient_of_one_changes_nothing() -> None:
    x = np.linspace(0, 3, 50, dtype=np.float32)
    before = x.copy()
    assert (correct_hardening(x, (1.0,)) == before).all()
