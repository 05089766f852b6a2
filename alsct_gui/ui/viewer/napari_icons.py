"""napari's icons lie in its cache, and are written there once instead of at each start.

napari writes every icon anew in the colours of every theme whenever it is imported: half a
thousand small files, which take longer than all its modules where a home lies on a file server.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any


def write_only_what_differs() -> None:
    """Let napari write an icon only when another one, or none, is there; before its import.

    The private functions that this hangs on are named here and nowhere else.
    """
    from napari.resources import _icons

    _icons.write_colorized_svgs = _write


def _write(
    dest: str | Path, svg_paths: Iterable[str | Path], colors: Iterable[Any],
    opacities: Iterable[float] = (1.0,), theme_override: dict[str, str] | None = None,
) -> None:  # fmt: skip
    from napari.resources import _icons

    folder = Path(dest)
    folder.mkdir(parents=True, exist_ok=True)
    icons = _icons.generate_colorized_svgs(
        svg_paths=svg_paths, colors=colors, opacities=opacities, theme_override=theme_override
    )
    for alias, svg in icons:
        path = folder / Path(alias).name
        if not _holds(path, svg):
            path.write_text(svg)


def _holds(path: Path, text: str) -> bool:
    try:
        return path.read_text() == text
    except (OSError, UnicodeDecodeError):
        return False
