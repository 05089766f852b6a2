"""The desk as the window sees it: typed questions, futures of typed answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from alsct_gui.model.center import CenterEstimate
from alsct_gui.model.progress import ProgressCallback
from alsct_gui.model.recipe import Recipe, recipe_to_dict
from alsct_gui.recon.desk.answers import (
    Centers,
    Engines,
    Exported,
    Frame,
    FrameWanted,
    Look,
    Opposite,
    PlanView,
    Presets,
    Preview,
    Sinogram,
    Stage,
    Swept,
    Trial,
)
from alsct_gui.recon.desk.packing import unpack
from alsct_gui.remote.client import Answer, Remote, typed

T = TypeVar("T")

MODULE = "alsct_gui.recon.desk"
READ_SILENCE_S = 60.0
"""A process that reads a frame for so long is taken for hung."""
LOOK_SILENCE_S = 300.0
"""The same for a look, which checks the file in a process that has its own limit."""


def start_desk(*, nice: int = 0) -> Desk:
    """Return a desk with a process of its own, which starts at once."""
    remote = Remote(MODULE, name="desk", nice=nice)
    remote.start()
    return Desk(remote)


class Desk:
    """Asks the process of `recon.desk`; every method returns at once.

    Futures and callbacks are completed in the reading thread of the `Remote`. A newer
    question on the same channel cancels the older one; ``channel=None`` lets them queue.
    All paths are made absolute.

    Parameters
    ----------
    remote
        Runs `MODULE`.
    """

    def __init__(self, remote: Remote) -> None:
        self.remote = remote

    def close(self, timeout_s: float = 2.0) -> None:
        """End the process."""
        self.remote.close(timeout_s)

    def look(self, path: str | Path, *, channel: str | None = None) -> Future[Look]:
        """Check what lies at a path and sum it up; never fails for what is in the file."""
        return self._ask(
            Look, "look", {"path": _text(path)}, channel, "look", silence_s=LOOK_SILENCE_S
        )

    def frame(
        self, path: str | Path, wanted: FrameWanted, *, channel: str | None = "frame"
    ) -> Future[Frame]:
        """Read one frame."""
        arguments = {
            "path": _text(path), "kind": wanted.kind, "index": wanted.index,
            "corrected": wanted.corrected, "binning": wanted.binning,
        }  # fmt: skip
        return self._ask(Frame, "frame", arguments, channel, "frames", silence_s=LOOK_SILENCE_S)

    def opposite(
        self, path: str | Path, index: int = 0, *, binning: int = 1,
        channel: str | None = "opposite",
    ) -> Future[Opposite]:  # fmt: skip
        """Read two corrected frames half a turn apart: pair number `index` of the scan."""
        arguments = {"path": _text(path), "index": index, "binning": binning}
        return self._ask(
            Opposite, "opposite", arguments, channel, "frames", silence_s=LOOK_SILENCE_S
        )

    def sinogram(
        self, path: str | Path, row: int | None, recipe: Recipe, stage: Stage = "raw", *,
        channel: str | None = "sinogram",
    ) -> Future[Sinogram]:  # fmt: skip
        """Read one detector row at all angles; None takes the middle of the region."""
        arguments = {**_slice(path, recipe, row), "stage": stage}
        return self._ask(Sinogram, "sinogram", arguments, channel)

    def preview(
        self, path: str | Path, recipe: Recipe, row: int | None, *, binning: int | None = None,
        channel: str | None = "preview",
    ) -> Future[Preview]:  # fmt: skip
        """Reconstruct the slice of a row; `binning` takes the place of the recipe's."""
        arguments = {**_slice(path, recipe, row), "binning": binning}
        return self._ask(Preview, "preview", arguments, channel)

    def preview_centers(
        self, path: str | Path, recipe: Recipe, row: int | None, centers_px: Sequence[float],
        on_trial: Callable[[Trial], None], *, size_px: int | None = None,
        binning: int | None = None, channel: str | None = "sweep",
    ) -> Future[Swept]:  # fmt: skip
        """Reconstruct one slice about each centre; whole pictures when there is no `size_px`."""
        arguments = {
            **_slice(path, recipe, row), "centers": [float(center) for center in centers_px],
            "size_px": size_px, "binning": binning,
        }  # fmt: skip
        return self._ask(
            Swept, "preview_centers", arguments, channel, "sweep", on_partial=_part(Trial, on_trial)
        )

    def sweep(
        self, path: str | Path, recipe: Recipe, settings: Sequence[tuple[str, Sequence[Any]]],
        row: int | None, size_px: int, on_trial: Callable[[Trial], None], *,
        on_progress: ProgressCallback | None = None, binning: int | None = None,
        channel: str | None = "sweep",
    ) -> Future[Swept]:  # fmt: skip
        """Reconstruct one slice with every value of a setting, or with every pair of two.

        Parameters
        ----------
        path, recipe, row
            What is reconstructed; the centre is found once.
        settings
            One or two settings by their path (``rings.0.sigma``) and the values to try.
        size_px
            Edge of the pictures, made small by area means.
        on_trial
            Gets the pictures one after the other, in the reading thread.
        """
        arguments = {
            **_slice(path, recipe, row), "size_px": size_px, "binning": binning,
            "settings": [[setting, list(values)] for setting, values in settings],
        }  # fmt: skip
        return self._ask(
            Swept, "sweep", arguments, channel, "sweep", on_partial=_part(Trial, on_trial),
            on_progress=on_progress,
        )  # fmt: skip

    def centers(
        self, path: str | Path, recipe: Recipe, row: int | None = None, *,
        on_estimate: Callable[[CenterEstimate], None] | None = None,
        channel: str | None = "centers",
    ) -> Future[Centers]:  # fmt: skip
        """Find the centre by every method; near a row, or over the recipe's region."""
        on_partial = None if on_estimate is None else _part(CenterEstimate, on_estimate)
        arguments = _slice(path, recipe, row)
        return self._ask(Centers, "centers", arguments, channel, "centers", on_partial=on_partial)

    def plan(
        self, path: str | Path, recipe: Recipe, output: str | Path, *,
        channel: str | None = "plan",
    ) -> Future[PlanView]:  # fmt: skip
        """Say what a run would do and need, and whether it fits."""
        arguments = {
            "path": _text(path), "recipe": recipe_to_dict(recipe), "output": _text(output)
        }  # fmt: skip
        return self._ask(PlanView, "plan", arguments, channel, "plan")

    def engines(self) -> Future[Engines]:
        """List the engines and which can run here."""
        return self._ask(Engines, "engines", {}, None, "plan")

    def presets(self) -> Future[Presets]:
        """List the recipes that come with the program."""
        return self._ask(Presets, "presets", {}, None, "plan")

    def export(
        self, recipe: Recipe, path: str | Path, output: str | Path
    ) -> Future[Exported]:  # fmt: skip
        """Write the same reconstruction as a command line and as a script."""
        arguments = {
            "path": _text(path), "recipe": recipe_to_dict(recipe), "output": _text(output)
        }  # fmt: skip
        return self._ask(Exported, "export", arguments, None, "plan")

    def _ask(
        self,
        answer: type[T],
        kind: str,
        arguments: Mapping[str, Any],
        channel: str | None,
        lane: str = "",
        *,
        silence_s: float | None = None,
        on_progress: ProgressCallback | None = None,
        on_partial: Callable[[Answer], None] | None = None,
    ) -> Future[T]:
        inner = self.remote.ask(
            kind, arguments, channel=channel, lane=lane, on_progress=on_progress,
            on_partial=on_partial, silence_s=silence_s,
        )  # fmt: skip
        return typed(inner, lambda came: unpack(answer, came.facts, came.arrays))


def _part(kind: type[T], function: Callable[[T], None]) -> Callable[[Answer], None]:
    return lambda came: function(unpack(kind, came.facts, came.arrays))


def _slice(path: str | Path, recipe: Recipe, row: int | None) -> dict[str, Any]:
    return {"path": _text(path), "recipe": recipe_to_dict(recipe), "row": row}


def _text(path: str | Path) -> str:
    return str(Path(path).absolute())
