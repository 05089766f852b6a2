"""A report as PDF, by reportlab (BSD): the extra ``[pdf]``."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from alsct_gui.files.report.content import (
    Block,
    Facts,
    Heading,
    Picture,
    Pictures,
    Report,
    Rows,
    Text,
)
from alsct_gui.files.report.images import png_of, shown_image
from alsct_gui.files.report.plots import Area, Dot, Mark, Stroke, draw
from alsct_gui.files.report.words import made_rows
from alsct_gui.model.errors import OutputError

_PLOT = (640.0, 250.0)
_MARGIN = 50.0
_WIDTH = 595.0 - 2 * _MARGIN
_FONT, _BOLD = "Vera", "VeraBd"
_TALLEST = 170.0
"""Height of a picture at most: it shares the page with its figures."""
_LEAST_ROWS = 120.0
"""Room below a heading without which a table begins on the next page."""


def write_pdf(path: Path, report: Report) -> None:
    """Write a report as PDF.

    Raises
    ------
    OutputError
        reportlab is not installed.
    OSError
        The disk refuses.
    """
    try:
        from reportlab.lib.pagesizes import A4
        from reportlab.platypus import SimpleDocTemplate
    except ImportError as error:
        raise OutputError(
            "PDF needs the package reportlab", where=str(path),
            fix="pip install reportlab, or take the HTML report and print it",
        ) from error  # fmt: skip
    _register_fonts()
    document = SimpleDocTemplate(
        str(path), pagesize=A4, leftMargin=_MARGIN, rightMargin=_MARGIN, topMargin=_MARGIN,
        bottomMargin=_MARGIN, title=report.title, author="alsct-gui", subject=report.sentence,
        invariant=1,
    )  # fmt: skip
    document.build(list(_flow(report)), onFirstPage=_foot, onLaterPages=_foot)


def _register_fonts() -> None:
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    for name in (_FONT, _BOLD):
        pdfmetrics.registerFont(TTFont(name, f"{name}.ttf"))


def _foot(canvas: Any, document: Any) -> None:
    canvas.setFont(_FONT, 8)
    canvas.setFillGray(0.45)
    canvas.drawRightString(595.0 - _MARGIN, _MARGIN / 2, str(document.page))


def _style(
    size: float, *, bold: bool = False, after: float = 6, grey: bool = False, right: bool = False
) -> Any:
    from reportlab.lib.styles import ParagraphStyle

    return ParagraphStyle(
        f"{size}{bold}{grey}{right}", fontName=_BOLD if bold else _FONT, fontSize=size,
        leading=size * 1.4, spaceAfter=after, textColor="#6b737c" if grey else "#22262b",
        alignment=2 if right else 0, splitLongWords=True,
    )  # fmt: skip


def _flow(report: Report) -> Iterator[Any]:
    from reportlab.platypus import CondPageBreak, KeepTogether, Paragraph

    yield Paragraph(escape(report.title), _style(18, bold=True))
    yield Paragraph(escape(report.sentence), _style(9.5, after=12))
    heading: list[Any] = []
    for block in report.blocks:
        flow = list(_block(block))
        if isinstance(block, Heading):
            heading += flow
        elif heading and not isinstance(block, Rows):
            # A heading stays with what it is of.
            yield KeepTogether([*heading, *flow])
            heading = []
        else:
            # A table goes over pages, so that it cannot be kept together with its heading.
            if heading:
                yield CondPageBreak(_LEAST_ROWS)
            yield from (*heading, *flow)
            heading = []
    if report.made:
        made: list[Block] = [Heading("How it was made"), Facts(made_rows(report.made))]
        yield KeepTogether([item for block in made for item in _block(block)])


def _block(block: Block) -> Iterator[Any]:
    from reportlab.platypus import Paragraph, Spacer, Table

    if isinstance(block, Heading):
        yield Spacer(1, 8)
        yield Paragraph(escape(block.text), _style(12, bold=True))
    elif isinstance(block, Text):
        yield Paragraph(escape(block.text), _style(9.5))
    elif isinstance(block, Facts):
        cells = [
            [Paragraph(escape(name), _style(9, grey=True, after=0)),
             Paragraph(escape(value), _style(9, after=0))]
            for name, value in block.rows
        ]  # fmt: skip
        if cells:
            yield Table(
                cells, colWidths=(0.36 * _WIDTH, 0.64 * _WIDTH), style=_lines(), hAlign="LEFT"
            )
            yield Spacer(1, 8)
    elif isinstance(block, Rows):
        heads = [
            Paragraph(escape(head), _style(7, bold=True, after=0, right=number > 0))
            for number, head in enumerate(block.heads)
        ]
        rows = [list(row) for row in block.cells]
        share = _WIDTH / max(1, len(block.heads))
        yield Table([heads, *rows], colWidths=share, style=_lines(size=7, numbers=True),
                    repeatRows=1, hAlign="LEFT")  # fmt: skip
        if block.caption:
            yield Paragraph(escape(block.caption), _style(8, grey=True))
    elif isinstance(block, Picture):
        yield from _figure(block, _WIDTH)
    elif isinstance(block, Pictures):
        share = _WIDTH / max(1, len(block.pictures))
        row = [_figure(item, share - 12) for item in block.pictures]
        yield Table([row], colWidths=share, style=[("VALIGN", (0, 0), (-1, -1), "TOP"),
                    ("LEFTPADDING", (0, 0), (-1, -1), 0)], hAlign="LEFT")  # fmt: skip
    else:
        words = [Paragraph(escape(block.caption), _style(8, grey=True))] if block.caption else []
        yield _drawing(draw(block, *_PLOT))
        yield from words


def _lines(size: float = 9, *, numbers: bool = False) -> list[Any]:
    right: list[Any] = [("ALIGN", (1, 0), (-1, -1), "RIGHT")] if numbers else []
    return [
        *right,
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("FONT", (0, 0), (-1, -1), _FONT, size),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, "#dfe3e8"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("LEFTPADDING", (1, 0), (-1, -1), 8 if numbers else 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), 0 if numbers else 8),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
    ]


def _figure(picture: Picture, width: float) -> list[Any]:
    from reportlab.platypus import Image, Paragraph

    shown = shown_image(picture)
    factor = min(width / shown.width, _TALLEST / shown.height, 0.75)
    image = Image(io.BytesIO(png_of(picture)), shown.width * factor, shown.height * factor)
    image.hAlign = "LEFT"
    words = [Paragraph(escape(picture.caption), _style(8, grey=True))] if picture.caption else []
    return [image, *words]


def _drawing(marks: list[Mark]) -> Any:
    from reportlab.graphics.shapes import Drawing

    width, height = _PLOT
    factor = _WIDTH / width
    drawing = Drawing(_WIDTH, height * factor)
    drawing.scale(factor, factor)
    for mark in marks:
        drawing.add(_shape(mark, height))
    return drawing


def _shape(mark: Mark, height: float) -> Any:
    from reportlab.graphics.shapes import Circle, Group, PolyLine, Rect, String
    from reportlab.lib.colors import HexColor

    colour = HexColor(mark.colour)
    if isinstance(mark, Stroke):
        points = [value for x, y in mark.points for value in (x, height - y)]
        return PolyLine(points, strokeColor=colour, strokeWidth=mark.width)
    if isinstance(mark, Area):
        return Rect(
            mark.x, height - mark.y - mark.height, mark.width, mark.height,
            fillColor=colour, strokeColor=None,
        )  # fmt: skip
    if isinstance(mark, Dot):
        return Circle(mark.x, height - mark.y, mark.radius, fillColor=colour, strokeColor=None)
    text = String(
        0, 0, mark.text, fontName=_FONT, fontSize=11, fillColor=colour, textAnchor=mark.anchor
    )
    place = Group(text)
    place.translate(mark.x, height - mark.y)
    if mark.upright:
        place.rotate(90)
    return place
