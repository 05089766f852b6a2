"""Access rules through the real library: given once, read back, taken away, never too wide."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alsct_gui.simulator.facility.faults import Fault, FaultName
from alsct_gui.simulator.facility.globus import collection_id
from alsct_gui.superfacility.errors import LinkDownError, OutsideError, RefusedError
from alsct_gui.superfacility.transfer.globus import GlobusTransfer
from alsct_gui.superfacility.transfer.globus_access import (
    AccessRule,
    add_rule,
    delete_rule,
    due,
    list_rules,
)
from tests.superfacility.transfer.conftest import Place

GROUP = "12345678-1234-4234-8234-123456789abc"
RULE = AccessRule(
    collection_id("nersc"), "/ALS-1/odd 'name' $(x)/", "group", GROUP, expires_s=5000.0
)


def test_a_rule_is_given_once_read_back_and_taken_away(
    place: Place, service: GlobusTransfer
) -> None:
    given = add_rule(service, RULE)
    assert given.id
    assert replace(given, id="") == RULE
    assert add_rule(service, RULE) == given
    assert list_rules(service, RULE.collection) == (replace(given, expires_s=None),)
    delete_rule(service, given)
    delete_rule(service, given)
    assert list_rules(service, RULE.collection) == ()


def test_another_right_is_not_taken_for_this_one(place: Place, service: GlobusTransfer) -> None:
    add_rule(service, replace(RULE, permissions="rw"))
    with pytest.raises(RefusedError, match="'rw' already"):
        add_rule(service, RULE)


@pytest.mark.parametrize(
    "words",
    [
        {"principal_type": "all_authenticated_users"}, {"principal_type": "anonymous"},
        {"principal": ""}, {"principal": "everybody"}, {"path": "/"}, {"path": ""},
        {"path": "//"}, {"path": "/a/../"}, {"path": "/a"}, {"permissions": "rwx"},
    ],
)  # fmt: skip
def test_what_is_missing_or_too_wide_fails_closed(
    place: Place, service: GlobusTransfer, words: dict[str, str]
) -> None:
    with pytest.raises(RefusedError):
        add_rule(service, replace(RULE, **words))  # type: ignore[arg-type]
    assert place.globus.collections[RULE.collection].rules == {}


@pytest.mark.parametrize("name", [FaultName.RESET_AFTER, FaultName.TRUNCATED, FaultName.GARBLED])
def test_a_rule_whose_answer_was_lost_is_found_again(
    place: Place, service: GlobusTransfer, name: FaultName
) -> None:
    number = place.desk.put(Fault(name, "transfer POST */access"))
    try:
        add_rule(service, RULE)
    except OutsideError as error:
        assert isinstance(error, LinkDownError | RefusedError)  # noqa: PT017 (either is honest)
    place.desk.take(number)
    assert add_rule(service, RULE).id
    assert len(place.globus.collections[RULE.collection].rules) == 1


def test_rules_end_by_our_own_calendar() -> None:
    forever = replace(RULE, expires_s=None)
    assert due([RULE, forever], 4999.0) == ()
    assert due([RULE, forever], 5000.0) == (RULE,)
