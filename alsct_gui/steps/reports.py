"""A report's two files, as outputs of a step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from alsct_gui.files.report.content import Block, Report
from alsct_gui.steps.values import MadeFile


def report_outputs(title: str, about: str, blocks: Sequence[Block]) -> dict[str, MadeFile]:
    """Return the outputs ``report`` (HTML) and, where reportlab is installed, ``printed`` (PDF).

    Parameters
    ----------
    title
        Heading.
    about
        What was measured; the name of the input is put behind it, when there is one input.
    blocks
        What the report holds.
    """
    made = {"report": MadeFile(".html", _writer(title, about, blocks, _html))}
    if find_spec("reportlab") is not None:
        made["printed"] = MadeFile(".pdf", _writer(title, about, blocks, _pdf))
    return made


def _writer(
    title: str, about: str, blocks: Sequence[Block], write: Callable[[Path, Report], None]
) -> Callable[[Path, Mapping[str, Any]], None]:
    def work(path: Path, made: Mapping[str, Any]) -> None:
        inputs = made.get("inputs") or [{}]
        name = Path(str(inputs[0].get("path", ""))).name if len(inputs) == 1 else ""
        sentence = f"{about} of {name}." if name else f"{about}."
        write(path, replace(Report(title, sentence, tuple(blocks)), made=made))

    return work


def _html(path: Path, report: Report) -> None:
    from alsct_gui.files.report.html import write_html

    write_html(path, report)


def _pdf(path: Path, report: Report) -> None:
    from alsct_gui.files.report.pdf import write_pdf

    write_pdf(path, report)
