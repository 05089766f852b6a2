"""A beamline whose services are stand-ins on loopback, with the real clients and real goals."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from alsct_gui.files.identity import quick_identity
from alsct_gui.files.open import open_scan
from alsct_gui.files.recipes import save_recipe
from alsct_gui.model.codec import from_plain
from alsct_gui.model.placement import GoalKey, GoalRecord, Observed, ScanFacts, StateKind
from alsct_gui.model.policy import (
    Analysis,
    Ban,
    Lane,
    Patience,
    Place,
    Policy,
    Product,
    Selection,
    Site,
    Wish,
)
from alsct_gui.model.profile import Groups, Profile
from alsct_gui.placement.admission import Admission
from alsct_gui.placement.agent import Agent
from alsct_gui.placement.analyses import settled
from alsct_gui.placement.asking import ask_admit
from alsct_gui.placement.goals.base import Clock
from alsct_gui.placement.goals.reading import read_file
from alsct_gui.placement.ledger import Ledger
from alsct_gui.placement.policy import recipe_hash
from alsct_gui.placement.works import Hook, no_hook
from alsct_gui.simulator.facility.clock import ManualClock
from alsct_gui.simulator.facility.faults import Fault, FaultDesk, FaultName
from alsct_gui.simulator.facility.globus import Globus
from alsct_gui.simulator.facility.papers import Addresses, profile_of
from alsct_gui.simulator.facility.scicat import INGESTOR, ScicatStandIn
from alsct_gui.simulator.facility.sfapi import SuperfacilityStandIn
from alsct_gui.simulator.facility.tree import Tree
from alsct_gui.simulator.facility.world import SERVICE_ACCOUNT
from alsct_gui.superfacility.credentials import GLOBUS_SECRET, SCICAT_SECRET, FileCredentials
from alsct_gui.wiring.agent import Wiring
from alsct_gui.wiring.outside import Waits
from tests.placement.analysing import wish
from tests.placement.conftest import KNOWN

HASH = recipe_hash(KNOWN)
NAME = "20260801_120000_a 'scan' $(touch pwned) é.h5"
FOLDER = "BLS-00001_kim"
PROPOSAL = "BLS-00001"
GROUP = "5b7a3f6e-0000-4000-8000-000000000001"
QUICK = Waits(
    globus_http_s=1.0, globus_call_s=3.0, globus_retries=1, globus_backoff_s=0.0,
    nersc_answer_s=1.5, nersc_submit_s=3.0, nersc_pause_s=0.0, scicat_answer_s=1.0,
    scicat_call_s=3.0,
)  # fmt: skip
TURN_S = 60.0
PASSWORD = "canary-scicat-3a9c"  # noqa: S105 (looked for where it must not be)
SECRET = "canary-globus-8f2b"  # noqa: S105

# Does what a reconstruction does as far as a goal sees it: a product that was made before.
_PROGRAM = """
import json, os, shutil, sys
given = dict(w[2:].split("=", 1) for w in sys.argv[2:] if w.startswith("--") and "=" in w)
os.stat(sys.argv[-1])
if not os.path.exists(given["output"]):
    os.makedirs(os.path.dirname(given["output"]), exist_ok=True)
    part = given["output"] + ".part"
    shutil.rmtree(part, ignore_errors=True)
    shutil.copytree(sys.argv[1], part)
    os.rename(part, given["output"])
with open(given["progress-file"] + ".new", "w") as file:
    json.dump({"state": "finished", "slices": 80}, file)
os.rename(given["progress-file"] + ".new", given["progress-file"])
"""

# The same for a step: a table, and what tells how it was made.
_STEP = """
import json, os, shutil, sys
template, output = sys.argv[1], sys.argv[-1]
given = dict(w[2:].split("=", 1) for w in sys.argv[2:] if w.startswith("--") and "=" in w)
for suffix in (".json", ".csv"):
    name = os.path.splitext(output)[0] + suffix
    shutil.copyfile(os.path.splitext(template)[0] + suffix, name + ".part")
    os.rename(name + ".part", name)
with open(given["progress-file"] + ".new", "w") as file:
    json.dump({"state": "finished"}, file)
