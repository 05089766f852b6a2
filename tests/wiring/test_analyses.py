"""Analyses by jobs at a simulated NERSC: the real command line, run by the real script."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from pathlib import Path

import pytest

from alsct_gui.files.tables import read_about
from alsct_gui.model.placement import GoalKey, GoalRecord, StateKind
from alsct_gui.model.policy import Analysis, Ban, Place, Policy, Product, Selection
from alsct_gui.placement.analyses import settled
from alsct_gui.placement.asking import analysis_of, ask_of_goals, ask_want
from alsct_gui.placement.invariants import check
from tests.placement.analysing import BRIGHT, smooth, wish
from tests.placement.conftest import processes_of, wait_until
from tests.steps.conftest import toys
from tests.wiring.conftest import Stage
from tests.wiring.loopback import FOLDER, TURN_S, Life

__all__ = ["toys"]

pytestmark = pytest.mark.long


def analysing(stage: Stage, *analyses: Analysis, at: str = "recon") -> Policy:
    """Want raw files and reconstructions at NERSC, and analyses of them."""
    place = stage.place
    place.restrict(("raw", "there"))
    sheets, recipes = settled(analyses, place.root)
    place.policy = replace(
        place.policy, analyses=analyses, sheets=sheets, recipes=recipes,
        wishes=(*place.policy.wishes, *(wish(item.name, at) for item in analyses)),
    )  # fmt: skip
    return place.policy


def strangers(stage: Stage, of: str = "") -> Analysis:
    """Somebody's own function."""
    script = stage.place.root / "bright.py"
    script.write_text(BRIGHT)
    return Analysis("bright", str(script), of or str(stage.place.root / "recipe.yaml"))


def record(life: Life, policy: Policy, name: str, place: str = "recon") -> GoalRecord:
    (part,) = life.observed.scans
    mark = policy.sheets[name].mark
    return life.observed.goals[GoalKey(part, Product.ANALYSIS, place, mark).text]


def test_a_plugins_step_and_then_a_strangers_function_run_there(stage: Stage, toys: Path) -> None:
    root = stage.place.root
    (root / "a model.txt").write_text("3")
    scale = Analysis("scale", "toy.scale", "smooth", {}, {"model": "a model.txt"})
    policy = analysing(stage, smooth(root), strangers(stage, "scale"), scale)
    life = stage.begin()
    stage.play(life)
    assert life.open_goals() == []
    filtered, table = (record(life, policy, name).evidence for name in ("smooth", "bright"))
    assert filtered is not None
    assert table is not None
    assert filtered.slices == 80
    assert (
        Path(filtered.where).parent
        == stage.place.tree.collections["nersc832_alsdev_scratch"] / FOLDER
    )
    with Path(table.where).open() as file:
        assert len(list(csv.reader(file))) == 81
    assert len(table.sha256) == 64
    # Reconstruction, filter, scaling, function; what people type stands in manifests alone.
    jobs = stage.sfapi.slurm.jobs()
    assert len(jobs) == 4
    assert not any("bright" in job.script or FOLDER in job.script for job in jobs)
    (code,) = stage.place.tree.jobs.glob("*.along/bright.py")
    assert code.read_text() == BRIGHT
    (model,) = stage.place.tree.jobs.glob("*.along/inputs/model.txt")
    assert model.read_text() == "3"
    assert not list(stage.place.root.rglob("pwned"))
    with stage.place.ledger() as ledger:
        assert check(ledger, life.place.policy, now_s=stage.clock(), read_files=False) == ()


def test_a_job_asks_for_what_a_run_like_it_took(stage: Stage, toys: Path) -> None:
    root = stage.place.root
    again = Analysis("again", "toy.smooth", "smooth", {"size_px": 3})
    policy = analysing(stage, smooth(root), again)
    life = stage.begin()
    stage.play(life)
    assert life.open_goals() == []
    took = record(life, policy, "smooth").evidence
    assert took is not None
    assert took.seconds is not None
    assert 0 < took.seconds < 60
    steps = [job.script for job in stage.sfapi.slurm.jobs()][1:]
    asked = [re.findall(r"^#SBATCH --time=(.*)$", script, re.MULTILINE) for script in steps]
    assert asked == [["00:20:00"], ["00:05:00"]], "nothing was known of the first"


