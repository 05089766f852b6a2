"""Task documents in our words: hostile ones too."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alsct_gui.superfacility.transfer.base import Reason, TransferState, advise
from alsct_gui.superfacility.transfer.globus_words import (
    find_cause,
    plain_words,
    read_task,
    task_mark,
)
from alsct_gui.superfacility.transfer.watch import Motion, follow, still_s

STILL = Motion((0,), 0.0, 0.0, 0)


def read(document: dict[str, Any], now_s: float = 10.0) -> Any:
    return read_task(document, 100, STILL, now_s=now_s, stall_s=60.0)


@pytest.mark.parametrize(
    ("document", "state", "reason"),
    [
        ({"status": "ACTIVE", "nice_status": "OK"}, TransferState.ACTIVE, Reason.NONE),
        ({"status": "ACTIVE", "nice_status": "Queued"}, TransferState.QUEUED, Reason.NONE),
        ({"status": "ACTIVE", "is_paused": True}, TransferState.PAUSED, Reason.PAUSED),
        ({"status": "INACTIVE"}, TransferState.NEEDS_PERSON, Reason.LOGIN),
        ({"status": "SUCCEEDED"}, TransferState.SUCCEEDED, Reason.NONE),
        ({"status": "FAILED", "fatal_error": {"code": "CANCELED", "description": "canceled"}},
         TransferState.CANCELLED, Reason.NONE),
        ({"status": "FAILED", "canceled_by_admin": "SOURCE",
          "canceled_by_admin_message": "full\nhouse"}, TransferState.CANCELLED, Reason.NONE),
        ({"status": "FAILED", "fatal_error": {"code": "QUOTA_EXCEEDED", "description": "q"}},
         TransferState.FAILED, Reason.QUOTA),
        ({"status": "FAILED"}, TransferState.FAILED, Reason.OTHER),
        ({"status": "ACTIVE", "nice_status": "PERMISSION_DENIED"}, TransferState.STALLED,
         Reason.PERMISSION),
        ({"status": "ACTIVE", "nice_status": "CONNECT_FAILED"}, TransferState.ACTIVE,
         Reason.UNREACHABLE),
        ({"status": "ACTIVE", "nice_status": "NEW_CODE", "nice_status_details": "who knows"},
         TransferState.ACTIVE, Reason.OTHER),
        ({"status": "MELTED"}, TransferState.UNKNOWN, Reason.NONE),
        ({}, TransferState.UNKNOWN, Reason.NONE),
    ],
)  # fmt: skip
def test_each_document_has_its_state(
    document: dict[str, Any], state: TransferState, reason: Reason
) -> None:
    status = read(document)
    assert (status.state, status.reason) == (state, reason)
    assert status.sentence


def test_an_error_that_lasts_is_a_stall() -> None:
    document = {"status": "ACTIVE", "nice_status": "CONNECT_FAILED"}
    assert read(document, now_s=59).state is TransferState.ACTIVE
    assert read(document, now_s=61).state is TransferState.STALLED


_plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
_names = st.sampled_from([
    "status", "nice_status", "nice_status_details", "is_paused", "fatal_error", "files", "faults",
    "bytes_transferred", "files_transferred", "files_skipped", "task_id", "request_time",
    "completion_time", "canceled_by_admin", "effective_bytes_per_second",
])  # fmt: skip
_status = st.sampled_from(["ACTIVE", "FAILED", "SUCCEEDED", "INACTIVE"])


@given(st.dictionaries(_names, _plain | st.lists(_plain, max_size=2)), _status)
def test_hostile_documents_raise_nothing_and_never_claim_success(
    document: dict[str, Any], status: str
) -> None:
    given_status = document.get("status")
    seen = read(document)
    task_mark(document)
    advise(seen, 1)
    assert seen.bytes_done >= 0
    assert seen.files_done >= 0
    assert "\n" not in seen.cause
    assert (seen.state is TransferState.SUCCEEDED) == (given_status == "SUCCEEDED")
    assert read({**document, "status": status}).state is not TransferState.UNKNOWN


def test_words_of_others_are_one_short_line() -> None:
    assert plain_words("a\n\x1b[31mb\u202e c") == "a [31mb c"
    assert len(plain_words("x" * 1000)) == 300
    assert find_cause("", None) == (Reason.OTHER, "", "")


@given(st.lists(st.tuples(st.floats(0, 1000), st.integers(0, 10_000)), min_size=1, max_size=30))
def test_motion_never_claims_more_stillness_than_there_was(
    steps: list[tuple[float, int]],
) -> None:
    motion, now_s, done = None, 0.0, 0
    moved_s = 0.0
    for passed_s, arrived in steps:
        now_s += passed_s
        done += arrived
        if arrived or motion is None:
            moved_s = now_s
        motion = follow(motion, done, done, now_s)
        assert still_s(motion, now_s) == pytest.approx(now_s - moved_s)
        assert motion.rate_bytes_per_s is None or motion.rate_bytes_per_s >= 0
