"""Analyses by jobs of this workstation: real reconstructions, real steps, a stranger's code."""

from __future__ import annotations

import csv
import os
import shutil
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from alsct_gui.files.open import open_volume
from alsct_gui.model.errors import UsageError
from alsct_gui.model.placement import Evidence, GoalKey, Observed, StateKind, blocked
from alsct_gui.model.policy import Analysis, Policy, Product
from alsct_gui.placement.agent import Agent
from alsct_gui.placement.asking import (
    analysis_of,
    ask_of_goals,
    ask_unwant,
    ask_want,
)
from alsct_gui.placement.events import EventKind, event, lean
from alsct_gui.placement.goals import analysis as goals
from alsct_gui.placement.goals.analysed import analysis_path, question_of, whole_analysis
from alsct_gui.placement.goals.base import World
from alsct_gui.placement.invariants import check
from alsct_gui.placement.sheets import Sheets
from alsct_gui.steps.chain import chain_of
from tests.placement.analysing import (
    Desk,
    analysing,
    bright,
    desk_in,
    recipe_file,
    record_of,
    smooth,
    wish,
)
from tests.placement.conftest import processes_of, wait_until
from tests.placement.placing import Facility
from tests.steps.conftest import toys

__all__ = ["toys"]

pytestmark = pytest.mark.long


@pytest.fixture
def desk(scan: Path, tmp_path_factory: pytest.TempPathFactory, toys: Path) -> Iterator[Desk]:
    with desk_in(tmp_path_factory.mktemp("desk"), scan) as desk:
        yield desk


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


SIZES = '''"""Sizes of objects."""

OUTPUT = "table"


def run(labels):
    import numpy as np

    return {"voxels": np.bincount(labels.ravel())[1:].tolist()}
'''


def test_a_chain_is_followed_back_to_the_scan(desk: Desk) -> None:
    (desk.root / "sizes.py").write_text(SIZES)
    analyses = (
        Analysis("sizes", "sizes.py", "objects"),  # from the folder of the policy
        Analysis("objects", "toy.count", "smooth", {"above": 0.01}),
        Analysis("inside", "toy.count", "smooth", {"above": 0.02}, {"mask": "objects"}),
        smooth(desk.root),
    )
    policy = analysing(desk.root, analyses, (wish("sizes"), wish("inside")))
    facility = desk.facility(policy)
    with facility.ledger() as ledger:
        # Raw file, reconstruction, and four analyses, of which two are wanted for the others.
        agent = desk.until_met(facility, ledger, 6)
        folder = record_of(agent.observed, policy, "objects").evidence
        assert folder is not None
        made = {path.name for path in Path(folder.where).iterdir()}
        assert made == {
            "labels.labels.zarr", "table.csv", "table.json", "report.html", "report.html.json",
        }  # fmt: skip
        table = record_of(agent.observed, policy, "sizes").evidence
        assert table is not None
        steps = [getattr(link.made, "step", "scan") for link in chain_of(table.where)]
        assert steps == ["scan", "toy.smooth", "toy.count", "own.sizes"]
        assert check(ledger, policy, now_s=facility.watch()) == ()


GATED = """import os
import time

OUTPUT = "table"


def run(volume, gate: str = "", begun: str = ""):
    with open(begun, "a") as file:
        file.write("x")
    while not os.path.exists(gate):
        print("PROGRESS 0.25 waiting", flush=True)
        time.sleep(0.05)
    return {"mean": [float(volume.mean())]}
"""


@pytest.fixture
def gated(desk: Desk) -> Policy:
    """An analysis that waits for the file ``gate``, and says in ``begun`` that it has begun."""
    (desk.root / "gated.py").write_text(GATED)
    parameters = {"gate": str(desk.root / "gate"), "begun": str(desk.root / "begun")}
    analysis = Analysis("gated", "gated.py", str(recipe_file(desk.root)), parameters)
    return analysing(desk.root, (analysis,), (wish("gated"),))


def begun(desk: Desk, facility: Facility, agent: Agent, times: int = 1) -> None:
    """Let an agent work until the step has begun so many times."""
    file = desk.root / "begun"

    def has_begun() -> bool:
        facility.turns(agent, 1)
        return file.exists() and len(file.read_text()) == times

    wait_until(has_begun, "the step has begun")


def job_ids(desk: Desk) -> list[int]:
    """Processes that lead the jobs."""
    files = sorted((desk.root / "jobs").glob("*.pid"))
    return [int(file.read_text()) for file in files]