def test_what_was_analysed_there_is_brought_here(stage: Stage, toys: Path) -> None:
    root = stage.place.root
    objects = Analysis("objects", "toy.count", "smooth", {"above": 0.01})
    policy = analysing(stage, smooth(root), strangers(stage, "smooth"), objects, at="back")
    life = stage.begin()
    stage.play(life)
    assert life.open_goals() == []
    back = stage.place.tree.scratch / FOLDER
    recon = stage.place.tree.collections["nersc832_alsdev_scratch"]
    for name in ("smooth", "bright", "objects"):
        here, there = (record(life, policy, name, place).evidence for place in ("back", "recon"))
        assert here is not None
        assert there is not None
        assert Path(here.where).parent == back
        assert Path(there.where).parent == recon / FOLDER
        assert (here.size_bytes, here.sha256, here.slices) == (
            there.size_bytes, there.sha256, there.slices,
        )  # fmt: skip
        assert Path(here.where).name == Path(there.where).name
    assert not list(back.glob(".*")), "nothing is left aside"
    assert len(stage.sfapi.slurm.jobs()) == 4, "reconstruction, filter, function, counting"
    assert len(stage.globus.mover.tasks) == 4, "the raw file there, three analyses here"
    with stage.place.ledger() as ledger:
        assert check(ledger, life.place.policy, now_s=stage.clock(), read_files=False) == ()


def test_an_analysis_that_must_not_leave_is_neither_made_there_nor_brought(stage: Stage) -> None:
    policy = analysing(stage, strangers(stage), at="back")
    ban = Ban("these stay", ("nersc",), Selection(path="*"), "The law forbids it.")
    stage.place.policy = replace(policy, bans=(ban,))
    life = stage.begin()
    stage.play(life, 6, until_met=False)
    assert [key.split("/")[1:3] for key in life.observed.goals] == [["raw", "raw"]]
    assert stage.sfapi.slurm.jobs() == []
    assert stage.globus.mover.tasks == {}


def test_a_person_has_a_table_brought(stage: Stage) -> None:
    policy = analysing(stage, strangers(stage))
    wishes = tuple(wish for wish in policy.wishes if wish.product is not Product.ANALYSIS)
    stage.place.policy = replace(policy, wishes=wishes)
    life = stage.begin()
    stage.play(life)
    assert life.open_goals() == []
    (part,) = life.observed.scans
    with stage.place.ledger() as ledger:
        ask_want(ledger, [part], Product.ANALYSIS, "back", analysis=analysis_of(policy, "bright"))
    stage.play(life)
    assert life.open_goals() == []
    evidence = record(life, policy, "bright", "back").evidence
    assert evidence is not None
    assert Path(evidence.where).parent == stage.place.tree.scratch / FOLDER


MODULAR = """OUTPUT = "table"


def run(volume, above: float = 0.0):
    from counting.rows import share

    return {"share": share(volume, above)}
"""
SHARE = """from helpers import of


def share(volume, above):
    return [of(plane, above) for plane in volume]
"""
HELPERS = """def of(plane, above):
    return float((plane > above).mean())
"""


def modular(stage: Stage) -> Analysis:
    """Somebody's function that imports a package and a module from beside it."""
    folder = stage.place.root / "code"
    (folder / "counting").mkdir(parents=True)
    (folder / "share.py").write_text(MODULAR)
    (folder / "counting" / "__init__.py").touch()
    (folder / "counting" / "rows.py").write_text(SHARE)
    (folder / "helpers.py").write_text(HELPERS)
    (folder / "unused.py").write_text("raise SystemExit('nobody imports this')")
    return Analysis("share", str(folder / "share.py"), str(stage.place.root / "recipe.yaml"))


