"""Goals that are local: real scans, real runs, real slices, and files that lie."""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from alsct_gui.files.identity import quick_identity
from alsct_gui.files.open import open_scan
from alsct_gui.files.recipes import save_recipe
from alsct_gui.model.errors import InputError
from alsct_gui.model.placement import GoalKey, GoalRecord, Observed, ScanFacts, StateKind, Work
from alsct_gui.model.policy import Product
from alsct_gui.placement.admission import examine_scan
from alsct_gui.placement.asking import ask_admit, ask_of_goals
from alsct_gui.placement.goals.base import BlockedError, Intent, World
from alsct_gui.placement.goals.pruning import QUARANTINE, Pruning
from alsct_gui.placement.goals.raw import transfer_state
from alsct_gui.placement.goals.reading import FolderReader, read_file
from alsct_gui.placement.goals.reconstruction import LocalReconstructions
from alsct_gui.placement.goals.slices import count_slices
from alsct_gui.placement.invariants import check
from alsct_gui.placement.policy import recipe_hash
from alsct_gui.placement.runs.model import RunState
from alsct_gui.placement.runs.queue import RunQueue
from alsct_gui.recon.job import prepare_job
from alsct_gui.recon.pipeline import run_job
from alsct_gui.superfacility.errors import RefusedError
from alsct_gui.superfacility.transfer.base import TransferState, TransferStatus
from tests.placement.conftest import KNOWN, wait_until
from tests.placement.crashing import CrashFacility, examine_opened, policy_of
from tests.placement.placing import START_S, Facility, Watch, folder_policy, pruning

HASH = recipe_hash(KNOWN)


