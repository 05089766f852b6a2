"""Reports: everything from outside escaped, plots with round axes, PDF of the same content."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from alsct_gui.files.report.content import (
    Facts,
    Heading,
    Picture,
    Pictures,
    Plot,
    Report,
    Rows,
    Series,
    Text,
)
from alsct_gui.files.report.html import svg, write_html
from alsct_gui.files.report.images import grey_image, overlay, shown_image
from alsct_gui.files.report.pdf import write_pdf
from alsct_gui.files.report.plots import Area, Dot, Stroke, Word, draw, number, ticks
from alsct_gui.files.report.words import figure, percent, table_rows
from alsct_gui.model.table import Column, Table

NASTY = "<script>alert('x')</script> & \"q\" é µ"
CURVE = Series("a", np.array([0.0, 1.0, 2.0, 3.0]), np.array([1.0, np.nan, 3.0, 2.0]))
BARS = Series(NASTY, np.array([0.0, 1.0, 2.0]), np.array([2.0, 4.0]), "bars")


def report(text: str = NASTY) -> Report:
    grey = np.arange(48, dtype=np.uint8).reshape(6, 8)
    blocks = (
        Heading(text), Text(text), Facts([(text, text)]), Rows([text, "b"], [[text, "1"]], text),
        Picture(grey, text, 1.3), Pictures((Picture(grey, text), Picture(grey, text))),
        Plot(text, text, [CURVE, BARS], text),
    )  # fmt: skip
    return Report(text, text, blocks, {"inputs": [{"path": text}], text: float("nan")})


def test_nothing_from_outside_becomes_markup(tmp_path: Path) -> None:
    write_html(tmp_path / "r.html", report())
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert page.count("&lt;script&gt;") > 12
    assert re.search(r'(src|href)="(?!data:image/png)', page) is None
    assert "onload" not in page


def test_a_plot_is_whole_svg() -> None:
    root = ElementTree.fromstring(svg(Plot(NASTY, "y", [CURVE, BARS])))  # noqa: S314 (ours)
    kinds = [item.tag.partition("}")[2] for item in root]
    assert kinds.count("rect") >= 2
    assert "polyline" in kinds
    assert NASTY in [item.text for item in root]


def test_curves_break_where_a_value_is_missing() -> None:
    marks = draw(Plot("x", "y", [CURVE]))
    dots = [mark for mark in marks if isinstance(mark, Dot)]
    lines = [mark for mark in marks if isinstance(mark, Stroke) and mark.colour == "#0072b2"]
    assert len(dots) == 1  # before the gap one point stands alone
    assert [len(line.points) for line in lines] == [2]


def test_marks_stay_in_the_box() -> None:
    for mark in draw(Plot("x", "y", [CURVE, BARS]), 400, 200):
        points = mark.points if isinstance(mark, Stroke) else ((mark.x, mark.y),)
        for x, y in points:
            assert 0 <= x <= 400
            assert 0 <= y <= 200
        if isinstance(mark, Area):
            assert mark.height >= 0
        if isinstance(mark, Word):
            assert mark.text


@pytest.mark.parametrize(
    "values", [np.array([]), np.array([5.0]), np.array([np.nan, np.nan]), np.zeros(3)]
)
def test_odd_data_make_a_plot(values: np.ndarray) -> None:
    assert draw(Plot("x", "y", [Series("", np.arange(len(values), dtype=float), values)]))


def test_ticks_are_round() -> None:
    assert ticks(0, 10, 5) == [0, 2, 4, 6, 8, 10]
    assert ticks(0.13, 0.87, 4) == pytest.approx([0.2, 0.4, 0.6, 0.8])
    assert number(0.2, 0.2) == "0.2"
    assert number(1500, 500) == "1,500"


def test_pictures_are_enlarged_by_whole_pixels_and_have_a_bar() -> None:
    small = shown_image(Picture(np.zeros((20, 30), np.uint8), "", 1.0))
    assert small.size == (630, 420)
    assert np.asarray(small).max() > 200
    plain = shown_image(Picture(np.zeros((20, 30), np.uint8)))
    assert np.asarray(plain).max() == 0
    assert max(shown_image(Picture(np.zeros((2000, 1000), np.uint8))).size) == 640


def test_grey_and_colours() -> None:
    values = np.array([[0.0, 0.5, 1.0, np.nan]], np.float32)
    assert grey_image(values, 0, 1).tolist() == [[0, 128, 255, 0]]
    mixed = overlay(np.full((1, 3), 100, np.uint8), np.array([[0, 1, 2]]))
    assert mixed[0, 0].tolist() == [100, 100, 100]
    assert mixed[0, 1].tolist() != mixed[0, 2].tolist()


def test_the_same_as_pdf(tmp_path: Path) -> None:
    write_pdf(tmp_path / "r.pdf", report())
    content = (tmp_path / "r.pdf").read_bytes()
    assert content.startswith(b"%PDF-")
    assert content.rstrip().endswith(b"%%EOF")
    assert b"/JavaScript" not in content
    write_pdf(tmp_path / "again.pdf", report())
    assert (tmp_path / "again.pdf").read_bytes() == content


def test_figures_for_people() -> None:
    assert figure(1234.5678, "µm") == "1,235 µm"
    assert figure(0.012345) == "0.01235"
    assert figure(3.0, "%") == "3 %"
    assert figure(45.25, "°", 3) == "45.2°"
    assert figure(1.5e-7) == "1.500e-07"
    assert figure(float("nan"), "µm") == "–"
    assert percent(0.12345) == "12.35 %" or percent(0.12345) == "12.34 %"


def test_long_tables_are_cut() -> None:
    table = Table((Column("size_um", "µm"), Column("n")), (np.arange(150.0), np.arange(150)))
    rows = table_rows(table, whole="all.csv")
    assert rows.heads == ["size (µm)", "n"]
    assert len(rows.cells) == 100
    assert rows.caption == "The first 100 of 150 rows; all are in all.csv."
