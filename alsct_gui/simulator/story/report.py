"""The story's report: what happened when, and what proves that every scan is where it belongs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alsct_gui.files.plaintext import write_plain
from alsct_gui.model.placement import Evidence
from alsct_gui.model.policy import Policy, Product
from alsct_gui.simulator.story.acts import Outcome
from alsct_gui.simulator.story.chart import draw_history
from alsct_gui.simulator.story.history import GoalHistory, Mark, ScanHistory, mark_of

_NOUNS = {
    Product.RAW: "raw file", Product.RECONSTRUCTION: "volume", Product.ANALYSIS: "analysis",
    Product.METADATA: "record",
    Product.ACCESS: "access", Product.CATALOGUE: "row", Product.PRUNED: "pruned",
}  # fmt: skip
TITLE = "An outage of NERSC, and how the debt is paid"


def write_report(outcome: Outcome, folder: Path) -> dict[str, Path]:
    """Write the report as text, as data and as a picture.

    Returns
    -------
    dict
        Path of each, by ``text``, ``data`` and ``picture``.

    Raises
    ------
    OutputError
        A file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = names_of(outcome.policy)
    text, data = folder / "placement.md", folder / "placement.json"
    picture = draw_history(
        outcome.history, names, "perlmutter", folder / "placement.png", title=TITLE
    )
    text.write_text(report_text(outcome), encoding="utf-8")
    write_plain(data, json.loads(json.dumps(report_plain(outcome), default=str)))
    return {"text": text, "data": data, "picture": picture}


def names_of(policy: Policy) -> dict[Mark, str]:
    """What each goal of a policy is called, in the order of products and places."""
    titles = {place.name: place.title or place.name for place in policy.places}
    wished = [
        (wish.product, name, wish.product is Product.METADATA and bool(wish.recipe))
        for wish in policy.wishes for name in wish.places
    ]  # fmt: skip
    names: dict[Mark, str] = {}
    for mark in sorted(dict.fromkeys(wished), key=lambda mark: _rank(mark, policy)):
        product, name, derived = mark
        noun = "volume's record" if derived else _NOUNS[product]
        names[mark] = f"{noun}, {titles[name]}"
    return names


def report_text(outcome: Outcome) -> str:
    """Return the report in Markdown."""
    history, began_s = outcome.history, outcome.history.began_s
    lines = [f"# {TITLE}", "", headline(outcome), "", "| time | what happens |", "| --- | --- |"]
    lines += [f"| {_clock(act.began_s - began_s)} | {act.title} |" for act in outcome.acts]
    names = names_of(outcome.policy)
    for scan in history.scans:
        lines += [
            "", f"## {_plain(Path(scan.scan.path).name)}", "",
            f"Proposal {_plain(scan.scan.proposal)}, {scan.scan.size_bytes} bytes, SHA-256 "
            f"`{scan.scan.sha256[:16]}…`, handed over at {_clock(scan.handed_s - began_s)}.",
            "", "| what and where | seen at | evidence |", "| --- | --- | --- |",
        ]  # fmt: skip
        for goal in _in_order(scan, names):
            name = names[mark_of(goal.key)]
            seen = "not there" if goal.met_s is None else _clock(goal.met_s - began_s)
            lines.append(f"| {name} | {seen} | {_evidence(goal.evidence)} |")
    lines += ["", "## What must not be", ""]
    lines += [f"- {item.rule}: {_plain(item.where)} {item.what}" for item in outcome.violations]
    lines += [f"- still owed: {key}" for key in outcome.owed]
    if outcome.ok:
        lines.append("Nothing of it: the ledger and the folders were checked, 0 violations.")
    return "\n".join(lines) + "\n"


def headline(outcome: Outcome) -> str:
    """Return what the story came to, in three sentences."""
    debt, count = outcome.debt, len(outcome.history.scans)
    down = outcome.history.down("perlmutter")
    down_s = sum(span.until_s - span.since_s for span in down)
    away = f"NERSC was away for {down_s:.0f} s, and owed {debt.goals} things of {debt.scans} scans"
    paid = f"paid {outcome.paid_s:.0f} s after its return, by nobody's hand"
    found = len(outcome.violations) + len(outcome.owed)
    return f"{count} scans. {away} at its end: {paid}. {found} violations."


def report_plain(outcome: Outcome) -> dict[str, Any]:
    """Return the report as plain data."""
    history, began_s = outcome.history, outcome.history.began_s
    return {
        "ok": outcome.ok,
        "acts": [{"at_s": act.began_s - began_s, "title": act.title} for act in outcome.acts],
        "debt": {
            "scans": outcome.debt.scans, "goals": outcome.debt.goals,
            "bytes": outcome.debt.size_bytes, "paid_s": outcome.paid_s,
        },
        "violations": [
            {"rule": v.rule, "where": v.where, "what": v.what} for v in outcome.violations
        ],
        "owed": list(outcome.owed),
        "outages": [
            {"from_s": span.since_s - began_s, "until_s": span.until_s - began_s}
            for span in history.down("perlmutter")
        ],
        "scans": [
            {
                "path": scan.scan.path, "proposal": scan.scan.proposal,
                "bytes": scan.scan.size_bytes, "sha256": scan.scan.sha256,
                "handed_s": scan.handed_s - began_s,
                "goals": [_goal_plain(goal, began_s) for goal in scan.goals],
            }
            for scan in history.scans
        ],
    }  # fmt: skip


def _goal_plain(goal: GoalHistory, began_s: float) -> dict[str, Any]:
    evidence = goal.evidence
    return {
        "product": str(goal.key.product), "place": goal.key.place,
        "met_s": None if goal.met_s is None else goal.met_s - began_s,
        "evidence": None if evidence is None else {
            "where": evidence.where, "bytes": evidence.size_bytes, "sha256": evidence.sha256,
            "slices": evidence.slices, "record": evidence.record,
        },
        "spans": [[span.state, span.since_s - began_s, span.until_s - began_s]
                  for span in goal.spans],
    }  # fmt: skip


def _in_order(scan: ScanHistory, names: Mapping[Mark, str]) -> list[GoalHistory]:
    order = list(names)
    known = [goal for goal in scan.goals if mark_of(goal.key) in names]
    return sorted(known, key=lambda goal: order.index(mark_of(goal.key)))


def _rank(mark: Mark, policy: Policy) -> tuple[int, bool, int]:
    places = [place.name for place in policy.places]
    return list(_NOUNS).index(Product(mark[0])), mark[2], places.index(mark[1])


def _evidence(evidence: Evidence | None) -> str:
    """What was seen, in words."""
    if evidence is None:
        return "none"
    words = []
    if evidence.size_bytes is not None:
        words.append(f"{evidence.size_bytes} bytes")
    if evidence.sha256:
        words.append(f"SHA-256 `{evidence.sha256[:16]}…`")
    elif evidence.slices is None and evidence.size_bytes is not None:
        words.append("Globus compared the checksums")
    if evidence.slices is not None:
        words.append(f"{evidence.slices} slices counted")
    if evidence.record:
        words.append(f"read back: {_plain(evidence.record)[:60]}")
    return ", ".join(words) or _plain(evidence.where)


def _plain(text: str) -> str:
    """Return a text that Markdown and a terminal take as it is."""
    shown = "".join(c if c.isprintable() else " " for c in text)
    return "".join(f"\\{c}" if c in "\\`*_[]<>|#" else c for c in shown)


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
