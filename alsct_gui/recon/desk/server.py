"""The answering end of the desk; see `recon.desk.client` for what can be asked.

Lanes keep quick answers quick: frames do not wait behind a reconstruction. Scans stay open
between requests, stages of previews stay in memory within `CACHE_BYTES`.
"""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, get_args

import numpy as np

from alsct_gui.model.center import CenterEstimate
from alsct_gui.model.codec import to_plain
from alsct_gui.model.errors import AlsctError, CancelledError
from alsct_gui.model.progress import Progress
from alsct_gui.model.recipe import EngineSettings, Recipe
from alsct_gui.recon.desk.answers import (
    Centers,
    Exported,
    Frame,
    FrameKind,
    FrameWanted,
    Look,
    Opposite,
    PlanView,
    Preview,
    Sinogram,
    Stage,
    Swept,
    Trial,
)
from alsct_gui.recon.desk.arguments import Arguments
from alsct_gui.recon.desk.cache import BoundedCache
from alsct_gui.recon.desk.looking import look, opposite_frames, read_frame
from alsct_gui.recon.desk.packing import pack
from alsct_gui.recon.desk.pictures import limits, shrink
from alsct_gui.recon.desk.planning import engine_rows, plan_view, preset_rows
from alsct_gui.recon.desk.shelf import OpenScan, Shelf
from alsct_gui.recon.desk.stages import Slicer
from alsct_gui.recon.engines.base import SliceGeometry
from alsct_gui.recon.export import command_line, python_script
from alsct_gui.recon.preview import with_setting
from alsct_gui.remote.server import Arrays, Call, Facts, Handler, serve

CACHE_BYTES = 600_000_000
"""Flats, sinograms and centres that are kept."""
OPEN_SCANS = 2
"""Scans that stay open."""

_CENTER_ROWS = 128  # around a row for which the centre is looked for


