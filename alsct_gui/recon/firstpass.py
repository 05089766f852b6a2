"""Work on whole projections before slicing: phase retrieval and tilt.

Both mix rows, so all projections go through them once and lie as line integrals in sinogram
order afterwards: in a scratch file for a whole scan, in memory for a few rows. A few rows are
worked on with as many neighbours as the filter reaches, so that a preview shows what the
whole run will make.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.geometry import Window
from alsct_gui.model.progress import CancelToken, Progress, ProgressCallback
from alsct_gui.model.recipe import Recipe
from alsct_gui.model.scan import Scan
from alsct_gui.recon.plan import FIRST_PASS_BYTES, Extent
from alsct_gui.recon.preprocess.correct import negative_log
from alsct_gui.recon.preprocess.phase import paganin, paganin_area_m2
from alsct_gui.recon.preprocess.tilt import margin_rows, turn_frames
from alsct_gui.recon.scratch import SinogramStore

Float32Array = NDArray[np.float32]

_SPLINE_ROWS = 5  # of binned frames; a spline feels what is so far away by 1/1000
_KERNEL_LENGTHS = 8.0  # the kernel of phase retrieval falls to 1/3000 over so many lengths


class FirstPass:
    """Projections worked on as a whole, kept in sinogram order.

    Parameters
    ----------
    scan, recipe, extent
        What is reconstructed.
    wanted
        Detector rows that will be asked for, [start, stop).
    scratch
        File to keep the line integrals in; None for memory.
    """

    def __init__(
        self,
        scan: Scan,
        recipe: Recipe,
        extent: Extent,
        wanted: tuple[int, int],
        scratch: Path | None,
    ) -> None:
        self._recipe, self._extent, self._wanted, self._path = recipe, extent, wanted, scratch
        self._geometry = scan.geometry
        n_rows = scan.projections.shape[1]
        reach = self._reach_rows()
        binning = extent.binning
        # Whole binned rows on either side, as far as the detector goes.
        before = min(-(-reach // binning), wanted[0] // binning)
        after = min(-(-reach // binning), (n_rows - wanted[1]) // binning)
        self.rows = (wanted[0] - before * binning, wanted[1] + after * binning)
        """Detector rows that are read, [start, stop)."""
        self._skip = before
        self._n_rows = (wanted[1] - wanted[0]) // binning
        self._store: SinogramStore | None = None
        self._done = False

    @property
    def done(self) -> bool:
        """Whether it has run."""
        return self._done

    def run(
        self,
        transmission: Callable[[slice, tuple[int, int]], Float32Array],
        threads: int,
        cancel: CancelToken,
        progress: ProgressCallback | None = None,
    ) -> None:
        """Work on all projections.

        Parameters
        ----------
        transmission
            Gives corrected projections: which of those in use, and which detector rows.
        threads
            Threads to use.
        cancel
            Looked at between projections.
        progress
            Called after each chunk.
        """
        count, n_columns = self._extent.n_angles, self._extent.n_columns
        self._store = SinogramStore((self._n_rows, count, n_columns), self._path)
        n_rows = self.rows[1] - self.rows[0]
        frame_bytes = 4 * n_rows * (self._extent.columns[1] - self._extent.columns[0])
        chunk = max(threads, FIRST_PASS_BYTES // frame_bytes)
        began = time.monotonic()
        for start in range(0, count, chunk):
            stop = min(start + chunk, count)
            parts = []
            # So many at a time as there are threads: a cancel is seen between them.
            for first in range(start, stop, threads):
                cancel.check()
                use = slice(first, min(first + threads, stop))
                parts.append(self.frames(transmission, use, threads))
            self._store.put(start, np.concatenate(parts))
            if progress is not None:
                elapsed = time.monotonic() - began
                left = elapsed / stop * (count - stop)
                progress(Progress("projections", stop, count, elapsed, left))
        self._done = True

    def frames(
        self,
        transmission: Callable[[slice, tuple[int, int]], Float32Array],
        use: slice,
        threads: int,
    ) -> Float32Array:
        """Line integrals of some projections, shape (angle, row, column), rows as wanted."""
        lines = self._filter(transmission(use, self.rows), threads)
        return lines[:, self._skip : self._skip + self._n_rows]

    def read(self, start: int, stop: int) -> Float32Array:
        """Line integrals of slices [start, stop), shape (row, angle, column)."""
        if self._store is None or not self._done:
            raise RuntimeError("the first pass has not run")
        extent = self._extent
        offset = (extent.rows[0] - self._wanted[0]) // extent.binning
        first = offset + start * extent.row_step
        last = offset + (stop - 1) * extent.row_step + 1
        return self._store.get(first, last, extent.row_step)

    def remove(self) -> None:
        """Free the line integrals, and their file."""
        self._done = False
        if self._store is not None:
            self._store.remove()

    def _filter(self, frames: Float32Array, threads: int) -> Float32Array:
        """Line integrals of whole projections, shape (angle, row, column)."""
        phase, tilt_deg = self._recipe.phase, self._recipe.rotation.tilt_deg
        if phase is not None:
            lines = paganin(
                frames, phase, self._geometry, binning=self._extent.binning,
                transmission_min=self._recipe.correction.transmission_min,
                threads=threads, out=frames,
            )  # fmt: skip
        else:
            lines = negative_log(frames, threads)
        if tilt_deg == 0.0:
            return lines
        # The pivot is the middle of the full detector, in pixels of these frames.
        middle_row = (self._geometry.n_rows - 1) / 2
        middle_column = (self._geometry.n_columns - 1) / 2
        return turn_frames(
            lines, tilt_deg,
            pivot_row=Window(self.rows[0], self._extent.binning).to_local(middle_row),
            pivot_column=Window(self._extent.columns[0], self._extent.binning).to_local(
                middle_column
            ),
            threads=threads,
        )  # fmt: skip

    def _reach_rows(self) -> int:
        """Detector rows above and below that the filters look at."""
        tilt_deg = self._recipe.rotation.tilt_deg
        reach = margin_rows(tilt_deg, self._geometry.n_columns)
        if tilt_deg != 0.0:
            reach += _SPLINE_ROWS * self._extent.binning
        if self._recipe.phase is not None and self._geometry.pixel_size_um:
            pixel_m = self._geometry.pixel_size_um * 1e-6
            length_px = math.sqrt(paganin_area_m2(self._recipe.phase, self._geometry)) / pixel_m
            reach += math.ceil(_KERNEL_LENGTHS * length_px)
        return reach
