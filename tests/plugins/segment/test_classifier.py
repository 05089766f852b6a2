"""The classifier learns from strokes, is applied block by block, and says where it is torn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alsct_bench.textured import METAL, Textured, dice, scribble, textured_volume
from alsct_gui.model.errors import CancelledError, InputError, RecipeError
from alsct_gui.model.progress import CancelToken
from alsct_gui.steps.reporter import Reporter
from napari_alsct_segment.classifier.apply import Applied, doubt
from napari_alsct_segment.classifier.learn import Lesson, train
from napari_alsct_segment.classifier.model import PixelModel, load_pixel_model, save_pixel_model
from napari_alsct_segment.classifier.samples import Scribbles, grey_scale, scribbles_of
from napari_alsct_segment.classifier.suggest import suggest_spots
from napari_alsct_segment.features.recipe import FeatureRecipe

Array = np.ndarray[Any, Any]
SMALL = FeatureRecipe(scales_px=(1.0, 2.0), textures=False)


@pytest.fixture(scope="module")
def labels(textured: Textured, model: PixelModel) -> Array:
    return Applied(textured.values, model).labels().compute(Reporter(threads=2))


def test_phases_are_found_though_one_differs_in_texture_alone(
    textured: Textured, labels: Array, lesson: Lesson
) -> None:
    assert sum(lesson.scribbles.counts.values()) == 2200
    for phase in (1, 2, 3):
        assert dice(labels, textured.truth, phase) >= 0.9


def test_blocks_leave_no_seam(textured: Textured, model: PixelModel, labels: Array) -> None:
    applied = Applied(textured.values, model)
    tight = Reporter(threads=1, memory_bytes=120_000_000)
    lazy = applied.labels()
    assert len(lazy.plan(tight.memory_bytes, 1)) > 1
    np.testing.assert_array_equal(lazy.compute(tight), labels)
    np.testing.assert_array_equal(lazy[20], labels[20])


def test_probabilities_and_doubt_belong_together(textured: Textured, model: PixelModel) -> None:
    applied = Applied(textured.values, model)
    parts = [applied.probability(label)[10] for label in model.labels]
    np.testing.assert_allclose(sum(parts), 1, atol=1e-5)
    ranked = np.sort(parts, axis=0)
    np.testing.assert_allclose(applied.uncertainty()[10], 1 - (ranked[-1] - ranked[-2]), atol=1e-5)
    np.testing.assert_array_equal(
        applied.labels()[10], np.asarray(model.labels)[np.argmax(parts, axis=0)]
    )
    with pytest.raises(RecipeError, match="no label 9"):
        applied.probability(9)


def test_doubt_of_known_probabilities() -> None:
    shares = np.array([[1.0, 0.5, 0.4], [0.0, 0.5, 0.35], [0.0, 0.0, 0.25]], np.float32)
    np.testing.assert_allclose(doubt(shares), [0.0, 1.0, 0.95], atol=1e-6)


def test_a_model_comes_back_from_its_file(
    tmp_path: Path, textured: Textured, model: PixelModel, labels: Array
) -> None:
    path = tmp_path / "model.safetensors"
    save_pixel_model(model, path, {"step": "segment.train"})
    back = load_pixel_model(path)
    assert (back.features, back.labels, back.grey, back.settings, back.trained) == (
        model.features, model.labels, model.grey, model.settings, model.trained,
    )  # fmt: skip
    np.testing.assert_array_equal(Applied(textured.values, back).labels()[30], labels[30])
    assert back.versions["scikit-learn"]


def test_it_goes_on_learning_from_another_volume(lesson: Lesson) -> None:
    other = textured_volume(48, 9)
    marks = scribble(other.truth, 400, 2)
    marks[marks == METAL] = 7
    first = train(replace(lesson, scribbles=few(lesson.scribbles)), SMALL)
    both = train(
        Lesson(other.values, scribbles_of(marks, Reporter()), "other", "two"), earlier=first
    )
    assert both.labels == (1, 2, 3, 7)
    assert [record.volume for record in both.trained] == ["textured", "other"]
    assert len(both.samples.classes) == len(few(lesson.scribbles).values) + 400
    assert both.grey == first.grey
    # Metal is 2 in the one and 7 in the other: both are known, and nothing else is taken for it.
    found = Applied(other.values, both).labels()[24]
    assert {2, 7} < set(np.unique(found))
    assert dice(np.isin(found, (2, 7)), other.truth[24] == METAL, True) > 0.9


def few(scribbles: Scribbles) -> Scribbles:
    return Scribbles(scribbles.places[::8], scribbles.values[::8])


def test_the_same_strokes_give_the_same_model(lesson: Lesson) -> None:
    some = replace(lesson, scribbles=few(lesson.scribbles))
    one, other = train(some, SMALL), train(some, SMALL)
    np.testing.assert_array_equal(one.forest.packed, other.forest.packed)


def test_features_of_marks_are_those_of_the_volume(lesson: Lesson, model: PixelModel) -> None:
    from napari_alsct_segment.features.compute import compute_features
    from napari_alsct_segment.surrounded import Mirrored

    wide = Mirrored(lesson.array, model.features.reach_px)[...]
    whole = compute_features(model.grey.normalise(wide), model.features)
    z, y, x = lesson.scribbles.places.T
    np.testing.assert_array_equal(model.samples.features, whole[:, z, y, x].T)


def test_another_grey_scale(textured: Textured, model: PixelModel, labels: Array) -> None:
    darker = textured.values * 3 - 7
    own = Applied(darker, model, grey_scale(darker)).labels()[30]
    assert (own == labels[30]).mean() > 0.999
    assert (Applied(darker, model).labels()[30] == labels[30]).mean() < 0.9


def test_values_that_are_no_numbers_do_no_harm(textured: Textured, model: PixelModel) -> None:
    broken = textured.values[:40].copy()
    broken[0, 0, 0], broken[1, 5, 5], broken[2, 7, 7] = np.nan, np.inf, -np.inf
    found = Applied(broken, model).labels()[35]
    np.testing.assert_array_equal(found, Applied(textured.values[:40], model).labels()[35])
    assert set(np.unique(Applied(broken, model).labels()[1])) <= {1, 2, 3}


def test_marks_that_are_none(textured: Textured, lesson: Lesson) -> None:
    with pytest.raises(InputError, match="nothing is marked"):
        scribbles_of(np.zeros((3, 4, 5), np.uint8), Reporter())
    outside = Scribbles(np.array([[0, 0, 64]]), np.array([1]))
    with pytest.raises(InputError, match="outside"):
        train(replace(lesson, scribbles=outside), SMALL)
    one = Scribbles(lesson.scribbles.places[:5], np.ones(5, np.int64))
    with pytest.raises(InputError, match="one class"):
        train(replace(lesson, scribbles=one), SMALL)
    large = Scribbles(lesson.scribbles.places[:2], np.array([1, 300]))
    with pytest.raises(InputError, match="labels go from 1"):
        train(replace(lesson, scribbles=large), SMALL)


def test_cancel_while_learning_and_applying(
    textured: Textured, lesson: Lesson, model: PixelModel
) -> None:
    token = CancelToken()
    token.cancel()
    with pytest.raises(CancelledError):
        train(lesson, reporter=Reporter(cancel=token))
    with pytest.raises(CancelledError):
        Applied(textured.values, model).labels().compute(Reporter(cancel=token))


def test_where_to_scribble_next() -> None:
    torn = np.zeros((200, 300), np.float32)
    torn[:, 150] = 1  # a seam is always a little in doubt
    torn[40:70, 40:70] = 0.9
    torn[120:160, 220:260] = 0.8
    spots = suggest_spots(torn, size_px=15)
    assert len(spots) >= 2
    assert 40 <= spots[0].y < 70
    assert 40 <= spots[0].x < 70
    assert 0.89 < spots[0].doubt < 0.91
    assert 120 <= spots[1].y < 160
    assert 220 <= spots[1].x < 260
    marked = np.zeros(torn.shape, bool)
    marked[50:55, 50:55] = True
    left = suggest_spots(torn, marked, size_px=15, count=1)
    assert left[0].x > 200
    assert suggest_spots(np.zeros((50, 50), np.float32)) == ()
