"""A facility of two folders, and accounts that the real globus-sdk uses against it."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

from alsct_gui.simulator.facility.clock import ManualClock
from alsct_gui.simulator.facility.faults import FaultDesk
from alsct_gui.simulator.facility.globus import Globus, collection_id
from alsct_gui.superfacility.credentials import FileCredentials
from alsct_gui.superfacility.transfer.base import TransferItem, TransferRequest
from alsct_gui.superfacility.transfer.globus import GlobusTransfer
from alsct_gui.superfacility.transfer.globus_login import (
    Patience,
    person_account,
    service_account,
)

SERVICE = "11111111-2222-4333-8444-555555555555"
PERSON_CLIENT = "99999999-2222-4333-8444-555555555555"
CANARY = "canary-secret-8f2b"
QUICK = Patience(http_s=2.0, call_s=8.0, login_s=8.0, retries=1, backoff_s=0.0)
RATE = 1000.0


@dataclass
class Place:
    """The stand-in, its folders, and what a test needs to know of them."""

    globus: Globus
    desk: FaultDesk
    clock: ManualClock
    source: Path
    target: Path
    credentials: FileCredentials
    recorded: list[str] = field(default_factory=list)

    def request(self, files: dict[str, bytes], key: str = "k", **words: str) -> TransferRequest:
        """Write files at the source and ask for them at the target."""
        items = []
        for name, data in files.items():
            path = self.source / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            items.append(TransferItem(name, name, len(data), hashlib.sha256(data).hexdigest()))
        return TransferRequest(
            key, collection_id("als"), collection_id("nersc"), tuple(items),
            **{"proposal": "ALS-1", "label": "a scan", **words},
        )  # fmt: skip

    def service(self, patience: Patience = QUICK) -> GlobusTransfer:
        """The beamline's account."""
        return GlobusTransfer(
            lambda: service_account(SERVICE, CANARY, self.credentials, patience),
            clock=self.clock, patience=patience,
        )  # fmt: skip

    def person(
        self,
        open_page: Callable[[str], None] | None = None,
        ask_code: Callable[[str], str] | None = None,
        patience: Patience = QUICK,
    ) -> GlobusTransfer:
        """A person."""
        return GlobusTransfer(
            lambda: person_account(
                PERSON_CLIENT, self.credentials, patience, open_page=open_page, ask_code=ask_code
            ),
            clock=self.clock, patience=patience,
        )  # fmt: skip

    def arrived(self) -> dict[str, bytes]:
        """What lies at the target."""
        return {
            str(path.relative_to(self.target)): path.read_bytes()
            for path in self.target.rglob("*") if path.is_file()
        }  # fmt: skip

    def reset(self) -> None:
        """Begin anew, with another case of the same test: a collection of garbage is dear."""
        shutil.rmtree(self.target)
        self.target.mkdir()
        self.globus.mover.tasks.clear()
        self.globus.mover.written.clear()
        self.recorded.clear()
        self.desk.clear()

    def moved(self) -> list[int]:
        """How often each file was written whole."""
        return sorted(self.globus.mover.written.values())


def browser(url: str) -> None:
    """A browser whose person says yes."""
    with requests.Session() as session:
        session.get(url, timeout=10).raise_for_status()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    clock = ManualClock()
    desk = FaultDesk(clock)
    source, target = tmp_path / "als", tmp_path / "nersc"
    source.mkdir()
    target.mkdir()
    with Globus({"als": source, "nersc": target}, desk, rate_bytes_per_s=RATE) as globus:
        globus.add_client(SERVICE, CANARY)
        for name, value in globus.environment.items():
            monkeypatch.setenv(name, value)
        yield Place(globus, desk, clock, source, target, FileCredentials(tmp_path / "secrets"))
        desk.clear()


@pytest.fixture
def service(place: Place) -> Iterator[GlobusTransfer]:
    transfer = place.service()
    yield transfer
    transfer.close()
