"""What the ledger tells of earlier runs of a step."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from alsct_gui.model.placement import (
    MET,
    Evidence,
    GoalKey,
    GoalRecord,
    Observed,
    StateKind,
    Work,
    waiting,
)
from alsct_gui.model.policy import Output, Place, Product, Sheet, Source
from alsct_gui.placement.events import evidence_from, lean
from alsct_gui.placement.goals.analysis import Analyses
from alsct_gui.placement.goals.base import Intent, World
from alsct_gui.placement.goals.jobs import LOST_S, Computer
from alsct_gui.placement.goals.stepruns import bytes_in, runs_of, sizes_of
from alsct_gui.placement.sheets import Sheets
from alsct_gui.superfacility.compute.base import JobRequest, JobStatus, Resources, status_of
from alsct_gui.superfacility.compute.states import JobState
from alsct_gui.superfacility.compute.steptime import Took
from tests.placement.analysing import BRIGHT, analysing, bright
from tests.placement.placing import Watch
from tests.placement.test_diff import POLICY, scan_of

RECIPE = POLICY.recipes["std"]
MADE = (Output("made", "table", ".csv"),)
PORES = Sheet("pores", "x.pores", {"above": 1}, (Source("volume", Product.RECONSTRUCTION, RECIPE),),
              MADE, mark="a" * 12)  # fmt: skip
FINER = replace(PORES, parameters={"above": 2}, mark="b" * 12)
LATER = replace(PORES, inputs=(Source("volume", Product.ANALYSIS, "d" * 12),), mark="e" * 12)
OTHER = replace(PORES, step="x.other", mark="c" * 12)
SHEETS = Sheets(
    replace(POLICY, sheets={s.mark: s for s in (PORES, FINER, LATER, OTHER)}), {}
)  # fmt: skip
PLACES = {place.name: place for place in POLICY.places} | {
    "back": Place("back", "here", "globus", "/back", source="recon")
}
PARTS = [scan_of(number).id[:32] for number in (1, 2)]


def put(
    observed: Observed, scan: str, product: Product, place: str, mark: str, size_bytes: int | None,
    seconds: float | None = None, state: object = MET,
) -> None:  # fmt: skip
    key = GoalKey(scan, product, place, mark).text
    evidence = Evidence("/x", 0.0, size_bytes, seconds=seconds)
    observed.goals[key] = GoalRecord(key, state, 0.0, evidence)  # type: ignore[arg-type]


def test_runs_are_told_by_their_step_and_what_it_was_given() -> None:
    observed = Observed()
    for number, scan in enumerate(PARTS, 1):
        put(observed, scan, Product.RECONSTRUCTION, "recon", RECIPE, 1000 * number)
        put(observed, scan, Product.ANALYSIS, "recon", "d" * 12, 7)
    put(observed, PARTS[0], Product.ANALYSIS, "recon", PORES.mark, 10, 60.0)
    put(observed, PARTS[1], Product.ANALYSIS, "made", PORES.mark, 10, 50.0)  # here, of that there
    put(observed, PARTS[1], Product.ANALYSIS, "back", PORES.mark, 10, 99.0)  # only brought
    put(observed, PARTS[1], Product.ANALYSIS, "recon", FINER.mark, 10, 70.0)
    put(observed, PARTS[1], Product.ANALYSIS, "recon", LATER.mark, 10, 80.0)
    put(observed, PARTS[0], Product.ANALYSIS, "recon", OTHER.mark, 10, 1.0)
    put(observed, PARTS[0], Product.ANALYSIS, "recon", "f" * 12, 10, 1.0)  # nobody knows it
    put(observed, PARTS[1], Product.ANALYSIS, "recon", PORES.mark, 10, 5.0, waiting("a slot"))
    put(observed, PARTS[0], Product.ANALYSIS, "made", PORES.mark, 10, None)  # told by no one
    sizes = sizes_of(observed)
    runs = runs_of(observed, sizes, SHEETS, PLACES, PORES, "recon")
    assert sorted(runs, key=lambda run: run.seconds) == [
        Took(50.0, 2000, same=False), Took(60.0, 1000, same=True), Took(70.0, 2000, same=False),
        Took(80.0, 7, same=True),
    ]  # fmt: skip
    assert bytes_in(sizes, PARTS[1], PORES.inputs) == 2000
    assert bytes_in(sizes, PARTS[1], (*PORES.inputs, *LATER.inputs)) == 2007
    assert bytes_in(sizes, "0" * 32, PORES.inputs) is None


def test_a_run_of_an_input_that_nobody_has_measured_does_not_count() -> None:
    observed = Observed()
    put(observed, PARTS[0], Product.RECONSTRUCTION, "made", RECIPE, None)
    put(observed, PARTS[0], Product.ANALYSIS, "made", PORES.mark, 10, 60.0)
    assert runs_of(observed, sizes_of(observed), SHEETS, PLACES, PORES, "recon") == ()


class Queue:
    """A compute whose jobs wait."""

    place = "NERSC"

    def __init__(self) -> None:
        self.jobs: list[JobRequest] = []
        self.state = JobState.PENDING

    def submit(self, job: JobRequest) -> str:
        self.jobs.append(job)
        return str(len(self.jobs))

    def status(self, id: str) -> JobStatus:  # noqa: A002
        name = self.jobs[int(id) - 1].name
        return status_of(id, name, self.state, reason="Priority", listed=self.state != "UNKNOWN")

    def progress(self, name: str) -> None:
        return None


def test_a_job_says_what_it_asks_for_and_why(tmp_path: Path) -> None:
    (tmp_path / "bright.py").write_text(BRIGHT)
    analysis = bright(tmp_path)
    policy = analysing(tmp_path, (analysis,), ())
    sheet = policy.sheets["bright"]
    scan = replace(scan_of(1), path=str(tmp_path / "raw" / "a.h5"))
    part = scan.id[:32]
    observed = Observed(scans={part: scan})
    (source,) = sheet.inputs
    put(observed, part, Product.RECONSTRUCTION, "made", source.mark, 2 * 10**9)
    key = GoalKey(part, Product.ANALYSIS, "made", sheet.mark).text
    watch, queue = Watch(), Queue()
    world = World(policy, observed, watch)
    resources = Resources("q", "a", "c", 4 * 3600)

    def goals(*, is_here: bool = False) -> Analyses:
        computer = Computer(queue, queue, lambda _: resources, is_here=is_here)  # type: ignore[arg-type]
        return Analyses(world, world.place("made"), computer)

    there = goals()
    observed.works["w"] = Work("w", (key,), watch(), "", "1")
    observed.goals[key] = GoalRecord(key, waiting("x"), watch(), work="w", tries=1)
    assert there.act(Intent("w", (key,), watch()), lambda _: None) == "1"
    assert queue.jobs[0].resources == replace(resources, time_s=2100)
    state = there.poll("1")
    assert state.waits_for == "the queue of NERSC"
    assert state.cause.endswith("; it asks for 35 min, as nobody knows how long it takes")
    assert "asks for" not in goals().poll("1").cause, "another agent has not asked"
    observed.goals[key] = replace(observed.goals[key], attempts=1)
    there.act(Intent("w", (key,), watch()), lambda _: None)
    assert queue.jobs[1].resources.time_s == 4200, "it was cut off"
    goals(is_here=True).act(Intent("w", (key,), watch()), lambda _: None)
    assert queue.jobs[2].resources == resources, "no queue here"
    queue.state = JobState.UNKNOWN
    lost = there.poll("1")
    observed.goals[key] = replace(observed.goals[key], state=lost, since_s=watch())
    watch.advance(LOST_S + 1)
    assert there.poll("1").kind is StateKind.RETRY, "the words keep nothing waiting for ever"


def test_the_time_is_kept_in_the_ledger() -> None:
    evidence = Evidence("/x", 1.0, 10, seconds=2.5)
    assert evidence_from(lean(evidence)) == evidence
    assert "seconds" not in lean(replace(evidence, seconds=None))