def test_a_job_that_is_killed_is_tried_again_by_whichever_agent(desk: Desk, gated: Policy) -> None:
    facility = desk.facility(gated)
    with facility.ledger() as ledger:
        begun(desk, facility, facility.agent(ledger))
    with facility.ledger() as ledger:
        agent = facility.agent(ledger)  # another one: it finds the job of the first
        facility.turns(agent, 3)
        record = record_of(agent.observed, gated, "gated")
        assert record.state.kind is StateKind.MOVING
        assert (desk.root / "begun").read_text() == "x"
        (leader,) = job_ids(desk)
        os.killpg(leader, signal.SIGKILL)
        begun(desk, facility, agent, 2)
        assert len(job_ids(desk)) == 2
        (desk.root / "gate").touch()
        desk.until_met(facility, ledger, 3)
        assert check(ledger, gated, now_s=facility.watch()) == ()


def test_progress_is_told_while_it_works(desk: Desk, gated: Policy) -> None:
    facility = desk.facility(gated)
    with facility.ledger() as ledger:
        agent = facility.agent(ledger)
        begun(desk, facility, agent)

        def told() -> bool:
            facility.turns(agent, 1)
            return (25, 100) in ledger.progress().values()

        wait_until(told, "the progress is told")
        (desk.root / "gate").touch()
        desk.until_met(facility, ledger, 3)


def test_a_person_ends_it(desk: Desk, gated: Policy) -> None:
    facility = desk.facility(gated)
    with facility.ledger() as ledger:
        agent = facility.agent(ledger)
        begun(desk, facility, agent)
        key = record_of(agent.observed, gated, "gated").key
        ask_of_goals(ledger, "cancel", [key])
        facility.turns(agent, 2)
        # One that did not end within its patience was killed just now.
        wait_until(lambda: not processes_of(desk.root), "it is gone")
        assert agent.observed.works == {}
        assert agent.observed.goals[key].state.waits_for == "you"
        (desk.root / "gate").touch()
        ask_of_goals(ledger, "retry", [key])
        desk.until_met(facility, ledger, 3)


def test_a_step_that_does_not_listen_is_killed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(goals, "_PATIENCE_S", 0.2)
    deaf = Analysis("deaf", "toy.hang", str(recipe_file(desk.root)), {"how": "deaf"})
    policy = analysing(desk.root, (deaf,), (wish("deaf"),))
    facility = desk.facility(policy)
    with facility.ledger() as ledger:
        agent = facility.agent(ledger)

        def waiting() -> bool:
            facility.turns(agent, 1)
            return bool(list((desk.root / "jobs").glob("*.progress.json")))

        wait_until(waiting, "the step works, and takes signals")
        ask_of_goals(ledger, "cancel", [record_of(agent.observed, policy, "deaf").key])
        facility.turns(agent, 2)
        wait_until(lambda: not processes_of(desk.root), "nothing is left of it")


def test_a_changed_script_is_another_goal(desk: Desk) -> None:
    first = analysing(desk.root, (bright(desk.root),), (wish("bright"),))
    facility = desk.facility(first)
    with facility.ledger() as ledger:
        agent = desk.until_met(facility, ledger, 3)
        before = record_of(agent.observed, first, "bright")
        assert before.evidence is not None
    script = desk.root / "bright.py"
    script.write_text(script.read_text().replace("> above", ">= above"))
    second = analysing(desk.root, (bright(desk.root),), (wish("bright"),))
    assert second.sheets["bright"].mark != first.sheets["bright"].mark
    facility = desk.facility(second)
    with facility.ledger() as ledger:
        agent = desk.until_met(facility, ledger, 3)
        after = record_of(agent.observed, second, "bright").evidence
        assert after is not None
        assert after.where != before.evidence.where
        assert agent.observed.goals[before.key].state.kind is StateKind.NOT_WANTED
        assert Path(before.evidence.where).exists(), "what was made stays"
    third = desk.facility(first)  # an agent that has read the policy before the change
    Path(before.evidence.where).unlink()
    with third.ledger() as ledger:
        agent = third.agent(ledger)
        ask_of_goals(ledger, "retry", [before.key])
        third.turns(agent, 3)
        state = agent.observed.goals[before.key].state
        assert state.kind is StateKind.BLOCKED
        assert "has changed" in state.cause
        assert "Restart the agent" in state.fix


