"""Reading a second time, beside the agent: each reading is fresh, and nobody waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from alsct_gui.model.placement import MET, Evidence, GoalKey, GoalRecord, Observed, ScanFacts, Work
from alsct_gui.model.policy import Product
from alsct_gui.placement.auditing import AGAIN_S, AT_ONCE, AuditList, is_unread
from alsct_gui.placement.goals.base import NotYetError, World
from alsct_gui.placement.goals.later import FRESH_S, LaterReader
from alsct_gui.placement.goals.raw import RawCopies
from alsct_gui.placement.goals.reading import TransferReader
from alsct_gui.placement.throughput import KEPT, SAMPLE_S, Throughput
from alsct_gui.placement.wanted import DAY_S
from alsct_gui.superfacility.compute.look import Answer, FileBytes, Question
from alsct_gui.superfacility.errors import LinkDownError, RefusedError
from alsct_gui.superfacility.transfer.base import Evidence as Listed
from alsct_gui.superfacility.transfer.base import TransferState, TransferStatus
from tests.placement.placing import START_S, Watch, folder_policy

GOOD = "a" * 64
SCAN = ScanFacts("ab" * 32, "/raw/BLS-1/a.h5", 5, GOOD)


class Looker:
    """Answers with what a test says, when it says so."""

    def __init__(self) -> None:
        self.answer: Callable[[Question], Answer] = self.whole
        self.asked: list[tuple[str, ...]] = []
        self.gate = threading.Event()
        self.gate.set()

    def look(self, question: Question) -> Answer:
        self.asked.append(question.files)
        assert self.gate.wait(60)
        return self.answer(question)

    def whole(self, question: Question) -> Answer:
        return Answer(files={path: FileBytes(5, GOOD) for path in question.files})


@pytest.fixture
def looker() -> Looker:
    return Looker()


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def reader(looker: Looker, watch: Watch) -> LaterReader:
    return LaterReader(looker, "/cfs/", watch)


def test_nobody_waits_and_each_reading_is_given_out_once(
    reader: LaterReader, looker: Looker, watch: Watch
) -> None:
    looker.gate.clear()
    for _ in range(3):
        with pytest.raises(NotYetError, match="read again"):
            reader.read({"BLS-1/a.h5": SCAN})
    looker.gate.set()
    reader.wait()
    seen = reader.read({"BLS-1/a.h5": SCAN})
    assert seen["BLS-1/a.h5"] == Evidence("/cfs/BLS-1/a.h5", watch(), 5, GOOD)
    assert looker.asked == [("/cfs/BLS-1/a.h5",)]
    with pytest.raises(NotYetError):
        reader.read({"BLS-1/a.h5": SCAN})
    reader.wait()
    watch.advance(FRESH_S + 1)
    with pytest.raises(NotYetError):
        reader.read({"BLS-1/a.h5": SCAN})
    reader.wait()
    assert len(looker.asked) == 3, "an old reading is none"


def test_many_files_are_read_in_few_looks(reader: LaterReader, looker: Looker) -> None:
    names = [f"{number}.h5" for number in range(250)]
    assert reader.take(names) == {}
    reader.wait()
    assert len(reader.take(names)) == 250
    reader.wait()
    assert [len(files) for files in looker.asked] == [200, 50]


def test_what_there_was_no_time_for_is_read_in_the_next_look(
    reader: LaterReader, looker: Looker
) -> None:
    looker.answer = lambda q: Answer(files={q.files[0]: FileBytes(5, GOOD)})
    reader.take(["a", "b", "c"])
    reader.wait()
    assert [len(files) for files in looker.asked] == [3, 2, 1]
    assert set(reader.take(["a", "b", "c"])) == {"a", "b", "c"}


def test_a_file_that_is_not_there_and_one_that_cannot_be_read(
    reader: LaterReader, looker: Looker
) -> None:
    looker.answer = lambda q: Answer(
        files={path: None for path in q.files if path.endswith("gone")},
        errors={path: "Permission denied" for path in q.files if path.endswith("shut")},
    )
    reader.take(["gone", "shut"])
    reader.wait()
    assert reader.read({"gone": SCAN}) == {}
    with pytest.raises(NotYetError, match="Permission denied"):
        reader.read({"shut": SCAN})
    reader.wait()


def test_a_place_that_does_not_answer_is_asked_again_and_tells_why(
    reader: LaterReader, looker: Looker
) -> None:
    def silent(question: Question) -> Answer:
        raise LinkDownError("NERSC does not answer")

    looker.answer = silent
    for _ in range(2):
        with pytest.raises(NotYetError):
            reader.read({"a": SCAN})
        reader.wait()
    with pytest.raises(NotYetError, match="NERSC does not answer"):
        reader.read({"a": SCAN})
    reader.wait()
    looker.answer = looker.whole
    with pytest.raises(NotYetError):
        reader.read({"a": SCAN})
    reader.wait()
    assert reader.read({"a": SCAN})["a"].sha256 == GOOD


def test_a_path_that_climbs_is_refused(reader: LaterReader) -> None:
    with pytest.raises(RefusedError):
        reader.take(["../secret"])


class Lister:
    """A transfer that lists and reads nothing, as Globus does."""

    state = TransferState.SUCCEEDED
    size_bytes = 5

    def verify(self, target: str, items: list[object]) -> tuple[Listed, ...]:
        return tuple(Listed("BLS-1/a.h5", True, self.size_bytes) for _ in items)

    def status(self, id: str) -> TransferStatus:  # noqa: A002
        return TransferStatus(id, self.state, cause="c")


def copies(
    watch: Watch, lister: Lister, second: LaterReader | None, tmp_path: object
) -> tuple[RawCopies, World, str]:
    policy = folder_policy(tmp_path)  # type: ignore[arg-type]
    raw = replace(policy.places[0], root="/raw")
    policy = replace(policy, places=(raw, *policy.places[1:]))
    key = GoalKey("ab" * 16, Product.RAW, "cfs").text
    world = World(policy, Observed(scans={"ab" * 16: SCAN}), watch)
    goals = RawCopies(
        world, "cfs", lister, TransferReader(lister, "x", watch), source="s", target="t",  # type: ignore[arg-type]
        second=second,
    )  # fmt: skip
    return goals, world, key


def close_of(world: World, key: str, outside_id: str) -> None:
    world.observed.works["w"] = Work("w", (key,), START_S, "", outside_id)
    world.observed.goals[key] = GoalRecord(key, MET, 0.0, work="w")
    world.observed.goals[key] = replace(
        world.observed.goals[key], state=replace(MET, kind=type(MET.kind)("moving"))
    )


@pytest.mark.parametrize("reads", [False, True])
def test_a_size_alone_is_believed_only_of_what_a_transfer_has_compared(
    reads: bool, watch: Watch, looker: Looker, tmp_path: object
) -> None:
    lister = Lister()
    second = LaterReader(looker, "/cfs", watch) if reads else None
    goals, world, key = copies(watch, lister, second, tmp_path)
    assert goals.observe((key,)) == {}, "it lies there, and nobody knows why"
    if second is not None:
        second.wait()
        second.take(["BLS-1/a.h5"])
        second.wait()
    close_of(world, key, "task")
    lister.state = TransferState.FAILED
    goals.poll("task")
    assert goals.observe((key,)) == {}, "the transfer has not ended well"
    if second is not None:
        second.wait()
        second.take(["BLS-1/a.h5"])
        second.wait()
    lister.state = TransferState.SUCCEEDED
    goals.poll("task")
    found = goals.observe((key,))
    assert (found[key].size_bytes, found[key].sha256) == (5, "")
    lister.size_bytes = 4
    assert goals.observe((key,)) == {}
    if second is not None:
        second.wait()


def test_what_is_met_is_judged_by_its_bytes(watch: Watch, looker: Looker, tmp_path: object) -> None:
    second = LaterReader(looker, "/cfs", watch)
    goals, world, key = copies(watch, Lister(), second, tmp_path)
    world.observed.goals[key] = GoalRecord(key, MET, 0.0, Evidence("x", 1.0, 5))
    with pytest.raises(NotYetError):
        goals.observe((key,))
    second.wait()
    assert goals.observe((key,))[key].sha256 == GOOD
    looker.answer = lambda q: Answer(files={path: FileBytes(5, "b" * 64) for path in q.files})
    with pytest.raises(NotYetError):
        goals.observe((key,))
    second.wait()
    assert goals.observe((key,)) == {}, "it has rotted"


def record(number: int, sha256: str, observed_s: float) -> GoalRecord:
    return GoalRecord(f"{number}/raw/cfs/-", MET, 0.0, Evidence("x", observed_s, 5, sha256))


def test_what_nobody_has_read_is_looked_at_first_then_the_oldest() -> None:
    now_s = START_S + 30 * DAY_S
    records = [record(n, GOOD, START_S + n) for n in range(20)] + [record(99, "", now_s)]
    observed = Observed(goals={item.key: item for item in records})
    audits = AuditList(7.0)
    due = audits.due(observed, lambda place: True, now_s)
    assert due == ("99/raw/cfs/-", *(f"{n}/raw/cfs/-" for n in range(AT_ONCE - 1)))
    assert audits.due(observed, lambda place: False, now_s) == ()
    audits.looked(due[0], now_s)
    audits.later(due[1], now_s + AGAIN_S)
    assert set(due[:2]).isdisjoint(audits.due(observed, lambda place: True, now_s))
    alone = Observed(goals={due[1]: observed.goals[due[1]]})
    assert audits.due(alone, lambda place: True, now_s + AGAIN_S) == ()
    assert audits.due(alone, lambda place: True, now_s + AGAIN_S + 1) == (due[1],)
    assert not is_unread(GoalRecord("k", MET, 0.0, Evidence("x", 1.0, 5, slices=3)))
    assert not is_unread(GoalRecord("k", MET, 0.0, Evidence("x", 1.0, record="r")))
    assert not is_unread(GoalRecord("k", MET, 0.0))


def test_throughput_adds_up_what_moves_by_lane() -> None:
    flow = Throughput((), 0.0)
    flow.begun("a")
    flow.moved("a", "globus", "bytes", 300)
    flow.moved("a", "globus", "bytes", 100)  # a service that counts anew
    flow.moved("b", "globus", "bytes", 999)  # it was under way before we looked
    flow.moved("b", "globus", "bytes", 1099)
    flow.begun("c")
    flow.moved("c", "slurm", "slices", 40)
    assert not flow.sample(SAMPLE_S - 1)
    assert flow.sample(SAMPLE_S)
    flow.ended("a")
    globus, slurm = flow.note()["samples"]
    assert (globus["lane"], globus["bytes_per_s"]) == ("globus", 400 / SAMPLE_S)
    assert (slurm["lane"], slurm["slices_per_s"]) == ("slurm", 40 / SAMPLE_S)
    assert flow.sample(2 * SAMPLE_S)
    assert [s["bytes_per_s"] for s in flow.note()["samples"][2:]] == [0.0, 0.0]
    assert not flow.sample(3 * SAMPLE_S), "nothing moves any more, and that is known"
    kept = Throughput(flow.note()["samples"] * KEPT, 0.0)
    assert len(kept.note()["samples"]) == KEPT
