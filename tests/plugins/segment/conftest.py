"""What the tests of the segmentation plugin share."""

from __future__ import annotations

import pytest

from alsct_bench.textured import Textured, scribble, textured_volume
from alsct_gui.steps.reporter import Reporter
from napari_alsct_segment.classifier.learn import Lesson, train
from napari_alsct_segment.classifier.model import PixelModel
from napari_alsct_segment.classifier.samples import scribbles_of


@pytest.fixture(scope="session")
def textured() -> Textured:
    """Three phases, of which one differs from another in texture alone."""
    return textured_volume(64, 3)


@pytest.fixture(scope="session")
def lesson(textured: Textured) -> Lesson:
    """Strokes in three slices of it."""
    marks = scribble(textured.truth, 2200, 0)
    return Lesson(textured.values, scribbles_of(marks, Reporter()), "textured", "one")


@pytest.fixture(scope="session")
def model(lesson: Lesson) -> PixelModel:
    """What was learnt from them."""
    return train(lesson)
