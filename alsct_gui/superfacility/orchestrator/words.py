"""What Prefect says, in our words: pure functions from its documents.

Fields as in Prefect 3's REST API (https://docs.prefect.io/v3/api-ref/rest-api). Nothing that
comes from outside is trusted to have the type it should have.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from alsct_gui.superfacility.orchestrator.base import Deployment, FlowRun, FlowState

_MOST_CHARS = 300
_NO_WORKER = "See whether a worker of its work pool runs"
_STATES: dict[FlowState, tuple[str, str]] = {
    FlowState.SCHEDULED: ("It waits for a worker to take it", ""),
    FlowState.LATE: ("No worker has taken it in its time", _NO_WORKER),
    FlowState.PENDING: ("A worker prepares it", ""),
    FlowState.RUNNING: ("It runs", ""),
    FlowState.PAUSED: ("It is paused and waits for a person", "Resume it on its page"),
    FlowState.CANCELLING: ("It is being ended", ""),
    FlowState.COMPLETED: ("It says that it is done", ""),
    FlowState.FAILED: ("It has failed", "Read its log on its page, then hand the scan over again"),
    FlowState.CRASHED: ("What it ran on broke down", "Hand the scan over again"),
    FlowState.CANCELLED: ("It was ended by somebody", "Hand the scan over again if it is wanted"),
    FlowState.UNKNOWN: ("Prefect does not say how it is", "Look at its page"),
}


def state_of(plain: Any) -> FlowState:
    """Read a state document: its type, and the name that tells a late run from one in time."""
    if not isinstance(plain, Mapping):
        return FlowState.UNKNOWN
    kind, name = plain.get("type"), plain.get("name")
    if kind == "SCHEDULED" and name == "Late":
        return FlowState.LATE
    if isinstance(kind, str) and kind.lower() in FlowState.__members__.values():
        return FlowState(kind.lower())
    return FlowState.UNKNOWN


def run_of(plain: Any, pages: str = "") -> FlowRun:
    """Read a flow run's document.

    Parameters
    ----------
    plain
        As the API gives it.
    pages
        Address of the orchestrator's pages for people; empty when it has none.

    Raises
    ------
    ValueError
        It is none.
    """
    plain = _document(plain)
    document = plain.get("state")
    state = state_of(document)
    sentence, fix = _STATES[state]
    said = document.get("message") if isinstance(document, Mapping) else ""
    parameters = plain.get("parameters")
    return FlowRun(
        plain["id"], _text(plain.get("name")), state, sentence, _text(said), fix,
        deployment=_text(plain.get("deployment_id")), key=_text(plain.get("idempotency_key")),
        expected_s=_time_s(plain.get("expected_start_time")),
        started_s=_time_s(plain.get("start_time")), ended_s=_time_s(plain.get("end_time")),
        page=f"{pages}/runs/flow-run/{plain['id']}" if pages else "",
        parameters=dict(parameters) if isinstance(parameters, Mapping) else {},
    )  # fmt: skip


def deployment_of(plain: Any, flow: str) -> Deployment:
    """Read a deployment's document; `flow` is the name of its flow.

    Raises
    ------
    ValueError
        It is none.
    """
    plain = _document(plain)
    schema = plain.get("parameter_openapi_schema")
    schema = schema if isinstance(schema, Mapping) else {}
    takes, required, own = schema.get("properties"), schema.get("required"), plain.get("parameters")
    own = own if isinstance(own, Mapping) else {}
    return Deployment(
        plain["id"], f"{flow}/{_text(plain.get('name'))}",
        tuple(map(str, takes)) if isinstance(takes, Mapping) else (),
        tuple(str(name) for name in required if name not in own)
        if isinstance(required, list) else (),
        plain.get("paused") is True, _text(plain.get("work_pool_name")),
    )  # fmt: skip


def _document(plain: Any) -> Mapping[str, Any]:
    identity = plain.get("id") if isinstance(plain, Mapping) else None
    if not isinstance(identity, str):
        raise ValueError("a document without an id")  # noqa: TRY004 (it is wrong, not its type)
    found: Mapping[str, Any] = plain
    return found


def _text(value: Any) -> str:
    return value[:_MOST_CHARS].rstrip(".\n ") if isinstance(value, str) else ""


def _time_s(value: Any) -> float | None:
    if not isinstance(value, str):
        return None
    try:
        return datetime.fromisoformat(value).timestamp()
    except (ValueError, OverflowError):
        return None