class Office:
    """What the requests share, and how each is answered."""

    def __init__(self) -> None:
        self.threads = len(os.sched_getaffinity(0))
        self.shelf = Shelf(OPEN_SCANS)
        self.cache = BoundedCache(CACHE_BYTES)
        self.slicer = Slicer(self.cache, self.threads)

    def handlers(self) -> Mapping[str, Handler]:
        """Handlers by the kind of request."""
        named: dict[str, Callable[[Arguments, Call], Any]] = {
            "look": self.look,
            "frame": self.frame,
            "opposite": self.opposite,
            "sinogram": self.sinogram,
            "preview": self.preview,
            "preview_centers": self.preview_centers,
            "sweep": self.sweep,
            "centers": self.centers,
            "plan": self.plan,
            "engines": lambda arguments, call: engine_rows(),
            "presets": lambda arguments, call: preset_rows(),
            "export": self.export,
        }
        return {kind: _packed(answer) for kind, answer in named.items()}

    def look(self, arguments: Arguments, call: Call) -> Look:
        """What lies at a path."""
        return look(self.shelf, arguments.path())

    def frame(self, arguments: Arguments, call: Call) -> Frame:
        """One frame."""
        wanted = FrameWanted(
            arguments.choice("kind", get_args(FrameKind)),
            arguments.whole("index", 0),
            arguments.flag("corrected"),
            arguments.whole("binning", 1, least=1, most=16),
        )
        with self.shelf.scan(arguments.path()) as opened:
            return read_frame(opened, wanted, self.cache, self.threads)

    def opposite(self, arguments: Arguments, call: Call) -> Opposite:
        """Two frames half a turn apart."""
        pair = arguments.whole("index", 0)
        binning = arguments.whole("binning", 1, least=1, most=16)
        with self.shelf.scan(arguments.path()) as opened:
            return opposite_frames(opened, pair, binning, self.cache, self.threads)

    def sinogram(self, arguments: Arguments, call: Call) -> Sinogram:
        """One row at all angles."""
        recipe, row = arguments.recipe(), arguments.integer("row")
        stage = arguments.choice("stage", get_args(Stage))
        with self.shelf.scan(arguments.path()) as opened:
            return self.slicer.sinogram(opened, recipe, row, stage, call.cancel)

    def preview(self, arguments: Arguments, call: Call) -> Preview:
        """One slice."""
        recipe, row = arguments.recipe(), arguments.integer("row")
        with self.shelf.scan(arguments.path()) as opened:
            return self.slicer.preview(opened, recipe, row, call.cancel)

    def preview_centers(self, arguments: Arguments, call: Call) -> Swept:
        """One slice about each of several centres; the pictures are parts."""
        began = time.perf_counter()
        recipe, row = arguments.recipe(), arguments.integer("row")
        centers_px = arguments.numbers("centers")
        size_px = arguments.whole("size_px", 1 << 15, least=16, most=1 << 15)
        made: list[Preview] = []
        with self.shelf.scan(arguments.path()) as opened:
            # Eight fill the engine's lanes; more would keep the first waiting.
            for first in range(0, len(centers_px), 8):
                call.cancel.check()
                part = centers_px[first : first + 8]
                found = self.slicer.preview_centers(opened, recipe, row, part, call.cancel)
                for index, preview in enumerate(found, start=first):
                    values = (centers_px[index],)
                    _send(call, _trial(index, values, preview, size_px))
                made += [replace(preview, image=np.empty((0, 0), np.float32)) for preview in found]
        return Swept(len(made), made[0].row, time.perf_counter() - began)

    def sweep(self, arguments: Arguments, call: Call) -> Swept:
        """One slice with each value, or pair of values; the pictures are parts."""
        began = time.perf_counter()
        recipe, row = arguments.recipe(), arguments.integer("row")
        settings = arguments.settings()
        size_px = arguments.whole("size_px", 320, least=16, most=1 << 15)
        grid = list(itertools.product(*(values for _, values in settings)))
        made = 0
        with self.shelf.scan(arguments.path()) as opened:
            row, base = self._base(opened, recipe, row, call)
            for index, values in enumerate(grid):
                call.cancel.check()
                trial = self._try(opened, base, settings, values, index, row, size_px, call)
                made += not trial.error
                _send(call, trial)
                elapsed = time.perf_counter() - began
                left = elapsed / (index + 1) * (len(grid) - index - 1)
                call.progress(Progress("trials", index + 1, len(grid), elapsed, left))
        return Swept(made, row, time.perf_counter() - began)

    def centers(self, arguments: Arguments, call: Call) -> Centers:
        """The centre by every method; each estimate is a part."""
        recipe, row = arguments.recipe(), arguments.integer("row")
        if recipe.center.method == "manual":
            recipe = replace(recipe, center=replace(recipe.center, method="auto"))

        def tell(estimate: CenterEstimate) -> None:
            call.partial(to_plain(estimate))

        with self.shelf.scan(arguments.path()) as opened:
            if row is not None:
                n_rows = opened.scan.projections.shape[1]
                first = max(0, min(row, n_rows - 1) - _CENTER_ROWS // 2)
                rows = (first, min(n_rows, first + _CENTER_ROWS))
                recipe = replace(recipe, region=replace(recipe.region, rows=rows))
            found = self.slicer.resolved(
                opened, recipe, call.cancel, quick=False, on_estimate=tell
            )  # fmt: skip
        return Centers(found.center, found.recipe.rotation.kind, found.findings)

    def plan(self, arguments: Arguments, call: Call) -> PlanView:
        """What a run would need."""
        recipe, output = arguments.recipe(), arguments.path("output")
        with self.shelf.scan(arguments.path()) as opened:
            return plan_view(self.slicer, opened, recipe, output, call.cancel)

    def export(self, arguments: Arguments, call: Call) -> Exported:
        """The same as a command and as a script."""
        recipe, path = arguments.recipe(), arguments.path()
        output = arguments.path("output")
        return Exported(command_line(recipe, path, output), python_script(recipe, path, output))

    def warm_up(self) -> None:
        """Load what the first preview needs, so that it is as quick as the next ones."""
        from alsct_gui.model.recipe import RingFilter
        from alsct_gui.recon.engines.registry import get_engine
        from alsct_gui.recon.finish import finish_slices
        from alsct_gui.recon.preprocess.rings.apply import apply_rings

        sinogram = np.ones((1, 60, 64), np.float32)
        apply_rings(sinogram, (RingFilter("wavelet-fourier", level=2), RingFilter("sorting")))
        geometry = SliceGeometry(np.linspace(0.0, 180.0, 60, endpoint=False), 64, 31.5)
        picture = get_engine("fourier").reconstruct(sinogram, geometry, EngineSettings())
        finish_slices(picture, factor=1.0, radius_px=30.0, threads=1)

    def _base(
        self, opened: OpenScan, recipe: Recipe, row: int | None, call: Call
    ) -> tuple[int, Recipe]:
        """Detector row and recipe of a sweep: the centre is found once, by the recipe as it is."""
        from alsct_gui.recon.preview import slice_index

        job = self.slicer.job(opened, recipe, call.cancel)
        index = slice_index(job.plan.extent, row)
        base = replace(job.recipe, output=recipe.output)
        return job.plan.extent.detector_rows(index)[0], base

    def _try(
        self,
        opened: OpenScan,
        base: Recipe,
        settings: list[tuple[str, list[Any]]],
        values: tuple[Any, ...],
        index: int,
        row: int,
        size_px: int,
        call: Call,
    ) -> Trial:
        """One picture; values that do not go are a finding of the sweep, not its end."""
        try:
            recipe = base
            for (setting, _), value in zip(settings, values, strict=True):
                recipe = with_setting(recipe, setting, value)
            preview = self.slicer.preview(opened, recipe, row, call.cancel)
        except CancelledError:
            raise
        except AlsctError as error:
            nothing = np.empty((0, 0), np.float32)
            return Trial(index, values, nothing, 0.0, "", 0.0, 1.0, error.sentence)
        return _trial(index, values, preview, size_px)


def _trial(index: int, values: tuple[Any, ...], preview: Preview, size_px: int) -> Trial:
    image = shrink(preview.image, size_px)
    low, high = limits(image, masked=preview.resolved.output.circular_mask > 0)
    return Trial(index, values, image, preview.center_px, preview.units, low, high)


def _send(call: Call, part: Any) -> None:
    facts, arrays = pack(part)
    call.partial(facts, arrays)


def _packed(answer: Callable[[Arguments, Call], Any]) -> Handler:
    def handle(given: dict[str, Any], call: Call) -> tuple[Facts, Arrays]:
        return pack(answer(Arguments(given), call))

    return handle


def main() -> None:
    """Answer until stdin closes."""
    office = Office()
    threading.Thread(target=office.warm_up, name="warm-up", daemon=True).start()
    serve(office.handlers(), on_close=office.shelf.close)
