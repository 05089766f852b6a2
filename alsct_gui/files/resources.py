"""Where the program's own files lie: presets, profiles, icons, job templates."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def resource_path(*parts: str) -> Path:
    """Return the path of a file or folder under ``resources/``.

    In a wheel they lie inside the package; in a checkout beside it.
    """
    packed = _PACKAGE / "_resources"
    root = packed if packed.is_dir() else _PACKAGE.parent / "resources"
    return root.joinpath(*parts)
