"""Figures in words."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from alsct_gui.ui.words import count_words, duration_words, moment_words, size_words


@pytest.mark.parametrize(
    ("size_bytes", "words"),
    [
        (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (14_742_091_864, "14.7 GB"),
        (99_950_000, "100 MB"), (999_499_999, "999 MB"), (999_500_000, "1.0 GB"),
        (5e18, "5000 PB"),
    ],
)  # fmt: skip
def test_sizes(size_bytes: float, words: str) -> None:
    assert size_words(size_bytes) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "under a second"), (12.4, "12 s"), (59.6, "1 min"), (360, "6 min"),
        (3599, "1 h"), (4800, "1 h 20 min"), (86_400, "1 d"), (100_000, "1 d 4 h"),
    ],
)  # fmt: skip
def test_durations(seconds: float, words: str) -> None:
    assert duration_words(seconds) == words


def test_moments_are_as_near_as_they_need_to_be() -> None:
    today = date(2026, 3, 2)
    assert moment_words(datetime(2026, 3, 2, 14, 2, tzinfo=UTC), today) == "14:02"
    assert moment_words(datetime(2026, 1, 9, 14, 2, tzinfo=UTC), today) == "09 Jan"
    assert moment_words(datetime(2023, 1, 9, 14, 2, tzinfo=UTC), today) == "2023-01-09"


def test_counts_know_one_from_many() -> None:
    assert count_words(1, "slice") == "1 slice"
    assert count_words(2160, "slice") == "2160 slices"
    assert count_words(2, "axis", "axes") == "2 axes"
