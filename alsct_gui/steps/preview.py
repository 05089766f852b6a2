"""One slice of what a step would make."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.files.lazyarray import DiskArray, Ranges
from alsct_gui.model.errors import RecipeError
from alsct_gui.model.volume import LazyArray, Volume
from alsct_gui.steps.reporter import Reporter
from alsct_gui.steps.step import Step
from alsct_gui.steps.values import MadeLabels, MadeVolume


class Slab(DiskArray):
    """Some slices of an array."""

    def __init__(self, array: LazyArray, first: int, stop: int) -> None:
        super().__init__((stop - first, array.shape[1], array.shape[2]), array.dtype)
        self._array, self._first = array, first

    def _read(self, ranges: Ranges) -> NDArray[Any]:
        z, y, x = ranges
        first = self._first
        return self._array[
            z.start + first : z.stop + first : z.step, y.start : y.stop : y.step,
            x.start : x.stop : x.step,
        ]  # fmt: skip


def preview_slice(
    step: Step[Any],
    inputs: Mapping[str, Any],
    parameters: Any,
    index: int,
    reporter: Reporter | None = None,
) -> dict[str, NDArray[Any]]:
    """Make one slice of every volume and label output.

    Parameters
    ----------
    step
        Its ``preview`` says how this is done.
    inputs
        As `Step.run` takes them; all volumes of one shape.
    parameters
        Of the step's type.
    index
        Number of the slice.

    Returns
    -------
    slices
        Shape (y, x), by the names of the outputs.

    Raises
    ------
    RecipeError
        The step has no preview.
    """
    if step.preview == "none":
        raise RecipeError("this step has no preview", where=step.name, fix="Run it")
    reporter = reporter or Reporter()
    at = index
    if step.preview == "slab":
        inputs, at = slab_inputs(inputs, index, step.slab_halo)
    made = step.run(inputs, parameters, reporter)
    slices = {}
    for port in step.outputs:
        if port.kind in ("volume", "labels") and port.name in made:
            value = made[port.name]
            values = value.values if isinstance(value, MadeVolume | MadeLabels) else value
            reporter.check()
            slices[port.name] = np.asarray(values[at])
    return slices


def slab_inputs(inputs: Mapping[str, Any], index: int, halo: int) -> tuple[dict[str, Any], int]:
    """Cut all volumes down to a slice and its neighbours; also say which one it then is."""
    cut = dict(inputs)
    at = index
    for name, value in inputs.items():
        if isinstance(value, Volume):
            first, stop = max(0, index - halo), min(value.shape[0], index + halo + 1)
            at = index - first
            cut[name] = Volume(
                path=value.path, layout=value.layout, levels=(Slab(value.levels[0], first, stop),),
                voxel_um=value.voxel_um, units=value.units, provenance=value.provenance,
            )  # fmt: skip
    return cut, at
