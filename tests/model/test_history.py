"""Undo and redo."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from alsct_gui.model.history import History


@given(st.lists(st.integers(0, 5), max_size=30))
def test_undoing_everything_returns_the_first_value(values: list[int]) -> None:
    history = History(0)
    for value in values:
        history = history.changed(value)
    last = history.present
    while history.past:
        history = history.undone()
    assert history.present == 0
    while history.future:
        history = history.redone()
    assert history.present == last


def test_a_drag_is_one_step() -> None:
    history = History(0)
    for value in (1, 2, 3):
        history = history.changed(value, touch="slider")
    history = history.settled().changed(9, touch="slider")
    assert history.undone().present == 3
    assert history.undone().undone().present == 0


def test_a_change_after_undoing_forgets_what_was_undone() -> None:
    history = History("a").changed("b").changed("c").undone().changed("d")
    assert history.redone() == history
    assert history.undone().present == "b"


def test_the_same_value_is_no_step() -> None:
    history = History(1)
    assert history.changed(1) is history
