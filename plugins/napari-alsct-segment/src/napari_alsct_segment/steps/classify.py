"""The pixel classifier as steps: train, and apply in three ways."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from alsct_gui.model.volume import Volume
from alsct_gui.steps.reporter import Reporter
from alsct_gui.steps.settings import setting
from alsct_gui.steps.step import Port, Preset, Step
from alsct_gui.steps.values import MadeFile, MadeLabels, MadeVolume, physical_array

_REFERENCE = "Breiman, Machine Learning 45, 5 (2001)"
_VOLUME = Port("volume", "volume", "Volume")
_MODEL = Port("model", "model", "Trained model")


@dataclass(frozen=True, slots=True)
class Train:
    """What the classifier looks at and how it learns."""

    scales_px: tuple[float, ...] = setting(
        (1.0, 2.0, 4.0),
        label="Scales",
        unit="px",
        tier="average",
        help="Sizes of the structures to tell apart; more and larger ones take longer.",
    )
    flat: bool = setting(
        False,
        label="Within slices",
        tier="average",
        help="Look within each slice alone, not across slices.",
    )
    values: bool = setting(
        True,
        label="Grey value",
        tier="power",
        help="The smoothed grey value, and its change from scale to scale.",
    )
    edges: bool = setting(True, label="Edges", tier="power", help="How steep it is.")
    curvatures: bool = setting(True, label="Shapes", tier="power", help="Sheets, tubes and blobs.")
    textures: bool = setting(
        True,
        label="Textures",
        tier="power",
        help="Roughness, and strength and direction of the grain.",
    )
    trees: int = setting(
        32, label="Trees", min=1, max=200, tier="power", help="More trees are steadier and slower."
    )
    depth: int = setting(
        10, label="Depth", min=1, max=20, tier="power", help="Questions that a tree asks at most."
    )
    seed: int = setting(
        0,
        label="Seed",
        min=0,
        max=2**31 - 1,
        tier="power",
        help="The same seed grows the same forest.",
    )


@dataclass(frozen=True, slots=True)
class Apply:
    """How a model is applied."""

    grey: Literal["training", "volume"] = setting(
        "training",
        label="Grey values",
        tier="average",
        words={"training": "as in training", "volume": "of this volume"},
        help="Whether values mean the same as in the volume that was learnt from.",
    )


@dataclass(frozen=True, slots=True)
class ApplyOne(Apply):
    """How a model is applied, for one class."""

    label: int = setting(
        1,
        label="Label",
        min=1,
        max=255,
        tier="newbie",
        help="The phase whose probability is wanted.",
    )


def train(inputs: Mapping[str, Any], parameters: Train, reporter: Reporter) -> Mapping[str, Any]:
    """Train a model on a volume and what is marked in it."""
    from alsct_gui.files.labels import volume_identity
    from napari_alsct_segment.classifier import learn
    from napari_alsct_segment.classifier.model import load_pixel_model, save_pixel_model
    from napari_alsct_segment.classifier.samples import scribbles_of

    volume: Volume = inputs["volume"]
    features, settings = recipe_of(parameters)
    lesson = learn.Lesson(
        physical_array(volume), scribbles_of(inputs["labels"].levels[0], reporter),
        volume.path.name, volume_identity(volume),
    )  # fmt: skip
    earlier = load_pixel_model(inputs["model"]) if "model" in inputs else None
    model = learn.train(lesson, features, settings, earlier=earlier, reporter=reporter)
    counts = ", ".join(f"{n:,} of label {label}" for label, n in lesson.scribbles.counts.items())
    reporter.say(f"Learnt from {counts}")

    def write(path: Path, provenance: Mapping[str, Any]) -> None:
        save_pixel_model(model, path, provenance)

    return {"model": MadeFile(".safetensors", write)}


def recipe_of(parameters: Train) -> tuple[Any, Any]:
    """Return what to look at and how the forest is grown, as the classifier has it."""
    from napari_alsct_segment.features.recipe import FeatureRecipe
    from napari_alsct_segment.forest.grow import ForestSettings

    features = FeatureRecipe(
        scales_px=parameters.scales_px, values=parameters.values, differences=parameters.values,
        edges=parameters.edges, curvatures=parameters.curvatures, spreads=parameters.textures,
        textures=parameters.textures, flat=parameters.flat,
    )  # fmt: skip
    settings = ForestSettings(trees=parameters.trees, depth=parameters.depth, seed=parameters.seed)
    return features, settings


def classify(inputs: Mapping[str, Any], parameters: Apply, reporter: Reporter) -> Mapping[str, Any]:
    """Label a volume."""
    return {"labels": MadeLabels(_applied(inputs, parameters).labels())}


def probability(
    inputs: Mapping[str, Any], parameters: ApplyOne, reporter: Reporter
) -> Mapping[str, Any]:
    """Say how likely a phase is."""
    values = _applied(inputs, parameters).probability(parameters.label)
    return {"probability": MadeVolume(values, units="")}


def uncertainty(
    inputs: Mapping[str, Any], parameters: Apply, reporter: Reporter
) -> Mapping[str, Any]:
    """Say where the model is torn."""
    return {"uncertainty": MadeVolume(_applied(inputs, parameters).uncertainty(), units="")}


def _applied(inputs: Mapping[str, Any], parameters: Apply) -> Any:
    from napari_alsct_segment.classifier.apply import Applied
    from napari_alsct_segment.classifier.model import load_pixel_model
    from napari_alsct_segment.classifier.samples import grey_scale

    model = load_pixel_model(inputs["model"])
    array = physical_array(inputs["volume"])
    return Applied(array, model, grey_scale(array) if parameters.grey == "volume" else None)


TRAIN = Step(
    name="segment.train",
    title="Training of the pixel classifier",
    sentence="Learns phases from a few strokes painted into labels.",
    parameters=Train,
    inputs=(
        _VOLUME,
        Port("labels", "labels", "Strokes"),
        Port("model", "model", "Model to go on with", optional=True),
    ),
    outputs=(_MODEL,),
    run=train,
    presets=(
        Preset("standard", {}, "Phases that differ in grey value, edges or texture."),
        Preset("fine", {"scales_px": [0.7, 1.5, 3.0]}, "Small, sharp structures."),
        Preset("coarse", {"scales_px": [1.0, 2.0, 4.0, 8.0]}, "Broad textures; slower."),
        Preset("flat", {"flat": True}, "Slices that have little to do with each other."),
    ),
    preview="none",
    reference=_REFERENCE,
)
CLASSIFY = Step(
    name="segment.classify",
    title="Pixel classifier",
    sentence="Labels a volume with a trained model.",
    parameters=Apply,
    inputs=(_VOLUME, _MODEL),
    outputs=(Port("labels", "labels", "Phases"),),
    run=classify,
    reference=_REFERENCE,
)
PROBABILITY = Step(
    name="segment.probability",
    title="Probability of a phase",
    sentence="Says for each voxel how likely a phase is, from 0 to 1.",
    parameters=ApplyOne,
    inputs=(_VOLUME, _MODEL),
    outputs=(Port("probability", "volume", "Probability"),),
    run=probability,
    reference=_REFERENCE,
)
UNCERTAINTY = Step(
    name="segment.uncertainty",
    title="Uncertainty of the classifier",
    sentence="Says for each voxel how far a model is from telling two phases apart.",
    parameters=Apply,
    inputs=(_VOLUME, _MODEL),
    outputs=(Port("uncertainty", "volume", "Uncertainty"),),
    run=uncertainty,
    reference=_REFERENCE,
)
