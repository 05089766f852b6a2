from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from sfapi_client._jobs import TERMINAL_STATES
from sfapi_client.compute import Machine
from sfapi_client.jobs import JobState as ClientState

from alsct_gui.superfacility.compute.base import outcome, status_of
from alsct_gui.superfacility.compute.progress import RunProgress
from alsct_gui.superfacility.compute.states import (
    TERMINAL,
    JobState,
    is_held,
    parse_state,
    words_of,
)


def test_all_states_of_the_client_are_known_and_one_more() -> None:
    assert {state.value for state in ClientState} == set(JobState) - {"UNKNOWN"}
    assert len(ClientState) == 24
    assert Machine.perlmutter.value == "perlmutter"


def test_what_the_client_waits_for_for_ever_is_terminal_here() -> None:
    theirs = {state.value for state in TERMINAL_STATES}
    assert theirs < set(TERMINAL)
    assert set(TERMINAL) - theirs == {"NODE_FAIL", "BOOT_FAIL", "DEADLINE", "REVOKED"}


READINGS = {
    "CANCELLED by 1234": JobState.CANCELLED, "CANCELLED+": JobState.CANCELLED,
    "OUT_OF_ME+": JobState.OUT_OF_MEMORY, "NODE_FAIL": JobState.NODE_FAIL,
    " RUNNING ": JobState.RUNNING, "": JobState.UNKNOWN, None: JobState.UNKNOWN,
    "RE+": JobState.UNKNOWN, "COMPLETEDLY": JobState.UNKNOWN, "running": JobState.UNKNOWN,
}  # fmt: skip


def test_reading_of_states() -> None:
    assert {text: parse_state(text) for text in READINGS} == READINGS


@given(st.text(max_size=40))
def test_any_text_reads_as_a_state(text: str) -> None:
    assert parse_state(text) in JobState


def test_each_state_has_words() -> None:
    for state in JobState:
        words = words_of(state)
        assert words.sentence, state
        assert not words.sentence.endswith("."), state
        if state.has_failed:
            assert words.cause, state
            assert words.fix, state


def test_a_held_job_says_so() -> None:
    status = status_of("1", "", JobState.PENDING, reason="(JobHeldUser)")
    assert status.is_held
    assert status.sentence == "The job is held"
    assert "Release" in status.fix
    assert not is_held(JobState.PENDING, "Priority")
    assert is_held(JobState.REQUEUE_HOLD)


def test_only_counted_slices_are_done() -> None:
    ended = status_of("1", "", JobState.COMPLETED)
    assert outcome(status_of("1", "", JobState.RUNNING), None).verdict == "going"
    assert outcome(ended, None, 8).verdict == "no-output"
    assert outcome(ended, RunProgress("running", "slices", 3, 8), 8).verdict == "no-output"
    assert outcome(ended, RunProgress("finished", slices=7), 8).verdict == "incomplete"
    assert outcome(ended, RunProgress("finished", slices=8), 8).verdict == "done"
    lost = status_of("1", "", JobState.NODE_FAIL)
    assert outcome(lost, RunProgress("finished", slices=8), 8).verdict == "failed"
