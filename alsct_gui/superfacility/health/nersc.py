"""How NERSC is by its own account; needs no key."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from alsct_gui.superfacility.compute.nersc import parse_utc
from alsct_gui.superfacility.compute.session import STATUS_PAGE, Access, Session
from alsct_gui.superfacility.errors import LinkDownError, OutsideError
from alsct_gui.superfacility.health.judge import Outage, judge_error, judge_resource
from alsct_gui.superfacility.health.model import Health, LinkName, Reading

RESOURCES = {
    LinkName.PERLMUTTER: "perlmutter",
    LinkName.CFS: "community_filesystem",
    LinkName.GLOBUS: "globus",
    LinkName.SPIN: "spin",
    LinkName.JUPYTER: "jupyter",
}
"""Links whose health NERSC tells, by NERSC's names."""


class NerscStatus:
    """Asks NERSC how it is, without a key.

    Parameters
    ----------
    access
        Where the API is; its key is not used.
    """

    def __init__(self, access: Access) -> None:
        self._session = Session(
            Access(access.api_url, access.token_url, None, access.machine, access.answer_s)
        )

    def status(self, resource: str) -> tuple[str, str]:
        """Tell the status of a resource and its notes.

        Raises
        ------
        OutsideError
            NERSC does not answer, or not with a status.
        """
        answer = self._session.get(f"status/{resource}")
        if not isinstance(answer, dict) or not isinstance(answer.get("status"), str):
            raise LinkDownError(
                "NERSC's answer is not understood", where=f"NERSC {resource}", name="nonsense"
            )
        notes = answer.get("notes") or []
        words = "; ".join(str(note) for note in notes) if isinstance(notes, list) else str(notes)
        return answer["status"], " ".join(words.split())[:500]

    def outages(self, resource: str) -> tuple[Outage, ...]:
        """Tell the outages of a resource, active and planned.

        Raises
        ------
        OutsideError
            As for `status`.
        """
        rows: list[Any] = []
        for kind in ("outages", "outages/planned"):
            answer = self._session.get(f"status/{kind}/{resource}")
            rows += answer if isinstance(answer, list) else []
        read = (read_outage(row) for row in rows if isinstance(row, dict))
        return tuple(dict.fromkeys(read))

    def close(self) -> None:
        """End the connection."""
        self._session.close()


class NerscProbe:
    """Looks at one link by NERSC's own account.

    Parameters
    ----------
    status
        Connection; may be shared.
    name
        One of `RESOURCES`.
    clock
        Seconds since 1970 UTC.
    """

    def __init__(
        self, status: NerscStatus, name: LinkName, clock: Callable[[], float] = time.time
    ) -> None:
        self._status, self._name, self._clock = status, name, clock

    @property
    def name(self) -> LinkName:
        """Which link."""
        return self._name

    def look(self) -> Reading:
        """Ask for status and outages, and judge."""
        resource = RESOURCES[self._name]
        try:
            status, notes = self._status.status(resource)
            outages = self._status.outages(resource)
        except OutsideError as error:
            # That the API is silent says nothing of the machine behind it.
            said = judge_error(error)
            return Reading(Health.UNKNOWN, said.why, said.fix, page=STATUS_PAGE)
        return judge_resource(status, notes, outages, self._clock(), page=STATUS_PAGE)


def read_outage(row: dict[str, Any]) -> Outage:
    """Read one outage as the API tells it."""
    said = str(row.get("status"))
    over = said in ("Cancelled", "Completed")
    return Outage(
        parse_utc(row.get("start_at")),
        parse_utc(row.get("end_at")),
        " ".join(str(row.get("description") or row.get("notes") or "").split())[:500],
        "over" if over else "planned" if said == "Planned" else "active",
    )
