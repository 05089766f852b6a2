"""The table of commands is whole and of one piece."""

from __future__ import annotations

from collections import Counter

import pytest

from alsct_gui.ui.actions.info import ActionInfo, why_not
from alsct_gui.ui.actions.ranking import ranked
from alsct_gui.ui.actions.sheet import by_menu, in_columns
from alsct_gui.ui.actions.table import ACTIONS, MENUS
from alsct_gui.ui.session import Mode, OnBoard, Situation
from alsct_gui.ui.theme.icons import ICONS


@pytest.mark.parametrize("info", ACTIONS, ids=lambda info: info.key)
def test_every_command_is_told_fully(info: ActionInfo) -> None:
    assert info.menu in MENUS
    assert info.text[0].isupper()
    assert not info.text.endswith(".")
    assert info.tip.endswith(".")
    assert info.icon in ("", *ICONS)
    assert isinstance(info.when(Situation()), bool)


def test_keys_and_names_are_given_once() -> None:
    for taken in ("key", "text", "shortcut"):
        counts = Counter(getattr(info, taken) for info in ACTIONS if getattr(info, taken))
        assert [name for name, count in counts.items() if count > 1] == []


def test_there_is_a_command_for_every_mode() -> None:
    keys = {info.key for info in ACTIONS}
    assert {f"view.{mode}" for mode in Mode} <= keys


def test_typing_finds_by_words_in_any_order() -> None:
    assert ranked(ACTIONS, "axis find")[0].key == "recon.center"
    assert ranked(ACTIONS, "undo")[0].key == "edit.undo"
    assert ranked(ACTIONS, "no such thing") == ()
    assert len(ranked(ACTIONS, "")) == len(ACTIONS)


def test_what_was_given_last_comes_first_among_equals() -> None:
    first, second = (info.key for info in ranked(ACTIONS, "show")[:2])
    assert ranked(ACTIONS, "show", recent=(second,))[0].key == second != first


def test_the_sheet_holds_every_key_in_the_tables_order() -> None:
    menus = by_menu(ACTIONS)
    told = [info.key for rows in menus.values() for info in rows]
    assert sorted(told) == sorted(info.key for info in ACTIONS if info.shortcut)
    columns = in_columns(menus, 3)
    assert len(columns) <= 3
    assert [menu for column in columns for menu in column] == list(menus)


@pytest.mark.parametrize("info", ACTIONS, ids=lambda info: info.key)
def test_a_command_that_cannot_be_given_says_what_it_waits_for(info: ActionInfo) -> None:
    ready = Situation(
        has_scan=True, has_preview=True, has_volume=True, mode=Mode.PREVIEW,
        on_board=OnBoard(1, 1, 1, 1, 1, 1),
    )  # fmt: skip
    assert not why_not(info.when, ready)
    if not info.when(Situation()) and info.key not in ("edit.undo", "edit.redo"):
        assert why_not(info.when, Situation()).startswith("Needs ")


def test_nothing_is_measured_in_3d() -> None:
    in_space = Situation(has_volume=True, in_space=True, mode=Mode.VOLUME)
    line = next(info for info in ACTIONS if info.key == "look.line")
    assert not line.when(in_space)
    assert why_not(line.when, in_space) == "Not in 3-D: choose slices or three cuts."