@pytest.fixture(scope="module")
def product(scan: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("product") / "made.zarr"
    with open_scan(scan) as opened:
        run_job(prepare_job(opened, KNOWN), output)
    return output


@pytest.fixture
def world(scan: Path, tmp_path: Path) -> World:
    path = tmp_path / "raw" / "BLS-00001_a" / scan.name
    path.parent.mkdir(parents=True)
    shutil.copyfile(scan, path)
    with open_scan(path) as opened:
        identity = quick_identity(opened)
    seen = read_file(path, lambda: START_S)
    assert seen is not None
    assert seen.size_bytes is not None
    facts = ScanFacts(identity, str(path), seen.size_bytes, seen.sha256, "BLS-00001")
    observed = Observed(scans={identity[:32]: facts})
    return World(folder_policy(tmp_path, **pruning(0.0, 1.0)), observed, Watch())


def key_of(world: World, product: Product, place: str) -> str:
    (part,) = world.observed.scans
    recipe = HASH if product is Product.RECONSTRUCTION else "-"
    return GoalKey(part, product, place, recipe).text


def reconstructions(world: World, root: Path, queue: RunQueue) -> LocalReconstructions:
    return LocalReconstructions(world, root, {HASH: KNOWN}.__getitem__, queue)


def made_folder(root: Path) -> Path:
    folder = root / "made" / "BLS-00001_a"
    folder.mkdir(parents=True)
    return folder


def test_a_reconstruction_is_made_by_the_queue_and_its_slices_are_counted(
    scan: Path, tmp_path: Path
) -> None:
    save_recipe(KNOWN, tmp_path / "recipe.yaml")
    facility = Facility(tmp_path, policy_of(tmp_path, "reconstruct"))
    facility.examine = examine_opened
    path = tmp_path / "raw" / "BLS-00001_a" / scan.name
    path.parent.mkdir(parents=True)
    shutil.copyfile(scan, path)
    with facility.ledger() as ledger:
        ask_admit(ledger, path)
        agent = facility.agent(ledger)

        def all_met() -> bool:
            facility.turns(agent, 1)
            goals = agent.observed.goals.values()
            return len(goals) == 2 and all(r.state.kind is StateKind.MET for r in goals)

        wait_until(all_met, "everything is there")
        (view,) = facility.queue.views()
        assert view.state is RunState.FINISHED
        evidence = next(r.evidence for k, r in agent.observed.goals.items() if "/made/" in k)
        assert evidence is not None
        assert (evidence.slices, evidence.where) == (80, str(view.output))
        assert check(ledger, facility.policy, now_s=facility.watch()) == ()


def test_one_run_however_often_it_is_asked_for(
    world: World, tmp_path: Path, idle_queue: RunQueue
) -> None:
    goals = reconstructions(world, tmp_path / "made", idle_queue)
    intent = Intent("w", (key_of(world, Product.RECONSTRUCTION, "made"),), START_S)
    run_id = goals.act(intent, lambda _: None)
    assert goals.act(intent, lambda _: None) == run_id
    assert goals.poll(run_id).waits_for == "its turn on this workstation"
    goals.cancel(run_id)
    assert idle_queue.views()[0].cancelling
    goals.cancel(run_id)
    assert goals.poll("20260801T120000000000-0a1b").kind is StateKind.RETRY
    assert len(idle_queue.views()) == 1


def test_a_product_counts_for_its_scan_and_recipe_only(
    world: World, product: Path, tmp_path: Path, idle_queue: RunQueue
) -> None:
    key = key_of(world, Product.RECONSTRUCTION, "made")
    goals = reconstructions(world, tmp_path / "made", idle_queue)
    stem = Path(world.scan(key).path).stem
    folder = made_folder(tmp_path)
    assert goals.observe([key]) == {}
    (folder / f"rec{stem}.zarr").mkdir()  # somebody's own
    assert goals.observe([key]) == {}
    shutil.copytree(product, folder / f"rec{stem}-3.zarr")
    assert goals.observe([key])[key].slices == 80
    (part,) = world.observed.scans
    world.observed.scans[part] = replace(world.scan(key), id=part + "0" * 32)
    assert goals.observe([key]) == {}


def test_missing_slices_are_no_product(
    world: World, product: Path, tmp_path: Path, idle_queue: RunQueue
) -> None:
    key = key_of(world, Product.RECONSTRUCTION, "made")
    goals = reconstructions(world, tmp_path / "made", idle_queue)
    output = made_folder(tmp_path) / f"rec{Path(world.scan(key).path).stem}.zarr"
    shutil.copytree(product, output)
    assert count_slices(output) == 80
    shards = sorted((output / "0" / "c").rglob("*"))
    files = [file for file in shards if file.is_file()]
    files[-1].write_bytes(b"")
    left = count_slices(output)
    assert left < 80
    assert goals.observe([key]) == {}
    files[-1].unlink()
    assert count_slices(output) == left


def test_slices_of_a_tiff_stack_are_its_files(scan: Path, tmp_path: Path) -> None:
    recipe = replace(KNOWN, output=replace(KNOWN.output, format="tiff"))
    with open_scan(scan) as opened:
        run_job(prepare_job(opened, recipe), tmp_path / "stack")
    assert count_slices(tmp_path / "stack") == 80
    next((tmp_path / "stack").glob("*.tif*")).unlink()
    assert count_slices(tmp_path / "stack") == 79


def test_a_cancel_of_a_person_ends_the_run(scan: Path, tmp_path: Path) -> None:
    save_recipe(KNOWN, tmp_path / "recipe.yaml")
    facility = CrashFacility(tmp_path, policy_of(tmp_path, "reconstruct"))
    facility.examine = examine_opened
    path = tmp_path / "raw" / "BLS-00001_a" / scan.name
    path.parent.mkdir(parents=True)
    shutil.copyfile(scan, path)
    with facility.ledger() as ledger:
        ask_admit(ledger, path)
        agent = facility.agent(ledger)
        agent.turn()
        (run,) = facility.queue.views()
        (key,) = [k for k in agent.observed.goals if "/made/" in k]
        ask_of_goals(ledger, "cancel", [key])
        facility.turns(agent, 2)
        wait_until(lambda: facility.queue.views()[0].state.ended, "the run has ended")
        assert agent.observed.goals[key].state.waits_for == "you"
        assert agent.observed.works == {}
        assert run.id == facility.queue.views()[0].id


def test_a_raw_file_outside_its_folder_is_told(world: World) -> None:
    scan = replace(next(iter(world.observed.scans.values())), path="/elsewhere/a.h5")
    with pytest.raises(BlockedError, match="Move it there"):
        world.relative(scan)
    with pytest.raises(RefusedError, match="not usable"):
        world.relative(replace(scan, path=f"{world.admitted.root}/../secret"))


def test_reading_a_file_again(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"abc" * 1000)
    seen = read_file(path, lambda: 7.0)
    assert seen is not None
    assert (seen.size_bytes, seen.observed_s) == (3000, 7.0)
    assert seen.sha256 == hashlib.sha256(b"abc" * 1000).hexdigest()
    assert read_file(tmp_path / "absent", lambda: 0.0) is None
    assert read_file(path / "below", lambda: 0.0) is None
    (tmp_path / "link").symlink_to(path)
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe", "."):
        with pytest.raises(InputError):
            read_file(tmp_path / name, lambda: 0.0)


@pytest.fixture
def prune(world: World, tmp_path: Path) -> tuple[Pruning, Intent, Path]:
    """A pruning of a file with two good copies."""
    key = key_of(world, Product.PRUNED, "raw")
    path = Path(world.scan(key).path)
    readers = {}
    for place in ("cfs", "tape"):
        copy = tmp_path / place / "BLS-00001_a" / path.name
        copy.parent.mkdir(parents=True)
        shutil.copyfile(path, copy)
        readers[place] = FolderReader(tmp_path / place, world.clock)
    world.observed.works["w"] = Work("w", (key,), START_S)
    world.observed.goals[key] = GoalRecord(key, transfer_state(
        TransferStatus("x", TransferState.ACTIVE)), 0.0, work="w")  # fmt: skip
    (rule,) = world.policy.prunes
    return Pruning(world, rule, tmp_path / "raw", readers), Intent("w", (key,), START_S), path


@pytest.mark.parametrize("spoil", ["gone", "rotten", "short"])
def test_nothing_is_pruned_without_two_good_copies(
    spoil: str, prune: tuple[Pruning, Intent, Path], tmp_path: Path
) -> None:
    goals, intent, path = prune
    copy = tmp_path / "cfs" / "BLS-00001_a" / path.name
    raw = path.read_bytes()
    if spoil == "gone":
        copy.unlink()
    else:
        copy.write_bytes(raw[:-1] + (b"" if spoil == "short" else bytes([raw[-1] ^ 1])))
    with pytest.raises(InputError, match=r"fewer than 2 copies could be verified \(tape\)"):
        goals.act(intent, lambda _: None)
    assert path.read_bytes() == raw
    path.unlink()
    assert goals.observe(intent.keys) == {}


def test_a_file_that_is_not_what_was_admitted_is_kept(
    prune: tuple[Pruning, Intent, Path],
) -> None:
    goals, intent, path = prune
    path.write_bytes(b"new")
    with pytest.raises(BlockedError, match="it is kept"):
        goals.act(intent, lambda _: None)
    assert path.read_bytes() == b"new"


def test_quarantine_can_be_taken_back_and_is_the_same_twice(
    prune: tuple[Pruning, Intent, Path], tmp_path: Path
) -> None:
    goals, intent, path = prune
    raw = path.read_bytes()
    outside_id = goals.act(intent, lambda _: None)
    assert goals.act(intent, lambda _: None) == outside_id
    assert goals.observe(intent.keys) == {}
    assert (tmp_path / "raw" / QUARANTINE / "BLS-00001_a" / path.name).read_bytes() == raw
    goals.cancel(outside_id)
    goals.cancel(outside_id)
    assert path.read_bytes() == raw
    goals.act(intent, lambda _: None)
    path.write_bytes(b"somebody's new file")
    with pytest.raises(Exception, match="another file has the name"):
        goals.cancel(outside_id)
    assert path.read_bytes() == b"somebody's new file"


@pytest.mark.parametrize("state", list(TransferState))
def test_every_state_of_a_transfer_means_something(state: TransferState) -> None:
    found = transfer_state(TransferStatus("id", state, sentence="s"))
    assert (found.kind is StateKind.MET) is (state is TransferState.SUCCEEDED)
    if found.kind is StateKind.BLOCKED:
        assert found.cause
        assert found.fix
    if found.kind is StateKind.WAITING:
        assert found.waits_for
    assert (found.kind is StateKind.RETRY) is (
        state in (TransferState.FAILED, TransferState.CANCELLED, TransferState.UNKNOWN)
    )


def test_a_whole_scan_is_admitted_with_its_identity_and_checksum(
    scan: Path, tmp_path: Path
) -> None:
    path = tmp_path / scan.name
    shutil.copyfile(scan, path)
    fresh = examine_scan(path, lambda: 7.0)
    assert fresh.state is not None
    assert fresh.state.waits_for == "the end of its writing"
    os.utime(path, (1e9, 1e9))
    found = examine_scan(path, lambda: 7.0)
    assert found.scan is not None
    assert found.evidence is not None
    assert found.scan.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert found.scan.admitted_s == 7.0
    with open_scan(path) as opened:
        assert found.scan.id == quick_identity(opened)


def test_what_is_no_scan_says_why(tmp_path: Path) -> None:
    text = tmp_path / "a.h5"
    text.write_text("no scan")
    os.utime(text, (1e9, 1e9))
    for path, kind in [(text, StateKind.BLOCKED), (tmp_path, StateKind.BLOCKED),
                       (tmp_path / "absent", StateKind.WAITING)]:  # fmt: skip
        found = examine_scan(path, lambda: 0.0)
        assert found.scan is None
        assert found.state is not None
        assert found.state.kind is kind
        assert found.state.cause
