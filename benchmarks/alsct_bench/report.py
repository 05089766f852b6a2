"""Rows as people read them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from alsct_bench.measurement import Measurement

COLUMNS = ("what", "here", "peer", "there", "ratio", "target", "spread", "note")


def table_rows(rows: Iterable[Measurement], *, full_size: bool) -> Iterator[tuple[str, ...]]:
    """Yield the cells of `COLUMNS` for each row; what does not apply is empty."""
    for row in rows:
        verdict = row.verdict(full_size=full_size)
        yield (
            row.name,
            _figure(row.value, row.unit),
            row.peer,
            "" if row.peer_value is None else _figure(row.peer_value, row.unit),
            "" if row.ratio is None else f"{row.ratio:.3g} x",
            f"{verdict}: {row.target.text}" if row.target and verdict else "",
            "" if row.spread is None else f"{100 * row.spread:.0f} %",
            row.note,
        )


def text_lines(rows: Iterable[Measurement], *, full_size: bool) -> Iterator[str]:
    """Yield the lines of a plain table: all columns but the notes, aligned."""
    table = [COLUMNS[:-1], *(cells[:-1] for cells in table_rows(rows, full_size=full_size))]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for cells in table:
        yield "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True))


def markdown(rows: Iterable[Measurement], *, full_size: bool) -> str:
    """Return the rows as a table in Markdown."""
    lines = [_line(COLUMNS), _line(["---"] * len(COLUMNS))]
    lines += [_line(cells) for cells in table_rows(rows, full_size=full_size)]
    return "\n".join(lines) + "\n"


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _figure(value: float, unit: str) -> str:
    number = f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    return f"{number} {unit}".strip()
