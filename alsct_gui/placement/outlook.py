"""How the links are and what is to be expected, kept up in a thread beside the agent.

Probes block, and the agent must not: so the chain is looked at here, and the agent takes what
was found last.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from alsct_gui.model.errors import AlsctError
from alsct_gui.model.placement import Health, LinkState
from alsct_gui.superfacility.errors import LinkDownError
from alsct_gui.superfacility.health.chain import NOT_YET, Chain
from alsct_gui.superfacility.health.forecast import Forecast
from alsct_gui.superfacility.health.judge import judge_error
from alsct_gui.superfacility.health.model import LinkHealth, LinkName

FORECAST_NOTE = "nersc-forecast"
"""Name of the note in the ledger."""
_FORECAST_S = 60.0
_LOOK_S = 1.0
_END_S = 5.0


class Outlook:
    """Looks at the chain and asks for the forecast; use as a context for the thread.

    Parameters
    ----------
    chain
        The links.
    forecast
        Asks for the forecast; None when there is nobody to ask.
    clock
        Seconds since 1970.
    """

    def __init__(
        self,
        chain: Chain,
        forecast: Callable[[], Forecast] | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._chain, self._forecast, self._clock = chain, forecast, clock
        self._asked_s = -_FORECAST_S
        self._last: Forecast | None = None
        self._stop = threading.Event()
        # A probe may hang in the system; the process does not wait for it for ever.
        self._thread = threading.Thread(target=self._run, name="alsct-health", daemon=True)

    def look(self) -> None:
        """Look at what is due; blocks as long as the probes do."""
        self._chain.look()
        if self._forecast is not None and self._clock() - self._asked_s >= _FORECAST_S:
            self._asked_s = self._clock()
            self._last = self._forecast()

    def health(self) -> Mapping[str, Health]:
        """How the links are, by name; those left out that no probe has come to yet."""
        found = (item for item in self._chain.links() if item.reading != NOT_YET)
        return {item.link.name.value: to_health(item) for item in found}

    def met(self, link: str, error: AlsctError | None) -> None:
        """Take in what work met that used a link: an error, or None when it went well.

        Only that nobody answered speaks against a link: a refusal is an answer.
        """
        try:
            name = LinkName(link)
        except ValueError:
            return  # a policy may name links that are not in the chain
        if isinstance(error, LinkDownError):
            self._chain.tell(name, judge_error(error))
        elif error is None:
            self._chain.worked(name)

    def notes(self) -> Mapping[str, Mapping[str, Any]]:
        """What is to be kept in the ledger, by name of the note."""
        last = self._last
        return {} if last is None else {FORECAST_NOTE: last.to_plain()}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join(_END_S)

    def _run(self) -> None:
        while not self._stop.is_set():
            self.look()
            self._stop.wait(_LOOK_S)


def to_health(item: LinkHealth) -> Health:
    """Return a link's health as the ledger keeps it."""
    reading, state = item.reading, LinkState(item.reading.health.value)
    ill = state in (LinkState.DOWN, LinkState.DEGRADED)
    return Health(
        item.link.name.value, state, item.since, reading.why,
        item.link.affects if ill else "", reading.fix, reading.until,
    )  # fmt: skip
