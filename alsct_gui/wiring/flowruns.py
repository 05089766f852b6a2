"""Flow runs of the orchestrator: what they are given, and the latest of them for the window."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from alsct_gui.model.errors import AlsctError
from alsct_gui.model.placement import ScanFacts
from alsct_gui.model.profile import Profile
from alsct_gui.placement.goals.base import BlockedError, Clock
from alsct_gui.wiring.outside import Outside

NOTE = "flow-runs"
"""Name of the note in the ledger."""
SHOWN = 40
"""Runs that are kept in the note."""
_LOOK_S = 30.0
_END_S = 5.0
_WORDS: dict[str, Callable[[ScanFacts], Any]] = {
    "{path}": lambda scan: scan.path,
    "{proposal}": lambda scan: scan.proposal,
    "{identity}": lambda scan: scan.id,
    "{export_controlled}": lambda scan: scan.export_controlled,
    "true": lambda scan: True,
    "false": lambda scan: False,
}


def parameters_of(profile: Profile, deployment: str, scan: ScanFacts) -> dict[str, Any]:
    """Return what a deployment is given for a scan, as the profile says.

    Raises
    ------
    BlockedError
        The profile does not name it, or it may bring an export-controlled scan away.
    """
    offer = next((o for o in profile.prefect.flows if o.deployment == deployment), None)
    if offer is None:
        raise BlockedError(
            f"the profile does not know the flow {deployment}", where="profile: prefect.flows",
            fix="Name it there with its parameters, or take the scan back",
        )  # fmt: skip
    told = "{export_controlled}" in offer.parameters.values()
    if scan.export_controlled and offer.outside and not told:
        raise BlockedError(
            f"the scan is export-controlled, and {deployment} is not told so", where=scan.path,
            fix="Take the scan back",
        )  # fmt: skip
    given = offer.parameters.items()
    return {name: _WORDS[text](scan) if text in _WORDS else text for name, text in given}


class FlowRuns:
    """Asks for the latest runs now and then, beside the agent; use as a context.

    Parameters
    ----------
    outside
        Has the orchestrator, or none.
    clock
        Seconds since 1970.
    """

    def __init__(self, outside: Outside, clock: Clock) -> None:
        self._outside, self._clock = outside, clock
        self._last: Mapping[str, Any] | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def notes(self) -> Mapping[str, Mapping[str, Any]]:
        """What is to be kept in the ledger, by name of the note."""
        last = self._last
        return {} if last is None else {NOTE: last}

    def look(self) -> None:
        """Ask now; an orchestrator that does not answer is told as such."""
        plain: dict[str, Any]
        try:
            prefect = self._outside.prefect()
            runs = [_plain(run) for run in prefect.runs(SHOWN)]
            known = [{"name": d.name, "paused": d.paused} for d in prefect.deployments()]
            plain = {"runs": runs, "deployments": known}
        except AlsctError as error:
            plain = {"error": error.sentence}
        last = self._last
        if last is None or {**plain, "asked_s": last["asked_s"]} != last:
            self._last = {**plain, "asked_s": self._clock()}

    def __enter__(self) -> Self:
        if self._outside.profile.prefect.url:
            # The library may hang in the system; the process does not wait for it for ever.
            self._thread = threading.Thread(target=self._run, name="alsct-flows", daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(_END_S)

    def _run(self) -> None:
        while not self._stop.is_set():
            self.look()
            self._stop.wait(_LOOK_S)


def _plain(run: Any) -> dict[str, Any]:
    return {
        "id": run.id, "name": run.name, "state": run.state.value, "sentence": run.sentence,
        "cause": run.cause, "page": run.page, "started_s": run.started_s, "ended_s": run.ended_s,
        "expected_s": run.expected_s,
    }  # fmt: skip
