"""Ramp filtering for backprojecting engines, against exact convolution."""

from __future__ import annotations

import numpy as np
import pytest

from alsct_gui.model.recipe import EngineSettings
from alsct_gui.recon.engines.base import SliceGeometry
from alsct_gui.recon.engines.filtering import filter_projections, plan_filter
from alsct_gui.recon.engines.filters import edge_columns, ramp_kernel


def exact(projection: np.ndarray, pad: int, *, edge: bool) -> np.ndarray:
    """Padded projection convolved with the ramp's kernel, in the spatial domain."""
    wide = np.pad(projection.astype(np.float64), pad, mode="edge" if edge else "constant")
    lags = np.arange(wide.size)[:, None] - np.arange(wide.size)
    return ramp_kernel(4 * wide.size)[lags % (4 * wide.size)] @ wide


@pytest.mark.parametrize("upsample", [1, 2, 3])
@pytest.mark.parametrize("padding", ["edge", "zero"])
@pytest.mark.parametrize("n_columns", [50, 61])
def test_columns_between_are_added_and_the_others_are_exact(
    upsample: int, padding: str, n_columns: int
) -> None:
    sinogram = np.random.default_rng(1).random((4, n_columns), dtype=np.float32)
    geometry = SliceGeometry(np.arange(4.0), n_columns, 20.0)
    plan = plan_filter(geometry, EngineSettings(padding=padding), upsample)  # type: ignore[arg-type]
    fine = filter_projections(sinogram, plan)
    pad = edge_columns(n_columns) if padding == "edge" else 0
    assert fine.dtype == np.float32
    assert fine.shape == (4, (n_columns + 2 * pad) * upsample)
    for row, projection in zip(fine, sinogram, strict=True):
        truth = exact(projection, pad, edge=padding == "edge")
        # A Nyquist term's share is lost between fine columns; noise has one, of this size.
        np.testing.assert_allclose(row[::upsample], truth, atol=2e-2 if upsample > 1 else 1e-6)


def test_smooth_projections_are_interpolated_without_loss() -> None:
    column = np.arange(80.0)

    def bump(x: np.ndarray) -> np.ndarray:
        return np.exp(-((x - 37.3) ** 2) / 18).astype(np.float32)

    geometry = SliceGeometry(np.zeros(1), 80, 40.0)
    smooth = EngineSettings(padding="zero")
    coarse = filter_projections(bump(column)[None], plan_filter(geometry, smooth, 1))[0]
    plan = plan_filter(geometry, smooth, 2)
    fine = filter_projections(bump(column)[None], plan)[0]
    np.testing.assert_allclose(fine[::2], coarse, atol=1e-6)
    moved = filter_projections(bump(column + 0.5)[None], plan_filter(geometry, smooth, 1))[0]
    np.testing.assert_allclose(fine[1::2], moved, atol=1e-4)
    assert plan.fine_center(40.0) == 80.0


def test_the_input_is_not_changed() -> None:
    sinogram = np.random.default_rng(2).random((3, 40), dtype=np.float32)
    before = sinogram.copy()
    geometry = SliceGeometry(np.arange(3.0), 40, 20.0)
    filter_projections(sinogram, plan_filter(geometry, EngineSettings(padding="zero"), 2))
    np.testing.assert_array_equal(sinogram, before)
