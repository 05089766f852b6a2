"""What a person has set survives, and never keeps the program from starting."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from alsct_gui.model.errors import OutputError
from alsct_gui.settings import Layout, Settings, load_settings, save_settings, with_recent


def test_settings_come_back_as_they_were_saved(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "settings.json"
    settings = Settings(
        theme="light", watched=("/data/raw",), recent=("/a.h5",), layout=Layout(left_px=0)
    )
    save_settings(settings, path)
    assert load_settings(path) == (settings, ())
    assert [item.name for item in path.parent.iterdir()] == ["settings.json"]


def test_without_a_file_there_are_defaults_and_no_words(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "settings.json") == (Settings(), ())


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", '{"theme": "pink"}', '{"unknown": 1}', '{"version": 99}',
        '{"layout": {"width_px": -4}}', "[" * 100_000, '{"threads": 1e999}',
    ],
)  # fmt: skip
def test_a_broken_file_is_set_aside_and_said(tmp_path: Path, text: str) -> None:
    path = tmp_path / "settings.json"
    path.write_text(text)
    settings, findings = load_settings(path)
    assert settings == Settings()
    assert [item.name for item in findings] == ["settings-unusable"]
    assert (tmp_path / "settings.broken.json").read_text() == text
    save_settings(replace(settings, theme="light"), path)
    assert load_settings(path)[0].theme == "light"


def test_a_folder_in_the_way_is_said(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.mkdir()
    settings, findings = load_settings(path)
    assert settings == Settings()
    assert len(findings) == 1
    with pytest.raises(OutputError, match="cannot be saved"):
        save_settings(settings, tmp_path / "settings.json" / ".." / "settings.json")


def test_what_is_saved_names_its_version(tmp_path: Path) -> None:
    save_settings(Settings(), tmp_path / "s.json")
    assert json.loads((tmp_path / "s.json").read_text())["version"] == 1


def test_recent_files_are_newest_first_without_doubles() -> None:
    recent: tuple[str, ...] = ()
    for name in ("a", "b", "a", *map(str, range(30))):
        recent = with_recent(recent, name)
    assert recent[0] == "29"
    assert len(recent) == len(set(recent)) == 20
