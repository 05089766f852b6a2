"""A report as PDF, by reportlab (BSD): the extra ``[pdf]``."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from alsct_gui.files.provenance import json_safe
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
from alsct_gui.model.errors import OutputError

_PLOT = (640.0, 300.0)
_MARGIN = 50.0
_WIDTH = 595.0 - 2 * _MARGIN
_FONT, _BOLD = "Vera", "VeraBd"
_LINE_LENGTH = 100


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


def _style(size: float, *, bold: bool = False, after: float = 6, grey: bool = False) -> Any:
    from reportlab.lib.styles import ParagraphStyle

    return ParagraphStyle(
        f"{size}{bold}{grey}", fontName=_BOLD if bold else _FONT, fontSize=size,
        leading=size * 1.4, spaceAfter=after, textColor="#6b737c" if grey else "#22262b",
    )  # fmt: skip


def _flow(report: Report) -> Iterator[Any]:
    from reportlab.platypus import KeepTogether, Paragraph, Preformatted

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
            yield from (*heading, *flow)
            heading = []
    if report.made:
        yield from _block(Heading("How it was made"))
        text = json.dumps(json_safe(report.made), indent=2, ensure_ascii=False, default=str)
        for line in text.splitlines():
            for start in range(0, len(line), _LINE_LENGTH):
                yield Preformatted(line[start : start + _LINE_LENGTH], _style(6.5, after=0))


def _block(block: Block) -> Iterator[Any]:
    from reportlab.platypus import Paragraph, Spacer, Table

    if isinstance(block, Heading):
        yield Spacer(1, 8)
        heading = Paragraph(escape(block.text), _style(12, bold=True))
        heading.keepWithNext = True
        yield heading
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
                cells, colWidths=(0.4 * _WIDTH, 0.6 * _WIDTH), style=_lines(), hAlign="LEFT"
            )
            yield Spacer(1, 8)
    elif isinstance(block, Rows):
        heads = [Paragraph(escape(head), _style(7, bold=True, after=0)) for head in block.heads]
        rows = [list(row) for row in block.cells]
        share = _WIDTH / max(1, len(block.heads))
        yield Table([heads, *rows], colWidths=share, style=_lines(size=7), repeatRows=1,
                    hAlign="LEFT")  # fmt: skip
        if block.caption:
            yield Paragraph(escape(block.caption), _style(8, grey=True))
    elif isinstance(block, Picture):
        yield from _figure(block, 0.7 * _WIDTH)
    elif isinstance(block, Pictures):
        share = _WIDTH / max(1, len(block.pictures))
        row = [_figure(item, share - 12) for item in block.pictures]
        yield Table([row], colWidths=share, style=[("VALIGN", (0, 0), (-1, -1), "TOP"),
                    ("LEFTPADDING", (0, 0), (-1, -1), 0)], hAlign="LEFT")  # fmt: skip
    else:
        words = [Paragraph(escape(block.caption), _style(8, grey=True))] if block.caption else []
        yield _drawing(draw(block, *_PLOT))
        yield from words


def _lines(size: float = 9) -> list[Any]:
    return [
        ("FONT", (0, 0), (-1, -1), _FONT, size),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, "#dfe3e8"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
    ]


def _figure(picture: Picture, width: float) -> list[Any]:
    from reportlab.platypus import Image, Paragraph

    shown = shown_image(picture)
    factor = min(width, 0.75 * shown.width) / shown.width
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
