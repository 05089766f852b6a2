"""Where faults are switched from outside the process that plays the facility.

``GET /faults`` lists them by number, ``POST /faults`` puts one on the desk, ``DELETE
/faults`` takes all off and ``DELETE /faults/3`` one. It has a port of its own, which works
while others are refused.
"""

from __future__ import annotations

from alsct_gui.model.errors import UsageError
from alsct_gui.simulator.facility.faults import FaultDesk, fault_from_plain
from alsct_gui.simulator.facility.http import Reply, Request, Server


def control_server(desk: FaultDesk) -> Server:
    """Return a server for the desk, not yet started."""

    def handle(request: Request) -> Reply:
        parts = request.path.strip("/").split("/")
        if parts[0] != "faults" or len(parts) > 2:
            return Reply({"error": "there is only /faults"}, 404)
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

    return Server("control", handle)


def _put(desk: FaultDesk, request: Request) -> Reply:
    data = request.json()
    try:
        if not isinstance(data, dict):
            raise UsageError("the body is no JSON object")
        number = desk.put(fault_from_plain(data))
    except UsageError as error:
        return Reply({"error": error.sentence}, 400)
    return Reply({"number": number}, 201)
