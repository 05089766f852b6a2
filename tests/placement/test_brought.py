"""Analyses that are brought here: every byte compared, and nothing that is there written over."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from alsct_gui.files.identity import quick_identity
from alsct_gui.files.open import open_scan
from alsct_gui.model.errors import OutputError
from alsct_gui.model.placement import (
    MET,
    GoalKey,
    GoalRecord,
    Observed,
    ScanFacts,
    StateKind,
    StepState,
    Work,
    waiting,
)
from alsct_gui.model.policy import Analysis, Lane, Place, Policy, Product, Site
from alsct_gui.placement.analyses import settled
from alsct_gui.placement.goals.analysis import Analyses
from alsct_gui.placement.goals.base import Intent, World
from alsct_gui.placement.goals.bringing import Way
from alsct_gui.placement.goals.broughtanalysis import BroughtAnalyses
from alsct_gui.placement.goals.jobs import Computer
from alsct_gui.recon.job import prepare_job
from alsct_gui.recon.pipeline import run_job
from alsct_gui.steps.running import run_step
from alsct_gui.superfacility.compute.base import Resources
from alsct_gui.superfacility.compute.here import Here
from alsct_gui.superfacility.compute.look import Answer, FileBytes, Question
from alsct_gui.superfacility.errors import LinkDownError
from alsct_gui.superfacility.transfer.local import LocalTransfer
from tests.placement.analysing import bright, smooth
from tests.placement.conftest import KNOWN, wait_until
from tests.placement.placing import START_S, Watch
from tests.steps.conftest import toys

__all__ = ["toys"]

NAME = "a 'scan' $(touch pwned) é.h5"
NAMES = ("bright", "smooth", "count")
"""A table, a volume, and a folder of labels, a table and a report."""


@dataclass
class There(Here):
    """The other place: it can be looked at, and may be out of reach."""

    folder: Path
    is_down: bool = False

    def __post_init__(self) -> None:
        super().__init__(self.folder)

    def look(self, question: Question) -> Answer:
        if self.is_down:
            raise LinkDownError("no answer", where="there")
        return super().look(question)


@dataclass
class Ends:
    """Two places, what is known of them, and what brings analyses from one to the other."""

    world: World
    there: There
    goals: BroughtAnalyses
    tries: int = 0

    def key(self, name: str, place: str = "back") -> str:
        (part,) = self.world.observed.scans
        mark = self.world.policy.sheets[name].mark
        return GoalKey(part, Product.ANALYSIS, place, mark).text

    def made(self, name: str) -> Path:
        """Where an analysis was made."""
        return Path(self.goals._made.output(self.key(name, "recon")))

    def begin(self, name: str) -> str:
        """Begin, and wait until all files have arrived; returns the id of the transfer."""
        key = self.key(name)
        self.tries += 1
        intent, recorded = Intent(f"w{self.tries}", (key,), START_S), list[str]()
        self.under_way(key, "")
        outside_id = self.goals.act(intent, recorded.append)
        again = replace(intent, submission=recorded[0])
        assert self.goals.act(again, recorded.append) == outside_id, "it is one transfer"
        self.under_way(key, outside_id)
        status = self.goals._way.transfer.status
        wait_until(lambda: status(outside_id).state.is_final, "the files have arrived")
        return outside_id

    def end(self, outside_id: str) -> StepState:
        """Ask until the bytes have been read at both ends."""
        for _ in range(4):
            state = self.goals.poll(outside_id)
            if state.kind is not StateKind.WAITING:
                return state
            assert state.waits_for == "its checksums"
            for reading in self.goals.readings:
                reading.wait()
        return state

    def under_way(self, key: str, outside_id: str) -> None:
        observed = self.world.observed
        observed.works["w"] = Work("w", (key,), START_S, "", outside_id)
        observed.goals[key] = GoalRecord(key, waiting("x"), START_S, work="w", tries=1)

    @property
    def aside(self) -> Path:
        """Where files arrive."""
        (found,) = Path(self.world.place("back").root).rglob(".alsct-brought-*")
        return found

    def names(self) -> list[str]:
        """Everything that lies where analyses are brought to."""
        return sorted(path.name for path in Path(self.world.place("back").root, "BLS-1").iterdir())


def sheets_of(root: Path, policy: Policy) -> Policy:
    analyses = (
        bright(root), smooth(root), Analysis("count", "toy.count", "smooth", {"above": 0.01}),
    )  # fmt: skip
    sheets, recipes = settled(analyses, root)
    return replace(policy, analyses=analyses, sheets=sheets, recipes=recipes)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keeps what was made once for all tests."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture
def ends(
    scan: Path, kept: Path, toys: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ends]:
    root = tmp_path_factory.mktemp("ends")
    for place in ("raw", "back", "recon"):
        (root / place / "BLS-1").mkdir(parents=True)
    shutil.copyfile(scan, root / "raw" / "BLS-1" / NAME)
    with open_scan(scan) as opened:
        identity = quick_identity(opened)
    facts = ScanFacts(identity, str(root / "raw" / "BLS-1" / NAME), scan.stat().st_size, "0" * 64)
    policy = sheets_of(root, Policy(
        "two sites", (Site("here", outside=False), Site("nersc")),
        (Lane("here"), Lane("slurm", by="nersc"), Lane("back")),
        (Place("raw", "here", "here", str(root / "raw")),
         Place("recon", "nersc", "slurm", str(root / "recon")),
         Place("back", "here", "back", str(root / "back"), source="recon")),
        "raw",
    ))  # fmt: skip
    world = World(policy, Observed(scans={identity[:32]: facts}), Watch())
    there, here = There(root / "there"), Here(root / "here")
    resources = Resources("q", "a", "c", 900, cpus=1, memory_gb=1.0)
    made = Analyses(world, world.place("recon"), Computer(there, there, lambda _: resources))
    mount = LocalTransfer(root / "copies")
    way = Way(mount, str(root / "recon"), str(root / "back"), str(root / "recon"))
    found = Ends(world, there, BroughtAnalyses(world, world.place("back"), made, way, here, there))
    if not list(kept.iterdir()):
        with open_scan(scan) as opened:
            run_job(prepare_job(opened, KNOWN), kept / "rec.zarr")
        volume = kept / "rec.zarr"
        inputs = {"bright": volume, "smooth": volume, "count": found.made("smooth")}
        for name in NAMES:
            sheet, output = policy.sheets[name], found.made(name)
            run_step(sheet.file or sheet.step, sheet.parameters, inputs={"volume": inputs[name]},
                     output=output)  # fmt: skip
        shutil.copytree(root / "recon", kept / "recon")
    else:
        shutil.copytree(kept / "recon", root / "recon", dirs_exist_ok=True)
    yield found
    for reading in found.goals.readings:
        reading.wait()

    def ended() -> bool:
        mount._reap()
        return not mount._children

    wait_until(ended, "the copying processes have ended")
    assert not list(root.rglob("pwned"))


def contents(path: Path) -> dict[str, bytes]:
    """Bytes of a product, by the paths of its files beside it."""
    files = [path, path.with_suffix(".json")] if path.is_file() else path.rglob("*")
    return {str(f.relative_to(path.parent)): f.read_bytes() for f in files if f.is_file()}


@pytest.mark.parametrize("name", NAMES)
def test_what_was_made_there_is_here_byte_by_byte(name: str, ends: Ends) -> None:
    key = ends.key(name)
    assert ends.goals.observe((key,)) == {}
    outside_id = ends.begin(name)
    assert ends.goals.observe((key,)) == {}, "what lies aside is no product"
    assert ends.end(outside_id) == MET
    evidence, there = ends.goals.observe((key,))[key], ends.made(name)
    here = Path(evidence.where)
    assert here.name == there.name
    assert contents(here) == contents(there)
    assert ends.names() == sorted({part.split("/")[0] for part in contents(here)})
    assert ends.goals.poll(outside_id) == MET, "asked again, it has its name already"


@pytest.mark.parametrize("name", NAMES)
def test_what_has_the_name_is_moved_aside(name: str, ends: Ends) -> None:
    output = Path(ends.world.place("back").root) / "BLS-1" / ends.made(name).name
    if output.suffix == ".csv":
        output.write_text("precious")
    else:
        output.mkdir()
        (output / "mine").write_text("precious")
    assert ends.end(ends.begin(name)) == MET
    key = ends.key(name)
    assert ends.goals.observe((key,))[key].where == str(output)
    (old,) = output.parent.glob("*.old-*")
    assert (old if old.is_file() else old / "mine").read_text() == "precious"


def first_file(folder: Path) -> Path:
    return next(p for p in sorted(folder.rglob("*")) if p.is_file() and p.name != "files.json")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("spoil", ["flip", "short", "gone", "listing", "link"])
def test_what_arrives_otherwise_gets_no_name(spoil: str, name: str, ends: Ends) -> None:
    outside_id = ends.begin(name)
    file = first_file(ends.aside)
    data = file.read_bytes()
    if spoil == "listing":
        (ends.aside / "files.json").write_text("{")
    elif spoil == "flip":
        file.write_bytes(bytes([data[0] ^ 1]) + data[1:])
    elif spoil == "short":
        file.write_bytes(data[:-1])
    else:
        file.unlink()
    if spoil == "link":
        (ends.aside.parent / "elsewhere").write_bytes(data)
        file.symlink_to(ends.aside.parent / "elsewhere")
    state = ends.end(outside_id)
    assert state.kind in (StateKind.RETRY, StateKind.WAITING)
    assert state.cause
    assert ends.goals.observe((ends.key(name),)) == {}
    assert ends.end(ends.begin(name)) == MET, "another transfer goes on from there"


def test_what_changes_there_on_the_way_gets_no_name(ends: Ends) -> None:
    outside_id = ends.begin("bright")
    for reading in ends.goals.readings:
        reading.wait()
    ends.goals.readings[0].take(["BLS-1/" + n for n in contents(ends.made("bright"))])
    ends.made("bright").write_text("share\n0.5\n")
    state = ends.end(outside_id)
    assert state.kind is StateKind.RETRY
    assert "has changed at recon" in state.cause
    assert ends.goals.observe((ends.key("bright"),)) == {}
    ends.made("bright").unlink()
    with pytest.raises(OutputError, match="not there any more"):
        ends.begin("bright")


def test_what_is_another_of_the_same_size_by_now_comes_with_the_next_transfer(ends: Ends) -> None:
    outside_id, key = ends.begin("bright"), ends.key("bright")
    for _ in range(2):  # as often as it takes until the bytes have been read there
        ends.goals._meanwhile(key)
        ends.goals.readings[0].wait()
    ends.goals._meanwhile(key)
    table = ends.made("bright")
    other = table.read_bytes().replace(b"0.", b"1.")
    assert other != table.read_bytes()
    table.write_bytes(other)
    (ends.aside / table.name).write_bytes(other)  # as if it had been sent after it was read
    state = ends.end(outside_id)
    assert (state.kind, "other bytes than at recon" in state.cause) == (StateKind.RETRY, True)
    assert ends.end(ends.begin("bright")) == MET
    assert Path(ends.goals.observe((key,))[key].where).read_bytes() == other


def test_a_listing_of_another_product_begins_anew(ends: Ends) -> None:
    ends.begin("smooth")
    shutil.copytree(ends.made("smooth") / "0", ends.made("smooth") / "9")
    (ends.aside / ends.made("smooth").name / "stray").write_text("of the first product")
    assert ends.end(ends.begin("smooth")) == MET
    here = Path(ends.goals.observe((ends.key("smooth"),))[ends.key("smooth")].where)
    assert contents(here) == contents(ends.made("smooth")), "and nothing of the first"


def test_a_place_that_does_not_answer_is_told(ends: Ends) -> None:
    outside_id = ends.begin("bright")
    ends.goals.readings[0].wait()
    ends.goals.readings[0].take(["BLS-1/" + n for n in contents(ends.made("bright"))])
    ends.goals.readings[0].wait()
    ends.goals.readings[0].take(["BLS-1/" + n for n in contents(ends.made("bright"))])
    ends.there.is_down = True
    ends.goals.readings[0].wait()
    states = set()
    for _ in range(3):
        states.add(ends.goals.poll(outside_id))
        ends.goals.readings[0].wait()
    assert waiting("its checksums", "no answer") in states
    ends.there.is_down = False
    assert ends.end(outside_id) == MET


def test_a_kill_between_two_names_leaves_no_second_copy(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside_id = ends.begin("bright")
    real, named = Path.rename, list[str]()

    def rename(path: Path, target: Path) -> Path:
        if path.parent == ends.aside:
            named.append(path.name)
            if len(named) == 2:
                raise OSError(5, "killed")
        return real(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", rename)
        with pytest.raises(OutputError, match="killed"):
            ends.end(outside_id)
    assert named[0].endswith(".json"), "how it was made goes first"
    assert ends.goals.observe((ends.key("bright"),)) == {}
    assert ends.end(outside_id) == MET
    assert len(ends.names()) == 2


def test_a_person_ends_it_and_has_it_begun_again(ends: Ends) -> None:
    key = ends.key("smooth")
    ends.under_way(key, "")
    outside_id = ends.goals.act(Intent("w", (key,), START_S), lambda _: None)
    ends.goals.cancel(outside_id)
    status = ends.goals._way.transfer.status
    wait_until(lambda: status(outside_id).state.is_final, "the transfer has ended")
    assert ends.goals.observe((key,)) == {}
    assert ends.end(ends.begin("smooth")) == MET
    assert len(ends.names()) == 1


def test_what_was_made_here_counts_as_well(ends: Ends) -> None:
    key = ends.key("bright")
    outside_id = ends.begin("bright")
    made = ends.made("bright")
    for file in (made, made.with_suffix(".json")):
        shutil.copyfile(file, Path(ends.world.place("back").root) / "BLS-1" / file.name)
    assert ends.goals.observe((key,))
    assert ends.goals.poll(outside_id) == MET
    assert len(ends.names()) == 2, "what has arrived is not needed"


def test_bytes_that_lie_are_not_believed(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        ends.there, "look",
        lambda question: Answer(files={path: FileBytes(1, "0" * 64) for path in question.files})
        if not question.folders else Here.look(ends.there, question),
    )  # fmt: skip
    assert ends.end(ends.begin("bright")).kind is StateKind.RETRY
    assert ends.goals.observe((ends.key("bright"),)) == {}