os.rename(given["progress-file"] + ".new", given["progress-file"])
"""
TABLE = "template.csv"


@dataclass
class Loopback:
    """A beamline in a folder; agents come and go."""

    root: Path
    clock: Clock
    desk: FaultDesk
    addresses: Addresses
    policy: Policy = field(init=False)
    profile: Profile = field(init=False)

    def __post_init__(self) -> None:
        self.tree = Tree(self.root)
        plain = profile_of(self.tree, self.addresses)
        profile = from_plain(Profile, plain, where="profile")
        program = (sys.executable, "-c", _PROGRAM, str(self.root / "template.zarr"))
        self.profile = replace(
            profile, nersc=replace(profile.nersc, program=program),
            globus=replace(profile.globus, groups=Groups(table={PROPOSAL: GROUP})),
            scicat=replace(profile.scicat, groups=Groups(table={PROPOSAL: "als-00001"})),
        )  # fmt: skip
        self.policy = policy_of(self.root / "recipe.yaml")
        if (self.root / TABLE).exists():
            self._analyse()

    def _analyse(self) -> None:
        """Offer a table of the reconstruction, which jobs only copy, there and brought here."""
        analysis = Analysis("bright", str(self.root / "bright.py"), str(self.root / "recipe.yaml"))
        sheets, _ = settled((analysis,), self.root)
        wishes = (wish("bright", "recon"), wish("bright", "back"))
        self.policy = replace(
            self.policy, analyses=(analysis,), sheets=sheets,
            wishes=(*self.policy.wishes, *(
                replace(each, name=name)
                for each, name in zip(wishes, ("table there", "table back"), strict=True)
            )),
        )  # fmt: skip
        steps = (sys.executable, "-c", _STEP, str(self.root / TABLE))
        nersc = replace(self.profile.nersc, steps=steps)
        self.profile = replace(self.profile, nersc=nersc)

    @property
    def ledger_path(self) -> Path:
        return self.root / "ledger.sqlite"

    @property
    def raw(self) -> Path:
        return self.tree.raw / FOLDER / NAME

    def ledger(self) -> Ledger:
        return Ledger(self.ledger_path, clock=self.clock)

    def wiring(self) -> Wiring:
        return Wiring(
            self.profile, self.policy, self.ledger_path, runs=self.root / "runs", threads=1,
            secrets=lambda: FileCredentials(self.root / "secrets"), clock=self.clock, waits=QUICK,
        )  # fmt: skip

    def restrict(self, wishes: Collection[str]) -> None:
        """Want only what wishes of these names want."""
        left = tuple(wish for wish in self.policy.wishes if wish.name in wishes)
        self.policy = replace(self.policy, wishes=left)

    def add_table(self, table: Path) -> None:
        """Put somebody's code, and what will be made by it, into the folder."""
        shutil.copytree(table, self.root, dirs_exist_ok=True)
        self._analyse()

    def fill(self, scan: Path, template: Path) -> None:
        """Put a scan and what will be made of it into the folders."""
        self.tree.make()
        save_recipe(KNOWN, self.root / "recipe.yaml")
        shutil.copytree(template, self.root / "template.zarr")
        self.raw.parent.mkdir(parents=True)
        shutil.copyfile(scan, self.raw)
        kept = FileCredentials(self.root / "secrets")
        kept.put(GLOBUS_SECRET, SECRET)
        kept.put(SCICAT_SECRET, PASSWORD)
        with self.ledger() as ledger:
            ask_admit(ledger, self.raw, proposal=PROPOSAL)


def policy_of(recipe: Path) -> Policy:
    """Everything that can be wanted of a scan."""
    return Policy(
        name="loopback",
        sites=(Site("here", outside=False), Site("nersc")),
        lanes=(
            Lane("here", 4, poll_s=0.0),
            Lane("globus", 2, 10, poll_s=0.0, by="globus"),
            Lane("back", poll_s=0.0, by="globus"),
            Lane("slurm", 4, poll_s=0.0, by="nersc"),
            Lane("services", 4, poll_s=0.0),
        ),
        places=(
            Place("raw", "here", "here", collection="data832_raw"),
            Place("cfs", "nersc", "globus", links=("globus", "cfs"),
                  collection="nersc832_alsdev_raw"),
            Place("recon", "nersc", "slurm", links=("perlmutter", "cfs"),
                  collection="nersc832_alsdev_scratch"),
            Place("back", "here", "back", links=("globus", "cfs"), collection="data832_scratch",
                  source="recon"),
            Place("scicat", "nersc", "services", links=("scicat",)),
            Place("catalogue", "here", "here"),
        ),
        admitted="raw",
        wishes=(
            Wish("raw", Product.RAW, ("cfs",), priority=9),
            Wish("there", Product.RECONSTRUCTION, ("recon",), recipe=str(recipe), priority=8),
            Wish("back", Product.RECONSTRUCTION, ("back",), recipe=str(recipe), priority=7),
            Wish("record", Product.METADATA, ("scicat",)),
            Wish("access", Product.ACCESS, ("cfs",), requires_proposal=True),
            Wish("row", Product.CATALOGUE, ("catalogue",)),
        ),
        bans=(Ban("controlled", ("nersc",), Selection(export_controlled=True)),),
        patience=Patience(30.0, 2.0, 600.0, 4),
        recipes={str(recipe): HASH},
    )  # fmt: skip


