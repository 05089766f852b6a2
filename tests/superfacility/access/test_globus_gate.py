"""Access rules of a collection through the real library: a folder, a group, nothing more."""

from __future__ import annotations

import pytest

from alsct_gui.simulator.facility.faults import Fault, FaultName
from alsct_gui.simulator.facility.globus import collection_id
from alsct_gui.superfacility.access.base import AccessGate, Grant
from alsct_gui.superfacility.access.globus import GlobusGate, GlobusRules
from alsct_gui.superfacility.errors import LinkDownError, NeedsPersonError, RefusedError
from alsct_gui.superfacility.proposals import ProposalGroups
from tests.superfacility.access.conftest import Collections

GROUP = "12345678-1234-4234-8234-123456789abc"
OTHER = "22345678-1234-4234-8234-123456789ABC"
GROUPS = ProposalGroups(table={"BLS-00564": GROUP, "BLS-00001": OTHER, "BLS-2": "everybody"})
ODD = 'BLS-00564_it\'s "odd" $(x)é'


def gate_of(collections: Collections, base: str = "") -> GlobusGate:
    return GlobusGate(collections.transfer, GlobusRules(collection_id("nersc"), GROUPS, base))


def test_a_folder_is_opened_once_read_back_and_closed(collections: Collections) -> None:
    gate = gate_of(collections, "raw")
    assert isinstance(gate, AccessGate)
    grants = [Grant(f"{ODD}/a.h5", "BLS-00564"), Grant(f"{ODD}/b.h5", "BLS-00564")]
    other = Grant("BLS-00001_y/c.h5", "BLS-00001")
    assert gate.seen([*grants, other]) == ("", "", "")
    gate.give([*grants, other])
    gate.give(grants)
    rows = {(row["path"], row["principal_type"], row["permissions"]) for row in collections.rules}
    assert rows == {(f"/raw/{ODD}/", "group", "r"), ("/raw/BLS-00001_y/", "group", "r")}
    first, second, third = gate.seen([*grants, other])
    assert first == second != third
    assert first.startswith(f"{GROUP} r by rule ")
    gate.take(grants)
    gate.take(grants)
    assert gate.seen([*grants, other]) == ("", "", third)


def test_what_others_have_opened_stays(collections: Collections) -> None:
    collection = collections.globus.collections[collection_id("nersc")]
    collection.add_rule({
        "DATA_TYPE": "access", "principal_type": "group", "principal": OTHER.lower(),
        "path": f"/{ODD}/", "permissions": "rw",
    })  # fmt: skip
    gate, grant = gate_of(collections), Grant(f"{ODD}/a.h5", "BLS-00564")
    gate.give([grant])
    gate.take([grant])
    assert [row["principal"] for row in collections.rules] == [OTHER.lower()]
    with pytest.raises(RefusedError, match="'rw' already"):
        gate.give([Grant(f"{ODD}/a.h5", "BLS-00001")])
    assert gate.seen([Grant(f"{ODD}/a.h5", "BLS-00001")]) == ("",)


@pytest.mark.parametrize(
    ("path", "proposal"),
    [("f/a", ""), ("f/a", "None"), ("f/a", "BLS-2"), ("a", "BLS-00564"), ("f/a", "BLS-9")],
)
def test_a_missing_or_wrong_proposal_or_folder_fails_closed(
    collections: Collections, path: str, proposal: str
) -> None:
    gate = gate_of(collections)
    for act in (gate.give, gate.seen, gate.take):
        with pytest.raises(NeedsPersonError if proposal != "BLS-2" else RefusedError):
            act([Grant(path, proposal)])
    assert collections.rules == []


@pytest.mark.parametrize(
    "name", [FaultName.RESET_AFTER, FaultName.TRUNCATED, FaultName.UNAVAILABLE]
)
def test_a_fault_leads_to_one_rule(collections: Collections, name: FaultName) -> None:
    gate, grant = gate_of(collections), Grant(f"{ODD}/a.h5", "BLS-00564")
    number = collections.desk.put(Fault(name, "transfer POST */access"))
    with pytest.raises(LinkDownError):
        gate.give([grant])
    collections.desk.take(number)
    gate.give([grant])
    assert len(collections.rules) == 1
