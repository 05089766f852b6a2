"""A trained network, and how it is kept in a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.codec import from_plain, to_plain
from alsct_gui.model.errors import InputError, RecipeError
from napari_alsct_segment.modelfile import array_of, read_model, write_model
from napari_alsct_segment.network.design import Design

Float32Array = NDArray[np.float32]
Task = Literal["values", "classes"]

KIND = "network"
_LARGEST = 1e6
"""Weights beyond this are those of a broken file: trained ones are below 10."""


@dataclass(frozen=True, slots=True)
class Scaling:
    """Grey values as the network has them: less `offset`, by `span`."""

    offset: float = 0.0
    span: float = 1.0

    def into(self, values: Float32Array) -> Float32Array:
        """Turn grey values into the network's; what is no number becomes 0."""
        scaled = (values - np.float32(self.offset)) * np.float32(1 / self.span)
        return np.nan_to_num(scaled, copy=False, nan=0.0, posinf=0.0, neginf=0.0)


@dataclass(frozen=True, slots=True)
class Round:
    """One line of the history of a training."""

    steps: int
    """Steps so far."""
    loss: float
    """Mean loss of the steps since the last line."""
    held_out: float
    """Loss on slices that are not learnt from."""


@dataclass(frozen=True, eq=False)
class Network:
    """A network with its weights."""

    design: Design
    values: Float32Array
    """All weights and biases, shape (sum(design.sizes),): of each layer for each picture it sees
    nine weights, row by row; the layers' biases; the last layer's weights, output by output;
    its biases."""
    task: Task = "values"
    """Whether it gives grey values or classes."""
    grey: Scaling = field(default_factory=Scaling)
    """Of what goes in, and of the grey values that come out."""
    labels: tuple[int, ...] = ()
    """Label of each class, growing; empty for grey values."""
    history: tuple[Round, ...] = ()
    """How the training went."""
    trained: Mapping[str, Any] = field(default_factory=dict)
    """On what and how, plain data."""

    @property
    def parts(self) -> tuple[Float32Array, Float32Array, Float32Array, Float32Array]:
        """Weights, biases, weights of the last layer (output, picture), its biases."""
        return cut_values(self.values, self.design)

    @property
    def neighbours(self) -> int:
        """Slices on either side that it looks at."""
        return (self.design.inputs - 1) // 2


@dataclass(frozen=True, slots=True)
class _About:
    """The description in the file."""

    design: Design
    task: Task
    offset: float
    span: float
    labels: tuple[int, ...]
    history: tuple[Round, ...]


def save_network(network: Network, path: Path, provenance: Mapping[str, Any] | None = None) -> None:
    """Write a network into one file; what has the name is replaced.

    Raises
    ------
    OutputError
        The disk refuses.
    """
    about = _About(
        network.design, network.task, network.grey.offset, network.grey.span, network.labels,
        network.history,
    )  # fmt: skip
    rows = {
        **to_plain(about), "trained": dict(network.trained), "provenance": dict(provenance or {}),
    }  # fmt: skip
    write_model(path, KIND, rows, {"values": network.values})


def load_network(path: Path, task: Task | None = None) -> Network:
    """Read a network and check all of it.

    Parameters
    ----------
    path
        A file of `save_network`.
    task
        What it must give; None for either.

    Raises
    ------
    InputError
        It is no network, is damaged, or gives something else.
    """
    stored = read_model(Path(path), KIND)
    where = str(path)
    keys = ("design", "task", "offset", "span", "labels", "history")
    known = {key: stored.about[key] for key in keys if key in stored.about}
    try:
        about = from_plain(_About, known, where="network")
    except RecipeError as error:
        raise InputError(f"{error.where}: {error.what}", where=where, fix=error.fix) from error
    design = about.design
    labelled = len(about.labels) if about.task == "classes" else 1
    counts_fit = design.outputs == labelled and (about.task == "classes") == bool(about.labels)
    growing = all(a < b for a, b in zip(about.labels, about.labels[1:], strict=False))
    in_bounds = all(0 <= label <= 255 for label in about.labels)
    if not (counts_fit and growing and in_bounds and about.span > 0 and design.inputs % 2):
        raise InputError(
            "its description contradicts itself", where=where, fix="Train the network again"
        )
    if task is not None and about.task != task:
        raise InputError(
            f"it gives {'classes' if about.task == 'classes' else 'grey values'}, not "
            f"{'classes' if task == 'classes' else 'grey values'}", where=where,
            fix="Take another network",
        )  # fmt: skip
    values = array_of(stored, "values", "float32", (sum(design.sizes),), where)
    if not (np.isfinite(values).all() and abs(values).max() < _LARGEST):
        raise InputError("its weights are no numbers", where=where, fix="Train the network again")
    trained = stored.about.get("trained")
    return Network(
        design, values, task=about.task, grey=Scaling(about.offset, about.span),
        labels=about.labels, history=about.history,
        trained=trained if isinstance(trained, dict) else {},
    )  # fmt: skip


def cut_values(
    values: Float32Array, design: Design
) -> tuple[Float32Array, Float32Array, Float32Array, Float32Array]:
    """Return views of the parts of a network's values; see `Network.parts`."""
    weights, biases, last, last_biases = np.split(values, np.cumsum(design.sizes)[:-1])
    return weights, biases, last.reshape(design.outputs, design.channels), last_biases
