"""Figures of each batch, kept beside the partial product until it is whole.

A run that was killed and resumed does not see again what is stored already; with the figures
of the earlier run it ends with the same quality report as one that was never interrupted.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from alsct_gui.model.errors import OutputError
from alsct_gui.model.product import Quality
from alsct_gui.recon.preprocess.correct import Counts


@dataclass(frozen=True, slots=True)
class BatchFigures:
    """What was counted and measured in a batch of slices."""

    counts: Counts
    """Of its raw values; nothing when they were corrected in a first pass."""
    nan_count: int
    """Values that were not finite in its slices."""
    noise: tuple[float, ...] = ()
    """Of those of its slices that are measured."""
    rings: tuple[float, ...] = ()
    """Of the same slices."""


class Tally:
    """The figures of all batches, as a file of JSON lines.

    Parameters
    ----------
    path
        The file.
    resume
        Take over what an earlier run left in it.

    Raises
    ------
    OutputError
        The file cannot be read or written.
    """

    def __init__(self, path: Path, *, resume: bool) -> None:
        self._path = path
        self._batches: dict[int, BatchFigures] = {}
        try:
            if resume and path.exists():
                self._take_over(path.read_text(encoding="utf-8"))
            self._file = path.open("w", encoding="utf-8")
            for start, figures in list(self._batches.items()):
                self.record(start, figures)
        except (OSError, ValueError, TypeError) as error:
            raise OutputError(
                f"the figures of the earlier run cannot be taken over ({error})",
                where=str(path), fix="Start anew without resuming",
            ) from error  # fmt: skip

    def record(self, start: int, figures: BatchFigures) -> None:
        """Note the figures of the batch that begins with a slice, before it is stored.

        Raises
        ------
        OutputError
            The disk refuses.
        """
        self._batches[start] = figures
        try:
            self._file.write(json.dumps([start, asdict(figures)]) + "\n")
            self._file.flush()
        except OSError as error:
            raise OutputError(
                f"the disk refuses ({error.strerror or error})", where=str(self._path),
                fix="Free space or give another folder, then resume the run",
            ) from error  # fmt: skip

    def quality(self, *, expected: int, found: int, confidence: float, first: Counts) -> Quality:
        """Sum up.

        Parameters
        ----------
        expected, found
            Slices that were planned, and that are stored.
        confidence
            Of the centre.
        first
            What a first pass counted.
        """
        batches = [self._batches[start] for start in sorted(self._batches)]
        counts = sum((batch.counts for batch in batches), first)
        noise = [value for batch in batches for value in batch.noise]
        rings = [value for batch in batches for value in batch.rings]
        return Quality(
            slices_expected=expected,
            slices_found=found,
            center_confidence=confidence,
            ring_strength=float(np.median(rings)) if rings else 0.0,
            noise=float(np.median(noise)) if noise else 0.0,
            saturated_share=counts.saturated_share,
            clipped_share=counts.clipped_share,
            nan_count=sum(batch.nan_count for batch in batches),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def _take_over(self, text: str) -> None:
        whole = text[: text.rfind("\n") + 1]  # a kill may have cut the last line
        for line in whole.splitlines():
            start, figures = json.loads(line)
            counts = Counts(**figures.pop("counts"))
            noise, rings = tuple(figures.pop("noise")), tuple(figures.pop("rings"))
            self._batches[start] = BatchFigures(counts, noise=noise, rings=rings, **figures)
