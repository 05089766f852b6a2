"""`alsct catalog`: what was seen is found, noted and tagged; `alsct agent secret` keeps secrets."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from alsct_gui.catalog.model import Dataset
from alsct_gui.catalog.store import Catalog
from alsct_gui.superfacility.credentials import FileCredentials
from tests.cli.conftest import Alsct

ID = "ab" * 32


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "catalog.sqlite"
    with Catalog(path) as catalog:
        catalog.enter(Dataset(ID, "/data/raw/BLS-1/a 'foam' \udcff.h5", proposal="BLS-1"))
        catalog.enter(Dataset("cd" * 32, "/data/raw/BLS-2/wood.h5", proposal="BLS-2"))
    return path


def test_what_was_seen_is_found_again(file: Path, alsct: Alsct) -> None:
    def ask(*words: str) -> list[str]:
        answer = alsct("catalog", "search", *words, "--catalog", file, "--json")
        assert answer.code == 0
        return [item["id"][:2] for item in answer.data["datasets"]]

    assert sorted(ask()) == ["ab", "cd"]
    assert ask("foa") == ["ab"]
    assert alsct("catalog", "tag", "abab", "good", "--catalog", file).code == 0
    assert alsct("catalog", "note", "abab", "the stage drifted", "--catalog", file).code == 0
    assert ask("drift", "--tag", "good") == ["ab"]
    printed = alsct("catalog", "search", "foam", "--catalog", file).out
    assert "the stage drifted" in printed
    assert "[good]" in printed
    assert alsct("catalog", "tag", "abab", "good", "--remove", "--catalog", file).code == 0
    assert ask("--tag", "good") == []
    for words in (["tag", "ffff", "x"], ["note", "a", "x"], ["tag", "abab", ""]):
        assert alsct("catalog", *words, "--catalog", file).code == 2


def test_a_secret_is_read_from_the_input_and_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALSCT_SECRETS", str(tmp_path / "secrets"))

    def ask(*words: str, given: str = "") -> subprocess.CompletedProcess[str]:
        code = "from alsct_gui.cli import main; main()"
        return subprocess.run(
            [sys.executable, "-c", code, "agent", "secret", *words], input=given,
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    done = ask("globus-client", given="canary-5f1e\n")
    assert done.returncode == 0
    assert "canary" not in done.stdout + done.stderr
    assert "unencrypted" in done.stderr, "a person is told where it lies"
    kept = FileCredentials(tmp_path / "secrets")
    assert kept.get("globus-client") == "canary-5f1e"
    assert ask("globus-client", given=" \n").returncode == 2
    assert kept.get("globus-client") == "canary-5f1e"
    assert ask("globus-client", "--forget").returncode == 0
    assert kept.get("globus-client") is None
