"""Names of products that are free, and partial products that nobody wants."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Container
from itertools import count
from pathlib import Path

from alsct_gui.files.writers.partial import partial_folder


def free_output(output: Path, promised: Container[Path]) -> Path:
    """Return the name, or the first numbered one like it, that nothing has.

    Parameters
    ----------
    output
        The name wanted; ``recfoam.zarr`` becomes ``recfoam-2.zarr``, then ``recfoam-3.zarr``.
    promised
        Names of runs that have not written anything yet.
    """
    stem, suffix = output.name, ""
    if output.suffix == ".zarr":  # any other dot belongs to the scan's name
        stem, suffix = output.stem, output.suffix
    names = (output if n == 1 else output.with_name(f"{stem}-{n}{suffix}") for n in count(1))
    return next(name for name in names if name not in promised and not _is_taken(name))


def discard_partial(output: Path) -> None:
    """Remove the partial product of a name, unless a run is writing it."""
    partial = partial_folder(output)
    try:
        journal = os.open(partial / "journal.jsonl", os.O_RDONLY)
    except FileNotFoundError:
        # Its journal goes with the rest, perhaps first: a removal that was cut off.
        shutil.rmtree(partial, ignore_errors=True)
        return
    try:
        fcntl.flock(journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(partial)
    except BlockingIOError:
        return  # it is another run's by now
    finally:
        os.close(journal)


def _is_taken(output: Path) -> bool:
    return os.path.lexists(output) or os.path.lexists(partial_folder(output))
