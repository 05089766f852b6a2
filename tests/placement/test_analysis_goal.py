"""Analyses by jobs of this workstation: real reconstructions, real steps, a stranger's code."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from alsct_gui.files.open import open_volume
from alsct_gui.model.placement import StateKind
from alsct_gui.model.policy import Analysis, Policy, Product, Wish
from alsct_gui.placement.agent import Agent
from alsct_gui.placement.asking import ask_admit
from alsct_gui.placement.invariants import check
from alsct_gui.placement.ledger import Ledger
from alsct_gui.steps.chain import chain_of
from alsct_gui.superfacility.compute.here import Here
from tests.placement.analysing import analysing, bright, record_of, recipe_file, smooth, wish
from tests.placement.conftest import wait_until
from tests.placement.crashing import examine_opened
from tests.placement.placing import Facility
from tests.steps.conftest import toys

__all__ = ["toys"]


@dataclass
class Desk:
    """A beamline with one scan, and agents on it."""

    root: Path
    here: Here

    def facility(self, policy: Policy) -> Facility:
        facility = Facility(self.root, policy, here=self.here)
        facility.examine = examine_opened
        return facility

    def until_met(self, facility: Facility, ledger: Ledger, count: int) -> Agent:
        """Let an agent work until everything is there."""
        agent = facility.agent(ledger)

        def all_met() -> bool:
            facility.turns(agent, 1)
            goals = agent.observed.goals.values()
            wanted = [r for r in goals if r.state.kind is not StateKind.NOT_WANTED]
            assert not [r for r in wanted if r.state.kind is StateKind.BLOCKED], wanted
            return len(wanted) == count and all(r.state.kind is StateKind.MET for r in wanted)

        wait_until(all_met, "everything is there")
        return agent


@pytest.fixture
def desk(
    scan: Path, tmp_path_factory: pytest.TempPathFactory, toys: Path
) -> Iterator[Desk]:
    root = tmp_path_factory.mktemp("desk")  # jobs take no brackets in a folder's name
    path = root / "raw" / "BLS-00001_a" / scan.name
    path.parent.mkdir(parents=True)
    shutil.copyfile(scan, path)
    with Ledger(root / "ledger.sqlite") as ledger:
        ask_admit(ledger, path)
    here = Here(root / "jobs")
    yield Desk(root, here)
    here.close()


def test_a_plugins_step_and_a_strangers_function_are_made_of_a_reconstruction(desk: Desk) -> None:
    analyses = (smooth(desk.root), bright(desk.root))
    policy = analysing(desk.root, analyses, (wish("smooth"), wish("bright")))
    facility = desk.facility(policy)
    with facility.ledger() as ledger:
        agent = desk.until_met(facility, ledger, 4)
        filtered = record_of(agent.observed, policy, "smooth").evidence
        assert filtered is not None
        assert (filtered.slices, Path(filtered.where).suffix) == (80, ".zarr")
        with open_volume(filtered.where) as volume:
            assert volume.provenance["step"] == "toy.smooth"
        table = record_of(agent.observed, policy, "bright").evidence
        assert table is not None
        assert table.sha256
        with Path(table.where).open() as file:
            rows = list(csv.reader(file))
        assert rows[0] == ["share"]
        assert len(rows) == 81
        assert [Path(link.path).suffix for link in chain_of(table.where)] == [".zarr", ".csv"]
        assert check(ledger, policy, now_s=facility.watch()) == ()
