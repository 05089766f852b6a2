"""How the facility says it is: status and outages, for whoever asks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from alsct_gui.simulator.facility.faults import Fault, FaultDesk, FaultName
from alsct_gui.simulator.facility.http import Reply
from alsct_gui.simulator.facility.outages import MACHINES, OUTAGES, RESOURCES, concerns, outage_of


def status_reply(desk: FaultDesk, status: Mapping[str, str], rest: str) -> Reply | None:
    """Answer ``status/REST``; None for what is not known.

    Parameters
    ----------
    desk
        Outages.
    status
        Status of each resource while no outage is on.
    rest
        Path behind ``status/``.
    """
    first, _, name = rest.partition("/")
    if first != "outages":
        known = [_status(desk, status, each) for each in RESOURCES if first in ("", each)]
        return Reply(known[0] if first else known) if known else None
    planned = name == "planned" or name.startswith("planned/")
    name = name.removeprefix("planned").strip("/")
    rows = _outages(desk, planned=planned)
    return Reply([row for row in rows if row["name"] == name] if name else [rows])


def utc(at_s: float) -> str:
    """Tell a time as the API does."""
    return datetime.fromtimestamp(at_s, UTC).isoformat()


def _status(desk: FaultDesk, status: Mapping[str, str], name: str) -> dict[str, Any]:
    down = outage_of(desk, name) is not None
    full_name = name.replace("_", " ").capitalize()
    return {
        "name": name, "full_name": full_name, "description": "System simulated",
        "system_type": "compute" if name in MACHINES else "service",
        "notes": [f"{full_name} is down"] if down else [],
        "status": "unavailable" if down else status[name],
        "updated_at": utc(desk.clock()),
    }  # fmt: skip


def _outages(desk: FaultDesk, *, planned: bool) -> list[dict[str, Any]]:
    now_s, rows = desk.clock(), []
    for fault in desk.faults().values():
        ahead = fault.start_s is not None and fault.start_s > now_s
        over = fault.end_s is not None and fault.end_s <= now_s
        announced = fault.name is FaultName.PLANNED_OUTAGE
        listed = announced and not over if planned else not ahead and (announced or not over)
        if fault.name in OUTAGES and listed:
            names = [name for name in RESOURCES if concerns(fault, name)]
            rows += [_row(fault, name, now_s, ahead=ahead, over=over) for name in names]
    return rows


def _row(fault: Fault, name: str, now_s: float, *, ahead: bool, over: bool) -> dict[str, Any]:
    announced = fault.name is FaultName.PLANNED_OUTAGE
    return {
        "name": name, "start_at": utc(fault.start_s or now_s),
        "end_at": None if fault.end_s is None else utc(fault.end_s),
        "description": "Scheduled Maintenance" if announced else "Unplanned Outage",
        "notes": f"{name.replace('_', ' ').capitalize()} is down", "swo": "unavailable",
        "status": "Planned" if ahead else "Completed" if over else "Active",
        "update_at": utc(now_s),
    }  # fmt: skip