def test_a_product_counts_for_its_scan_code_and_parameters_only(desk: Desk) -> None:
    analyses = (bright(desk.root), smooth(desk.root))
    policy = analysing(desk.root, analyses, (wish("bright"), wish("smooth")))
    facility = desk.facility(policy)
    with facility.ledger() as ledger:
        agent = desk.until_met(facility, ledger, 4)
        observed = agent.observed
    world = World(policy, observed, facility.watch)
    place = world.place("made")

    def seen(name: str, of: Policy, world: World = world) -> Evidence | None:
        """What is seen of a product that lies under the name of another policy's sheet."""
        there = record_of(observed, policy, name).evidence
        assert there is not None
        sheet = of.sheets[name]
        (scan,) = world.observed.scans.values()
        path = analysis_path(place.root, world.relative(scan), sheet)
        for old, new in (
            (Path(there.where), Path(path)),
            (Path(there.where).with_suffix(".json"), Path(path).with_suffix(".json")),
        ):
            if old.is_dir() and not new.exists():
                shutil.copytree(old, new)
            elif old.is_file() and not new.exists():
                shutil.copyfile(old, new)
        answer = desk.here.look(question_of({path: sheet}))
        return whole_analysis(answer, path, sheet, scan, Sheets(of, observed.recipes).find, 0.0)

    assert seen("bright", policy)
    assert seen("smooth", policy)
    other = analysing(desk.root, (bright(desk.root, above=0.1), smooth(desk.root, size_px=5)), ())
    assert seen("bright", other) is None
    assert seen("smooth", other) is None
    script = desk.root / "bright.py"
    script.write_text(f"{script.read_text()}\n# touched\n")
    assert seen("bright", analysing(desk.root, analyses, ())) is None
    ((part, scan),) = observed.scans.items()
    strange = Observed(scans={part: replace(scan, id=part + "0" * 32)})
    assert seen("bright", policy, World(policy, strange, facility.watch)) is None
    filtered = record_of(observed, policy, "smooth").evidence
    assert filtered is not None
    shard = next(p for p in Path(filtered.where, "0", "c").rglob("*") if p.is_file())
    shard.write_bytes(b"")
    assert seen("smooth", policy) is None, "a shard is missing"


def test_code_whose_environment_is_not_here_is_not_tried(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    bright(desk.root)
    description = desk.root / "bright.step.yaml"
    description.write_text("environment: {python: /nowhere/bin/python}\n")
    policy = analysing(desk.root, (bright(desk.root),), (wish("bright"),))
    facility = desk.facility(policy)
    with facility.ledger() as ledger:
        agent = facility.agent(ledger)

        def is_blocked() -> bool:
            facility.turns(agent, 1)
            key = GoalKey(next(iter(agent.observed.scans), ""), Product.ANALYSIS, "made",
                          policy.sheets["bright"].mark).text  # fmt: skip
            record = agent.observed.goals.get(key)
            return record is not None and record.state.kind is StateKind.BLOCKED

        wait_until(is_blocked, "a person is called")
        assert "no such program" in record_of(agent.observed, policy, "bright").state.cause
        assert job_ids(desk) == []


def test_a_model_is_the_same_for_every_scan(desk: Desk) -> None:
    model = desk.root / "model.txt"
    model.write_text("0")  # nothing but zeros, whose shards are stored all the same
    scale = Analysis("scale", "toy.scale", str(recipe_file(desk.root)), {}, {"model": "model.txt"})
    policy = analysing(desk.root, (scale,), (wish("scale"),))
    facility = desk.facility(policy)
    with facility.ledger() as ledger:
        agent = desk.until_met(facility, ledger, 3)
        made = record_of(agent.observed, policy, "scale")
        assert made.evidence is not None
        assert made.evidence.slices == 80
        with open_volume(made.evidence.where) as volume:
            assert not volume.levels[0][:].any()
        shutil.rmtree(made.evidence.where)
        model.write_text("1")
        ledger.append([event(EventKind.LOST, keys=[made.key], state=lean(blocked("gone", "x")))])
        facility.turns(facility.agent(ledger), 2)
        state = ledger.observed().goals[made.key].state
        assert state.kind is StateKind.BLOCKED
        assert "the model has changed" in state.cause


def test_what_a_person_asked_for_outlives_the_policy(desk: Desk) -> None:
    analyses = (smooth(desk.root), bright(desk.root, "smooth"))
    policy = analysing(desk.root, analyses, ())
    with desk.facility(policy).ledger() as ledger:
        facility = desk.facility(policy)
        facility.turns(facility.agent(ledger), 1)
        (part,) = ledger.observed().scans
        asked = analysis_of(policy, "bright")
        ask_want(ledger, [part], Product.ANALYSIS, "made", analysis=asked)
        with pytest.raises(UsageError, match="no analysis 'dark'"):
            analysis_of(policy, "dark")
        with pytest.raises(UsageError, match="only there"):
            ask_want(ledger, [part], Product.RAW, "made", analysis=asked)
    bare = analysing(desk.root, (), ())
    facility = desk.facility(bare)
    with facility.ledger() as ledger:
        assert analysis_of(bare, "bright", ledger.observed().recipes) == asked
        desk.until_met(facility, ledger, 4)
        assert check(ledger, bare, now_s=facility.watch()) == ()
        ask_unwant(ledger, [part], Product.ANALYSIS, "made", asked.sheet.mark)
        agent = facility.agent(ledger)
        facility.turns(agent, 2)
        key = GoalKey(part, Product.ANALYSIS, "made", asked.sheet.mark).text
        assert agent.observed.goals[key].state.kind is StateKind.NOT_WANTED
