"""Thresholds as a step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from alsct_gui.model.errors import RecipeError
from alsct_gui.model.volume import Volume
from alsct_gui.steps.reporter import Reporter
from alsct_gui.steps.settings import setting
from alsct_gui.steps.step import Port, Preset, Step
from alsct_gui.steps.values import MadeLabels, physical_array

Method = Literal["otsu", "multi-otsu", "li", "local", "hysteresis", "fixed"]


@dataclass(frozen=True, slots=True)
class Threshold:
    """Where and how to cut."""

    method: Method = setting(
        "otsu",
        label="Method",
        tier="newbie",
        words={
            "otsu": "two phases (Otsu)",
            "multi-otsu": "several phases (Otsu)",
            "li": "faint phase (Li)",
            "local": "uneven brightness (local)",
            "hysteresis": "thin structures (hysteresis)",
            "fixed": "given value",
        },
        help="How the value is found at which the grey values are cut.",
    )
    dark: bool = setting(
        False,
        label="Dark phase",
        tier="newbie",
        help="Mark what is dark instead of what is bright.",
    )
    classes: int = setting(
        3, label="Phases", min=2, max=5, tier="average", help="With several phases: how many."
    )
    value: float | None = setting(
        None,
        label="Value",
        tier="average",
        empty="found by the method",
        help="The value itself; with thin structures the high one.",
    )
    low: float | None = setting(
        None,
        label="Low value",
        tier="average",
        empty="half-way to the phase below",
        help="With thin structures: what hangs together with something "
        "above the value is kept down to here.",
    )
    window_px: int = setting(
        31,
        label="Window",
        unit="px",
        min=3,
        max=97,
        odd=True,
        tier="average",
        help="With uneven brightness: width of the surroundings that a voxel is compared with.",
    )
    offset: float = setting(
        0.0,
        label="Offset",
        tier="average",
        help="With uneven brightness: how far beyond its surroundings a voxel must be.",
    )
    skip_zeros: bool = setting(
        True,
        label="Leave out zeros",
        tier="power",
        help="Voxels that are exactly zero are masked and do not count.",
    )

    def __post_init__(self) -> None:
        if self.method == "fixed" and self.value is None:
            raise RecipeError(
                "is needed with a given value", where="parameters.value",
                fix="Give the value at which to cut",
            )  # fmt: skip


def run(inputs: Mapping[str, Any], parameters: Threshold, reporter: Reporter) -> Mapping[str, Any]:
    """Cut a volume into phases."""
    from napari_alsct_segment import thresholds

    volume: Volume = inputs["volume"]
    array = physical_array(volume)
    method, dark, units = parameters.method, parameters.dark, volume.units
    if method == "local":
        labels = thresholds.cut_locally(
            array, window_px=parameters.window_px, offset=parameters.offset, dark=dark
        )
        return {"labels": MadeLabels(labels)}
    if method == "hysteresis":
        low, high = _pair(volume, parameters, reporter)
        reporter.say(f"Thresholds {low:.6g} and {high:.6g} {units}".rstrip())
        kept = thresholds.hysteresis(array, low, high, reporter, dark=dark)
        return {"labels": MadeLabels(kept)}
    values = _values(volume, parameters, reporter)
    plural = "s" * (len(values) > 1)
    reporter.say(f"Threshold{plural} {', '.join(f'{v:.6g}' for v in values)} {units}".rstrip())
    return {"labels": MadeLabels(thresholds.cut(array, values, dark=dark))}


def _values(volume: Volume, parameters: Threshold, reporter: Reporter) -> tuple[float, ...]:
    from napari_alsct_segment import thresholds
    from napari_alsct_segment.histogram import volume_histogram

    if parameters.value is not None:
        return (parameters.value,)
    histogram = volume_histogram(volume, reporter, skip_zeros=parameters.skip_zeros)
    if parameters.method == "multi-otsu":
        return thresholds.multi_otsu(histogram, parameters.classes)
    return (thresholds.li(histogram) if parameters.method == "li" else thresholds.otsu(histogram),)


def _pair(volume: Volume, parameters: Threshold, reporter: Reporter) -> tuple[float, float]:
    from napari_alsct_segment import thresholds
    from napari_alsct_segment.histogram import volume_histogram

    if parameters.low is not None and parameters.value is not None:
        return parameters.low, parameters.value
    histogram = volume_histogram(volume, reporter, skip_zeros=parameters.skip_zeros)
    low, high = thresholds.hysteresis_pair(histogram, dark=parameters.dark)
    return (
        low if parameters.low is None else parameters.low,
        high if parameters.value is None else parameters.value,
    )


THRESHOLD = Step(
    name="segment.threshold",
    title="Threshold",
    sentence="Cuts the grey values of a volume into phases.",
    parameters=Threshold,
    inputs=(Port("volume", "volume", "Volume"),),
    outputs=(Port("labels", "labels", "Phases"),),
    run=run,
    presets=(
        Preset("two phases", {}, "Bright on dark, evenly lit."),
        Preset("three phases", {"method": "multi-otsu", "classes": 3}, "Say air, matrix, metal."),
        Preset("pores", {"dark": True}, "What is dark within a bright body."),
        Preset("thin structures", {"method": "hysteresis"}, "Cracks, fibres, faint edges."),
        Preset("uneven brightness", {"method": "local"}, "Cupping, or a shaded sample."),
    ),
    reference="Otsu, IEEE Trans. SMC 9, 62 (1979)",
)
