"""What the guide leads to is there."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import yaml

from alsct_gui.model.codec import from_plain
from alsct_gui.model.policy import Analysis
from alsct_gui.placement.policy import load_policy

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    path.relative_to(ROOT)
    for folder in (".", "docs", "docs/decisions", "docs/plugins", "plugins")
    for path in (ROOT / folder).glob("*/README.md" if folder == "plugins" else "*.md")
)
_LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_link_leads_somewhere(page: Path) -> None:
    text = (ROOT / page).read_text()
    links = [link for link in _LINK.findall(text) if "://" not in link]
    missing = [link for link in links if not (ROOT / page).parent.joinpath(link).exists()]
    assert missing == []


def test_decisions_have_numbers_of_their_own() -> None:
    numbers = [path.name[:4] for path in (ROOT / "docs" / "decisions").glob("*.md")]
    assert len(numbers) == len(set(numbers)) > 20


def test_the_example_of_analyses_is_a_policy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    section = (ROOT / "docs/own-code.md").read_text().partition("## For every scan")[2]
    example = re.search(r"```yaml\n(.*?)```", section, re.DOTALL)
    assert example is not None
    steps = tmp_path / ".config" / "alsct-gui" / "steps"
    shutil.copytree(ROOT / "resources" / "examples", steps)
    monkeypatch.setenv("HOME", str(tmp_path))
    base = (ROOT / "resources/policies/als-8.3.2.yaml").read_text().partition("\nwishes:")[0]
    lines = example[1].replace("/data/steps/", f"{steps}/")
    (tmp_path / "mine.yaml").write_text(f"{base}\n{lines}")
    policy = load_policy(tmp_path / "mine.yaml")
    assert [sheet.step for sheet in policy.sheets.values()] == [
        "own.porosity",
        "own.local-contrast",
    ]
    assert sorted(policy.sheets["porosity"].code) == ["porosity.pl", "porosity.step.yaml"]


def test_the_example_in_the_policy_that_comes_along_is_one(tmp_path: Path) -> None:
    text = (ROOT / "resources/policies/als-8.3.2.yaml").read_text()
    commented = re.search(r"in the same way:\n((?:#   .*\n)+)", text)
    assert commented is not None
    lines = yaml.safe_load(re.sub(r"(?m)^#   ", "", commented[1]))
    assert set(lines) == {"analyses", "wishes"}
    assert {wish["analysis"] for wish in lines["wishes"]} <= {a["name"] for a in lines["analyses"]}
    for item in lines["analyses"]:
        from_plain(Analysis, item)
