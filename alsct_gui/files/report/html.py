"""A report as one HTML file: no script, nothing from the network, everything escaped."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from html import escape
from pathlib import Path

from alsct_gui.files.provenance import json_safe
from alsct_gui.files.report.content import (
    Block,
    Facts,
    Heading,
    Picture,
    Pictures,
    Plot,
    Report,
    Rows,
    Text,
)
from alsct_gui.files.report.images import png_of
from alsct_gui.files.report.plots import Area, Dot, Mark, Stroke, draw
from alsct_gui.files.report.words import made_rows

_PLOT = (640.0, 300.0)

_STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #22262b; background: #fff;
       max-width: 960px; margin: 32px auto; padding: 0 24px; }
h1 { font-size: 24px; font-weight: 600; margin: 0 0 8px; }
h2 { font-size: 17px; font-weight: 600; margin: 32px 0 8px; }
p { margin: 0 0 8px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: 8px 0 16px; }
th, td { padding: 4px 16px 4px 0; text-align: right; border-bottom: 1px solid #dfe3e8; }
th { font-weight: 600; }
th:first-child, td:first-child { text-align: left; }
table.facts td:first-child { color: #6b737c; }
table.facts td { text-align: left; vertical-align: top; overflow-wrap: anywhere; }
summary { color: #6b737c; cursor: pointer; }
figure { margin: 8px 16px 16px 0; display: inline-block; vertical-align: top; }
figcaption { color: #6b737c; font-size: 13px; max-width: 640px; }
img { display: block; image-rendering: pixelated; max-width: 100%; }
svg { display: block; max-width: 100%; height: auto; font: 12px system-ui, sans-serif; }
pre { font-size: 12px; white-space: pre-wrap; background: #f4f6f8; padding: 16px; }
@media print { body { margin: 0; } h2 { break-after: avoid; } figure { break-inside: avoid; } }
"""
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def write_html(path: Path, report: Report) -> None:
    """Write a report as one HTML file.

    Raises
    ------
    OSError
        The disk refuses.
    """
    path.write_text("\n".join(_lines(report)) + "\n", encoding="utf-8")


def _lines(report: Report) -> Iterator[str]:
    yield "<!DOCTYPE html>"
    yield '<html lang="en"><head><meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{escape(report.title)}</title><style>{_STYLE}</style></head><body>"
    yield f"<h1>{escape(report.title)}</h1><p>{escape(report.sentence)}</p>"
    for block in report.blocks:
        yield from _block(block)
    if report.made:
        text = json.dumps(json_safe(report.made), indent=2, ensure_ascii=False, default=str)
        yield from _block(Heading("How it was made"))
        yield from _block(Facts(made_rows(report.made)))
        yield f"<details><summary>As data</summary><pre>{escape(text)}</pre></details>"
    yield "</body></html>"


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Heading):
        yield f"<h2>{escape(block.text)}</h2>"
    elif isinstance(block, Text):
        yield f"<p>{escape(block.text)}</p>"
    elif isinstance(block, Facts):
        yield '<table class="facts">'
        for name, value in block.rows:
            yield f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>"
        yield "</table>"
    elif isinstance(block, Rows):
        yield "<table><thead><tr>"
        yield "".join(f"<th>{escape(head)}</th>" for head in block.heads)
        yield "</tr></thead><tbody>"
        for row in block.cells:
            yield "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
        yield "</tbody></table>"
        if block.caption:
            yield f"<p>{escape(block.caption)}</p>"
    elif isinstance(block, Picture):
        yield _picture(block)
    elif isinstance(block, Pictures):
        yield "<div>" + "".join(_picture(item) for item in block.pictures) + "</div>"
    else:
        yield _figure(svg(block), block.caption)


def _picture(picture: Picture) -> str:
    data = base64.b64encode(png_of(picture)).decode("ascii")
    words = escape(picture.caption)
    return _figure(f'<img alt="{words}" src="data:image/png;base64,{data}">', picture.caption)


def _figure(inside: str, caption: str) -> str:
    words = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f"<figure>{inside}{words}</figure>"


def svg(plot: Plot) -> str:
    """Return a plot as an SVG element."""
    width, height = _PLOT
    marks = "".join(_mark(mark) for mark in draw(plot, width, height))
    name = escape(f"{plot.y_label} over {plot.x_label}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{name}" '
        f'width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}">{marks}</svg>'
    )


def _mark(mark: Mark) -> str:
    if isinstance(mark, Stroke):
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in mark.points)
        return (
            f'<polyline points="{points}" fill="none" stroke="{mark.colour}" '
            f'stroke-width="{mark.width:g}" stroke-linejoin="round"/>'
        )
    if isinstance(mark, Area):
        return (
            f'<rect x="{mark.x:.1f}" y="{mark.y:.1f}" width="{mark.width:.1f}" '
            f'height="{mark.height:.1f}" fill="{mark.colour}"/>'
        )
    if isinstance(mark, Dot):
        return (
            f'<circle cx="{mark.x:.1f}" cy="{mark.y:.1f}" r="{mark.radius:g}" '
            f'fill="{mark.colour}"/>'
        )
    turn = f' transform="rotate(-90 {mark.x:.1f} {mark.y:.1f})"' if mark.upright else ""
    return (
        f'<text x="{mark.x:.1f}" y="{mark.y:.1f}" text-anchor="{mark.anchor}" '
        f'fill="{mark.colour}"{turn}>{escape(mark.text)}</text>'
    )
