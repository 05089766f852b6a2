"""Which ledger, policy and profile a command is about."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from alsct_gui.placement.ledger import Ledger

LedgerOption = Annotated[
    Path | None,
    typer.Option("--ledger", help="Ledger file; that of this user if not given."),
]
PolicyOption = Annotated[
    str, typer.Option("--policy", help="Policy: als-8.3.2, or a YAML or JSON file.")
]
ProfileOption = Annotated[
    str, typer.Option("--profile", help="Beamline profile: als-8.3.2, or a YAML or JSON file.")
]


def ledger_path(ledger: Path | None) -> Path:
    """Return the ledger's file; that of this user if none is named."""
    from alsct_gui.placement.ledger import default_ledger

    return (ledger or default_ledger()).absolute()


def open_ledger(ledger: Path | None) -> Ledger:
    """Open a ledger that is there."""
    from alsct_gui.placement.ledger import Ledger

    return Ledger(ledger_path(ledger), create=False)
