"""What every picture with words on it needs: a font, lines that fit, a file that is whole."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image, ImageFont

from alsct_gui.model.errors import OutputError

_TRIED_PX = 18


def fit_text(text: str, font: Any, width: int) -> str:
    """Return a text on one line, shortened in the middle until it fits."""
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    keep = len(text)
    shown = text
    while font.getlength(shown) > width and keep > 2:
        keep -= 1
        shown = f"{text[: (keep + 1) // 2]}…{text[len(text) - keep // 2 :]}"
    return shown


def font_of(size_px: int) -> Any:
    """Return a font of a size."""
    name = system_font()
    return ImageFont.truetype(name, size_px) if name else ImageFont.load_default(size=size_px)


@cache
def system_font() -> str:
    """Return a font with letters of many scripts and tabular figures, empty without one.

    The font that comes with pillow has neither, nor the micro sign.
    """
    for name in ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "LiberationSans-Regular.ttf"):
        try:
            ImageFont.truetype(name, _TRIED_PX)
        except OSError:
            continue
        return name
    return ""


def save_png(sheet: Image.Image, path: Path) -> None:
    """Write a picture beside its name and rename it when whole.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sheet.save(partial, format="PNG", compress_level=3)
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):  # there may be nothing to remove
            partial.unlink()
        raise OutputError(
            f"the picture cannot be written ({error.strerror or error})", where=str(path)
        ) from error
