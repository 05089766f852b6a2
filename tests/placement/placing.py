"""A small facility of folders: a policy, a mover of files, and agents on a simulated clock."""

from __future__ import annotations

import hashlib
import json
import shutil
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from alsct_gui.model.placement import Health, LinkState, ScanFacts
from alsct_gui.model.policy import (
    Ban,
    Lane,
    Patience,
    Place,
    Policy,
    Product,
    Prune,
    Selection,
    Site,
    Wish,
)
from alsct_gui.placement.admission import Admission
from alsct_gui.placement.agent import Agent, Services
from alsct_gui.placement.goals.base import Clock, Record
from alsct_gui.placement.goals.reading import read_file
from alsct_gui.placement.ledger import Ledger
from alsct_gui.placement.runs.queue import RunQueue
from alsct_gui.placement.services import Means
from alsct_gui.placement.works import Hook, no_hook
from alsct_gui.superfacility.compute.here import Here
from alsct_gui.superfacility.errors import LinkDownError
from alsct_gui.superfacility.transfer.base import (
    Capabilities,
    Evidence,
    TransferItem,
    TransferRequest,
    TransferState,
    TransferStatus,
    check_request,
)

START_S = 1_800_000_000.0
TURN_S = 60.0


@dataclass
class Watch:
    """A clock that goes on when told."""

    now_s: float = START_S

    def __call__(self) -> float:
        return self.now_s

    def advance(self, seconds: float) -> None:
        self.now_s += seconds


def folder_policy(root: Path, **changes: object) -> Policy:
    """Raw files in ``raw``, wanted at two mirrors at NERSC."""
    (root / "raw").mkdir(parents=True, exist_ok=True)
    wishes: dict[str, object] = {
        "name": "folders",
        "sites": (Site("here", outside=False), Site("nersc")),
        "lanes": (
            Lane("here", 4, 1, poll_s=0.0),
            Lane("runs", 1, 1, poll_s=0.0),
            Lane("copies", 1, 10, poll_s=0.0),
        ),
        "places": (
            Place("raw", "here", "here", str(root / "raw")),
            Place("made", "here", "runs", str(root / "made")),
            Place("cfs", "nersc", "copies", str(root / "cfs"), ("globus",)),
            Place("tape", "nersc", "copies", str(root / "tape"), ("globus", "hpss")),
        ),
        "admitted": "raw",
        "wishes": (Wish("both", Product.RAW, ("cfs", "tape"), priority=5),),
        "bans": (Ban("controlled", ("nersc",), Selection(export_controlled=True)),),
        "patience": Patience(30.0, 2.0, 600.0, 3),
    }
    return Policy(**{**wishes, **changes})  # type: ignore[arg-type]


def pruning(days: float = 0.0, quarantine_days: float = 0.0) -> dict[str, object]:
    return {"prunes": (Prune("old", "raw", ("cfs", "tape"), days, quarantine_days),)}


