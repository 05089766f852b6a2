"""A training that can be gone on with: all that decides its next step, in one file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.codec import from_plain, to_plain
from alsct_gui.model.errors import InputError, RecipeError
from napari_alsct_segment.modelfile import array_of, read_model, write_model
from napari_alsct_segment.network.model import Round

Float32Array = NDArray[np.float32]

KIND = "training"


@dataclass(frozen=True, eq=False)
class State:
    """Where a training stands."""

    steps: int
    """Steps that are done."""
    values: Float32Array
    """All weights and biases, one behind the other."""
    first: Float32Array
    """Adam's running mean of the gradient."""
    second: Float32Array
    """Adam's running mean of its square."""
    best: Float32Array
    """The values that did best on slices that are not learnt from."""
    history: tuple[Round, ...] = ()
    """One line for each round so far."""

    @property
    def best_loss(self) -> float:
        """The lowest loss on held-out slices; infinite before the first round."""
        return min((line.held_out for line in self.history), default=float("inf"))

    @property
    def rounds_since_best(self) -> int:
        """Rounds since the lowest loss."""
        losses = [line.held_out for line in self.history]
        return len(losses) - 1 - losses.index(min(losses)) if losses else 0


@dataclass(frozen=True, slots=True)
class _About:
    steps: int
    plan: str
    history: tuple[Round, ...]


def save_state(state: State, path: Path, plan: Mapping[str, Any]) -> None:
    """Write a checkpoint; what has the name is replaced once the new one is whole.

    Parameters
    ----------
    state
        Where the training stands.
    path
        File.
    plan
        What decides the training; another plan does not go on with it.

    Raises
    ------
    OutputError
        The disk refuses.
    """
    about = _About(state.steps, _text(plan), state.history)
    arrays = {
        "values": state.values, "first": state.first, "second": state.second, "best": state.best,
    }  # fmt: skip
    write_model(path, KIND, to_plain(about), arrays)


def load_state(path: Path, plan: Mapping[str, Any], n_values: int) -> State | None:
    """Read a checkpoint; None when there is none.

    Raises
    ------
    InputError
        It is damaged, or of a training with another plan.
    """
    if not path.exists():
        return None
    stored, where = read_model(path, KIND), str(path)
    known = {key: stored.about[key] for key in ("steps", "plan", "history") if key in stored.about}
    try:
        about = from_plain(_About, known, where="checkpoint")
    except RecipeError as error:
        raise InputError(f"{error.where}: {error.what}", where=where, fix=error.fix) from error
    if about.plan != _text(plan):
        raise InputError(
            "it is the checkpoint of another training", where=where,
            fix="Name another file, or remove it to begin anew",
        )  # fmt: skip
    values, first, second, best = (
        array_of(stored, name, "float32", (n_values,), where)
        for name in ("values", "first", "second", "best")
    )
    parts = (values, first, second, best)
    if about.steps < 0 or not all(np.isfinite(part).all() for part in parts):
        raise InputError("its numbers are none", where=where, fix="Remove it to begin anew")
    return State(about.steps, *parts, about.history)


def next_round(state: State, line: Round) -> State:
    """Return the state with one more line of history, and the best values as they are then."""
    best = state.values.copy() if line.held_out < state.best_loss else state.best
    return replace(state, best=best, history=(*state.history, line))


def _text(plan: Mapping[str, Any]) -> str:
    return json.dumps(plan, sort_keys=True, default=str)
