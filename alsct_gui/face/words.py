"""What a step's widget says of its work. Pure."""

from __future__ import annotations

from alsct_gui.model.progress import Progress
from alsct_gui.steps.jobs import JobView


def progress_words(step: Progress) -> str:
    """Say how far it is: ``blocks 12 of 40, 1:05 left``."""
    words = f"{step.stage} {step.done} of {step.total}"
    if step.eta_s is None or step.done in (0, step.total):
        return words
    return f"{words}, {time_words(step.eta_s)} left"


def time_words(seconds: float) -> str:
    """Say a time: ``0:42``, ``12:05``, ``3:20:00``."""
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def result_words(view: JobView) -> str:
    """Say what was made: the step's own sentences, then the products."""
    names = ", ".join(path.name for path in view.outputs.values())
    return " ".join([*(f"{sentence.rstrip('.')}." for sentence in view.said), f"Made {names}."])