def test_the_modules_beside_a_script_go_along(stage: Stage) -> None:
    policy = analysing(stage, modular(stage), at="back")
    first = policy.sheets["share"].mark
    life = stage.begin()
    stage.play(life)
    assert life.open_goals() == []
    evidence = record(life, policy, "share", "back").evidence
    assert evidence is not None
    with Path(evidence.where).open() as file:
        assert len(list(csv.reader(file))) == 81
    names = ["counting/__init__.py", "counting/rows.py", "helpers.py", "share.py"]
    assert list(policy.sheets["share"].code) == names
    (along,) = stage.place.tree.jobs.glob("*.along")
    sent = {str(path.relative_to(along)) for path in along.rglob("*.py")}
    assert sent == set(names)
    assert (along / "helpers.py").read_text() == HELPERS
    made = read_about(evidence.where)["record"]["sha256"]
    assert sorted(str(Path(name).relative_to(along)) for name in made) == names
    helpers = stage.place.root / "code" / "helpers.py"
    helpers.write_text(HELPERS.replace(">", ">="))
    sheets, _ = settled(policy.analyses, stage.place.root)
    assert sheets["share"].mark != first, "a changed module is another analysis"


def test_a_module_that_cannot_go_along_is_told_before_a_job_is_submitted(stage: Stage) -> None:
    analysis = modular(stage)
    elsewhere = stage.place.root / "elsewhere.py"
    elsewhere.write_text(HELPERS)
    helpers = stage.place.root / "code" / "helpers.py"
    helpers.unlink()
    helpers.symlink_to(elsewhere)
    policy = analysing(stage, analysis)
    life = stage.begin()
    stage.play(life, 12)
    state = record(life, policy, "share").state
    assert state.kind is StateKind.BLOCKED
    assert state.cause == (
        "the module 'helpers.py' that it imports lies outside the folder of the code, so the code "
        "cannot go along with a job"
    )
    assert state.fix == "Put a Python file of that name beside the script, or want it here"
    assert len(stage.sfapi.slurm.jobs()) == 1, "the reconstruction alone"
    helpers.unlink()
    helpers.write_text(HELPERS)
    with stage.place.ledger() as ledger:
        ask_of_goals(ledger, "retry", [record(life, policy, "share").key])
    stage.play(life)
    assert life.open_goals() == [], "its bytes are the same"


def test_code_that_wants_an_environment_is_not_tried_there(stage: Stage) -> None:
    code = strangers(stage)
    (stage.place.root / "bright.step.yaml").write_text("environment: {conda: mine}\n")
    policy = analysing(stage, code)
    life = stage.begin()
    stage.play(life, 12)
    state = record(life, policy, "bright").state
    assert state.kind is StateKind.BLOCKED
    assert "mine" in state.cause
    assert len(stage.sfapi.slurm.jobs()) == 1, "the reconstruction alone"


def test_code_that_is_another_on_the_way_is_refused(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = analysing(stage, strangers(stage))
    life = stage.begin()
    real = Path.read_bytes

    def changed(path: Path) -> bytes:
        return real(path) + b"\n# more\n" if path.name == "bright.py" else real(path)

    monkeypatch.setattr(Path, "read_bytes", changed)
    stage.play(life, 8)  # until the job is under way for the first time
    while record(life, policy, "bright").state.kind is StateKind.MOVING:
        stage.play(life, 1)
    state = record(life, policy, "bright").state
    assert state.kind is StateKind.RETRY
    assert "not what was asked for" in state.cause


def test_an_analysis_is_made_at_the_beamline_by_the_wired_agent(stage: Stage) -> None:
    root = stage.place.root
    policy = analysing(stage, strangers(stage), at="made")
    made = Place("made", "here", "here", str(root / "made"))
    wishes = tuple(wish for wish in policy.wishes if wish.product is Product.ANALYSIS)
    stage.place.policy = replace(policy, places=(*policy.places, made), wishes=wishes)
    life = stage.begin()

    def all_met() -> bool:
        life.turn()
        stage.clock.advance(TURN_S)
        return len(life.observed.goals) == 3 and not life.open_goals()

    wait_until(all_met, "raw file, reconstruction and table are there")
    evidence = record(life, policy, "bright", "made").evidence
    assert evidence is not None
    assert Path(evidence.where).parent == root / "made" / FOLDER
    assert list((root / "ledger.sqlite.steps").glob("*.end"))
    assert stage.sfapi.slurm.jobs() == []
    wait_until(lambda: not processes_of(root), "the keeper of runs has ended")