class FolderCopier:
    """Copies files between folders; a submission is a file, so it survives every process.

    A transfer is done when somebody asks for its status, whole files only. Two submissions of
    one key leave two files, by which a test sees what was done twice.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.faults: list[Exception] = []
        """Raised by the next calls, one each."""
        self.silent = False
        """Whether it says that it is done without doing anything."""
        self.stays: TransferState | None = None
        """State in which every transfer stays."""

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities("folders", True, True, 1, 1000, 1 << 50)

    def submit(self, request: TransferRequest, record: Record) -> str:
        self._fault()
        check_request(request)
        submission = request.submission
        if submission is None:
            submission = uuid.uuid4().hex
            record(submission)
        file = self.folder / f"{submission}.json"
        if not file.exists():
            plain = {
                "key": request.key, "source": request.source, "target": request.target,
                "items": [[item.source, item.target] for item in request.items],
                "cancelled": False,
            }  # fmt: skip
            part = file.with_suffix(".part")
            part.write_text(json.dumps(plain))
            part.replace(file)
        return submission

    def status(self, id: str) -> TransferStatus:  # noqa: A002
        self._fault()
        file = self.folder / f"{id}.json"
        if not file.exists():
            return TransferStatus(id, TransferState.UNKNOWN)
        plain = json.loads(file.read_text())
        if plain["cancelled"]:
            return TransferStatus(id, TransferState.CANCELLED)
        if self.stays is not None:
            return TransferStatus(id, self.stays, bytes_done=1, bytes_total=2, cause="stays")
        for source, target in [] if self.silent else plain["items"]:
            _copy(Path(plain["source"]) / source, Path(plain["target"]) / target)
        return TransferStatus(id, TransferState.SUCCEEDED)

    def cancel(self, id: str) -> None:  # noqa: A002
        self._fault()
        file = self.folder / f"{id}.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), "cancelled": True}))

    def verify(self, target: str, items: Sequence[TransferItem]) -> tuple[Evidence, ...]:
        self._fault()
        return tuple(self._look(target, item) for item in items)

    def submissions(self) -> list[dict[str, object]]:
        return [json.loads(file.read_text()) for file in sorted(self.folder.glob("*.json"))]

    def _look(self, target: str, item: TransferItem) -> Evidence:
        seen = read_file(Path(target) / item.target, lambda: 0.0)
        if seen is None:
            return Evidence(item.target, False)
        return Evidence(item.target, True, seen.size_bytes, seen.sha256)

    def _fault(self) -> None:
        if self.faults:
            raise self.faults.pop(0)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    shutil.copyfile(source, part)
    part.replace(target)


def examine_bytes(path: Path, clock: Clock) -> Admission:
    """Any file is a scan, and its bytes its identity; the proposal is its folder."""
    seen = read_file(path, clock)
    if seen is None or seen.size_bytes is None:
        raise AssertionError(f"{path} is not there")
    identity = hashlib.sha256(b"scan" + path.read_bytes()).hexdigest()
    facts = ScanFacts(
        identity, str(path), seen.size_bytes, seen.sha256, path.parent.name, admitted_s=clock()
    )
    return Admission(facts, seen)


def down(*links: str) -> Mapping[str, Health]:
    return {name: Health(name, LinkState.DOWN, why=f"{name} is away") for name in links}


@dataclass
class Facility:
    """Folders, services and a clock; agents come and go."""

    root: Path
    policy: Policy
    watch: Watch = field(default_factory=Watch)
    health: Mapping[str, Health] = field(default_factory=dict)
    here: Here | None = None
    """What runs steps; None where no analysis is wanted."""

    def __post_init__(self) -> None:
        self.copier = FolderCopier(self.root / "copier")
        self.queue = RunQueue(self.root / "runs")
        self.examine = examine_bytes

    @property
    def ledger_path(self) -> Path:
        return self.root / "ledger.sqlite"

    def ledger(self) -> Ledger:
        return Ledger(self.ledger_path, clock=self.watch)

    def agent(self, ledger: Ledger, hook: Hook = no_hook) -> Agent:
        here = self.here
        means = Means(
            self.policy, self.watch, self.queue, {"copies": self.copier}, threads=1,
            steps=None if here is None else lambda: here,
        )  # fmt: skip
        services = Services(self.policy, means.goals, self.examine, lambda: self.health, self.watch)
        return Agent(ledger, services, hook)

    def turns(self, agent: Agent, count: int = 12) -> None:
        """Let an agent look so many times, a minute apart."""
        for _ in range(count):
            agent.turn()
            self.watch.advance(TURN_S)


def raw_file(root: Path, name: str, content: bytes = b"") -> Path:
    path = root / "raw" / "BLS-00001_a" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content or name.encode("utf-8", "surrogateescape"))
    return path


def away() -> LinkDownError:
    return LinkDownError("no answer", where="copier", fix="It is tried again by itself")
