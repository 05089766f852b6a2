"""Documents from outside are read as they are, whatever is in them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alsct_gui.superfacility.orchestrator.base import FlowState
from alsct_gui.superfacility.orchestrator.words import deployment_of, run_of, state_of

plain = st.none() | st.booleans() | st.integers() | st.text(max_size=9)
anything = plain | st.lists(plain, max_size=3) | st.dictionaries(st.text(max_size=9), plain)
FIELDS = (
    "id", "name", "state", "parameters", "start_time", "deployment_id",
    "parameter_openapi_schema", "paused", "work_pool_name",
)  # fmt: skip


@pytest.mark.parametrize(
    ("document", "state"),
    [
        ({"type": "SCHEDULED", "name": "Scheduled"}, FlowState.SCHEDULED),
        ({"type": "SCHEDULED", "name": "Late"}, FlowState.LATE),
        ({"type": "CRASHED", "name": "Crashed"}, FlowState.CRASHED),
        ({"type": "LATE"}, FlowState.LATE),
        ({"type": "NEW IN PREFECT 4"}, FlowState.UNKNOWN),
        (None, FlowState.UNKNOWN),
    ],
)
def test_states(document: Any, state: FlowState) -> None:
    assert state_of(document) is state


def test_every_state_has_words_and_a_run_says_why() -> None:
    for state in FlowState:
        kind = "SCHEDULED" if state is FlowState.LATE else state.name
        name = "Late" if state is FlowState.LATE else ""
        document = {"type": kind, "name": name, "message": "It broke."}
        run = run_of({"id": "1", "state": document}, "http://h")
        assert run.state is state
        assert run.sentence
        assert run.cause == "It broke"
        assert run.page == "http://h/runs/flow-run/1"


@given(st.dictionaries(st.sampled_from(FIELDS), anything))
def test_a_strange_document_is_read_or_refused(document: dict[str, Any]) -> None:
    for read in (run_of, lambda plain: deployment_of(plain, "flow")):
        try:
            found = read(document)
        except ValueError:
            assert not isinstance(document.get("id"), str)
        else:
            assert found.id == document["id"]
