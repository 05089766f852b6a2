"""The story of an outage, in short: one scan before it and one within."""

from __future__ import annotations

import tempfile
from pathlib import Path

import psutil
import pytest

from alsct_gui.model.policy import Product
from alsct_gui.placement.ledger import Ledger
from alsct_gui.simulator.story.acts import Story
from alsct_gui.simulator.story.report import write_report

pytestmark = pytest.mark.long


def test_the_debt_of_an_outage_is_paid_and_the_report_shows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    said: list[str] = []
    folder = tmp_path / "a story"
    story = Story(folder, before=1, during=1, threads=1, settled=True, say=said.append)
    outcome = story.play()
    assert outcome.ok, (outcome.owed, outcome.violations)
    assert said == [act.title for act in outcome.acts]
    assert outcome.debt.scans == 1
    # The raw file, its owners' access, the reconstruction, and the record of that.
    assert outcome.debt.goals == 4
    (down,) = outcome.history.down("perlmutter")
    first, second = outcome.history.scans
    made = {
        goal.key.place: goal for goal in second.goals if goal.key.product is Product.RECONSTRUCTION
    }
    here, there = made["data832-scratch"], made["nersc-recon"]
    assert here.met_s is not None
    assert there.met_s is not None
    assert down.since_s < here.met_s < down.until_s < there.met_s
    assert here.evidence is not None
    assert here.evidence.slices == 16
    raw = next(goal for goal in first.goals if goal.key.place == "nersc-cfs")
    assert raw.met_s is not None
    assert raw.met_s < down.since_s
    assert write_report(outcome, tmp_path / "report")["picture"].exists()
    with Ledger(folder / "ledger.sqlite", create=False) as ledger:
        assert not ledger.problems()
    assert not list(tmp_path.glob("alsct-story-*"))
    left = [" ".join(p.info["cmdline"] or ()) for p in psutil.process_iter(["cmdline"])]
    assert not [words for words in left if str(tmp_path) in words]