def examine_opened(path: Path, clock: Clock) -> Admission:
    """A scan's own identity and bytes, without the process that looks at strange files."""
    seen = read_file(path, clock)
    assert seen is not None
    assert seen.size_bytes is not None
    with open_scan(path) as scan:
        identity = quick_identity(scan)
    return Admission(
        ScanFacts(identity, str(path), seen.size_bytes, seen.sha256, admitted_s=clock()), seen
    )


class Life:
    """An agent on a beamline's ledger, looked at from a test.

    Parameters
    ----------
    place
        The beamline.
    hook
        Of the agent.
    """

    def __init__(self, place: Loopback, hook: Hook = no_hook) -> None:
        self.place = place
        self.wiring = place.wiring()
        self.ledger = place.ledger()
        services = replace(self.wiring.services, examine=examine_opened)
        self.agent = Agent(self.ledger, services, hook)

    @property
    def observed(self) -> Observed:
        return self.agent.observed

    def close(self) -> None:
        self.ledger.close()
        self.wiring.outside.close()
        self.wiring._links.close()

    def turn(self) -> None:
        """One turn, and what goes on beside it."""
        self.agent.turn()
        wait_for_readings(self.agent)

    def look(self) -> None:
        """Look at the chain, as the thread beside the agent does."""
        self.wiring._outlook.look()

    def record(self, product: Product, place: str) -> GoalRecord:
        """The goal of the one scan."""
        (part,) = self.observed.scans
        mark = HASH if product is Product.RECONSTRUCTION else "-"
        return self.observed.goals[GoalKey(part, product, place, mark).text]

    def open_goals(self) -> list[str]:
        """Goals that are not met."""
        return [
            f"{record.key}: {record.state.kind} {record.state.waits_for} {record.state.cause}"
            for record in self.observed.goals.values()
            if record.state.kind not in (StateKind.MET, StateKind.NOT_WANTED)
        ]


def wait_for_readings(agent: Agent) -> None:
    """Wait for the threads in which files are read a second time."""
    for goals in agent._goals.__self__._known.values():  # type: ignore[attr-defined]
        second = getattr(goals, "_second", None)
        readings = getattr(goals, "readings", () if second is None else (second,))
        for reading in readings:
            reading.wait()


@contextmanager
def services_of(
    root: Path, clock: ManualClock, desk: FaultDesk, *, again: bool = False,
) -> Iterator[tuple[Globus, SuperfacilityStandIn, ScicatStandIn]]:  # fmt: skip
    """The stand-ins of a beamline in a folder, with memories; jobs go on when they end.

    Parameters
    ----------
    root, clock, desk
        The folder, and what tells time and faults.
    again
        Whether they have lived before, and listen where they did.
    """
    tree = Tree(root)
    tree.make()
    ports = json.loads((tree.memory / "ports.json").read_text()) if again else {}
    with ExitStack() as stack:
        globus = Globus(
            tree.collections, desk, memory=tree.memory / "globus.json", resources=tree.resources,
            ports=(ports.get("transfer", 0), ports.get("auth", 0)),
        )  # fmt: skip
        globus.add_client(SERVICE_ACCOUNT, SECRET)
        sfapi = SuperfacilityStandIn(
            tree.nersc,
            desk,
            cfs=tree.cfs,
            key_file=tree.key,
            memory=tree.memory / "sfapi.json",
            port=ports.get("sfapi", 0),
        )
        scicat = ScicatStandIn(
            desk, users=(replace(INGESTOR, password=PASSWORD),),
            memory=tree.memory / "scicat.json", port=ports.get("scicat", 0),
        )  # fmt: skip
        if not tree.key.exists():
            sfapi.tokens.write_key(tree.key)
        stack.enter_context(globus)
        stack.enter_context(scicat)
        sfapi.server.start()
        stack.callback(sfapi.server.close)
        known = {
            "transfer": globus.transfer_server.port, "auth": globus.auth_server.port,
            "sfapi": sfapi.server.port, "scicat": scicat.server.port,
        }  # fmt: skip
        (tree.memory / "ports.json").write_text(json.dumps(known))
        yield globus, sfapi, scicat


def put(desk: FaultDesk, name: FaultName, where: str = "*", **more: object) -> None:
    desk.put(Fault(name, where, **more))  # type: ignore[arg-type]
