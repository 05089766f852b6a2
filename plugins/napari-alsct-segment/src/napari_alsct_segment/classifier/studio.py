"""The process behind the classifier's widget: ``python -m …classifier.studio``, and its client.

It keeps the volume open and remembers features (`workbench`); the widget sends the strokes.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.errors import UsageError
from alsct_gui.remote.client import Answer, Remote, typed
from alsct_gui.remote.server import Arrays, Call, Facts, serve
from alsct_gui.steps.reporter import Reporter
from alsct_gui.steps.settings import parameters_from, parameters_to_plain
from napari_alsct_segment.classifier.model import (
    PixelModel,
    load_pixel_model,
    save_pixel_model,
)
from napari_alsct_segment.classifier.samples import Scribbles
from napari_alsct_segment.classifier.suggest import Spot
from napari_alsct_segment.classifier.workbench import WorkBench
from napari_alsct_segment.steps.classify import Train, recipe_of

MODULE = "napari_alsct_segment.classifier.studio"
SILENCE_S = 300.0
"""A process that says nothing of a request for so long is taken for hung."""


@dataclass(frozen=True, slots=True, eq=False)
class Lookout:
    """What is asked: what the model would make of a slice, or where it is torn."""

    volume: Path
    strokes: Scribbles
    parameters: Train
    index: int
    """Slice."""
    earlier: Path | None = None
    """A model to go on with."""
    too_early: bool = False
    """Whether there is too little to learn from yet: the slice can only be made ready."""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One slice as the model sees it."""

    index: int
    labels: NDArray[np.uint8]
    doubt: NDArray[np.float32]
    spots: tuple[Spot, ...]
    seconds: float


class Studio:
    """Asks a process; a newer question cancels the one before.

    Futures are completed in the reading thread of the `Remote`.
    """

    def __init__(self) -> None:
        self._remote = Remote(MODULE, name="classifier")

    def look(self, asked: Lookout) -> Future[View]:
        """Learn from the strokes and look at a slice; returns at once."""
        return typed(self._ask("look", asked), _view)

    def prepare(self, asked: Lookout) -> Future[None]:
        """Make a slice ready to be looked at; what is done when a newer question comes stays."""
        return typed(self._ask("prepare", asked), lambda _: None)

    def search(self, asked: Lookout) -> Future[int]:
        """Find the slice where the model is torn most."""
        return typed(self._ask("search", asked), lambda answer: int(answer.facts["index"]))

    def save(self, asked: Lookout, path: Path) -> Future[Path]:
        """Learn from the strokes and write the model."""
        return typed(self._ask("save", asked, path=str(path)), lambda _: path)

    def close(self) -> None:
        """End the process."""
        self._remote.close()

    def _ask(self, kind: str, asked: Lookout, **more: Any) -> Future[Answer]:
        arguments = {
            "volume": str(asked.volume), "index": asked.index,
            "earlier": str(asked.earlier or ""), "strokes": pack_strokes(asked.strokes),
            "parameters": parameters_to_plain(asked.parameters), **more,
        }  # fmt: skip
        channel = "" if kind == "save" else "look"
        return self._remote.ask(kind, arguments, channel=channel or None, silence_s=SILENCE_S)


def pack_strokes(strokes: Scribbles) -> str:
    """Return strokes as text that travels in a request."""
    rows = np.column_stack([strokes.places, strokes.values]).astype("<i4")
    return base64.b64encode(rows.tobytes()).decode("ascii")


def unpack_strokes(text: str) -> Scribbles:
    """Return what `pack_strokes` packed.

    Raises
    ------
    UsageError
        It is something else.
    """
    try:
        raw = base64.b64decode(text.encode("ascii"), validate=True)
        rows = np.frombuffer(raw, "<i4").reshape(-1, 4).astype(np.int64)
    except ValueError as error:
        raise UsageError("the strokes cannot be read", where="strokes") from error
    return Scribbles(rows[:, :3], rows[:, 3])


def _view(answer: Answer) -> View:
    facts = answer.facts
    spots = tuple(Spot(int(y), int(x), float(torn)) for y, x, torn in facts["spots"])
    return View(
        facts["index"], answer.arrays["labels"], answer.arrays["doubt"], spots, facts["seconds"]
    )


class _Room:
    """Keeps the volume and what was computed of it."""

    def __init__(self) -> None:
        self._key: object = None
        self._open = ExitStack()
        self._bench: WorkBench | None = None

    def look(self, arguments: Mapping[str, Any], call: Call) -> tuple[Facts, Arrays]:
        bench, model, strokes, reporter = self._learn(arguments, call)
        seen = bench.look(model, int(arguments["index"]), strokes, reporter)
        facts = {
            "index": int(arguments["index"]), "seconds": seen.seconds,
            "spots": [[spot.y, spot.x, spot.doubt] for spot in seen.spots],
        }  # fmt: skip
        return facts, {"labels": seen.labels, "doubt": seen.doubt}

    def prepare(self, arguments: Mapping[str, Any], call: Call) -> tuple[Facts, Arrays]:
        parameters = parameters_from(Train, arguments["parameters"])
        recipe, _ = recipe_of(parameters)
        self._bench_for(arguments).prepare(int(arguments["index"]), recipe, _reporter(call))
        return {}, {}

    def search(self, arguments: Mapping[str, Any], call: Call) -> tuple[Facts, Arrays]:
        bench, model, strokes, reporter = self._learn(arguments, call)
        return {"index": bench.most_doubtful(model, strokes, reporter)}, {}

    def save(self, arguments: Mapping[str, Any], call: Call) -> tuple[Facts, Arrays]:
        _, model, _, _ = self._learn(arguments, call)
        save_pixel_model(model, Path(str(arguments["path"])), {"widget": "classifier"})
        return {}, {}

    def _learn(
        self, arguments: Mapping[str, Any], call: Call
    ) -> tuple[WorkBench, PixelModel, Scribbles, Reporter]:
        reporter = _reporter(call)
        strokes = unpack_strokes(str(arguments["strokes"]))
        parameters = parameters_from(Train, arguments["parameters"])
        bench = self._bench_for(arguments)
        model = bench.learn(strokes, *recipe_of(parameters), reporter)
        return bench, model, strokes, reporter

    def _bench_for(self, arguments: Mapping[str, Any]) -> WorkBench:
        from alsct_gui.files.labels import volume_identity
        from alsct_gui.files.open import open_volume
        from alsct_gui.steps.values import physical_array

        path, earlier = Path(str(arguments["volume"])), str(arguments["earlier"])
        key = (path, path.stat().st_mtime_ns if path.exists() else 0, earlier)
        if self._bench is None or key != self._key:
            self._open.close()
            self._bench = None
            volume = self._open.enter_context(open_volume(path))
            model = load_pixel_model(Path(earlier)) if earlier else None
            self._bench = WorkBench(
                physical_array(volume), name=path.name, identity=volume_identity(volume),
                earlier=model,
            )  # fmt: skip
            self._key = key
        return self._bench


def _reporter(call: Call) -> Reporter:
    return Reporter(
        progress=call.progress, cancel=call.cancel, threads=len(os.sched_getaffinity(0))
    )


if __name__ == "__main__":
    room = _Room()
    serve({"look": room.look, "prepare": room.prepare, "search": room.search, "save": room.save})
