"""The crash matrix: agents killed at every boundary, once and twice, lose and double nothing.

Each agent is a process of its own that ends by SIGKILL. What is outside (the copier, the
queue of runs) keeps what it was told; after the last kill an agent works on until nothing is
left, and the ledger and the folders are checked.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from alsct_gui.files.open import open_scan
from alsct_gui.files.recipes import save_recipe
from alsct_gui.model.placement import GoalKey, StateKind
from alsct_gui.model.policy import Product
from alsct_gui.placement.asking import ask_admit
from alsct_gui.placement.goals.pruning import QUARANTINE
from alsct_gui.placement.invariants import check
from alsct_gui.placement.ledger import Ledger
from alsct_gui.placement.runs.keeper import KeeperLock
from alsct_gui.recon.job import prepare_job
from alsct_gui.recon.pipeline import run_job
from alsct_gui.steps.running import run_step
from tests.placement.analysing import BRIGHT
from tests.placement.conftest import KNOWN
from tests.placement.crashing import KINDS, CrashFacility, facility_of
from tests.placement.placing import START_S, raw_file

ROOT = Path(__file__).parents[2]
LIFE_S = 1e5
FILES = {"copy": 3, "prune": 1, "reconstruct": 1, "analyse": 1}
BOUNDARIES = {
    "copy": ("examined", "examined:2", "admitted", "observed", "intent", "submission",
             "submission:2", "acted", "acted:2", "recorded", "polled", "seen", "ended"),
    # The third piece of work of this kind is the pruning, after two copies.
    "prune": ("observed:3", "intent:3", "acted:3", "recorded:3", "polled:3", "seen:3", "ended:3"),
    "reconstruct": ("observed", "intent", "acted", "recorded", "polled", "seen", "ended"),
    # The second piece of work is the analysis, after the reconstruction that it is made of.
    "analyse": ("observed:2", "intent:2", "acted:2", "recorded:2", "polled:2", "seen:2", "ended:2"),
}  # fmt: skip
NEXT = {
    "examined": "examined", "admitted": "observed", "observed": "observed", "intent": "acted",
    "submission": "acted", "acted": "acted", "recorded": "polled", "polled": "polled",
    "seen": "seen",
}  # fmt: skip
"""Where the agent that comes after one that was killed is killed, too."""


def _cases() -> Iterator[tuple[str, tuple[str, ...]]]:
    for kind in KINDS:
        for boundary in BOUNDARIES[kind]:
            yield kind, (boundary,)
            after = NEXT.get(boundary.partition(":")[0])
            if after is not None:
                yield kind, (boundary, after)


CASES = list(_cases())

Live = Callable[..., int]


@pytest.fixture
def live(tmp_path: Path, agents: subprocess.Popen[str]) -> Live:
    """Let an agent live in a process of its own; return how it ended."""
    count = 0

    def call(kind: str, boundary: str = "", turns: int = 30) -> int:
        nonlocal count
        count += 1
        case = {
            "root": str(tmp_path), "kind": kind, "boundary": boundary, "turns": turns,
            "now_s": START_S + count * LIFE_S,
        }  # fmt: skip
        assert agents.stdin is not None
        assert agents.stdout is not None
        agents.stdin.write(json.dumps(case) + "\n")
        agents.stdin.flush()
        return int(agents.stdout.readline())

    return call


@pytest.fixture(scope="module")
def agents() -> Iterator[subprocess.Popen[str]]:
    """The process that agents are forked from; it has imported what they need."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.placement.crash_child"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    ) as process:  # fmt: skip
        yield process


