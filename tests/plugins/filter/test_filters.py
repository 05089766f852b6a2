"""Filters on volumes whose truth is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import ndimage
from skimage.restoration import denoise_nl_means, denoise_tv_chambolle

from alsct_gui.files.open import open_volume
from alsct_gui.model.errors import InputError, RecipeError
from alsct_gui.recon.quality import noise_level, ring_strength
from alsct_gui.steps.reporter import Reporter
from alsct_gui.steps.running import run_step
from napari_alsct_filter.bits import BITS, FewerBits
from napari_alsct_filter.kernels import tv_block
from napari_alsct_filter.median import MEDIAN, Median
from napari_alsct_filter.nonlocal_means import NLM, NonlocalMeans
from napari_alsct_filter.polar import to_polar
from napari_alsct_filter.rings import RINGS, Rings
from napari_alsct_filter.variation import TV, TotalVariation

Array = np.ndarray[Any, Any]
NOISE = 0.2


def compute(made: Any, memory_bytes: int = 10**9) -> Array:
    values = next(iter(made.values())).values
    return values.compute(Reporter(memory_bytes=memory_bytes, threads=2))


@pytest.fixture(scope="module")
def truth() -> Array:
    """Balls of two materials in air."""
    z, y, x = np.mgrid[:24, :90, :100].astype(np.float32)
    made = np.zeros(z.shape, np.float32)
    for cz, cy, cx, radius, value in (
        (12, 30, 30, 18, 1.0), (10, 60, 70, 22, 0.6), (15, 25, 80, 10, 1.0), (5, 75, 20, 9, 0.6)
    ):  # fmt: skip
        inside = (z - cz) ** 2 + (y - cy) ** 2 + (x - cx) ** 2 < radius**2
        made[inside] = value
    return made


@pytest.fixture(scope="module")
def noisy(truth: Array) -> Array:
    noise = np.random.default_rng(1).normal(0, NOISE, truth.shape)
    return (truth + noise).astype(np.float32)


def rmse(a: Array, b: Array) -> float:
    return float(np.sqrt(np.mean((a - b) ** 2)))


@pytest.mark.parametrize(("size", "over"), [(3, "volume"), (5, "volume"), (7, "slice")])
def test_median_is_that_of_scipy(noisy: Array, size: int, over: Any) -> None:
    window = (size if over == "volume" else 1, size, size)
    expected = ndimage.median_filter(noisy, window, mode="nearest")
    made = MEDIAN(Median(size, over), volume=noisy)
    np.testing.assert_array_equal(compute(made), expected)
    np.testing.assert_array_equal(compute(made, 6_000_000), expected)
    np.testing.assert_array_equal(made["filtered"].values[23, 3:9, 90:], expected[23, 3:9, 90:])


def energy(u: Array, f: Array, weight: float) -> float:
    steps = [np.diff(u, axis=k, append=np.take(u, [-1], axis=k)) for k in range(3)]
    return float(((u - f) ** 2).sum() / 2 + weight * np.sqrt(sum(s * s for s in steps)).sum())


def test_total_variation_comes_nearer_to_the_minimum_than_chambolle(noisy: Array) -> None:
    ours = tv_block(noisy, 0.2, 30)
    peer = denoise_tv_chambolle(noisy, weight=0.2, max_num_iter=200)
    best = energy(tv_block(noisy, 0.2, 600), noisy, 0.2)
    assert energy(ours, noisy, 0.2) < energy(peer, noisy, 0.2)
    assert energy(ours, noisy, 0.2) < 1.01 * best


def test_total_variation_takes_noise_and_keeps_the_truth(truth: Array, noisy: Array) -> None:
    made = compute(TV(volume=noisy))
    assert rmse(made, truth) < 0.4 * NOISE
    assert abs(made.mean() - noisy.mean()) < 1e-3
    assert made[12, 28:33, 28:33].mean() == pytest.approx(1.0, abs=0.05)
    flat = compute(TV(TotalVariation(over="slice"), volume=noisy))
    one = TV(TotalVariation(over="slice", noise=NOISE), volume=noisy[5])["filtered"].values[0]
    assert rmse(made, truth) < rmse(flat, truth) < 0.6 * NOISE
    assert rmse(one, flat[5]) < 0.03


@pytest.mark.parametrize(("iterations", "off"), [(20, 1e-5), (60, 1e-3)])
def test_blocks_of_total_variation_do_not_show(noisy: Array, iterations: int, off: float) -> None:
    tall = np.concatenate([noisy, noisy[::-1], noisy, noisy, noisy])
    p = TotalVariation(noise=NOISE, iterations=iterations)
    made = TV(p, volume=tall)["filtered"].values
    assert len(made.plan(110_000_000, 2)) > 1
    parts = made.compute(Reporter(memory_bytes=110_000_000, threads=2))
    np.testing.assert_allclose(parts, tv_block(tall, NOISE, iterations), atol=off * NOISE)


@pytest.mark.parametrize("over", ["slice", "volume"])
def test_nonlocal_means_is_that_of_scikit_image(truth: Array, noisy: Array, over: Any) -> None:
    p = NonlocalMeans(over=over, distance_px=3, noise=NOISE)
    made = compute(NLM(p, volume=noisy[:10]), 10**9)
    options = {"patch_size": 5, "patch_distance": 3, "h": 0.16, "sigma": NOISE, "fast_mode": True}
    image = noisy[:10] if over == "volume" else noisy[4]
    expected = denoise_nl_means(image, **options)
    np.testing.assert_allclose(made if over == "volume" else made[4], expected, atol=0.01)
    assert rmse(made, truth[:10]) < 0.7 * NOISE


def with_rings(slices: Array, arcs: bool = False) -> Array:
    n_y, n_x = slices.shape[1:]
    y, x = np.mgrid[:n_y, :n_x] - np.array([(n_y - 1) / 2, (n_x - 1) / 2])[:, None, None]
    radius, angle = np.hypot(y, x), np.arctan2(y, x)
    rings = np.zeros((n_y, n_x))
    for r, width, strength in ((12, 1, 0.3), (25.5, 1.5, -0.2), (38, 1, 0.25)):
        ring = strength * np.exp(-(((radius - r) / width) ** 2))
        rings += ring * (angle > 0) if arcs else ring
    return (slices + rings).astype(np.float32)


def test_rings_go_and_the_sample_stays(truth: Array) -> None:
    rng = np.random.default_rng(2)
    y, x = np.mgrid[:201, :220]
    sample = np.zeros((3, 201, 220), np.float32)
    sample[:, np.hypot(y - 100, x - 105) < 80] = 1.0
    for _ in range(25):
        cy, cx = rng.uniform(40, 160, 2)
        sample[:, np.hypot(y - cy, x - cx) < rng.uniform(3, 9)] = 0.2
    sample += rng.normal(0, 0.05, sample.shape).astype(np.float32)
    bad = with_rings(sample)
    made = compute(RINGS(volume=bad))
    assert ring_strength(bad[1], noise_level(bad[1])) > 0.6
    clean = ring_strength(sample[1], noise_level(sample[1]))  # it counts some structure, too
    assert ring_strength(made[1], noise_level(made[1])) < clean + 0.05
    assert rmse(made, sample) < 0.35 * rmse(bad, sample)
    untouched = compute(RINGS(volume=sample))
    assert rmse(untouched, sample) < 0.02
    halves = with_rings(sample, arcs=True)
    whole, cut = (compute(RINGS(Rings(arcs=n), volume=halves)) for n in (1, 8))
    assert rmse(cut, sample) < 0.6 * rmse(halves, sample) < rmse(whole, sample)
    kept = compute(RINGS(Rings(limit=0.01), volume=bad))
    assert rmse(kept, bad) < 0.01


def test_polar_is_where_it_should_be() -> None:
    plane = np.zeros((41, 51), np.float32)
    plane[20, 35] = 1  # 10 px to the right of the middle
    polar = to_polar(plane, (20.0, 25.0))
    angle, radius = np.unravel_index(np.nanargmax(polar), polar.shape)
    assert radius == 10
    assert abs(angle - len(polar) / 2) <= 1
    assert np.isnan(polar[len(polar) // 2, 27])


def test_fewer_bits_tell_the_way_back(noisy: Array, tmp_path: Path) -> None:
    made = BITS(FewerBits("uint16", (-1.0, 2.0)), volume=noisy)["scaled"]
    offset, step = made.scale
    stored = made.values.compute()
    assert stored.dtype == np.uint16
    np.testing.assert_allclose(offset + stored * step, noisy, atol=step)
    found = BITS(volume=noisy)["scaled"]
    assert found.scale[0] == pytest.approx(np.percentile(noisy, 0.05), abs=0.05)
    with pytest.raises(RecipeError, match="not below"):
        FewerBits(value_range=(1.0, 1.0))


def test_flat_volumes_say_that_there_is_no_noise() -> None:
    with pytest.raises(InputError, match="no noise that could be measured"):
        TV(volume=np.ones((3, 20, 20), np.float32))
    TV(TotalVariation(noise=0.1), volume=np.ones((3, 20, 20), np.float32))


@pytest.mark.parametrize("name", ["filter.median", "filter.tv", "filter.nlm", "filter.rings",
                                  "filter.bits"])  # fmt: skip
def test_function_and_command_make_the_same(
    alsct: Any, rec_path: Path, tmp_path: Path, name: str
) -> None:
    out = tmp_path / "out.zarr"
    data = alsct("step", "run", name, rec_path, out, "--threads", 2, "--json").data
    by_function = run_step(name, inputs={"volume": rec_path}, output=tmp_path / "f.zarr")
    with open_volume(out) as a, open_volume(*by_function.outputs.values()) as b:
        np.testing.assert_allclose(a.levels[0][:], b.levels[0][:], rtol=1e-5, atol=1e-4)
        assert a.units == "1/cm"
        assert a.voxel_um == b.voxel_um == pytest.approx((0.65, 0.65, 0.65))
        assert a.provenance["parameters"] == data["parameters"]
        assert a.provenance["versions"]["napari-alsct-filter"] == "0.1.0"
