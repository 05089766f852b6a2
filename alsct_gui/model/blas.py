"""BLAS beside threads of our own."""

from __future__ import annotations

import os


def blas_on_one_thread() -> None:
    """Keep BLAS from starting threads; called before numpy is imported for the first time.

    Stages share the processors among themselves. Threads of BLAS beside them spin while they
    wait.
    """
    for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
