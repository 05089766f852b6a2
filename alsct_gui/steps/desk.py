"""Previews from a process that stays: ``python -m alsct_gui.steps.desk``, and its client."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from alsct_gui.model.errors import UsageError
from alsct_gui.model.progress import ProgressCallback
from alsct_gui.remote.client import Remote, typed
from alsct_gui.remote.server import Arrays, Call, Facts, serve
from alsct_gui.steps.inputs import input_paths, opened_inputs
from alsct_gui.steps.preview import preview_slice
from alsct_gui.steps.registry import get_step
from alsct_gui.steps.reporter import Reporter
from alsct_gui.steps.settings import parameters_from, parameters_to_plain
from alsct_gui.steps.step import Step

MODULE = "alsct_gui.steps.desk"
SILENCE_S = 300.0
"""A process that says nothing of a preview for so long is taken for hung."""


@dataclass(frozen=True, slots=True, eq=False)
class SlicePreview:
    """One slice of what a step would make."""

    index: int
    """Number of the slice."""
    slices: Mapping[str, NDArray[Any]]
    """Shape (y, x), by the names of the step's outputs."""


class StepDesk:
    """Asks a process for previews; a newer question cancels the one before.

    Futures are completed in the reading thread of the `Remote`.
    """

    def __init__(self) -> None:
        self._remote = Remote(MODULE, name="steps")

    def preview(
        self,
        step: Step[Any],
        parameters: Any,
        inputs: Mapping[str, str | Path],
        index: int,
        *,
        on_progress: ProgressCallback | None = None,
    ) -> Future[SlicePreview]:
        """Make one slice; returns at once."""
        arguments = {
            "step": step.key, "parameters": parameters_to_plain(parameters), "index": index,
            "inputs": {name: str(Path(path).absolute()) for name, path in inputs.items()},
        }  # fmt: skip
        inner = self._remote.ask(
            "preview", arguments, channel="preview", on_progress=on_progress, silence_s=SILENCE_S
        )
        return typed(inner, lambda came: SlicePreview(came.facts["index"], came.arrays))

    def close(self) -> None:
        """End the process."""
        self._remote.close()


class _Office:
    """Keeps the inputs of the last preview open."""

    def __init__(self) -> None:
        self._key: object = None
        self._open = ExitStack()
        self._given: Mapping[str, Any] = {}

    def preview(self, arguments: dict[str, Any], call: Call) -> tuple[Facts, Arrays]:
        step = get_step(str(arguments["step"]))
        index = arguments["index"]
        if type(index) is not int or index < 0:
            raise UsageError(f"{index!r} is no number of a slice", where="index")
        paths = input_paths(step, arguments["inputs"])
        key = (step.key, *((name, path, _state(path)) for name, path in paths.items()))
        if key != self._key:
            self._open.close()
            self._key = None
            self._given = self._open.enter_context(opened_inputs(step, paths))
            self._key = key
        parameters = parameters_from(step.parameters, arguments["parameters"])
        reporter = Reporter(
            progress=call.progress, cancel=call.cancel, threads=len(os.sched_getaffinity(0))
        )
        return {"index": index}, preview_slice(step, self._given, parameters, index, reporter)


def _state(path: Path) -> tuple[int, int]:
    """What changes when a file or folder is replaced."""
    facts = path.stat() if path.exists() else None
    return (facts.st_ino, facts.st_mtime_ns) if facts is not None else (0, 0)


if __name__ == "__main__":
    serve({"preview": _Office().preview})
