"""What a row of the list says, made from what is known of a path. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from alsct_gui.model.finding import Finding, Severity
from alsct_gui.ui.widgets.marks import State
from alsct_gui.ui.words import count_words, size_words

if TYPE_CHECKING:
    from alsct_gui.beamline.sightings import Sighting
    from alsct_gui.recon.desk.answers import Look

Kind = Literal["scan", "volume"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One row."""

    path: Path
    """Where it lies."""
    kind: Kind = "scan"
    """Raw scan or volume."""
    title: str = ""
    """Sample, or the file's name."""
    proposal: str = ""
    """Whose it is; empty when unknown."""
    moment: datetime | None = None
    """When it began, or was last written; None when unknown."""
    size_bytes: int = 0
    """Length."""
    state: State = State.UNKNOWN
    """Its mark."""
    share: float | None = None
    """While it arrives: how much is there, from 0 to 1."""
    words: str = ""
    """Its state in words."""
    tip: str = ""
    """Everything about it, for the tool tip."""

    @property
    def haystack(self) -> str:
        """What the filter looks through."""
        return f"{self.title} {self.proposal} {self.path}".casefold()


def entry_of_sighting(sighting: Sighting, naming: str = "") -> Entry:
    """Make a row of what the watch saw.

    Parameters
    ----------
    sighting
        What was seen.
    naming
        The beamline's form of a file name, a regular expression with a group ``title``.
    """
    facts = sighting.summary
    done, expected = sighting.frames_done, sighting.frames_expected
    share = done / expected if done is not None and expected else None
    serious = _serious(sighting.findings)
    return Entry(
        path=sighting.path,
        kind=sighting.kind,
        title=title_of(facts.sample, sighting.path, naming),
        proposal=facts.proposal,
        moment=moment_of_text(facts.start_time) or _moment_of(sighting.modified_s),
        size_bytes=sighting.size_bytes,
        state=_state(sighting.state, serious),
        share=share if sighting.state == "arriving" else None,
        words=_words(sighting, serious),
        tip=_tip(sighting.path, sighting.sentence, sighting.findings),
    )


def entry_of_look(look: Look, known: Entry | None, naming: str = "") -> Entry:
    """Make or renew a row from a close look at a path; `naming` as above."""
    path = Path(look.path)
    before = known or Entry(path)
    serious = _serious(look.findings)
    frames = count_words(look.n_angles, "projection") if look.n_angles else "whole"
    if look.kind == "volume" and look.shape:
        frames = count_words(look.shape[0], "slice")
    sentence = f"Whole: {frames}." if look.ok else "It cannot be used as it is."
    return replace(
        before,
        kind="volume" if look.kind == "volume" else "scan",
        title=title_of(look.people.sample, path, naming),
        proposal=look.people.proposal or before.proposal,
        moment=moment_of_text(look.people.start_time) or _moment_of(look.modified_ns / 1e9),
        size_bytes=look.size_bytes or before.size_bytes,
        state=before.state if before.state is State.MOVING else _seen_state(look.ok, serious),
        words=serious[0].name.replace("-", " ") if serious else frames,
        tip=_tip(path, sentence, look.findings),
    )


def opening(path: Path) -> Entry:
    """Make a row of a path that was just named."""
    return Entry(path, title=path.name, words="being looked at", tip=str(path))


def lost(entry: Entry, why: str) -> Entry:
    """Return a row of a path that could not be looked at."""
    return replace(entry, state=State.FAILED, words="cannot be opened", tip=f"{entry.path}\n{why}")


def facts_line(entry: Entry) -> str:
    """Return the third line: whose, and how much."""
    parts = [entry.proposal, size_words(entry.size_bytes) if entry.size_bytes else ""]
    return " · ".join(part for part in parts if part)


def matches(entry: Entry, typed: str) -> bool:
    """Whether a row holds every word that was typed, in any order."""
    haystack = entry.haystack
    return all(word in haystack for word in typed.casefold().split())


def newest_first(entry: Entry) -> tuple[float, str]:
    """Return the key by which rows are sorted; rows of unknown time come last."""
    seconds = entry.moment.timestamp() if entry.moment is not None else float("-inf")
    return (-seconds, entry.path.name)


def _seen_state(ok: bool, serious: tuple[Finding, ...]) -> State:
    if not ok:
        return State.FAILED
    return State.BLOCKED if serious else State.MET


def _state(state: str, serious: tuple[Finding, ...]) -> State:
    if state == "arriving":
        return State.MOVING
    if state == "broken":
        return State.FAILED
    if state == "gone":
        return State.UNKNOWN
    return State.BLOCKED if serious else State.MET


def _words(sighting: Sighting, serious: tuple[Finding, ...]) -> str:
    done, expected = sighting.frames_done, sighting.frames_expected
    if sighting.state == "arriving":
        return f"arriving {done}/{expected}" if done is not None and expected else "arriving"
    if sighting.state == "broken":
        return f"stopped at {done}/{expected}" if _short(done, expected) else "broken"
    if sighting.state == "gone":
        return "no longer there"
    if serious:
        return serious[0].name.replace("-", " ")
    if done is None:
        return "whole"
    return count_words(done, "projection" if sighting.kind == "scan" else "slice")


def _short(done: int | None, expected: int | None) -> bool:
    return done is not None and expected is not None and done < expected


def _serious(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    order = {Severity.ERROR: 0, Severity.WARNING: 1}
    grave = [item for item in findings if item.severity in order]
    return tuple(sorted(grave, key=lambda item: order[item.severity]))


def title_of(sample: str, path: Path, naming: str) -> str:
    """Return the sample, or what the file's name says beside date and time."""
    given = " ".join(sample.split())
    if given not in ("", path.stem):
        return given
    found = re.fullmatch(naming, path.name) if naming else None
    return (found and found.groupdict().get("title")) or given or path.name


def moment_of_text(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    # A time without a zone is the beamline's own clock.
    return moment.astimezone() if moment.year > 1 else None


def _moment_of(seconds: float) -> datetime | None:
    if seconds <= 0:
        return None
    try:
        return datetime.fromtimestamp(seconds, tz=UTC).astimezone()
    except (OverflowError, OSError, ValueError):
        return None


def _tip(path: Path, sentence: str, findings: tuple[Finding, ...]) -> str:
    lines = [str(path), sentence]
    lines += [f"{item.name}: {item.message} {item.fix}".strip() for item in _serious(findings)[:5]]
    return "\n".join(lines)
