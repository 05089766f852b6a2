"""Paths and values as words of a command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml


def path_word(path: str | Path) -> str:
    """A path that is not taken for an option; not yet quoted."""
    text = str(path)
    return f"./{text}" if text.startswith("-") else text


def value_word(value: Any) -> str:
    """A value on one line, as ``--set`` reads it; not yet quoted."""
    text = yaml.safe_dump(
        value, default_flow_style=True, default_style='"' if isinstance(value, str) else None,
        width=float("inf"), allow_unicode=True, sort_keys=False,
    )  # fmt: skip
    return text.removesuffix("\n").removesuffix("\n...").replace("\n", " ")
