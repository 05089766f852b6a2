"""MBIR: cost, cache, cancel and refusals around the worker process."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from alsct_gui.model.errors import CancelledError, RecipeError, ResourceError
from alsct_gui.model.recipe import EngineSettings
from alsct_gui.recon.engines.base import SliceGeometry
from alsct_gui.recon.engines.mbir_engine import MbirEngine, _trim_cache
from tests.recon.engines.phantom import project

ANGLES_DEG = np.arange(40) * 4.5


def engine_or_skip(cache: Path, cache_bytes: int = 1 << 30) -> MbirEngine:
    engine = MbirEngine(cache, cache_bytes)
    state = engine.check()
    if not state.ok:
        pytest.skip(state.reason)
    return engine


def matrices(cache: Path) -> list[Path]:
    return sorted(cache.glob("sysmatrix/*.2Dsvmatrix"))


def test_cost_grows_as_pixels_times_views_times_slices() -> None:
    engine, settings = MbirEngine(), EngineSettings(iterations=50)
    small = engine.estimate(SliceGeometry(ANGLES_DEG, 256, 128.0), 8, settings)
    wide = engine.estimate(SliceGeometry(ANGLES_DEG, 512, 256.0), 8, settings)
    deep = engine.estimate(SliceGeometry(ANGLES_DEG, 256, 128.0), 80, settings)
    assert 3.5 < wide.memory_bytes / small.memory_bytes < 4.1
    assert wide.disk_bytes > 3 * small.disk_bytes
    assert deep.seconds > 5 * small.seconds
    # Slices beyond a block cost time, not memory.
    assert deep.memory_bytes == small.memory_bytes


def test_one_matrix_for_each_centre_is_in_the_estimate() -> None:
    engine, settings = MbirEngine(), EngineSettings(iterations=1)
    one = engine.estimate(SliceGeometry(ANGLES_DEG, 256, 128.0), 4, settings)
    four = engine.estimate(SliceGeometry(ANGLES_DEG, 256, 128.0 + np.arange(4) / 4), 4, settings)
    assert four.seconds > 2 * one.seconds


def test_a_scan_too_large_for_the_machine_is_refused_before_anything_starts() -> None:
    geometry = SliceGeometry(np.arange(200_000) * 0.001, 4096, 2048.0)
    sinograms = np.broadcast_to(np.float32(0), (1, 200_000, 4096))
    with pytest.raises(ResourceError) as caught:
        MbirEngine().reconstruct(sinograms, geometry, EngineSettings())
    assert "GB of memory" in caught.value.sentence
    assert "binning" in caught.value.sentence


@pytest.mark.parametrize(
    ("settings", "where"),
    [(EngineSettings(p=2.0, q=1.5), "engine.p"), (EngineSettings(t=0.0), "engine.t")],
)
def test_a_prior_that_svmbir_would_replace_is_refused(settings: EngineSettings, where: str) -> None:
    geometry = SliceGeometry(ANGLES_DEG, 32, 16.0)
    with pytest.raises(RecipeError) as caught:
        MbirEngine().reconstruct(np.zeros((1, 40, 32), np.float32), geometry, settings)
    assert where in caught.value.sentence


def test_the_cache_keeps_the_matrices_used_last(tmp_path: Path) -> None:
    folder = tmp_path / "sysmatrix"
    folder.mkdir()
    for age, name in enumerate(["newest", "middle", "oldest"]):
        path = folder / f"{name}.2Dsvmatrix"
        path.write_bytes(bytes(1000))
        os.utime(path, (1e9 - age, 1e9 - age))
    _trim_cache(tmp_path, 2500)
    assert [path.stem for path in matrices(tmp_path)] == ["middle", "newest"]
    _trim_cache(tmp_path, -1)
    assert matrices(tmp_path) == []


def test_a_matrix_is_kept_for_the_next_call_unless_it_is_too_large(tmp_path: Path) -> None:
    engine = engine_or_skip(tmp_path / "cache")
    sinograms = project(ANGLES_DEG, 40, 19.0)[np.newaxis]
    geometry = SliceGeometry(ANGLES_DEG, 40, 19.0)
    settings = EngineSettings(iterations=3)
    first = engine.reconstruct(sinograms, geometry, settings)
    kept = matrices(tmp_path / "cache")
    assert len(kept) == 1
    np.testing.assert_array_equal(engine.reconstruct(sinograms, geometry, settings), first)
    assert matrices(tmp_path / "cache") == kept
    miser = MbirEngine(tmp_path / "other", cache_bytes=1000)
    np.testing.assert_array_equal(miser.reconstruct(sinograms, geometry, settings), first)
    assert matrices(tmp_path / "other") == []


def test_a_slice_of_air_is_zero(tmp_path: Path) -> None:
    engine = engine_or_skip(tmp_path)
    geometry = SliceGeometry(ANGLES_DEG, 32, 16.0)
    slices = engine.reconstruct(np.zeros((2, 40, 32), np.float32), geometry, EngineSettings())
    assert not slices.any()


def test_cancel_ends_the_worker_and_leaves_nothing(tmp_path: Path) -> None:
    engine = engine_or_skip(tmp_path)
    geometry = SliceGeometry(np.arange(180.0), 512, 255.0)
    sinograms = np.ones((1, 180, 512), np.float32)  # minutes of work
    raised: list[BaseException] = []

    def work() -> None:
        try:
            engine.reconstruct(sinograms, geometry, EngineSettings(iterations=10_000))
        except CancelledError as error:
            raised.append(error)

    me, deadline = psutil.Process(), time.monotonic() + 60
    others = set(me.children(recursive=True))
    thread = threading.Thread(target=work)
    thread.start()
    while not (workers := [one for one in me.children(recursive=True) if one not in others]):
        assert time.monotonic() < deadline
        thread.join(0.01)
    engine.cancel()
    thread.join()
    assert len(raised) == 1
    # Killed is not yet gone, and what the worker had begun waits to be reaped by the system.
    _, left = psutil.wait_procs(workers, timeout=20)
    assert not [worker for worker in left if worker.status() != psutil.STATUS_ZOMBIE]
