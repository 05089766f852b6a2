"""Line integrals of a scan, slice by slice: reading, zingers, correction, filters.

`SinogramSource` is what the pipeline, the preview and the centre finder share, so that the
sinogram that is judged is the one that is reconstructed. Reading, cleaning and correcting are
separate calls, because they run in different stages of the pipeline.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.finding import Finding, Severity
from alsct_gui.model.geometry import Window
from alsct_gui.model.progress import CancelToken, ProgressCallback
from alsct_gui.model.recipe import Recipe
from alsct_gui.model.scan import Scan
from alsct_gui.recon.firstpass import FirstPass
from alsct_gui.recon.plan import Extent, needs_first_pass
from alsct_gui.recon.preprocess.binning import bin_frames
from alsct_gui.recon.preprocess.correct import (
    Counts,
    correct_to_sinograms,
    correct_to_transmission,
    make_blend,
    negative_log,
)
from alsct_gui.recon.preprocess.flatfield import make_flat_field, saturation_level
from alsct_gui.recon.preprocess.hardening import correct_hardening
from alsct_gui.recon.preprocess.rings.apply import apply_rings
from alsct_gui.recon.preprocess.stitch import StitchPlan, stitch
from alsct_gui.recon.preprocess.zingers import halo_rows, remove_zingers

Float32Array = NDArray[np.float32]

_CHUNK_BYTES = 64_000_000  # read or worked on between two looks at the cancel token


@dataclass(frozen=True, eq=False)
class RawSlab:
    """Frames of consecutive slices."""

    start: int
    """First slice."""
    stop: int
    """One past the last slice."""
    blocks: tuple[NDArray[Any], ...]
    """Shape (angle, row, column): one block for neighbouring rows, else one a slice."""
    rows: tuple[tuple[int, int], ...]
    """Rows [start, stop) of each block on the full detector."""


class SinogramSource:
    """Corrected line integrals of a part of a scan.

    Parameters
    ----------
    scan
        An open scan.
    recipe
        Its resolved recipe; the rotation kind is not ``auto``.
    extent
        Which part of the scan.
    stitching
        How the two half turns of an offset scan are joined; None for other scans.
    rows
        Detector rows that will be asked for, [start, stop); None for all of the extent.
        Flats and darks are averaged over these alone.
    threads
        Threads to use.
    scratch
        File for the projections of a first pass (phase retrieval, tilt); None keeps them in
        memory, which suits a few rows.
    """

    def __init__(
        self,
        scan: Scan,
        recipe: Recipe,
        extent: Extent,
        *,
        stitching: StitchPlan | None = None,
        rows: tuple[int, int] | None = None,
        threads: int = 1,
        scratch: Path | None = None,
    ) -> None:
        self.scan, self.recipe, self.extent, self.threads = scan, recipe, extent, threads
        self.stitching = stitching
        self.window = Window(extent.columns[0], extent.binning)
        self.projections = np.arange(extent.angles[0], extent.angles[1], extent.angle_step)
        sense = -1.0 if recipe.rotation.reverse else 1.0
        self._all_angles_deg = sense * scan.geometry.angles_deg[self.projections]
        self._halo = halo_rows(recipe.zingers) if scan.quantity == "counts" else 0
        self.first_pass = (
            FirstPass(scan, recipe, extent, rows or extent.rows, scratch)
            if needs_first_pass(recipe)
            else None
        )
        self._field_rows = self.first_pass.rows if self.first_pass else rows or extent.rows
        self.field = make_flat_field(
            scan, self._field_rows, extent.columns, recipe.correction, extent.binning
        )
        self.blend = make_blend(
            self.field,
            self.projections,
            recipe.correction,
            scan.per_frame.get("beam_current_ma"),
        )
        self.saturation = saturation_level(scan.projections.dtype)
        self.counts = Counts()
        self._findings: list[Finding] = []
        if recipe.correction.beam_current and "beam_current_ma" not in scan.per_frame:
            self._findings.append(
                Finding(
                    "beam-current-missing",
                    Severity.WARNING,
                    "The ring current was not recorded, so frames are not scaled by it.",
                    "Use correction.background_columns where there is air at the edges",
                )
            )

        if recipe.zingers is not None and scan.quantity != "counts":
            self._findings.append(
                Finding(
                    "zingers-kept",
                    Severity.WARNING,
                    f"The frames hold {scan.quantity} instead of counts, so zingers were not "
                    "looked for.",
                    "Leave zingers out of the recipe, or take the raw scan",
                )
            )

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was missing or left out."""
        return (*self.field.findings, *self._findings)

    @property
    def angles_deg(self) -> NDArray[np.float64]:
        """Angles of the sinograms, shape (angle,)."""
        return self._all_angles_deg if self.stitching is None else self.stitching.angles_deg

    @property
    def n_columns(self) -> int:
        """Columns of the sinograms."""
        return self.extent.n_columns if self.stitching is None else self.stitching.width

    def read(self, start: int, stop: int, cancel: CancelToken) -> RawSlab:
        """Read the frames of slices [start, stop), as stored or from the first pass."""
        if self.first_pass is not None:
            lines = self.first_pass.read(start, stop)
            return RawSlab(start, stop, (lines,), ((0, 0),))
        rows = tuple(
            (max(0, a - self._halo), min(self.scan.projections.shape[1], b + self._halo))
            for a, b in self._spans(start, stop)
        )
        return RawSlab(start, stop, tuple(self._read_rows(pair, cancel) for pair in rows), rows)

    def clean(self, raw: RawSlab) -> RawSlab:
        """Remove zingers, drop the halo, bin; the raw frames may be changed."""
        if self.first_pass is not None:
            return raw
        spans = self._spans(raw.start, raw.stop)
        blocks = []
        for block, rows, span in zip(raw.blocks, raw.rows, spans, strict=True):
            if self._halo and self.recipe.zingers is not None:
                remove_zingers(block, self.recipe.zingers, self.threads)
            inner = block[:, span[0] - rows[0] : span[1] - rows[0]]
            blocks.append(bin_frames(inner, self.extent.binning, self.threads))
        return RawSlab(raw.start, raw.stop, tuple(blocks), tuple(spans))

    def line_integrals(
        self, clean: RawSlab, start: int, stop: int, cancel: CancelToken
    ) -> Float32Array:
        """Sinograms of slices [start, stop) of a cleaned slab, all filters applied.

        Returns
        -------
        sinograms
            Line integrals, shape (row, angle, column), float32.
        """
        sinograms = self._correct(clean, start, stop)
        cancel.check()
        if self.stitching is not None:
            sinograms = stitch(sinograms, self.stitching, threads=self.threads)
        if self.recipe.rings:
            # So many at a time as there are threads: a cancel is seen between them.
            for first in range(0, len(sinograms), self.threads):
                cancel.check()
                part = sinograms[first : first + self.threads]
                apply_rings(part, self.recipe.rings, threads=self.threads)
        if self.recipe.beam_hardening is not None:
            correct_hardening(sinograms, self.recipe.beam_hardening.coefficients, self.threads)
        return sinograms

    def sinograms(self, start: int, stop: int, cancel: CancelToken | None = None) -> Float32Array:
        """Read and correct slices [start, stop) in one go."""
        token = cancel or CancelToken()
        if self.first_pass is not None and not self.first_pass.done:
            self.run_first_pass(token)
        return self.line_integrals(self.clean(self.read(start, stop, token)), start, stop, token)

    def transmission(self, use: slice, rows: tuple[int, int]) -> Float32Array:
        """Read and correct whole projections.

        Parameters
        ----------
        use
            Which of the projections in use, a slice with start and stop.
        rows
            Detector rows [start, stop), within those asked for.

        Returns
        -------
        transmission
            Clamped, shape (angle, row, column), float32, binned.
        """
        frames = self.scan.projections.read(
            self._frames(use.start, use.stop), slice(*rows), slice(*self.extent.columns)
        )
        if self.recipe.zingers is not None and self.scan.quantity == "counts":
            remove_zingers(frames, self.recipe.zingers, self.threads)
        frames = bin_frames(frames, self.extent.binning, self.threads)
        if self.scan.quantity == "line-integrals":
            # The logarithm that follows must find something to work on.
            return np.maximum(np.exp(-frames.astype(np.float32)), np.finfo(np.float32).tiny)
        lines, counts = correct_to_transmission(
            frames, self.field, self.blend.part(use),
            field_row=(rows[0] - self._field_rows[0]) // self.extent.binning,
            correction=self.recipe.correction, saturation=self.saturation, threads=self.threads,
        )  # fmt: skip
        self.counts = self.counts + counts
        return lines

    def frames(self, use: slice) -> Float32Array:
        """Line integrals of whole projections, over the rows that were asked for.

        Parameters
        ----------
        use
            Which of the projections in use, a slice with start and stop.

        Returns
        -------
        line_integrals
            Shape (angle, row, column), float32, binned; after phase retrieval and turning,
            without the filters that work on sinograms.
        """
        if self.first_pass is not None:
            return self.first_pass.frames(self.transmission, use, self.threads)
        return negative_log(self.transmission(use, self._field_rows), self.threads)

    def run_first_pass(self, cancel: CancelToken, progress: ProgressCallback | None = None) -> None:
        """Work on projections as a whole, when the recipe asks for it."""
        if self.first_pass is not None:
            self.first_pass.run(self.transmission, self.threads, cancel, progress)

    def close(self) -> None:
        """Free the projections of the first pass, and their file."""
        if self.first_pass is not None:
            self.first_pass.remove()

    def _spans(self, start: int, stop: int) -> list[tuple[int, int]]:
        """Detector rows of slices [start, stop): one span for neighbours, else one a slice."""
        spans = [self.extent.detector_rows(index) for index in range(start, stop)]
        return [(spans[0][0], spans[-1][1])] if self.extent.row_step == 1 else spans

    def _read_rows(self, rows: tuple[int, int], cancel: CancelToken) -> NDArray[Any]:
        stack, extent = self.scan.projections, self.extent
        n_columns = extent.columns[1] - extent.columns[0]
        out = np.empty((len(self.projections), rows[1] - rows[0], n_columns), stack.dtype)
        chunk = max(1, _CHUNK_BYTES // max(1, out[0].nbytes))
        for first in range(0, len(out), chunk):
            cancel.check()
            last = min(first + chunk, len(out))
            stack.read(
                self._frames(first, last), slice(*rows), slice(*extent.columns),
                out=out[first:last],
            )  # fmt: skip
        return out

    def _frames(self, start: int, stop: int) -> slice:
        """Frames of the scan that are projections [start, stop) of those in use."""
        used = self.projections[start:stop]
        return slice(int(used[0]), int(used[-1]) + 1, self.extent.angle_step)

    def _correct(self, clean: RawSlab, start: int, stop: int) -> Float32Array:
        extent = self.extent
        if self.first_pass is not None:
            return clean.blocks[0][start - clean.start : stop - clean.start].copy()
        if extent.row_step == 1:
            pieces = [(clean.blocks[0], start - clean.start, start, stop - start)]
        else:
            pieces = [(clean.blocks[i - clean.start], 0, i, 1) for i in range(start, stop)]
        parts = []
        for frames, frame_row, index, count in pieces:
            if self.scan.quantity == "line-integrals":
                rows = frames[:, frame_row : frame_row + count]
                # A copy in any case: filters work in place, and slabs are used again.
                parts.append(rows.transpose(1, 0, 2).astype(np.float32, order="C"))
                continue
            if not frames.flags.c_contiguous:  # a halo was cut off: copy these rows alone
                frames = np.ascontiguousarray(frames[:, frame_row : frame_row + count])
                frame_row = 0
            lines, counts = correct_to_sinograms(
                frames, self.field, self.blend,
                frame_row=frame_row, n_rows=count,
                field_row=(extent.detector_rows(index)[0] - self._field_rows[0]) // extent.binning,
                correction=self.recipe.correction, saturation=self.saturation,
                threads=self.threads,
            )  # fmt: skip
            self.counts = self.counts + counts
            parts.append(lines)
        return parts[0] if len(parts) == 1 else np.concatenate(parts)
