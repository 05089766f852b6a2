"""Which command a few typed letters mean. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from alsct_gui.ui.actions.info import ActionInfo


def ranked(
    table: Sequence[ActionInfo], typed: str, recent: Sequence[str] = ()
) -> tuple[ActionInfo, ...]:
    """Return the commands that fit what was typed, the likeliest first.

    Parameters
    ----------
    table
        All commands.
    typed
        Words or the beginnings of words, in any order; nothing fits all.
    recent
        Keys of commands given last, newest first; among equals they come first.
    """
    place = {key: k for k, key in enumerate(recent)}
    scored = []
    for order, info in enumerate(table):
        score = _score(info, typed.casefold().split())
        if score is not None:
            scored.append((score, place.get(info.key, len(place)), order, info))
    return tuple(item[3] for item in sorted(scored, key=lambda item: item[:3]))


def _score(info: ActionInfo, words: list[str]) -> int | None:
    """Lower is better; None when a word is not found at all."""
    text, more = info.text.casefold(), f"{info.menu} {info.tip}".casefold()
    total = 0
    for word in words:
        if text.startswith(word):
            continue
        if any(part.startswith(word) for part in text.split()):
            total += 1
        elif word in text:
            total += 2
        elif word in more:
            total += 4
        else:
            return None
    return total
