"""Prefect 3, by its own client.

The client repeats what fails for a minute and more; here it does not repeat at all, since who
tries again is the reconciler. Its import takes a second, so it waits for the first call.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from alsct_gui.superfacility.bounded import bounded
from alsct_gui.superfacility.errors import (
    LinkDownError,
    NeedsPersonError,
    NotThereError,
    RefusedError,
)
from alsct_gui.superfacility.orchestrator.base import Deployment, FlowRun
from alsct_gui.superfacility.orchestrator.words import deployment_of, run_of

MOST_DEPLOYMENTS = 200
"""Deployments that are listed: the server gives no more at once."""
_WHERE = "Prefect"
_AGAIN = "It is tried again by itself"
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class PrefectAccess:
    """Where a Prefect server is and who asks."""

    api: str
    """Address of its API, such as ``http://host:4200/api``."""
    key: str = field(default="", repr=False)
    """API key; empty when the server asks for none."""
    auth: str = field(default="", repr=False)
    """``user:password`` of a server that has basic authentication."""
    pages: str = ""
    """Address of its pages for people; empty for the API's without its ``/api``."""
    http_s: float = 8.0
    """Longest wait for one read."""
    call_s: float = 20.0
    """Longest wait for a call."""


class Prefect:
    """An `Orchestrator` that is a Prefect 3 server.

    Parameters
    ----------
    access
        Where it is and who asks.
    """

    def __init__(self, access: PrefectAccess) -> None:
        self._access = access
        self._pages = access.pages or access.api.removesuffix("/").removesuffix("/api")

    def deployments(self) -> tuple[Deployment, ...]:
        """Flows that can be run, by name; see `Orchestrator.deployments`."""

        def ask(client: Any) -> list[tuple[Any, str]]:
            flows = {flow.id: flow.name for flow in client.read_flows(limit=MOST_DEPLOYMENTS)}
            found = client.read_deployments(limit=MOST_DEPLOYMENTS)
            return [(_plain(item), flows.get(item.flow_id, "")) for item in found]

        rows = self._call(ask)
        return tuple(sorted((deployment_of(*row) for row in rows), key=lambda found: found.name))

    def runs(self, limit: int = 50) -> tuple[FlowRun, ...]:
        """Latest runs, the newest first."""
        from prefect.client.schemas.sorting import FlowRunSort

        rows = self._call(
            lambda client: [
                _plain(run)
                for run in client.read_flow_runs(
                    limit=limit, sort=FlowRunSort.EXPECTED_START_TIME_DESC
                )
            ]
        )
        return tuple(run_of(row, self._pages) for row in rows)

    def hand_over(
        self, deployment: str, parameters: Mapping[str, Any], key: str, title: str = ""
    ) -> FlowRun:
        """Have a flow run, once however often it is asked for; see `Orchestrator.hand_over`."""
        flow, _, name = deployment.partition("/")
        if not (flow and name and key):
            raise RefusedError(
                f"{deployment[:80]!r} is no deployment, or the work has no key", where=_WHERE,
                fix="Name it as flow/deployment",
            )  # fmt: skip
        asked = dict(parameters)

        def ask(client: Any) -> tuple[Any, Any]:
            found = client.read_deployment_by_name(deployment)
            known = _plain(found)
            _require_taken(deployment_of(known, flow), asked)
            run = client.create_flow_run_from_deployment(
                found.id, parameters=asked, idempotency_key=key, name=title or None
            )
            return known, _plain(run)

        _, plain = self._call(ask, f"deployment {deployment}")
        run = run_of(plain, self._pages)
        if any(run.parameters.get(name) != value for name, value in asked.items()):
            raise RefusedError(
                "another flow run has that key", where=run.page or run.id,
                fix="Look at that run; it was given something else",
            )  # fmt: skip
        return run

    def run(self, id: str) -> FlowRun:  # noqa: A002 (as in the Protocol)
        """Say where a run stands."""
        run_id = _run_id(id)
        plain = self._call(lambda client: _plain(client.read_flow_run(run_id)), f"flow run {id}")
        return run_of(plain, self._pages)

    def cancel(self, id: str) -> None:  # noqa: A002
        """Ask for its end there; one that has not begun is cancelled at once."""
        run_id = _run_id(id)

        def ask(client: Any) -> None:
            from prefect.states import Cancelling

            # The server answers "rejected" for a run that nothing runs yet, and cancels it itself.
            client.set_flow_run_state(run_id, Cancelling())

        before = self.run(id)
        if not before.state.is_final:
            self._call(ask, f"flow run {id}")

    def _call(self, ask: Callable[[Any], _T], what: str = "") -> _T:
        return bounded(lambda: self._ask(ask, what), self._access.call_s, where=_WHERE)

    def _ask(self, ask: Callable[[Any], _T], what: str) -> _T:
        """Ask with a client of this thread's own; its errors become ours."""
        import httpx
        from prefect.client.orchestration import SyncPrefectClient
        from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
        from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings

        access = self._access
        try:
            with (
                temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}),
                SyncPrefectClient(
                    access.api, api_key=access.key or None, auth_string=access.auth or None,
                    httpx_settings={"timeout": access.http_s},
                ) as client,
            ):  # fmt: skip
                return ask(client)
        except ObjectNotFound as error:
            raise NotThereError(
                f"there is no {what}", where=_WHERE, fix="See its page of deployments",
                link=self._pages,
            ) from error  # fmt: skip
        except PrefectHTTPStatusError as error:
            raise _of_status(error.response.status_code, _detail(error.response)) from error
        except (httpx.TransportError, json.JSONDecodeError, ValueError) as error:
            # pydantic's errors are ValueErrors: an answer that is no answer.
            said = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
            raise LinkDownError(
                f"Prefect does not answer as it should ({said})", where=access.api, fix=_AGAIN
            ) from error


def _require_taken(deployment: Deployment, parameters: Mapping[str, Any]) -> None:
    """Refuse parameters that the flow does not take: the server may let them pass and fail."""
    if not deployment.parameters:
        return
    unknown = sorted(set(parameters) - set(deployment.parameters))
    missing = sorted(set(deployment.required) - set(parameters))
    if unknown or missing:
        words = [f"does not take {name!r}" for name in unknown]
        words += [f"wants {name!r}" for name in missing]
        raise RefusedError(
            f"the flow {' and '.join(words)}", where=f"Prefect: {deployment.name}",
            fix="Set its parameters in the profile",
        )  # fmt: skip


def _of_status(status: int, detail: str) -> Exception:
    if status in (401, 403):
        return NeedsPersonError(
            "Prefect does not accept the key", where=_WHERE, fix="Give a key that is valid"
        )
    if status in (408, 425, 429) or status >= 500:
        return LinkDownError(f"Prefect answers with HTTP {status}", where=_WHERE, fix=_AGAIN)
    return RefusedError(
        f"Prefect refuses it ({detail or f'HTTP {status}'})", where=_WHERE,
        fix="See what the flow takes on its page",
    )  # fmt: skip


def _detail(response: Any) -> str:
    try:
        said = response.json().get("detail", "")
    except (ValueError, AttributeError):
        return ""
    return str(said)[:200].rstrip(".")


def _plain(model: Any) -> Any:
    """Return a document of the client as the plain data it came from."""
    return model.model_dump(mode="json")


def _run_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotThereError(f"{text[:80]!r} is no flow run", where=_WHERE) from error
