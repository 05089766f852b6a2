"""The real clients, pointed at a facility by its card and papers, with little patience."""

from __future__ import annotations

import hashlib
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alsct_gui.simulator.facility.desk import read_card
from alsct_gui.simulator.facility.globus import collection_id
from alsct_gui.simulator.facility.tree import Tree
from alsct_gui.simulator.facility.world import SERVICE_ACCOUNT
from alsct_gui.superfacility.compute.base import JobRequest, Resources
from alsct_gui.superfacility.compute.nersc import Nersc
from alsct_gui.superfacility.compute.script import Site
from alsct_gui.superfacility.compute.session import Access
from alsct_gui.superfacility.credentials import FileCredentials
from alsct_gui.superfacility.transfer.base import TransferItem, TransferRequest
from alsct_gui.superfacility.transfer.globus import GlobusTransfer
from alsct_gui.superfacility.transfer.globus_login import Patience, service_account

RAW, CFS = collection_id("data832_raw"), collection_id("nersc832_alsdev_raw")
WORK = """
import json, pathlib, sys
options = [word[2:] for word in sys.argv[1:] if word.startswith("--") and "=" in word]
given = dict(option.split("=", 1) for option in options)
gate = pathlib.Path(sys.argv[-1]).with_suffix(".gate")
while gate.exists():
    pass
pathlib.Path(given["output"]).mkdir(parents=True, exist_ok=True)
pathlib.Path(given["progress-file"]).write_text(json.dumps({"state": "finished", "slices": 4}))
"""
"""A reconstruction as far as a job sees it; it goes on while a gate beside the scan is shut."""


@dataclass
class Clients:
    """Globus and NERSC as this program talks to them."""

    tree: Tree
    globus: GlobusTransfer
    nersc: Nersc

    def transfer(self, name: str, data: bytes, key: str = "") -> str:
        """Submit one file of raw data."""
        path = self.tree.raw / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        item = TransferItem(name, name, len(data), hashlib.sha256(data).hexdigest())
        request = TransferRequest(key or name, RAW, CFS, (item,), "BLS-1", "raw")
        return self.globus.submit(request, lambda _: None)

    def job(self, key: str, scan: str = "/x/scan.h5") -> JobRequest:
        """Return a job that works on a scan."""
        output = f"{self.tree.cfs}/scratch/rec {key}"
        return JobRequest(key, scan, output, Resources("realtime", "als", "cpu", time_s=900))


@contextmanager
def clients_of(
    root: Path, setenv: Callable[[str, str], None], patience_s: float = 20.0
) -> Iterator[Clients]:
    """Make clients that wait so long for an answer and ask once."""
    tree = Tree(root.resolve())
    card = read_card(tree.card)
    for name, value in card.environment.items():
        setenv(name, value)
    patience = Patience(patience_s, 5 * patience_s, 5 * patience_s, retries=0, backoff_s=0.0)
    secret = (tree.credentials / "globus-secret").read_text()
    credentials = FileCredentials(tree.root / "tokens")
    globus = GlobusTransfer(
        lambda: service_account(SERVICE_ACCOUNT, secret, credentials, patience), patience=patience
    )
    base = f"http://127.0.0.1:{card.ports['sfapi']}"
    access = Access(
        f"{base}/api/v1.2", f"{base}/c2id/token", tree.key, answer_s=patience_s, submit_s=60
    )
    site = Site(
        str(tree.jobs), runtime="podman-hpc", mounts=("/x", str(tree.nersc)),
        program=(sys.executable, "-c", WORK),
    )  # fmt: skip
    nersc = Nersc(access, site, pause=lambda: None)
    try:
        yield Clients(tree, globus, nersc)
    finally:
        globus.close()
        nersc.close()


def wait_until(condition: Callable[[], object], what: str) -> None:
    waiting = threading.Event()
    for _ in range(600):
        if condition():
            return
        waiting.wait(0.05)
    raise AssertionError(f"waited in vain until {what}")
