"""Names that people give their samples and folders, through every path, script and API.

Whole lists of them go through at once, by the real clients: the ledger, Globus, local copies,
a job's script in real bash (and in real sbatch, `test_slurm`), SciCat.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from alsct_gui.placement.asking import ask_admit
from alsct_gui.placement.ledger import Ledger
from alsct_gui.simulator.facility.world import Pace, World
from alsct_gui.superfacility.compute.base import JobRequest, Resources
from alsct_gui.superfacility.compute.nersc import Nersc
from alsct_gui.superfacility.compute.script import Site
from alsct_gui.superfacility.credentials import FileCredentials
from alsct_gui.superfacility.errors import OutsideError, RefusedError
from alsct_gui.superfacility.metadata.base import Record, RecordFile, Words, differences
from alsct_gui.superfacility.metadata.scicat import Scicat
from alsct_gui.superfacility.metadata.scicat_session import ScicatAccess
from alsct_gui.superfacility.transfer.base import TransferItem, TransferRequest, TransferState
from alsct_gui.superfacility.transfer.local import LocalTransfer
from tests.simulator.facility.clients import CFS, RAW, Clients, clients_of, wait_until

KNOWN = (
    "it's \"a\" sample", "$(touch pwned) `touch pwned`", "two\nlines\r\n", "-rf", "--output=x",
    "%j%x", "..x", "x..", "~", "a;b&c|d>e<f", "é試🦴", "e\u0301", "\u202eevil", " ", "\t",
    "\\n\\\\", "*?[a]{b,c}", "#SBATCH --nodes=99", "a\u2215..\u2215b", "con.h5.h5", "x" * 100,
    "\x7f\x1b[31m",
)  # fmt: skip
TELL = """
import json, os, pathlib, sys
given = dict(w[2:].split("=", 1) for w in sys.argv[1:] if w.startswith("--") and "=" in w)
words = [list(os.fsencode(word)) for word in sys.argv[1:]]
pathlib.Path(given["progress-file"]).with_suffix(".told").write_text(json.dumps(words))
pathlib.Path(given["progress-file"]).write_text(json.dumps({"state": "finished", "slices": 4}))
"""


def _fits(name: str) -> bool:
    return name not in (".", "..") and len(name.encode()) <= 200


names = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=("Cs",)), min_size=1, max_size=40
).filter(_fits)
lists = st.lists(st.tuples(names, names), min_size=8, max_size=12, unique=True)


@dataclass
class Place:
    """A facility and its clients, for many examples."""

    world: World
    clients: Clients
    nersc: Nersc
    scicat: Scicat
    copies: LocalTransfer
    numbers: Iterator[int]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    root = tmp_path_factory.mktemp("names") / "root"
    patch = pytest.MonkeyPatch()
    with (
        World(root, Pace(rate_bytes_per_s=None, queue_wait_s=0.0)) as world,
        clients_of(root, patch.setenv) as clients,
    ):
        site = Site(
            str(world.tree.jobs), runtime="none", mounts=(), program=(sys.executable, "-c", TELL)
        )  # fmt: skip
        nersc = Nersc(clients.nersc._access, site, pause=lambda: None)
        credentials = FileCredentials(root / "tokens")
        credentials.put("scicat", (world.tree.credentials / "scicat-password").read_text())
        access = ScicatAccess(world.scicat.url, user="ingestor")
        scicat, copies = Scicat(access, credentials), LocalTransfer(root / "copies")
        nersc.status("31000001")  # so that its thread is there before the first test
        try:
            yield Place(world, clients, nersc, scicat, copies, count())
        finally:
            nersc.close()
            scicat.close()
            patch.undo()


@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck))
@given(lists)
@example([(name, other) for name, other in zip(KNOWN, reversed(KNOWN), strict=True)])
def test_names_go_through_everything_unharmed(place: Place, pairs: list[tuple[str, str]]) -> None:
    tree, top = place.world.tree, f"example {next(place.numbers)}"
    data = {f"{top}/{folder}/{name}.h5": f"{folder}\0{name}".encode() for folder, name in pairs}
    for name, content in data.items():
        path = tree.raw / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    before = _everything(tree.root)

    through_the_ledger(tree.root / f"{top}.sqlite", [tree.raw / name for name in data])
    through_globus(place, data)
    through_a_local_copy(place, top, data)
    through_a_job(place, top, list(data))
    through_scicat(place, top, data)

    for root in (tree.collections["nersc832_alsdev_raw"], tree.root / "mirror"):
        assert {str(p.relative_to(root)): p.read_bytes() for p in _files(root / top)} == data
    grown = {path.parts[0] for path in _everything(tree.root) - before}
    known = {"memory", "mirror", "nersc", "copies", "tokens", f"{top}.sqlite", f"{top}.sqlite.lock"}
    assert grown <= known
    assert not list(tree.root.rglob("pwned"))


def through_the_ledger(path: Path, files: list[Path]) -> None:
    with Ledger(path) as ledger:
        for file in files:
            ask_admit(ledger, file)
    with Ledger(path) as ledger:
        assert list(ledger.observed().arrivals) == [str(file) for file in files]


def items_of(data: dict[str, bytes]) -> tuple[TransferItem, ...]:
    return tuple(
        TransferItem(name, name, len(content), hashlib.sha256(content).hexdigest())
        for name, content in data.items()
    )


def through_globus(place: Place, data: dict[str, bytes]) -> None:
    globus, items = place.clients.globus, items_of(data)
    first = next(iter(data))
    request = TransferRequest(first, RAW, CFS, items, first, first)
    task = globus.submit(request, lambda _: None)
    wait_until(lambda: globus.status(task).state is TransferState.SUCCEEDED, "all is there")
    for seen, content in zip(globus.verify(CFS, items), data.values(), strict=True):
        assert (seen.there, seen.size_bytes) == (True, len(content)), seen


def through_a_local_copy(place: Place, top: str, data: dict[str, bytes]) -> None:
    copies, root, raw = place.copies, place.world.tree.root, place.world.tree.raw
    (root / "mirror").mkdir(exist_ok=True)
    items = items_of(data)
    request = TransferRequest(top, str(raw), str(root / "mirror"), items)
    copy = copies.submit(request, lambda _: None)
    wait_until(lambda: copies.status(copy).state is TransferState.SUCCEEDED, "all is copied")
    seen = copies.verify(str(root / "mirror"), items)
    assert [each.sha256 for each in seen] == [item.sha256 for item in items]
    for _, child in copies._children:
        child.wait()


def through_a_job(place: Place, top: str, names: list[str]) -> None:
    """One job bears all the names: the first as its scan, the others as further words."""
    tree, first = place.world.tree, names[0]
    scan, output = f"{tree.cfs}/raw/{first}", f"{tree.cfs}/scratch/{first}"
    resources = Resources("realtime", "als", "cpu", time_s=900)
    job = JobRequest(top, scan, output, resources, options=tuple(names[1:]))
    id_ = place.nersc.submit(job)
    assert place.world.sfapi.slurm.wait(id_) == "COMPLETED", place.nersc.log(id_, job.name)
    told = tree.jobs / f"{job.name}.progress.told"
    words = [os.fsdecode(bytes(word)) for word in json.loads(told.read_text())]
    assert words[0] == f"--output={output}"
    assert words[-len(names) - 1 :] == [*names[1:], "--", scan]


def through_scicat(place: Place, top: str, data: dict[str, bytes]) -> None:
    files = tuple(
        RecordFile(
            name, len(content), "2026-02-03T05:00:00.000Z", hashlib.sha256(content).hexdigest()
        )
        for name, content in data.items()
    )
    first = next(iter(data))
    words = Words(first, first, "a@example.org", "2026-02-03T05:00:00.000Z", sample=first)
    key = hashlib.sha256(first.encode()).hexdigest()[:20]
    scientific = {name: {"value": name, "unit": ""} for name in data}
    record = Record(
        f"20.500.12345/{key}", "raw", "als", first, f"/data/{first}", words, files=files,
        scientific=scientific,
    )  # fmt: skip
    assert differences(record, place.scicat.upsert(record)) == ()
    back = place.scicat.read(record.pid)
    assert back is not None
    assert [file.path for file in back.files] == list(data)
    assert (back.folder, back.words.name) == (record.folder, first)


@pytest.mark.parametrize("name", ["../x.h5", "a/../../x.h5", "/etc/x.h5", "a//b.h5", "a\0b.h5", ""])
def test_what_leads_elsewhere_is_refused_at_every_door(place: Place, name: str) -> None:
    tree = place.world.tree
    item = (TransferItem(name, "good.h5"),)
    with pytest.raises(RefusedError):
        place.clients.globus.submit(TransferRequest("k", RAW, CFS, item), lambda _: None)
    other = (TransferItem("good.h5", name),)
    with pytest.raises(RefusedError):
        place.copies.submit(
            TransferRequest("k", str(tree.raw), str(tree.scratch), other), lambda _: None
        )
    resources = Resources("realtime", "als", "cpu", time_s=900)
    job = JobRequest(f"to {name}", f"{tree.cfs}/{name}", "/x", resources)
    if ".." in name or "\0" in name:
        with pytest.raises(RefusedError):
            place.nersc.submit(job)


def test_the_services_do_not_trust_their_clients_either(place: Place) -> None:
    """The bare libraries ask for what the adapters would not."""
    globus, nersc, tree = place.clients.globus, place.nersc, place.world.tree
    with pytest.raises(OutsideError, match="not allow"):
        globus.ask("a look", lambda client: client.operation_ls(CFS, path="/../../../"))
    with pytest.raises(RefusedError, match="Permission denied"):
        nersc._upload(f"{tree.nersc}/../outside", b"x")
    with pytest.raises(RefusedError, match="Permission denied"):
        nersc._read_text("/etc/hostname")
    assert not (tree.root / "outside").exists()


def _files(root: Path) -> Iterator[Path]:
    return (path for path in root.rglob("*") if path.is_file())


def _everything(root: Path) -> set[Path]:
    return {path.relative_to(root) for path in root.rglob("*")}
