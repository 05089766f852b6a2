"""Facilities for agents that are killed; the same in the process that dies and in the test."""

from __future__ import annotations

import shutil
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

from alsct_gui.files.identity import quick_identity
from alsct_gui.files.open import open_scan
from alsct_gui.files.recipes import load_recipe
from alsct_gui.model.policy import Policy, Product, Wish
from alsct_gui.placement.admission import Admission
from alsct_gui.placement.goals.base import Clock
from alsct_gui.placement.policy import recipe_hash
from alsct_gui.placement.runs.folder import RunFolder
from alsct_gui.placement.runs.model import RunState
from alsct_gui.superfacility.compute.here import Here
from tests.placement.analysing import analysing, bright, wish
from tests.placement.placing import TURN_S, Facility, examine_bytes, folder_policy, pruning

KINDS = ("copy", "prune", "reconstruct", "analyse")
_OPENED = ("reconstruct", "analyse")

# Does what `alsct step run` does as far as a goal sees it: a table that was made before.
_STEP = """
import json, os, shutil, sys
template, log, output = sys.argv[1], sys.argv[2], sys.argv[-1]
given = dict(w[2:].split("=", 1) for w in sys.argv[3:] if w.startswith("--") and "=" in w)
with open(log, "a") as file:
    file.write("x")
for suffix in (".json", ".csv"):
    name = os.path.splitext(output)[0] + suffix
    shutil.copyfile(os.path.splitext(template)[0] + suffix, name + ".part")
    os.rename(name + ".part", name)
with open(given["progress-file"], "w") as file:
    json.dump({"state": "finished"}, file)
"""


@dataclass
class CrashFacility(Facility):
    """A facility whose runs and steps are made by taking a product that was made before."""

    def step(self) -> None:
        """What goes on outside between two turns."""
        self.watch.advance(TURN_S)
        for view in self.queue.views():
            if view.state is RunState.QUEUED and view.output is not None:
                self._make(view.id, view.output)
        if self.here is not None:
            for file in (self.root / "jobs").glob("*.pid"):
                while not self.here.status(file.stem).is_final:
                    time.sleep(0.005)

    def _make(self, run_id: str, output: Path) -> None:
        shutil.copytree(self.root / "template.zarr", output)
        with RunFolder(self.queue.folder, run_id).open_log() as log:
            log.append("started")
            log.append("finished", output=str(output))


def facility_of(root: Path, kind: str) -> CrashFacility:
    facility = CrashFacility(root, policy_of(root, kind))
    if kind in _OPENED:
        facility.examine = examine_opened
    if kind == "analyse":
        files = (str(root / "template.csv"), str(root / "runs.log"))
        facility.here = Here(root / "jobs", steps=(sys.executable, "-c", _STEP, *files))
    return facility


def policy_of(root: Path, kind: str) -> Policy:
    if kind == "copy":
        return folder_policy(root)
    if kind == "prune":
        return folder_policy(root, **pruning())
    if kind == "analyse":
        return analysing(root, (bright(root),), (wish("bright"),))
    recipe = root / "recipe.yaml"
    policy = folder_policy(
        root,
        wishes=(Wish("made", Product.RECONSTRUCTION, ("made",), recipe=str(recipe)),),
    )
    return replace(policy, recipes={str(recipe): recipe_hash(load_recipe(recipe))})


def examine_opened(path: Path, clock: Clock) -> Admission:
    """A scan's own identity, without the process that looks at strange files."""
    found = examine_bytes(path, clock)
    assert found.scan is not None
    with open_scan(path) as scan:
        return replace(found, scan=replace(found.scan, id=quick_identity(scan)))
