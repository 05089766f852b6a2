"""Where faults are switched from outside the process that plays the facility.

``GET /faults`` lists them by number, ``POST /faults`` puts one on the desk, ``DELETE
/faults`` takes all off and ``DELETE /faults/3`` one; ``GET /status`` tells how the facility
is. It has a port of its own, which works while others are refused.

Beside the words of a `Fault`, a body may say ``in_s`` and ``for_s``: in how many seconds of
the facility's clock it begins, and how long it lasts from then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from alsct_gui.model.errors import UsageError
from alsct_gui.simulator.facility.faults import FaultDesk, fault_from_plain
from alsct_gui.simulator.facility.http import Reply, Request, Server


def control_server(
    desk: FaultDesk, facts: Callable[[], Mapping[str, Any]] = dict, *, port: int = 0
) -> Server:
    """Return a server for the desk, not yet started.

    Parameters
    ----------
    desk
        The faults.
    facts
        Tells how the facility is, as plain data.
    port
        Port to listen on; 0 is any that is free.
    """

    def handle(request: Request) -> Reply:
        parts = request.path.strip("/").split("/")
        if parts == ["status"] and request.method == "GET":
            return Reply(dict(facts()))
        if parts[0] != "faults" or len(parts) > 2:
            return Reply({"error": "there are /faults and /status"}, 404)
        if request.method == "GET" and len(parts) == 1:
            rows = [{"number": n, **f.to_plain()} for n, f in desk.faults().items()]
            return Reply({"faults": rows})
        if request.method == "POST" and len(parts) == 1:
            return _put(desk, request)
        if request.method == "DELETE" and len(parts) == 1:
            desk.clear()
            return Reply({"faults": []})
        if request.method == "DELETE" and parts[1].isdecimal():
            desk.take(int(parts[1]))
            return Reply({})
        return Reply({"error": "GET, POST or DELETE"}, 405)

    return Server("control", handle, port=port)


def _put(desk: FaultDesk, request: Request) -> Reply:
    data = request.json()
    try:
        if not isinstance(data, dict):
            raise UsageError("the body is no JSON object")
        number = desk.put(fault_from_plain(_timed(desk, data)))
    except UsageError as error:
        return Reply({"error": error.sentence}, 400)
    return Reply({"number": number}, 201)


def _timed(desk: FaultDesk, data: Mapping[str, Any]) -> dict[str, Any]:
    """Turn ``in_s`` and ``for_s`` into times of the desk's clock.

    Raises
    ------
    UsageError
        One of them is no time.
    """
    words = dict(data)
    spans = {name: words.pop(name) for name in ("in_s", "for_s") if words.get(name) is not None}
    for name, value in spans.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
            raise UsageError(f"{name} is no number of seconds", fix="Give one of 0 or more")
    if "in_s" in spans:
        words["start_s"] = desk.clock() + spans["in_s"]
    if "for_s" in spans:
        words["end_s"] = (words.get("start_s") or desk.clock()) + spans["for_s"]
    return {name: value for name, value in words.items() if name not in ("in_s", "for_s")}
