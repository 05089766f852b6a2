"""Figures in words, the same everywhere in the window. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def size_words(size_bytes: float) -> str:
    """Say a size: ``14.7 GB``."""
    size, unit = float(size_bytes), 0
    while size >= 999.5 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    digits = 0 if unit == 0 or size >= 99.95 else 1
    return f"{size:.{digits}f} {_UNITS[unit]}"


def duration_words(seconds: float) -> str:
    """Say how long something takes, to the figure that matters: ``1 h 20 min``."""
    if seconds < 1:
        return "under a second"
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(round(seconds / 3600), 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def moment_words(moment: datetime, today: date) -> str:
    """Say when: the time today, the day this year, else the date."""
    day = moment.date()
    if day == today:
        return moment.strftime("%H:%M")
    if day.year == today.year:
        return moment.strftime("%d %b")
    return moment.strftime("%Y-%m-%d")


def clock_words(time_s: float, now_s: float) -> str:
    """Say when, to the minute: ``14:02`` today, else ``3 Feb 14:02``, ``2024-02-03 14:02``.

    Parameters
    ----------
    time_s, now_s
        Seconds since 1970; what no calendar holds is ``at an unknown time``.
    """
    try:
        moment, now = (datetime.fromtimestamp(t, tz=UTC).astimezone() for t in (time_s, now_s))
    except (OverflowError, OSError, ValueError):
        return "at an unknown time"
    clock = moment.strftime("%H:%M")
    if moment.date() == now.date():
        return clock
    if moment.year == now.year:
        return f"{moment.day} {moment:%b} {clock}"
    return f"{moment:%Y-%m-%d} {clock}"


def left_words(seconds: float) -> str:
    """Say how long something still takes, no finer than anybody can know: ``4 h``, ``25 min``."""
    if seconds < 90:
        return duration_words(max(0.0, seconds))
    minutes = round(seconds / 60)
    if minutes < 20:
        return f"{minutes} min"
    if minutes < 100:
        return f"{5 * round(minutes / 5)} min"
    hours = seconds / 3600
    if hours < 5:
        return f"{round(2 * hours) / 2:g} h"
    return f"{round(hours)} h" if hours < 36 else f"{round(hours / 24)} d"


def rate_words(bytes_per_s: float) -> str:
    """Say how fast bytes go: ``210 MB/s``."""
    return f"{size_words(bytes_per_s)}/s"


def count_words(number: int, noun: str, plural: str = "") -> str:
    """Say a number of things: ``1 slice``, ``2160 slices``."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
