"""Training: marked voxels of one or several volumes become a model."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.errors import InputError
from alsct_gui.model.volume import LazyArray
from alsct_gui.steps.reporter import Reporter
from napari_alsct_segment.classifier.model import PixelModel, Samples, Training
from napari_alsct_segment.classifier.samples import (
    GreyScale,
    Scribbles,
    features_at,
    grey_scale,
)
from napari_alsct_segment.features.recipe import FeatureRecipe
from napari_alsct_segment.forest.grow import ForestSettings, grow_forest
from napari_alsct_segment.forest.trees import MAX_CLASSES


@dataclass(frozen=True, eq=False)
class Lesson:
    """A volume and what was marked in it."""

    array: LazyArray | NDArray[Any]
    """Grey values, shape (slice, y, x)."""
    scribbles: Scribbles
    name: str = "volume"
    """Of the volume, for the record."""
    identity: str = ""
    """What tells it from others."""


def train(
    lesson: Lesson,
    features: FeatureRecipe | None = None,
    settings: ForestSettings | None = None,
    *,
    earlier: PixelModel | None = None,
    reporter: Reporter | None = None,
) -> PixelModel:
    """Train a model, or let one go on learning.

    Parameters
    ----------
    lesson
        What to learn from.
    features
        What to look at; of an earlier model its own are taken.
    settings
        How the forest is grown; None takes the earlier model's, or the usual ones.
    earlier
        A model whose samples are learnt from too.
    reporter
        Progress and cancel.

    Raises
    ------
    InputError
        Fewer than two classes are marked, or marks lie outside the volume.
    """
    reporter = reporter or Reporter()
    recipe = earlier.features if earlier is not None else features or FeatureRecipe()
    settings = settings or (earlier.settings if earlier is not None else ForestSettings())
    grey = earlier.grey if earlier is not None else grey_scale(lesson.array)
    found = samples_of(lesson, recipe, grey, reporter)
    values = lesson.scribbles.values
    if earlier is not None:
        found = np.concatenate([earlier.samples.features, found])
        values = np.concatenate([earlier.sample_labels, values])
    return fit(
        found, values, recipe, grey, settings,
        trained=(
            *(earlier.trained if earlier is not None else ()),
            training_of(lesson.scribbles, lesson.name, lesson.identity),
        ),
        reporter=reporter,
    )  # fmt: skip


def samples_of(
    lesson: Lesson, recipe: FeatureRecipe, grey: GreyScale, reporter: Reporter
) -> NDArray[np.float32]:
    """Compute the features of what was marked, shape (sample, feature)."""
    return features_at(lesson.array, lesson.scribbles.places, recipe, grey, reporter)


def fit(
    features: NDArray[np.float32],
    values: NDArray[np.integer[Any]],
    recipe: FeatureRecipe,
    grey: GreyScale,
    settings: ForestSettings,
    *,
    trained: tuple[Training, ...] = (),
    reporter: Reporter | None = None,
) -> PixelModel:
    """Grow a forest on samples whose features are known.

    Parameters
    ----------
    features
        Shape (sample, feature).
    values
        Label of each sample, shape (sample,).

    Raises
    ------
    InputError
        There are fewer than two classes, or a label is too large.
    """
    labels, classes = np.unique(values, return_inverse=True)
    if labels[0] < 1 or labels[-1] > MAX_CLASSES:
        raise InputError(
            f"labels go from 1 to {MAX_CLASSES}, found {labels[0]} to {labels[-1]}",
            where="scribbles", fix="Mark the phases with small labels",
        )  # fmt: skip
    if reporter is not None:
        reporter.progress("forest", 0, 1)
    forest = grow_forest(features, classes, settings)
    if reporter is not None:
        reporter.progress("forest", 1, 1)
    return PixelModel(
        features=recipe,
        labels=tuple(int(label) for label in labels),
        grey=grey,
        forest=forest,
        samples=Samples(features, classes.astype(np.uint8)),
        settings=settings,
        trained=trained,
        versions={"scikit-learn": version("scikit-learn"), "numpy": version("numpy")},
    )


def training_of(scribbles: Scribbles, name: str, identity: str) -> Training:
    """Return the record of what was learnt from on one volume."""
    counts = {str(label): count for label, count in scribbles.counts.items()}
    return Training(name, identity, counts, len(np.unique(scribbles.places[:, 0])))
