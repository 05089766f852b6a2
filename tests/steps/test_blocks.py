"""Blocks fill a volume once, fit into memory, and give what the whole volume would."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from alsct_gui.model.errors import CancelledError, ResourceError
from alsct_gui.model.progress import CancelToken, Progress
from alsct_gui.steps.blocks import map_blocks, plan_blocks
from alsct_gui.steps.blockwise import Blockwise
from alsct_gui.steps.reporter import Reporter

Array = np.ndarray[Any, Any]
SIZES = st.tuples(st.integers(1, 70), st.integers(1, 400), st.integers(1, 400))
HALOS = st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(0, 6))


@settings(deadline=None)
@given(SIZES, HALOS, st.integers(1, 8), st.integers(20, 30))
def test_blocks_fill_the_volume_once_within_the_budget(
    shape: tuple[int, int, int], halo: tuple[int, int, int], workers: int, exponent: int
) -> None:
    try:
        blocks = plan_blocks(
            shape, halo=halo, voxel_bytes=16, memory_bytes=2**exponent, workers=workers
        )
    except ResourceError:
        assert exponent < 29
        return
    seen = np.zeros(shape, np.uint8)
    most = 0
    for block in blocks:
        seen[block.inner] += 1
        outer = seen[block.outer]
        assert outer[block.core].shape == seen[block.inner].shape
        most = max(most, outer.size)
    assert (seen == 1).all()
    assert (workers + 1) * most * 16 <= 2**exponent


def test_no_block_fits() -> None:
    with pytest.raises(ResourceError, match="may be used"):
        plan_blocks((10, 1000, 1000), memory_bytes=1_000_000, whole_planes=True)


def mean(block: Array) -> Array:
    return ndimage.uniform_filter(block, 5, mode="nearest")


@pytest.mark.parametrize(("threads", "processes"), [(1, False), (3, False), (2, True)])
def test_blockwise_is_the_same_as_at_once(values: Array, threads: int, processes: bool) -> None:
    lazy = Blockwise(mean, [values], halo=(2, 2, 2), processes=processes)
    whole = mean(values)
    told: list[Progress] = []
    reporter = Reporter(progress=told.append, threads=threads, memory_bytes=5_000_000)
    assert len(lazy.plan(reporter.memory_bytes, threads)) > 3
    np.testing.assert_array_equal(lazy.compute(reporter), whole)
    np.testing.assert_array_equal(lazy[7], whole[7])
    np.testing.assert_array_equal(lazy[3:9:2, 80:, ::7], whole[3:9:2, 80:, ::7])
    assert told[-1].done == told[-1].total > 3


def test_a_function_of_two_arrays_and_whole_planes(values: Array) -> None:
    seen: list[tuple[int, ...]] = []

    def blend(a: Array, b: Array) -> Array:
        seen.append(a.shape)
        return a - b

    lazy = Blockwise(blend, [values, values * 2], whole_planes=True)
    np.testing.assert_array_equal(lazy[4, 10:20, 5], -values[4, 10:20, 5])
    assert seen == [(1, 90, 110)]
    with pytest.raises(ValueError, match="one shape"):
        Blockwise(blend, [values, values[1:]])
    with pytest.raises(ValueError, match="became one of"):
        Blockwise(lambda block: block[1:], [values])[3]


def test_cancel_ends_it_between_blocks(values: Array) -> None:
    token = CancelToken()
    calls = []

    def work(block: Array) -> Array:
        calls.append(threading.current_thread().name)
        token.cancel()
        return block

    blocks = plan_blocks((20, 90, 110), memory_bytes=1_000_000)
    with pytest.raises(CancelledError):
        list(map_blocks(work, [values], blocks, Reporter(cancel=token)))
    assert len(calls) < len(blocks)


def test_an_error_comes_out_as_it_is(values: Array) -> None:
    def work(block: Array) -> Array:
        raise KeyError("here")

    blocks = plan_blocks((20, 90, 110), memory_bytes=1_000_000)
    with pytest.raises(KeyError, match="here"):
        list(map_blocks(work, [values], blocks, Reporter(threads=3)))


def test_scratch_has_no_name_and_is_zero(tmp_path: Any) -> None:
    array = Reporter(scratch=tmp_path).scratch_array((3, 4, 5), np.uint16)
    assert list(tmp_path.iterdir()) == []
    assert array.shape == (3, 4, 5)
    assert not array.any()
    array[1] = 7
    assert int(array.sum()) == 140
    with pytest.raises(ResourceError, match="scratch space"):
        Reporter(scratch=tmp_path).scratch_array((1 << 20, 1 << 20, 1 << 10), np.uint8)
