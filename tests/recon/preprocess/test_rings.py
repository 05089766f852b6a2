from __future__ import annotations

import h5py
import numpy as np
import pytest

from alsct_gui.model.recipe import RingFilter
from alsct_gui.recon.preprocess.rings.apply import apply_rings
from tests.recon.preprocess.stripes import (
    noisy_sinogram,
    smooth_sinogram,
    stripe_strength,
    striped_sinogram,
)
from tests.shared_data import shared_file

FILTERS = [
    RingFilter("vo-all", size_large_px=61, size_small_px=21),
    RingFilter("wavelet-fourier", level=5),
    RingFilter("titarenko"),
    RingFilter("sorting", size_small_px=21),
]
ids = [ring.method for ring in FILTERS]


@pytest.mark.parametrize("ring", FILTERS, ids=ids)
def test_stripes_go(ring: RingFilter) -> None:
    clean = noisy_sinogram(180, 256)
    gains = np.random.default_rng(5).normal(1, 0.02, 256).astype(np.float32)
    striped = clean * gains
    strength_before, distance_before = stripe_strength(striped), np.abs(striped - clean).mean()
    apply_rings(striped[None], [ring])
    apply_rings(clean[None], [ring])
    assert stripe_strength(striped) < 0.1 * strength_before
    assert np.abs(striped - clean).mean() < 0.6 * distance_before


@pytest.mark.parametrize("ring", FILTERS, ids=ids)
def test_a_smooth_sinogram_is_hardly_harmed(ring: RingFilter) -> None:
    clean = smooth_sinogram(180, 256) + np.float32(0.3)
    filtered = apply_rings(clean.copy()[None], [ring])[0]
    assert np.sqrt(np.mean((filtered - clean) ** 2)) < 0.02 * clean.max()


@pytest.mark.parametrize("ring", FILTERS, ids=ids)
def test_a_row_does_not_depend_on_batch_or_threads(ring: RingFilter) -> None:
    batch = np.stack([striped_sinogram(61, 90, seed) for seed in range(5)])
    alone = np.concatenate([apply_rings(row[None].copy(), [ring]) for row in batch])
    together = apply_rings(batch.copy(), [ring], threads=2)
    assert (alone == together).all()


def test_filters_run_in_order() -> None:
    sinogram = striped_sinogram(61, 90)[None]
    step = apply_rings(apply_rings(sinogram.copy(), FILTERS[:1]), FILTERS[1:2])
    assert (apply_rings(sinogram.copy(), FILTERS[:2]) == step).all()
    assert (apply_rings(sinogram.copy(), []) == sinogram).all()


@pytest.mark.data
@pytest.mark.parametrize("ring", FILTERS, ids=ids)
def test_real_rings_get_weaker(ring: RingFilter) -> None:
    with h5py.File(shared_file("aps_tooth.h5")) as file:
        group = file["exchange"]
        dark = group["data_dark"][...].mean(axis=0)
        flat = group["data_white"][...].mean(axis=0)
        transmission = (group["data"][...] - dark) / (flat - dark)
    sinograms = -np.log(np.maximum(transmission, 0.01)).astype(np.float32)
    sinograms = np.ascontiguousarray(sinograms.transpose(1, 0, 2))
    before = [stripe_strength(s) for s in sinograms]
    apply_rings(sinograms, [ring])
    assert all(stripe_strength(s) < 0.5 * b for s, b in zip(sinograms, before, strict=True))
