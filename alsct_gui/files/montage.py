"""A contact sheet of slices as one PNG: pictures on a dark ground, captions, a scale bar.

All pictures share one contrast, so that they can be compared; all distances are multiples
of 8 pixels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from alsct_gui.files.drawing import fit_text, font_of, save_png, system_font
from alsct_gui.model.errors import OutputError

_GRID = 8
_GROUND = (18, 20, 23)
_TEXT = (226, 229, 233)
_QUIET = (140, 147, 156)
_LABEL_PX = 15
_CAPTION_PX = 18
_TITLE_PX = 24
_LARGEST_PX = 640
_SMALLEST_PX = 192
_PERCENT = (0.5, 99.5)
_SAMPLES = 500_000


def montage(
    images: Sequence[NDArray[Any]],
    captions: Sequence[str],
    path: Path,
    *,
    columns: int | None = None,
    pixel_um: float | None = None,
    units: str = "1/cm",
    title: str = "",
    value_range: tuple[float, float] | None = None,
) -> Path:
    """Write pictures of slices side by side as a PNG.

    Parameters
    ----------
    images
        Each of shape (y, x), row 0 on top; values that are not finite are shown black.
    captions
        One for each picture; may be empty.
    path
        The PNG; an existing one is replaced.
    columns
        Pictures in a row; None finds what makes the sheet about 3 : 2.
    pixel_um
        Edge of a pixel; None leaves the scale bars out.
    units
        Unit of the values, for the grey scale at the foot; empty leaves it out.
    title
        A line on top.
    value_range
        Values shown black and white; None takes common percentiles of all pictures.

    Raises
    ------
    OutputError
        There is nothing to show, or the file cannot be written.
    """
    if not images or any(image.ndim != 2 or not image.size for image in images):
        raise OutputError("there are no pictures to show", where=str(path))
    if len(captions) != len(images):
        raise OutputError(
            f"{len(images)} pictures have {len(captions)} captions", where=str(path)
        )  # fmt: skip
    shown = value_range or common_range(images)
    layout = _layout([image.shape for image in images], columns, bool(title), bool(units))
    sheet = Image.new("RGB", layout.size, _GROUND)
    draw = ImageDraw.Draw(sheet)
    if title:
        text = fit_text(title, font_of(_TITLE_PX), layout.size[0] - 2 * layout.margin)
        draw.text((layout.margin, layout.margin), text, font=font_of(_TITLE_PX), fill=_TEXT)
    for index, (image, caption) in enumerate(zip(images, captions, strict=True)):
        left, top = layout.cell(index)
        picture = _picture(image, shown, layout.picture_px)
        offset = (layout.picture_px - picture.width) // 2
        sheet.paste(picture, (left + offset, top))
        text = fit_text(caption, font_of(_CAPTION_PX), layout.picture_px)
        below = top + layout.picture_height + _GRID
        draw.text((left, below), text, font=font_of(_CAPTION_PX), fill=_TEXT)
        if pixel_um is not None:
            zoom = picture.width / image.shape[1]
            corner = (left + offset + picture.width - 2 * _GRID, top + picture.height - 2 * _GRID)
            scale_bar(sheet, corner, pixel_um / zoom, picture.width)
    if units:
        _grey_scale(draw, layout, shown, units)
    save_png(sheet, Path(path))
    return Path(path)


def common_range(images: Sequence[NDArray[Any]]) -> tuple[float, float]:
    """Return the values to show black and white: percentiles of what is finite, not zero.

    Exact zeros are left out because the circular mask is made of them.
    """
    share = max(1, math.ceil(_SAMPLES / len(images)))
    samples = []
    for image in images:
        values = np.asarray(image).ravel()
        values = values[:: max(1, values.size // share)].astype(np.float64)
        samples.append(values[np.isfinite(values) & (values != 0)])
    sample = np.concatenate(samples)
    if not sample.size:
        return 0.0, 1.0
    low, high = (float(value) for value in np.percentile(sample, _PERCENT))
    return (low, high) if low < high else (low - 0.5, low + 0.5)


@dataclass(frozen=True, slots=True)
class _Layout:
    columns: int
    rows: int
    picture_px: int
    picture_height: int
    margin: int
    top: int
    foot: int

    @property
    def step(self) -> tuple[int, int]:
        return (
            self.picture_px + 2 * _GRID,
            self.picture_height + 6 * _GRID,
        )

    @property
    def size(self) -> tuple[int, int]:
        width = 2 * self.margin + self.columns * self.step[0] - 2 * _GRID
        return width, self.top + self.rows * self.step[1] + self.foot + self.margin - 2 * _GRID

    def cell(self, index: int) -> tuple[int, int]:
        row, column = divmod(index, self.columns)
        return self.margin + column * self.step[0], self.top + row * self.step[1]


def _layout(
    shapes: Sequence[tuple[int, ...]], columns: int | None, title: bool, foot: bool
) -> _Layout:
    count = len(shapes)
    if columns is None:
        columns = min(count, max(1, math.ceil(math.sqrt(1.5 * count))))
        columns = math.ceil(count / math.ceil(count / columns))  # no ragged last row
    widest = max(max(shape) for shape in shapes)
    fits = max(_SMALLEST_PX, 1920 // columns // _GRID * _GRID)
    picture_px = min(max(widest, 320), _LARGEST_PX, fits)
    height = max(round(picture_px * shape[0] / max(shape)) for shape in shapes)
    margin = 3 * _GRID
    return _Layout(
        columns=columns,
        rows=math.ceil(count / columns),
        picture_px=picture_px,
        picture_height=max(height, 2 * _GRID),
        margin=margin,
        top=margin + (5 * _GRID if title else 0),
        foot=5 * _GRID if foot else 0,
    )


def _picture(image: NDArray[Any], shown: tuple[float, float], edge_px: int) -> Image.Image:
    """Return a grey picture whose longer edge is `edge_px`."""
    low, high = shown
    with np.errstate(invalid="ignore", over="ignore"):
        grey = (np.asarray(image, dtype=np.float32) - low) * (255.0 / (high - low))
    grey = np.clip(np.nan_to_num(grey, nan=0.0, posinf=255.0, neginf=0.0), 0, 255)
    picture = Image.fromarray(np.round(grey).astype(np.uint8))
    zoom = edge_px / max(picture.size)
    size = (max(1, round(picture.width * zoom)), max(1, round(picture.height * zoom)))
    # Small pictures keep their pixels visible; large ones are averaged down.
    how = Image.Resampling.NEAREST if zoom > 1 else Image.Resampling.BOX
    return picture.resize(size, how)


def scale_bar(sheet: Image.Image, corner: tuple[int, int], um_per_px: float, width: int) -> None:
    """Draw a bar of a round length on a picture of so many pixels, its right end at a corner."""
    length_um = _round_length(um_per_px * width / 4)
    right, bottom = corner
    left = right - max(1, round(length_um / um_per_px))
    draw = ImageDraw.Draw(sheet, "RGBA")
    label, font = _length_text(length_um), font_of(_LABEL_PX)
    text_width = math.ceil(draw.textlength(label, font=font))
    middle = (left + right) // 2
    half = max(right - left, text_width) // 2 + _GRID
    draw.rounded_rectangle(
        (middle - half, bottom - 3 * _GRID - 4, middle + half, bottom + _GRID),
        radius=4, fill=(*_GROUND, 150),
    )  # fmt: skip
    draw.rectangle((left, bottom - 3, right, bottom - 1), fill=_TEXT)
    draw.text((middle - text_width // 2, bottom - 25), label, font=font, fill=_TEXT)


def _round_length(limit_um: float) -> float:
    """Return the largest of 1, 2, 5 times a power of ten that is at most the limit."""
    power = 10.0 ** math.floor(math.log10(limit_um))
    return next(factor * power for factor in (5, 2, 1) if factor * power <= limit_um * 1.000001)


def _length_text(length_um: float) -> str:
    if length_um >= 1000:
        return f"{length_um / 1000:g} mm"
    if length_um < 1:
        return f"{length_um * 1000:g} nm"
    return f"{length_um:g} {'µm' if system_font() else 'um'}"


def _grey_scale(
    draw: ImageDraw.ImageDraw, layout: _Layout, shown: tuple[float, float], units: str
) -> None:
    """Draw the grey scale with its end values at the foot of the sheet."""
    font, left = font_of(_LABEL_PX), layout.margin
    top = layout.size[1] - layout.margin - 2 * _GRID
    low, high = (f"{value:.3g}" for value in shown)
    draw.text((left, top), low, font=font, fill=_QUIET)
    start = left + math.ceil(draw.textlength(low, font=font)) + _GRID
    length = 16 * _GRID
    for i in range(length):
        grey = round(255 * i / (length - 1))
        draw.line((start + i, top + 3, start + i, top + 13), fill=(grey, grey, grey))
    draw.rectangle((start - 1, top + 2, start + length, top + 14), outline=(70, 75, 82))
    draw.text((start + length + _GRID, top), f"{high} {units}", font=font, fill=_QUIET)
