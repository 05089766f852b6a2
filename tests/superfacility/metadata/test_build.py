"""Records of scans and of reconstructions: whose they are is never guessed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from alsct_gui.files.open import open_scan
from alsct_gui.model.errors import InputError
from alsct_gui.model.placement import ScanFacts
from alsct_gui.model.recipe import recipe_from_dict
from alsct_gui.superfacility.errors import NeedsPersonError, RefusedError
from alsct_gui.superfacility.metadata.base import Record
from alsct_gui.superfacility.metadata.build import (
    Made,
    RecordRules,
    address_of,
    bare_record,
    derived_pid,
    derived_record,
    keywords_of,
    raw_pid,
    raw_record,
)
from alsct_gui.superfacility.metadata.mapping import load_table
from alsct_gui.superfacility.proposals import ProposalGroups
from tests.superfacility.metadata.conftest import MODIFIED, RULES


def test_a_raw_record_says_whose_and_what_it_is(record: Record, facts: ScanFacts) -> None:
    assert record.pid == f"20.500.12345/{facts.id[:32]}"
    assert (record.kind, record.published, record.data_format) == ("raw", False, "DX")
    assert (record.owner_group, record.proposal) == ("BLS-00564", "BLS-00564")
    (file,) = record.files
    assert (file.sha256, file.size_bytes, file.modified) == ("ab" * 32, facts.size_bytes, MODIFIED)
    words = record.words
    assert (words.owner, words.contact) == ("Ada Example", "operator@example.org")
    assert words.created == words.ended == "2026-02-03T04:05:10.080Z"
    assert "name" in words.keywords


def test_the_ledger_alone_tells_enough_to_look_again(record: Record, facts: ScanFacts) -> None:
    bare = bare_record(facts, RULES, record.folder)
    (ours,), (theirs,) = bare.files, record.files
    assert (ours.path, ours.size_bytes, ours.sha256) == (
        theirs.path, theirs.size_bytes, theirs.sha256,
    )  # fmt: skip
    assert bare.pid == record.pid


@pytest.mark.parametrize("proposal", ["", " ", "None", "BLS-1", "BLS-00564; rm", "bls-00564\n"])
def test_a_missing_or_wrong_proposal_fails_closed(
    scan_file: Path, facts: ScanFacts, proposal: str
) -> None:
    with open_scan(scan_file) as scan, pytest.raises(NeedsPersonError) as failure:
        raw_record(
            scan, replace(facts, proposal=proposal), RULES, load_table(scan.layout), "/", MODIFIED
        )
    assert failure.value.name == "proposal"
    assert failure.value.fix


def test_the_table_of_groups_comes_before_the_pattern() -> None:
    groups = ProposalGroups(r"BLS-(?P<n>\d{5})", r"als-\g<n>", {"BLS-00001": "staff", "x": ""})
    assert groups.group_of("BLS-00001") == "staff"
    assert groups.group_of("BLS-00564") == "als-00564"
    for unknown in ("x", "bls-00564", "BLS-00564 "):
        with pytest.raises(NeedsPersonError):
            groups.group_of(unknown)
    with pytest.raises(NeedsPersonError):
        ProposalGroups().group_of("BLS-00564")


@pytest.mark.parametrize(
    ("pattern", "group"), [("(", "a"), ("a", r"\g<n>"), ("a", r"\2"), ("a", ""), ("", "a")]
)
def test_a_rule_that_does_not_fit_is_refused_at_once(pattern: str, group: str) -> None:
    with pytest.raises(RefusedError):
        ProposalGroups(pattern, group)


@pytest.mark.parametrize("words", [{"pid_prefix": "a/b"}, {"pid_prefix": ""}, {"contact": "me"}])
def test_rules_that_cannot_be_used_are_refused_at_once(words: dict[str, str]) -> None:
    with pytest.raises(RefusedError):
        RecordRules(**{"pid_prefix": "p", "contact": "a@b.org", **words})  # type: ignore[arg-type]


def test_addresses_are_taken_out_of_what_people_type() -> None:
    assert address_of("  'Ada <ada@lbl.gov>', ") == "ada@lbl.gov"
    assert address_of("NONE") == ""
    assert address_of("a@b") == ""
    assert keywords_of("Foam_A-3, (wet)", ("ct",)) == ("ct", "foam", "a", "3", "wet")


def test_a_derived_record_tells_how_it_was_made(made: Made, facts: ScanFacts) -> None:
    record = derived_record(made, facts, "0123456789ab", RULES, "/made")
    assert record.pid == derived_pid(RULES, facts.id, "0123456789ab") != raw_pid(RULES, facts.id)
    assert record.inputs == (raw_pid(RULES, facts.id),)
    assert record.software == ("Python 3.11.4", "alsct-gui 0.1.0", "engine fourier 1")
    assert record.parameters["recipe"]["name"] == "a recipe"
    assert recipe_from_dict(record.parameters["resolved"]).center.center_px == 7.5
    assert record.parameters["input_sha256"] == made.provenance.input_sha256
    assert record.scientific["voxel_size"] == {"value": 0.65, "unit": "um"}
    assert record.scientific["slices"] == 4
    assert "noise" not in record.scientific
    assert record.words.log == "warning: Few flats.\ntotal: 1.5 s"
    assert record.owner_group == "BLS-00564"
    assert record.words.owner == "Ada Example"


def test_a_product_of_another_scan_is_not_told_as_this_one(made: Made, facts: ScanFacts) -> None:
    with pytest.raises(InputError, match="another scan"):
        derived_record(made, replace(facts, id="0" * 64), "0123456789ab", RULES, "/made")
    with pytest.raises(NeedsPersonError):
        derived_record(made, replace(facts, proposal=""), "0123456789ab", RULES, "/made")