@pytest.fixture(scope="module")
def template(scan: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A product of the scan, which the runs of these tests hand out."""
    output = tmp_path_factory.mktemp("template") / "template.zarr"
    with open_scan(scan) as opened:
        run_job(prepare_job(opened, KNOWN), output)
    return output


@pytest.fixture(scope="module")
def table(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of somebody's code, and of what it makes of that product."""
    folder = tmp_path_factory.mktemp("table")
    script = folder / "bright.py"
    script.write_text(BRIGHT)
    run_step(str(script), {}, inputs={"volume": template}, output=folder / "template.csv")
    return folder


@pytest.fixture
def handed_over(
    tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[[str], CrashFacility]]:
    locks = []

    def make(kind: str) -> CrashFacility:
        paths = [raw_file(tmp_path, f"{n} $(x) é.h5") for n in range(FILES[kind])]
        if kind in ("reconstruct", "analyse"):
            save_recipe(KNOWN, tmp_path / "recipe.yaml")
            shutil.copyfile(request.getfixturevalue("scan"), paths[0])
            shutil.copytree(request.getfixturevalue("template"), tmp_path / "template.zarr")
        if kind == "analyse":
            shutil.copytree(request.getfixturevalue("table"), tmp_path, dirs_exist_ok=True)
        facility = facility_of(tmp_path, kind)
        lock = KeeperLock(facility.queue.folder)  # nobody but these tests makes products
        assert lock.take()
        lock.sign()
        locks.append(lock)
        with facility.ledger() as ledger:
            for path in paths:
                ask_admit(ledger, path)
        return facility

    yield make
    for lock in locks:
        lock.close()


@pytest.mark.parametrize(("kind", "kills"), CASES, ids=[f"{k}-{'-'.join(b)}" for k, b in CASES])
def test_killed_agents_lose_and_double_nothing(
    kind: str, kills: tuple[str, ...], live: Live, handed_over: Callable[[str], CrashFacility]
) -> None:
    facility = handed_over(kind)
    for boundary in kills:
        assert live(kind, boundary) == signal.SIGKILL
    assert live(kind) == 0
    facility.watch.now_s = START_S + (len(kills) + 2) * LIFE_S
    with facility.ledger() as ledger:
        assert check(ledger, facility.policy, now_s=facility.watch()) == ()
        EXPECTED[kind](facility, ledger)


def _copied(facility: CrashFacility, ledger: Ledger) -> None:
    goals = ledger.observed().goals
    assert [record.state.kind for record in goals.values()] == [StateKind.MET] * 3 * FILES["copy"]
    moved = Counter(
        (task["target"], item[1])
        for task in facility.copier.submissions()
        for item in task["items"]  # type: ignore[attr-defined]
    )
    assert len(moved) == 2 * FILES["copy"]
    assert set(moved.values()) == {1}, "each file was moved to each place once"


def _pruned(facility: CrashFacility, ledger: Ledger) -> None:
    (part,) = ledger.observed().scans
    record = ledger.observed().goals[GoalKey(part, Product.PRUNED, "raw").text]
    assert record.state.kind is StateKind.MET
    assert not list((facility.root / "raw").rglob("*.h5"))
    assert not list((facility.root / "raw" / QUARANTINE).rglob("*.h5"))
    for place in ("cfs", "tape"):
        (copy,) = (facility.root / place).rglob("*.h5")
        assert copy.read_bytes() == copy.name.encode()
    assert len(facility.copier.submissions()) == 2


def _reconstructed(facility: CrashFacility, ledger: Ledger) -> None:
    assert len(facility.queue.views()) == 1
    (product,) = (facility.root / "made" / "BLS-00001_a").iterdir()
    met = [r for r in ledger.observed().goals.values() if "reconstruction" in r.key]
    (evidence,) = [record.evidence for record in met]
    assert evidence is not None
    assert (evidence.where, evidence.slices) == (str(product), 80)


def _analysed(facility: CrashFacility, ledger: Ledger) -> None:
    assert (facility.root / "runs.log").read_text() == "x", "it was made once"
    (table,) = (facility.root / "made" / "BLS-00001_a").glob("*.csv")
    (evidence,) = [r.evidence for r in ledger.observed().goals.values() if "analysis" in r.key]
    assert evidence is not None
    assert (evidence.where, len(evidence.sha256)) == (str(table), 64)


EXPECTED = {
    "copy": _copied, "prune": _pruned, "reconstruct": _reconstructed, "analyse": _analysed,
}  # fmt: skip


def test_an_agent_that_nobody_kills_ends_well(
    live: Live, handed_over: Callable[[str], CrashFacility]
) -> None:
    facility = handed_over("copy")
    assert live("copy") == 0
    with facility.ledger() as ledger:
        _copied(facility, ledger)
