"""Flows of an orchestrator: what the notes of the agent say of them, as rows. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alsct_gui.ui.board.timeline import FLOW_MARKS
from alsct_gui.ui.widgets.marks import State
from alsct_gui.ui.words import clock_words

NOTE = "flow-runs"
"""Name of the agent's note."""


@dataclass(frozen=True, slots=True)
class FlowRow:
    """One run, as it is shown."""

    title: str
    """Its name."""
    words: str
    """How it stands, and since when."""
    state: State
    """Its mark."""
    page: str = ""
    """Address of its page; empty when there is none."""


def flow_rows(note: Mapping[str, Any], now_s: float) -> tuple[FlowRow, ...]:
    """Return the latest runs, the newest first; strange entries are left out.

    Parameters
    ----------
    note
        As the agent keeps it; empty when there is none.
    now_s
        Seconds since 1970.
    """
    rows = []
    for run in note.get("runs", ()):
        if not isinstance(run, Mapping) or not isinstance(run.get("name"), str):
            continue
        times = (run.get(key) for key in ("ended_s", "started_s", "expected_s"))
        since_s = next((time_s for time_s in times if isinstance(time_s, int | float)), None)
        said = ": ".join(str(run[key]) for key in ("sentence", "cause") if run.get(key))
        clock = "" if since_s is None else clock_words(since_s, now_s)
        words = " · ".join(part for part in (said, clock) if part)
        state = FLOW_MARKS.get(str(run.get("state")), State.MOVING)
        rows.append(FlowRow(run["name"], words, state, str(run.get("page") or "")))
    return tuple(rows)


def trouble_words(note: Mapping[str, Any]) -> str:
    """Say why there are no rows; empty when there are."""
    if note.get("error"):
        return str(note["error"])
    if not note:
        return "No orchestrator is set up. The profile names its address (prefect.url)."
    return "" if note.get("runs") else "No flow has run yet."
