"""The command line, `alsct`."""

from __future__ import annotations

import os


def main() -> None:
    """Entry point of the `alsct` command."""
    # Stages share the processors among themselves. BLAS must not start threads of its own
    # beside them: while they wait they spin. It reads this when numpy is first imported.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("MKL_NUM_THREADS", "1")

    from alsct_gui.cli.app import run

    run()
