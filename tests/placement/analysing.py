"""Scans that are reconstructed and analysed: policies with analyses, and a folder for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from alsct_gui.files.recipes import save_recipe
from alsct_gui.model.placement import GoalKey, GoalRecord, Observed
from alsct_gui.model.policy import Analysis, Policy, Product, Wish
from alsct_gui.placement.analyses import settled
from tests.placement.conftest import KNOWN
from tests.placement.placing import folder_policy

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
