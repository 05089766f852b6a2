"""Scans that are reconstructed and analysed: policies with analyses, and a folder for them."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from alsct_gui.files.recipes import save_recipe
from alsct_gui.model.placement import GoalKey, GoalRecord, Observed, StateKind
from alsct_gui.model.policy import Analysis, Policy, Product, Wish
from alsct_gui.placement.agent import Agent
from alsct_gui.placement.analyses import settled
from alsct_gui.placement.asking import ask_admit
from alsct_gui.placement.ledger import Ledger
from alsct_gui.superfacility.compute.here import Here
from tests.placement.conftest import KNOWN, wait_until
from tests.placement.placing import Facility, folder_policy

BRIGHT = '''"""Share of bright voxels, slice by slice."""

OUTPUT = "table"


def run(volume, above: float = 0.0):
    """Counts what is brighter than a threshold."""
    return {"share": [float((plane > above).mean()) for plane in volume]}
'''
"""Somebody's own code, as they write it."""


def recipe_file(root: Path) -> Path:
    """The recipe that all reconstructions here are made by."""
    path = root / "recipe.yaml"
    if not path.exists():
        save_recipe(KNOWN, path)
    return path


def smooth(root: Path, name: str = "smooth", **more: object) -> Analysis:
    """A plugin's filter of the reconstruction."""
    parameters = {"size_px": 3, **more}
    return Analysis(name, "toy.smooth", str(recipe_file(root)), parameters)


def bright(root: Path, of: str = "", above: float = 0.0) -> Analysis:
    """Somebody's own table, of a reconstruction or of another analysis."""
    script = root / "bright.py"
    if not script.exists():
        script.write_text(BRIGHT)
    return Analysis("bright", str(script), of or str(recipe_file(root)), {"above": above})


def analysing(
    root: Path, analyses: Sequence[Analysis], wishes: Sequence[Wish], **changes: object
) -> Policy:
    """Return a policy of folders in which analyses are wanted."""
    sheets, recipes = settled(analyses, root)
    policy = folder_policy(root, **{"wishes": tuple(wishes), "recipes": recipes, **changes})
    return replace(policy, analyses=tuple(analyses), sheets=sheets)


def wish(name: str, *places: str, need: str = "all") -> Wish:
    """Want an analysis at places."""
    return Wish(f"every {name}", Product.ANALYSIS, places or ("made",), need, analysis=name)


def record_of(observed: Observed, policy: Policy, name: str, place: str = "made") -> GoalRecord:
    """The goal of an analysis of the one scan."""
    (part,) = observed.scans
    mark = policy.sheets[name].mark
    return observed.goals[GoalKey(part, Product.ANALYSIS, place, mark).text]


@dataclass
class Desk:
    """A beamline with one scan, and agents on it."""

    root: Path
    here: Here

    def facility(self, policy: Policy) -> Facility:
        facility = Facility(self.root, policy, here=self.here)
        from tests.placement.crashing import examine_opened  # which knows these policies

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


@contextmanager
def desk_in(root: Path, scan: Path) -> Iterator[Desk]:
    """A beamline in a folder, of a name that jobs take, to which a scan was handed over."""
    path = root / "raw" / "BLS-00001_a" / scan.name
    path.parent.mkdir(parents=True)
    shutil.copyfile(scan, path)
    with Ledger(root / "ledger.sqlite") as ledger:
        ask_admit(ledger, path)
    here = Here(root / "jobs")
    yield Desk(root, here)
    here.close()
    for file in (root / "jobs").glob("*.pid"):  # of a test that has failed
        with suppress(ProcessLookupError):
            os.killpg(int(file.read_text()), signal.SIGKILL)
