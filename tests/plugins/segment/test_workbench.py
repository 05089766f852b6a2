"""A slice is made ready before there is anything to learn from, and nothing is computed twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from alsct_bench.textured import scribble, textured_volume
from alsct_gui.model.errors import CancelledError
from alsct_gui.model.progress import CancelToken
from alsct_gui.steps.reporter import Reporter
from napari_alsct_segment.classifier.samples import scribbles_of
from napari_alsct_segment.classifier.workbench import WorkBench
from napari_alsct_segment.features.recipe import FeatureRecipe
from napari_alsct_segment.forest.grow import ForestSettings

RECIPE = FeatureRecipe(scales_px=(1.0, 2.0), textures=False)
FOREST = ForestSettings(trees=8)
TILES = 6
"""Of 128 pixels, in a slice of 200 × 300."""


class Watched:
    """An array that counts what is read of it, and may have the reading cancelled."""

    def __init__(self, values: np.ndarray[Any, Any]) -> None:
        self.values, self.shape, self.dtype, self.ndim = values, values.shape, values.dtype, 3
        self.reads = 0
        self.cancel: CancelToken | None = None

    def __getitem__(self, key: Any) -> np.ndarray[Any, Any]:
        self.reads += 1
        if self.cancel is not None:
            self.cancel.cancel()
        return self.values[key]


@pytest.fixture(scope="module")
def sample() -> Any:
    made = textured_volume(64, 1)
    values = np.tile(made.values, (1, 4, 5))[:16, :200, :300]
    marks = np.zeros(values.shape, np.uint8)
    marks[:, :64, :64] = scribble(made.truth[:16], 300, 0)
    return values, scribbles_of(marks, Reporter())


def test_a_slice_that_is_ready_is_seen_without_reading_more(sample: Any) -> None:
    values, strokes = sample
    array = Watched(values)
    bench = WorkBench(array)
    bench.prepare(5, RECIPE)
    model = bench.learn(strokes, RECIPE, FOREST)
    before = array.reads
    seen = bench.look(model, 5, strokes)
    assert array.reads == before
    fresh = WorkBench(values)
    once = fresh.look(fresh.learn(strokes, RECIPE, FOREST), 5, strokes)
    np.testing.assert_array_equal(seen.labels, once.labels)
    np.testing.assert_array_equal(seen.doubt, once.doubt)
    # Another slice is another matter.
    bench.look(model, 6, strokes)
    assert array.reads == before + TILES


def test_what_was_done_when_it_was_cancelled_stays(sample: Any) -> None:
    values, strokes = sample
    array = Watched(values)
    bench = WorkBench(array)
    model = bench.learn(strokes, RECIPE, FOREST)
    before, token = array.reads, CancelToken()
    array.cancel = token
    with pytest.raises(CancelledError):
        bench.prepare(5, RECIPE, Reporter(cancel=token))
    done = array.reads - before
    assert 1 <= done < TILES
    array.cancel = None
    bench.look(model, 5, strokes)
    assert array.reads - before == TILES
