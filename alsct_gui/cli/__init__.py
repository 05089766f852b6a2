"""The command line, `alsct`."""

from __future__ import annotations

from alsct_gui.model.blas import blas_on_one_thread


def main() -> None:
    """Entry point of the `alsct` command."""
    blas_on_one_thread()  # before numpy is imported for the first time

    from alsct_gui.cli.app import run

    run()
