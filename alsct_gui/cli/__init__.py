"""The command line, `alsct`."""

from __future__ import annotations


def main() -> None:
    """Entry point of the `alsct` command."""
    from alsct_gui.cli.app import run

    run()
