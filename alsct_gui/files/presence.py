"""What is there, asked without waiting for a file server that does not answer."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

PATIENCE_S = 1.0


def present(paths: Sequence[Path], patience_s: float = PATIENCE_S) -> tuple[Path, ...]:
    """Return those that are there; what is not answered for in time is taken for absent.

    Parameters
    ----------
    paths
        Files and folders. Each is asked for in a thread of its own, which a dead mount keeps.
    patience_s
        How long to wait for all of them together.
    """
    there: set[Path] = set()

    def ask(path: Path) -> None:
        if path.exists():
            there.add(path)

    asking = [threading.Thread(target=ask, args=(path,), daemon=True) for path in paths]
    for thread in asking:
        thread.start()
    until_s = monotonic() + patience_s
    for thread in asking:
        thread.join(max(0.0, until_s - monotonic()))
    answered = set(there)
    return tuple(path for path in paths if path in answered)
