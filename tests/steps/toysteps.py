"""Steps that are small enough to be checked by hand; installed by the fixture `toys`."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from scipy import ndimage

from alsct_gui.model.errors import RecipeError
from alsct_gui.model.table import Column, Table
from alsct_gui.steps.blockwise import Blockwise
from alsct_gui.steps.reporter import Reporter
from alsct_gui.steps.settings import setting
from alsct_gui.steps.step import Port, Preset, Step
from alsct_gui.steps.values import MadeFile, MadeLabels, MadeVolume, physical_array


@dataclass(frozen=True, slots=True)
class Smooth:
    size_px: int = setting(3, label="Window", unit="px", tier="newbie", min=1, max=15, odd=True,
                           help="Edge of the window.")  # fmt: skip
    mode: Literal["mean", "most"] = setting("mean", words={"most": "largest"})
    factor: float = setting(1.0, min=0)
    span: tuple[float, float] | None = setting(None, empty="found", tier="power")

    def __post_init__(self) -> None:
        if self.span is not None and not self.span[0] < self.span[1]:
            raise RecipeError("is no range", where="parameters.span")


def smooth(inputs: Mapping[str, Any], p: Smooth, reporter: Reporter) -> Mapping[str, Any]:
    half = p.size_px // 2
    kernel = ndimage.uniform_filter if p.mode == "mean" else ndimage.maximum_filter

    def work(block: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return kernel(block, p.size_px, mode="nearest") * np.float32(p.factor)

    volume = physical_array(inputs["volume"])
    return {"smooth": MadeVolume(Blockwise(work, [volume], halo=(half, half, half)))}


SMOOTH = Step(
    name="toy.smooth", title="Smoothing", sentence="Averages neighbours.", parameters=Smooth,
    inputs=(Port("volume", "volume", "Volume"),), outputs=(Port("smooth", "volume", "Smooth"),),
    run=smooth, presets=(Preset("standard"), Preset("strong", {"size_px": 7}, "For noise.")),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Count:
    above: float = setting(0.5)


def count(inputs: Mapping[str, Any], p: Count, reporter: Reporter) -> Mapping[str, Any]:
    volume = inputs["volume"]
    labels, found = ndimage.label(np.asarray(volume.levels[0][:]) > p.above)
    sizes = np.bincount(labels.ravel(), minlength=found + 1)[1:]
    reporter.say(f"{found} objects")
    columns = Column("label"), Column("size_voxels", "voxels", "Number of voxels.")
    numbers = np.arange(1, found + 1)
    table = Table(columns, (numbers, sizes), {"objects": found}, objects="labels")

    def write(path: Path, made: Mapping[str, Any]) -> None:
        path.write_text(f"<p>{found} objects by {made['step']}</p>", encoding="utf-8")

    return {"labels": MadeLabels(labels.astype(np.uint32)), "table": table,
            "report": MadeFile(".html", write)}  # fmt: skip


COUNT = Step(
    name="toy.count", title="Counting", sentence="Numbers objects.", parameters=Count,
    inputs=(Port("volume", "volume", "Volume"), Port("mask", "labels", "Mask", optional=True)),
    outputs=(Port("labels", "labels", "Objects"), Port("table", "table", "Sizes"),
             Port("report", "report", "Report", optional=True)),
    run=count, preview="slab", slab_halo=1,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hang:
    how: Literal["wait", "deaf", "die", "mistake"] = setting("wait")


def hang(inputs: Mapping[str, Any], p: Hang, reporter: Reporter) -> Mapping[str, Any]:
    if p.how == "die":
        print("last words", flush=True)  # noqa: T201
        os.kill(os.getpid(), 9)
    if p.how == "mistake":
        raise ZeroDivisionError("by hand")
    reporter.progress("waiting", 1, 4)
    while True:
        time.sleep(0.01)
        if p.how == "wait":
            reporter.check()


HANG = Step(
    name="toy.hang", title="Waiting", sentence="Never ends.", parameters=Hang,
    inputs=(Port("volume", "volume", "Volume"),), outputs=(Port("none", "volume", "Nothing"),),
    run=hang,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scale:
    pass


def scale(inputs: Mapping[str, Any], p: Scale, reporter: Reporter) -> Mapping[str, Any]:
    factor = float(inputs["model"].read_text())
    return {"scaled": np.asarray(inputs["volume"].levels[0][:]) * np.float32(factor)}


SCALE = Step(
    name="toy.scale", title="Scaling", sentence="Does what a model says.", parameters=Scale,
    inputs=(Port("volume", "volume", "Volume"), Port("model", "model", "Model")),
    outputs=(Port("scaled", "volume", "Scaled"),), run=scale,
)  # fmt: skip
