"""Profile and policy of a simulated beamline: those of 8.3.2, with its own folders."""

from __future__ import annotations

from typing import Any

from alsct_gui.files.plaintext import read_plain, write_plain
from alsct_gui.files.resources import resource_path
from alsct_gui.simulator.facility.globus import collection_id
from alsct_gui.simulator.facility.tree import Tree

PATIENCE = {"first_s": 2, "factor": 2, "most_s": 30, "attempts": 8}
"""How failures are tried again: sooner than at a real facility, where nobody watches."""
_POLL_S = 1.0


def write_papers(tree: Tree) -> None:
    """Write both into the facility's folder."""
    write_plain(tree.profile, profile_of(tree))
    write_plain(tree.policy, policy_of(tree))


def profile_of(tree: Tree) -> dict[str, Any]:
    """Return the profile as plain data."""
    plain: dict[str, Any] = read_plain(resource_path("profiles", "als-8.3.2.yaml"))
    folders = {"raw": str(tree.raw), "scratch": str(tree.scratch)}
    collections = [
        {"name": name, "root": str(folder), "uuid": collection_id(name)}
        for name, folder in tree.collections.items()
    ]
    named = {"name": "simulated", "title": "Simulated micro-CT beamline", "facility": "Simulator"}
    return {**plain, **named, "folders": folders, "collections": collections}


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
