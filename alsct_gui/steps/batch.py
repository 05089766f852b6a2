"""One step on many volumes, one after the other; what fails keeps no other one from being done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alsct_gui.files.provenance import json_safe
from alsct_gui.model.errors import AlsctError, CancelledError, UsageError
from alsct_gui.steps.chain import changed_code, told_by
from alsct_gui.steps.reporter import Reporter
from alsct_gui.steps.running import StepResult, run_step
from alsct_gui.steps.settings import parameters_to_plain
from alsct_gui.steps.step import Step
from alsct_gui.steps.writing import default_name

_ENDINGS = (".zarr", ".labels", ".tif", ".tiff", ".csv")


@dataclass(frozen=True, slots=True)
class Piece:
    """One volume of a batch and its product."""

    source: Path
    """What the step is run on."""
    output: Path
    """Where its product goes."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How one piece ended."""

    piece: Piece
    result: StepResult | None = None
    """What was made; None when it failed, or was there already."""
    error: AlsctError | None = None
    """Why it failed."""


def plan_batch(step: Step[Any], sources: Sequence[Path], folder: Path) -> list[Piece]:
    """Say where each product goes: into one folder, called after what it is made of.

    Sources of one name in several folders are told apart by the folders' names.

    Raises
    ------
    UsageError
        Two of them would have one product.
    """
    names = [_stem(source) for source in sources]
    count = Counter(names)
    names = [
        name if count[name] == 1 else f"{source.absolute().parent.name}-{name}"
        for name, source in zip(names, sources, strict=True)
    ]
    twice = [name for name, number in Counter(names).items() if number > 1]
    if twice:
        raise UsageError(
            f"{twice[0]} is there twice", where=str(folder),
            fix="Run the step on them one by one, with an output of their own",
        )  # fmt: skip
    return [
        Piece(source, folder / default_name(step, name))
        for name, source in zip(names, sources, strict=True)
    ]


def run_batch(
    step: Step[Any],
    parameters: Any,
    pieces: Sequence[Piece],
    *,
    others: Mapping[str, str | Path] | None = None,
    reporter: Callable[[Piece], Reporter],
    overwrite: bool = False,
    resume: bool = False,
) -> Iterator[Ended]:
    """Run a step on every piece; yields how each ended.

    Parameters
    ----------
    step, parameters
        As for `steps.running.run_step`; parameters of the step's type.
    pieces
        See `plan_batch`.
    others
        Further inputs by name, the same for every piece.
    reporter
        Makes one for each piece.
    overwrite
        Move products of these names aside.
    resume
        Pass over pieces whose product is there, made with the same parameters.

    Raises
    ------
    CancelledError
        By a reporter; what is done stays.
    """
    first = step.inputs[0].name
    for piece in pieces:
        if resume and _is_made(step, parameters, piece):
            yield Ended(piece)
            continue
        try:
            result = run_step(
                step, parameters, inputs={first: piece.source, **(others or {})},
                output=piece.output, reporter=reporter(piece), overwrite=overwrite, resume=resume,
            )  # fmt: skip
        except CancelledError:
            raise
        except AlsctError as error:
            yield Ended(piece, error=error)
        else:
            yield Ended(piece, result)


def _is_made(step: Step[Any], parameters: Any, piece: Piece) -> bool:
    """Whether its product is there, made by the same step with the same parameters."""
    single = len(step.outputs) == 1
    product = piece.output if single else min(piece.output.glob("*"), default=piece.output)
    if not product.exists():
        return False
    try:
        told = told_by(product)
    except AlsctError:
        return False  # running the step says what is wrong with the name
    same_step = told.get("step") == step.name and not changed_code(told)
    return same_step and told.get("parameters") == json_safe(parameters_to_plain(parameters))


def _stem(path: Path) -> str:
    name = path.name
    for ending in _ENDINGS:
        name = name.removesuffix(ending)
    return name
