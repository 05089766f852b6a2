"""Folders of a proposal, a group to open them to, and the Superfacility API on loopback."""

from __future__ import annotations

import grp
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from alsct_gui.simulator.facility.clock import ManualClock
from alsct_gui.simulator.facility.faults import FaultDesk
from alsct_gui.simulator.facility.globus import Globus, collection_id
from alsct_gui.simulator.facility.sfapi import SuperfacilityStandIn
from alsct_gui.superfacility.access.posix import NOT_OF_PROPOSALS, How, PosixGate, PosixRules
from alsct_gui.superfacility.compute.nersc import Nersc
from alsct_gui.superfacility.compute.script import Site
from alsct_gui.superfacility.compute.session import Access
from alsct_gui.superfacility.credentials import FileCredentials
from alsct_gui.superfacility.proposals import ProposalGroups
from alsct_gui.superfacility.scripts import HereScripts
from alsct_gui.superfacility.transfer.globus import GlobusTransfer
from alsct_gui.superfacility.transfer.globus_login import Patience, service_account

SERVICE = "11111111-2222-4333-8444-555555555555"
CANARY = "canary-secret-8f2b"


def usable_groups() -> list[str]:
    """Groups that this process may give files to, the best last."""
    ours = {os.getegid(), *os.getgroups()}
    return sorted(
        {
            entry.gr_name
            for entry in grp.getgrall()
            if (os.geteuid() == 0 or entry.gr_gid in ours)
            and re.fullmatch(r"[a-z_][a-z0-9_-]{0,31}", entry.gr_name)
            and entry.gr_name not in NOT_OF_PROPOSALS
        }
    )


@pytest.fixture(scope="session")
def group() -> str:
    found = usable_groups()
    if not found:
        pytest.skip("this account is of no group but everybody's")
    return found[-1]


@pytest.fixture(scope="session")
def groups(group: str) -> ProposalGroups:
    return ProposalGroups(table={"BLS-00564": group, "BLS-00001": "no-such-group-here"})


def gate_of(root: Path, groups: ProposalGroups, how: How = "group") -> PosixGate:
    """A gate on this machine."""
    return PosixGate(HereScripts(), PosixRules(str(root), groups, how))


def laid(root: Path, relative: str) -> Path:
    """A file that everybody may read, in folders that everybody may enter."""
    path = root / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    path.chmod(0o664)
    for folder in path.parents:
        if folder == root:
            break
        folder.chmod(0o775)
    return path


@dataclass
class There:
    """The stand-in for NERSC, and what runs scripts there."""

    root: Path
    desk: FaultDesk
    service: SuperfacilityStandIn
    access: Access
    scripts: Nersc


@pytest.fixture
def nersc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[There]:
    root = tmp_path_factory.mktemp("nersc")
    desk = FaultDesk(ManualClock())
    with SuperfacilityStandIn(root, desk) as service:
        key = service.tokens.write_key(root.parent / f"{root.name}-key.pem")
        access = Access(service.api_url, service.token_url, key, answer_s=5, submit_s=10)
        scripts = Nersc(access, Site(f"{root}/alsct"), pause=lambda: None)
        yield There(root, desk, service, access, scripts)
        desk.clear()
        scripts.close()


@dataclass
class Collections:
    """Globus on loopback with one collection, and the account that gives access to it."""

    globus: Globus
    desk: FaultDesk
    clock: ManualClock
    transfer: GlobusTransfer
    root: Path

    @property
    def rules(self) -> list[dict[str, str]]:
        """Access rules of the collection."""
        return list(self.globus.collections[collection_id("nersc")].rules.values())


@pytest.fixture
def collections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Collections]:
    clock = ManualClock()
    desk = FaultDesk(clock)
    root = tmp_path / "collection"
    root.mkdir()
    patience = Patience(http_s=5.0, call_s=20.0, login_s=8.0, retries=0, backoff_s=0.0)
    secrets = FileCredentials(tmp_path / "secrets")
    with Globus({"nersc": root}, desk) as globus:
        globus.add_client(SERVICE, CANARY)
        for name, value in globus.environment.items():
            monkeypatch.setenv(name, value)
        transfer = GlobusTransfer(
            lambda: service_account(SERVICE, CANARY, secrets, patience),
            clock=clock, patience=patience,
        )  # fmt: skip
        yield Collections(globus, desk, clock, transfer, root)
        desk.clear()
        transfer.close()
