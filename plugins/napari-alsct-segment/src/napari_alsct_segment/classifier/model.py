"""A trained pixel classifier, and how it is kept in a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.codec import from_plain, to_plain
from alsct_gui.model.errors import InputError, RecipeError
from napari_alsct_segment.classifier.samples import GreyScale
from napari_alsct_segment.features.recipe import FeatureRecipe
from napari_alsct_segment.forest.grow import ForestSettings
from napari_alsct_segment.forest.trees import MAX_CLASSES, Forest, check_forest
from napari_alsct_segment.modelfile import Stored, array_of, read_model, write_model

KIND = "pixel-classifier"
_MAX_SAMPLES = 10_000_000


@dataclass(frozen=True, eq=False)
class Samples:
    """Everything that was ever marked, so that a model can go on learning."""

    features: NDArray[np.float32]
    """Shape (sample, feature)."""
    classes: NDArray[np.uint8]
    """Index of each one's class, shape (sample,)."""


@dataclass(frozen=True, slots=True)
class Training:
    """One volume that a model has learnt from."""

    volume: str
    """Its name."""
    identity: str = ""
    """What tells it from others; empty when it lies on no disk."""
    scribbles: Mapping[str, int] = field(default_factory=dict)
    """Marked voxels by label."""
    slices: int = 0
    """Slices with marks in them."""


@dataclass(frozen=True, slots=True)
class _About:
    """The description in the file, beside what `modelfile` puts there."""

    features: FeatureRecipe
    labels: tuple[int, ...]
    low: float
    high: float
    settings: ForestSettings
    trained: tuple[Training, ...]
    versions: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class PixelModel:
    """A trained classifier."""

    features: FeatureRecipe
    """What it looks at."""
    labels: tuple[int, ...]
    """Value that each class has in the labels, growing, from 1 on."""
    grey: GreyScale
    """How it counts grey values."""
    forest: Forest
    """What decides."""
    samples: Samples
    """What it has learnt from."""
    settings: ForestSettings = field(default_factory=ForestSettings)
    """How the forest was grown."""
    trained: tuple[Training, ...] = ()
    """On what."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Of the libraries that grew it."""

    @property
    def sample_labels(self) -> NDArray[np.int64]:
        """Label of each sample, shape (sample,)."""
        labels: NDArray[np.int64] = np.array(self.labels, np.int64)[self.samples.classes]
        return labels


def save_pixel_model(
    model: PixelModel, path: Path, provenance: Mapping[str, Any] | None = None
) -> None:
    """Write a model into one file.

    Parameters
    ----------
    model
        The model.
    path
        Final name; what has it is replaced.
    provenance
        Plain data that goes with it.

    Raises
    ------
    OutputError
        The disk refuses.
    """
    about = _About(
        model.features, model.labels, model.grey.low, model.grey.high, model.settings,
        model.trained, model.versions,
    )  # fmt: skip
    forest, samples = model.forest, model.samples
    arrays: dict[str, NDArray[Any]] = {
        "feature": forest.feature, "threshold": forest.threshold, "child": forest.child,
        "probability": forest.probability, "roots": forest.roots,
        "sample_features": samples.features, "sample_classes": samples.classes,
    }  # fmt: skip
    write_model(path, KIND, {**to_plain(about), "provenance": dict(provenance or {})}, arrays)


def load_pixel_model(path: Path) -> PixelModel:
    """Read a model and check all of it.

    Raises
    ------
    InputError
        It is none, or is damaged.
    """
    stored = read_model(Path(path), KIND)
    where = str(path)
    keys = ("features", "labels", "low", "high", "settings", "trained", "versions")
    known = {key: stored.about[key] for key in keys if key in stored.about}
    try:
        about = from_plain(_About, known, where="model")
    except RecipeError as error:
        raise InputError(f"{error.where}: {error.what}", where=where, fix=error.fix) from error
    grey = GreyScale(about.low, about.high)
    growing = all(a < b for a, b in zip(about.labels, about.labels[1:], strict=False))
    if not (growing and about.labels and about.labels[0] >= 1 and about.labels[-1] <= MAX_CLASSES):
        raise InputError("its labels are no labels", where=where, fix="Train the model again")
    if not grey.low < grey.high:
        raise InputError("its grey values are no range", where=where, fix="Train the model again")
    n_features, n_classes = len(about.features.names), len(about.labels)
    forest = Forest(
        array_of(stored, "feature", "int32", (None,), where),
        array_of(stored, "threshold", "float32", (None,), where),
        array_of(stored, "child", "int32", (None,), where),
        array_of(stored, "probability", "float32", (None, n_classes), where),
        array_of(stored, "roots", "int32", (None,), where),
    )
    check_forest(forest, n_features, n_classes, where)
    samples = _samples(stored, n_features, n_classes, where)
    return PixelModel(
        about.features, about.labels, grey, forest, samples, about.settings, about.trained,
        about.versions,
    )  # fmt: skip


def _samples(stored: Stored, n_features: int, n_classes: int, where: str) -> Samples:
    features = array_of(stored, "sample_features", "float32", (None, n_features), where)
    classes = array_of(stored, "sample_classes", "uint8", (len(features),), where)
    whole = len(features) <= _MAX_SAMPLES and np.isfinite(features).all()
    if not whole or (len(classes) and classes.max() >= n_classes):
        raise InputError("its samples are no samples", where=where, fix="Train the model again")
    return Samples(features, classes)
