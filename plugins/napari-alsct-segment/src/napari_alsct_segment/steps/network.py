"""The mixed-scale dense network as steps: three ways to train it, two to apply it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alsct_gui.steps.reporter import Reporter
from alsct_gui.steps.settings import setting
from alsct_gui.steps.step import Port, Preset, Step
from alsct_gui.steps.values import MadeFile, MadeLabels, MadeVolume, physical_array
from napari_alsct_segment.network.settings import TrainingSettings

_MSD = "Pelt and Sethian, PNAS 115, 254 (2018)"
_N2I = "Hendriksen, Pelt and Batenburg, IEEE Trans. Comput. Imaging 6, 1320 (2020)"
_VOLUME = Port("volume", "volume", "Volume")
_NETWORK = Port("model", "model", "Trained network")


@dataclass(frozen=True, slots=True)
class Training(TrainingSettings):
    """How a network is trained, and where it is kept meanwhile."""

    checkpoint: str = setting(
        "",
        label="Checkpoint",
        tier="power",
        empty="none",
        help="File in which the training is kept after each round, and gone on with when it is "
        "there.",
    )


@dataclass(frozen=True, slots=True)
class LabelTraining(Training):
    """How a network that labels is trained."""

    zero_counts: bool = setting(
        False,
        label="Zero is a phase",
        tier="average",
        help="Whether label 0 is a phase too; else it stands for what nobody has labelled.",
    )


@dataclass(frozen=True, slots=True)
class SelfTraining(Training):
    """How a network is trained on one noisy scan alone."""

    recipe: str = setting(
        "standard-8.3.2",
        label="Recipe",
        tier="newbie",
        help="Name or file of the recipe that the scan is reconstructed with.",
    )
    splits: int = setting(
        4,
        label="Sets of angles",
        min=2,
        max=16,
        tier="average",
        help="Reconstructions whose noise is independent.",
    )
    most_slices: int = setting(
        64,
        label="Slices",
        min=4,
        max=4096,
        tier="average",
        help="So many around the middle are learnt from.",
    )


@dataclass(frozen=True, slots=True)
class ApplyNetwork:
    """A network is applied as it was trained; there is nothing to choose."""


def train_denoising(
    inputs: Mapping[str, Any], parameters: Training, reporter: Reporter
) -> Mapping[str, Any]:
    """Learn to turn a poor volume into a good one."""
    from napari_alsct_segment.network.pairs import volume_pairs

    pairs = volume_pairs(
        physical_array(inputs["volume"]), physical_array(inputs["good"]),
        neighbours=parameters.neighbours,
    )  # fmt: skip
    return _train(pairs, parameters, reporter, {"from": inputs["volume"].path.name})


def train_labels(
    inputs: Mapping[str, Any], parameters: LabelTraining, reporter: Reporter
) -> Mapping[str, Any]:
    """Learn to label a volume."""
    from napari_alsct_segment.network.pairs import label_pairs

    pairs = label_pairs(
        physical_array(inputs["volume"]), inputs["labels"].levels[0],
        neighbours=parameters.neighbours, zero_counts=parameters.zero_counts,
    )  # fmt: skip
    return _train(pairs, parameters, reporter, {"from": inputs["volume"].path.name})


def train_on_itself(
    inputs: Mapping[str, Any], parameters: SelfTraining, reporter: Reporter
) -> Mapping[str, Any]:
    """Learn to denoise a scan from the scan itself."""
    from alsct_gui.files.recipes import load_recipe
    from napari_alsct_segment.network.noise2inverse import split_reconstructions
    from napari_alsct_segment.network.pairs import split_pairs
    from napari_alsct_segment.network.train import require_torch

    require_torch()  # before the reconstructions, which take their time
    scan = inputs["scan"]
    volumes = split_reconstructions(
        scan, load_recipe(parameters.recipe), parameters.splits, parameters.most_slices, reporter
    )
    pairs = split_pairs(volumes, neighbours=parameters.neighbours)
    return _train(pairs, parameters, reporter, {"from": scan.path.name})


def _train(
    pairs: Any, parameters: Training, reporter: Reporter, trained: Mapping[str, Any]
) -> Mapping[str, Any]:
    from napari_alsct_segment.network.model import save_network
    from napari_alsct_segment.network.train import train_network
    from napari_alsct_segment.network.words import say_round

    network = train_network(
        pairs, parameters,
        checkpoint=Path(parameters.checkpoint) if parameters.checkpoint else None,
        on_round=lambda line: reporter.say(say_round(line)), reporter=reporter, trained=trained,
    )  # fmt: skip

    def write(path: Path, provenance: Mapping[str, Any]) -> None:
        save_network(network, path, provenance)

    return {"model": MadeFile(".safetensors", write)}


def denoise(
    inputs: Mapping[str, Any], parameters: ApplyNetwork, reporter: Reporter
) -> Mapping[str, Any]:
    """Denoise a volume with a trained network."""
    return {"volume": MadeVolume(_applied(inputs, "values", reporter))}


def label(
    inputs: Mapping[str, Any], parameters: ApplyNetwork, reporter: Reporter
) -> Mapping[str, Any]:
    """Label a volume with a trained network."""
    return {"labels": MadeLabels(_applied(inputs, "classes", reporter))}


def _applied(inputs: Mapping[str, Any], task: Any, reporter: Reporter) -> Any:
    from napari_alsct_segment.network.infer import NetworkVolume
    from napari_alsct_segment.network.model import load_network

    return NetworkVolume(
        physical_array(inputs["volume"]), load_network(inputs["model"], task), reporter
    )


_PRESETS = (
    Preset("standard", {}, "Some ten minutes to an hour on a desktop's processors."),
    Preset("short", {"most_steps": 500, "depth": 30}, "To see whether it is worth it."),
    Preset("thorough", {"most_steps": 20000, "depth": 80, "neighbours": 1, "patience": 20},
           "A night."),
)  # fmt: skip

TRAIN_DENOISING = Step(
    name="segment.network-train",
    title="Training of a denoising network",
    sentence="Learns from a poor and a good volume of one sample to make poor ones good.",
    parameters=Training,
    inputs=(_VOLUME, Port("good", "volume", "Good volume")),
    outputs=(_NETWORK,),
    run=train_denoising,
    presets=_PRESETS,
    preview="none",
    reference=_MSD,
)
TRAIN_LABELS = Step(
    name="segment.network-train-labels",
    title="Training of a labelling network",
    sentence="Learns from a volume and its labels to label others.",
    parameters=LabelTraining,
    inputs=(_VOLUME, Port("labels", "labels", "Labels")),
    outputs=(_NETWORK,),
    run=train_labels,
    presets=_PRESETS,
    preview="none",
    reference=_MSD,
)
NOISE2INVERSE = Step(
    name="segment.noise2inverse",
    title="Training on a noisy scan alone",
    sentence="Learns to denoise a scan from reconstructions of separate sets of its angles.",
    parameters=SelfTraining,
    inputs=(Port("scan", "scan", "Scan"),),
    outputs=(_NETWORK,),
    run=train_on_itself,
    presets=_PRESETS,
    preview="none",
    reference=_N2I,
)
DENOISE = Step(
    name="segment.network-denoise",
    title="Denoising by a network",
    sentence="Denoises a volume with a trained network.",
    parameters=ApplyNetwork,
    inputs=(_VOLUME, _NETWORK),
    outputs=(Port("volume", "volume", "Denoised volume"),),
    run=denoise,
    reference=_MSD,
)
LABEL = Step(
    name="segment.network-label",
    title="Labels by a network",
    sentence="Labels a volume with a trained network.",
    parameters=ApplyNetwork,
    inputs=(_VOLUME, _NETWORK),
    outputs=(Port("labels", "labels", "Phases"),),
    run=label,
    reference=_MSD,
)
