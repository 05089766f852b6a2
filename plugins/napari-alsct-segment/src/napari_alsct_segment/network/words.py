"""A round of training as a sentence, and back: how a worker tells its loss."""

from __future__ import annotations

import re

from napari_alsct_segment.network.model import Round

_NUMBER = r"([0-9.e+-]+|inf|nan)"
_SENTENCE = re.compile(rf"Step (\d+): loss {_NUMBER}, held out {_NUMBER}")


def say_round(line: Round) -> str:
    """Return a round as a sentence: ``Step 300: loss 0.0123, held out 0.0131``."""
    return f"Step {line.steps}: loss {line.loss:.6g}, held out {line.held_out:.6g}"


def read_round(sentence: str) -> Round | None:
    """Return the round that a sentence tells; None when it tells something else."""
    found = _SENTENCE.fullmatch(sentence)
    if found is None:
        return None
    return Round(int(found[1]), float(found[2]), float(found[3]))
