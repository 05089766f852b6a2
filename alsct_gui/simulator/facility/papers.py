"""Profile and policy of a simulated beamline: those of 8.3.2, with its own folders."""

from __future__ import annotations

import os
import sys
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from alsct_gui.files.plaintext import read_plain, write_plain
from alsct_gui.files.resources import resource_path
from alsct_gui.simulator.acquisition import PROPOSALS as ACQUIRED
from alsct_gui.simulator.facility.globus import collection_id
from alsct_gui.simulator.facility.scicat import INGESTOR
from alsct_gui.simulator.facility.tree import Tree

PROGRAM = (sys.executable, "-P", "-c", "from alsct_gui.cli import main; main()", "recon")
"""What jobs reconstruct with: the command line of this installation."""
STEPS = (*PROGRAM[:-1], "step", "run")
"""What they run steps with."""
PROPOSALS = {"pattern": r"_?[A-Za-z]+-\d{5}(_.*)?", "group": r"\g<0>"}
"""Every proposal is its own group."""
GROUPS = {
    proposal: str(uuid.uuid5(uuid.NAMESPACE_URL, f"alsct-simulated-group:{proposal}"))
    for proposal, _ in ACQUIRED
}
"""Globus group of each proposal whose scans are simulated."""
PATIENCE = {"first_s": 2, "factor": 2, "most_s": 30, "attempts": 8}
"""How failures are tried again: sooner than at a real facility, where nobody watches."""
LOOK_S = 2.0
"""How often each link is looked at: an outage that is put on the desk shows at once."""
_POLL_S = 1.0


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the services of a facility are."""

    globus_client: str
    """Id of the beamline's account at Globus."""
    nersc_api: str
    """Superfacility API."""
    nersc_tokens: str
    """Where it gives tokens out."""
    scicat: str
    """SciCat's API."""


def write_papers(tree: Tree, addresses: Addresses) -> None:
    """Write both into the facility's folder."""
    write_plain(tree.profile, profile_of(tree, addresses))
    write_plain(tree.policy, policy_of(tree))


def profile_of(tree: Tree, addresses: Addresses) -> dict[str, Any]:
    """Return the profile as plain data."""
    plain: dict[str, Any] = read_plain(resource_path("profiles", "als-8.3.2.yaml"))
    folders = {"raw": str(tree.raw), "scratch": str(tree.scratch)}
    collections = [
        {"name": name, "root": str(folder), "uuid": collection_id(name)}
        for name, folder in tree.collections.items()
    ]
    named = {"name": "simulated", "title": "Simulated micro-CT beamline", "facility": "Simulator"}
    nersc = {
        **plain["nersc"], "key_file": str(tree.key), "jobs_folder": str(tree.jobs),
        "api_url": addresses.nersc_api, "token_url": addresses.nersc_tokens,
        "mounts": [str(tree.nersc)], "program": list(PROGRAM), "steps": list(STEPS),
        "memory_gb": 4, "cpus": os.cpu_count() or 1,
    }  # fmt: skip
    scicat = {
        "url": addresses.scicat, "user": INGESTOR.name, "pid_prefix": "20.500.00000",
        "contact": "beamline@example.org", "groups": PROPOSALS,
        "access_groups": list(INGESTOR.groups),
    }  # fmt: skip
    network = urlsplit(addresses.nersc_api).netloc
    return {
        **plain, **named, "folders": folders, "collections": collections, "nersc": nersc,
        "globus": {
            "account": "service", "client_id": addresses.globus_client,
            "groups": {"table": GROUPS},
        },
        "scicat": scicat, "hosts": {"network": network}, "look_s": LOOK_S,
    }  # fmt: skip


def policy_of(tree: Tree) -> dict[str, Any]:
    """Return the policy as plain data."""
    plain: dict[str, Any] = read_plain(resource_path("policies", "als-8.3.2.yaml"))
    folders = tree.collections
    places = [
        {**place, "root": str(folders[place["collection"]])} if "collection" in place else place
        for place in plain["places"]
    ]
    lanes = [{**lane, "poll_s": _POLL_S} for lane in plain["lanes"]]
    return {**plain, "name": "simulated", "places": places, "lanes": lanes, "patience": PATIENCE}
