"""Reconstructions by jobs: what a job's word is worth, and what a listing of files proves."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from alsct_gui.files.identity import quick_identity
from alsct_gui.files.open import open_scan
from alsct_gui.model.errors import InputError
from alsct_gui.model.placement import (
    MET,
    GoalKey,
    GoalRecord,
    Observed,
    ScanFacts,
    StateKind,
    Work,
    waiting,
)
from alsct_gui.model.policy import Lane, Place, Policy, Product, Site
from alsct_gui.placement.goals.base import BlockedError, Intent, World
from alsct_gui.placement.goals.bringing import Way
from alsct_gui.placement.goals.brought import BroughtReconstructions
from alsct_gui.placement.goals.computed import ComputedReconstructions, whole_product
from alsct_gui.placement.goals.jobs import LOST_S, Computer, job_state
from alsct_gui.placement.policy import recipe_hash
from alsct_gui.recon.job import prepare_job
from alsct_gui.recon.pipeline import run_job
from alsct_gui.superfacility.compute.base import Resources, status_of
from alsct_gui.superfacility.compute.here import Here
from alsct_gui.superfacility.compute.look import Answer, Question
from alsct_gui.superfacility.compute.progress import RunProgress
from alsct_gui.superfacility.compute.states import JobState
from alsct_gui.superfacility.transfer.local import LocalTransfer
from tests.placement.conftest import KNOWN, wait_until
from tests.placement.placing import START_S, Watch

HASH = recipe_hash(KNOWN)
NAME = "a 'scan' $(touch pwned) é.h5"
FINISHED = RunProgress("finished", "slices", 80, 80, slices=80)


@pytest.fixture(scope="module")
def product(scan: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("product") / "made.zarr"
    with open_scan(scan) as opened:
        run_job(prepare_job(opened, KNOWN), output)
    return output


@pytest.fixture
def world(scan: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    """A scan that was admitted, and lies at the other site."""
    root = tmp_path_factory.mktemp("world")  # jobs take no brackets in a folder's name
    for place in ("raw", "cfs"):
        (root / place / "BLS-1").mkdir(parents=True)
        shutil.copyfile(scan, root / place / "BLS-1" / NAME)
    (root / "back").mkdir()
    with open_scan(scan) as opened:
        identity = quick_identity(opened)
    facts = ScanFacts(identity, str(root / "raw" / "BLS-1" / NAME), scan.stat().st_size, "0" * 64)
    policy = Policy(
        "two sites", (Site("here", outside=False), Site("nersc")),
        (Lane("here"), Lane("slurm", by="nersc"), Lane("back")),
        (Place("raw", "here", "here", str(root / "raw")),
         Place("cfs", "nersc", "here", str(root / "cfs")),
         Place("recon", "nersc", "slurm", str(root / "recon")),
         Place("back", "here", "back", str(root / "back"), source="recon")),
        "raw",
    )  # fmt: skip
    return World(policy, Observed(scans={identity[:32]: facts}), Watch())


@pytest.fixture
def here(world: World) -> Iterator[Here]:
    compute = Here(Path(world.place("raw").root).parent / "jobs")
    yield compute
    compute.close()


def key_at(world: World, place: str, product: Product = Product.RECONSTRUCTION) -> str:
    (part,) = world.observed.scans
    return GoalKey(part, product, place, HASH if product is Product.RECONSTRUCTION else "-").text


def put(world: World, key: str, state: object = MET, **more: object) -> None:
    world.observed.goals[key] = GoalRecord(key, state, START_S, **more)  # type: ignore[arg-type]


def goals_of(world: World, here: Here) -> ComputedReconstructions:
    resources = Resources("q", "a", "c", 900, cpus=1, memory_gb=1.0)
    computer = Computer(here, here, lambda scan: resources)
    return ComputedReconstructions(world, world.place("recon"), {HASH: KNOWN}.__getitem__, computer)


def under_way(world: World, place: str, outside_id: str) -> Intent:
    key = key_at(world, place)
    world.observed.works["w"] = Work("w", (key,), START_S, "", outside_id)
    put(world, key, waiting("x"), work="w", tries=1)
    return Intent("w", (key,), START_S)


def test_a_real_job_makes_the_product_that_its_goal_wants(world: World, here: Here) -> None:
    goals, key = goals_of(world, here), key_at(world, "recon")
    put(world, key_at(world, "cfs", Product.RAW))
    intent = under_way(world, "recon", "")
    job = goals.act(intent, lambda _: None)
    assert goals.act(intent, lambda _: None) == job, "asked for twice, it is one job"
    under_way(world, "recon", job)

    def ended() -> bool:
        return goals.poll(job).kind not in (StateKind.MOVING, StateKind.WAITING)

    wait_until(ended, "the job has ended")
    assert goals.poll(job) == MET
    evidence = goals.observe((key,))[key]
    assert evidence.slices == 80
    assert evidence.where.startswith(f"{world.place('recon').root}/BLS-1/{HASH}/rec")
    assert not list(Path(world.place("raw").root).parent.rglob("pwned"))
    first = next(p for p in Path(evidence.where, "0", "c").rglob("*") if p.is_file())
    first.write_bytes(b"")
    assert goals.observe((key,)) == {}, "a shard is missing"


def test_without_the_raw_file_at_the_site_nothing_is_begun(world: World, here: Here) -> None:
    put(world, key_at(world, "raw", Product.RAW))
    with pytest.raises(BlockedError, match="no place of nersc"):
        goals_of(world, here).act(under_way(world, "recon", ""), lambda _: None)
    bare = replace(world.place("recon"), root="")
    with pytest.raises(BlockedError, match="where products lie"):
        ComputedReconstructions(world, bare, {}.__getitem__, goals_of(world, here)._computer)


@pytest.mark.parametrize("state", list(JobState))
@pytest.mark.parametrize("progress", [None, FINISHED, RunProgress("running", "slices", 5, 80)])
def test_every_state_of_a_job_means_something(
    state: JobState, progress: RunProgress | None
) -> None:
    found = job_state(status_of("1", "n", state), progress, "there")
    if found.kind is StateKind.MET:
        assert progress is FINISHED
        assert state in (JobState.COMPLETED, JobState.UNKNOWN), "COMPLETED alone proves nothing"
    elif found.kind in (StateKind.RETRY, StateKind.BLOCKED):
        assert found.cause
        assert state.is_final or found.fix
    elif found.kind is StateKind.WAITING:
        assert found.waits_for == "the queue of there"
    assert (found.kind in (StateKind.MET, StateKind.RETRY)) or not state.is_final


def test_a_job_says_how_far_it_is() -> None:
    running = status_of("1", "n", JobState.RUNNING)
    reading = RunProgress("running", "projections", 5, 9)
    assert job_state(running, RunProgress("running", "slices", 5, 80), "x").done == 5
    assert job_state(running, reading, "x", stage="slices").total == 0
    assert job_state(running, reading, "x").total == 9
    held = job_state(status_of("1", "n", JobState.PENDING, reason="JobHeldUser"), None, "x")
    assert held.kind is StateKind.BLOCKED


class Queue:
    """A compute that knows one job no more."""

    place = "there"

    def status(self, id: str) -> object:  # noqa: A002
        return status_of(id, "", JobState.UNKNOWN, listed=False)

    def progress(self, name: str) -> None:
        return None


def test_a_job_that_the_queue_forgets_is_given_up_after_an_hour(world: World, here: Here) -> None:
    goals = goals_of(world, here)
    goals._compute = Queue()  # type: ignore[assignment]
    under_way(world, "recon", "7")
    state = goals.poll("7")
    assert state.waits_for == "the queue of there"
    put(world, key_at(world, "recon"), state, work="w", tries=1)
    assert isinstance(world.clock, Watch)
    world.clock.advance(LOST_S)
    assert goals.poll("7") == state
    world.clock.advance(1)
    assert goals.poll("7").kind is StateKind.RETRY


def test_a_listing_proves_only_what_it_shows(world: World, here: Here, product: Path) -> None:
    path = str(product)
    texts = tuple(f"{path}/{name}" for name in ("zarr.json", "0/zarr.json", "provenance.json"))
    answer = here.look(Question((path,), texts))
    scan = next(iter(world.observed.scans.values()))
    seen = whole_product(answer, path, scan, HASH)
    assert seen is not None
    assert (seen.slices, seen.files["zarr.json"]) == (80, (product / "zarr.json").stat().st_size)
    assert whole_product(answer, path, scan, "0" * 12) is None
    assert whole_product(answer, path, replace(scan, id="f" * 64), HASH) is None
    shard = next(name for name in seen.files if name.startswith("0/c/"))
    files = {path: {name: size for name, size in seen.files.items() if name != shard}}
    for less in (
        replace(answer, folders=files), replace(answer, folders={path: None}),
        replace(answer, texts={}), replace(answer, texts={**answer.texts, texts[0]: "no json"}),
        replace(answer, texts={**answer.texts, texts[1]: "{}"}), Answer(),
    ):  # fmt: skip
        assert whole_product(less, path, scan, HASH) is None
    with pytest.raises(InputError, match="Permission denied"):
        whole_product(replace(answer, errors={texts[0]: "Permission denied"}), path, scan, HASH)


@pytest.fixture
def brought(world: World, here: Here, product: Path) -> Iterator[BroughtReconstructions]:
    """A product at the other site, and what brings it here by a mount."""
    there = Path(world.place("recon").root) / "BLS-1" / HASH / f"rec{Path(NAME).stem}.zarr"
    shutil.copytree(product, there)
    root = Path(world.place("raw").root).parent
    mount = LocalTransfer(root / "copies")
    way = Way(mount, world.place("recon").root, world.place("back").root, world.place("recon").root)
    yield BroughtReconstructions(
        world, world.place("back"), {HASH: KNOWN}.__getitem__, goals_of(world, here), way
    )

    def ended() -> bool:
        mount._reap()
        return not mount._children

    wait_until(ended, "the copying processes have ended")


def bring(world: World, goals: BroughtReconstructions) -> str:
    """Begin, and wait until all files have arrived."""
    intent = under_way(world, "back", "")
    recorded: list[str] = []
    outside_id = goals.act(intent, recorded.append)
    assert recorded == [outside_id]
    again = replace(intent, submission=recorded[0])
    assert goals.act(again, recorded.append) == outside_id
    under_way(world, "back", outside_id)
    wait_until(
        lambda: goals._way.transfer.status(outside_id).state.is_final, "the files have arrived"
    )  # fmt: skip
    return outside_id


def test_a_product_is_brought_and_counted_here(
    world: World, brought: BroughtReconstructions, product: Path
) -> None:
    key = key_at(world, "back")
    assert brought.observe((key,)) == {}
    outside_id = bring(world, brought)
    assert brought.observe((key,)) == {}, "what lies aside is no product"
    assert brought.poll(outside_id) == MET
    evidence = brought.observe((key,))[key]
    assert evidence.slices == 80
    made = Path(evidence.where)
    assert [p.name for p in made.parent.iterdir()] == [made.name]
    sizes = {p.relative_to(product): p.stat().st_size for p in product.rglob("*") if p.is_file()}
    assert sizes == {p.relative_to(made): p.stat().st_size for p in made.rglob("*") if p.is_file()}
    assert brought.poll(outside_id) == MET, "asked again, it has its name already"


def test_another_product_of_that_name_stays(world: World, brought: BroughtReconstructions) -> None:
    theirs = Path(world.place("back").root) / "BLS-1" / f"rec{Path(NAME).stem}.zarr"
    theirs.mkdir(parents=True)
    (theirs / "mine").write_text("precious")
    outside_id = bring(world, brought)
    assert brought.poll(outside_id) == MET
    key = key_at(world, "back")
    assert brought.observe((key,))[key].where.endswith("-2.zarr")
    assert (theirs / "mine").read_text() == "precious"


@pytest.mark.parametrize("spoil", ["short", "gone", "listing"])
def test_what_arrives_less_than_whole_is_no_product(
    spoil: str, world: World, brought: BroughtReconstructions
) -> None:
    outside_id = bring(world, brought)
    (aside,) = Path(world.place("back").root, "BLS-1").iterdir()
    if spoil == "listing":
        (aside / "files.json").write_text("{")
    else:
        file = next(p for p in aside.glob("*.zarr/0/c/**/*") if p.is_file())
        file.write_bytes(file.read_bytes()[:-1]) if spoil == "short" else file.unlink()
    state = brought.poll(outside_id)
    assert state.kind is StateKind.RETRY
    assert state.cause
    assert brought.observe((key_at(world, "back"),)) == {}
