"""A stand-in for Globus Transfer and Auth that the real globus-sdk talks to.

Folders stand for collections, and tasks really copy between them. Point the library at it by
`Globus.environment` (the variables that globus-sdk reads) or by `base_url`.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from alsct_gui.simulator.facility.auth import TRANSFER, TRANSFER_SCOPE, AuthService
from alsct_gui.simulator.facility.collections import Collection, ServiceError
from alsct_gui.simulator.facility.faults import Fault, FaultDesk, FaultName
from alsct_gui.simulator.facility.http import Handle, Reply, Request, Server
from alsct_gui.simulator.facility.memory import Memory
from alsct_gui.simulator.facility.outages import outage_of
from alsct_gui.simulator.facility.tasks import Mover, Task

_NAMES = {
    401: "AuthenticationFailed", 403: "PermissionDenied", 404: "ClientError.NotFound",
    429: "ClientError.TooManyRequests", 500: "InternalError", 502: "ServiceUnavailable",
    503: "ServiceUnavailable",
}  # fmt: skip
Route = Callable[[Request, str, re.Match[str]], Reply]


class Globus:
    """Transfer on one port, Auth on another.

    Parameters
    ----------
    folders
        Folder of each collection, by its name for people; ids are made from the names.
    desk
        Faults and the clock. Places: ``transfer METHOD /path`` and ``auth METHOD /path`` for
        the line; ``task COLLECTION path`` for tasks, ``consent COLLECTION``.
    rate_bytes_per_s
        Speed of each task; None is as fast as it goes.
    rest_s
        How long a task rests after a failed attempt.
    resources
        Resource (`outages.RESOURCES`) that a collection lies on, by the collection's name.
    memory
        File in which tasks and tokens outlive a kill; None is none.
    ports
        Of Transfer and of Auth; 0 is any that is free.
    """

    def __init__(
        self,
        folders: Mapping[str, Path],
        desk: FaultDesk,
        *,
        rate_bytes_per_s: float | None = None,
        rest_s: float = 0.0,
        resources: Mapping[str, str] | None = None,
        memory: Path | None = None,
        ports: tuple[int, int] = (0, 0),
    ) -> None:
        self.desk = desk
        self.collections = {
            collection_id(name): Collection(
                collection_id(name), name, folder.resolve(),
                resource=(resources or {}).get(name, ""),
            )
            for name, folder in folders.items()
        }  # fmt: skip
        self.mover = Mover(self.collections, desk, rate_bytes_per_s, rest_s)
        self.auth = AuthService(desk.clock)
        self._memory = None if memory is None else Memory(memory, self.mover, self.auth)
        self.transfer_server = Server(
            "transfer", self._kept(self._handle), desk, error=_error, port=ports[0]
        )
        self.auth_server = Server(
            "auth", self._kept(self.auth.handle), desk, error=_auth_error, port=ports[1]
        )
        self._routes = self._table()

    def __enter__(self) -> Self:
        """Start both servers."""
        self.transfer_server.start()
        self.auth_server.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close both."""
        self.transfer_server.close()
        self.auth_server.close()

    @property
    def environment(self) -> dict[str, str]:
        """Variables that point globus-sdk here."""
        return {
            "GLOBUS_SDK_SERVICE_URL_TRANSFER": self.transfer_server.url + "/",
            "GLOBUS_SDK_SERVICE_URL_AUTH": self.auth_server.url + "/",
        }

    def add_client(self, client_id: str, secret: str) -> None:
        """Let a service account in."""
        self.auth.clients[client_id] = secret

    def _kept(self, handle: Handle) -> Handle:
        """Keep what a request has changed before it is answered."""

        def keeping(request: Request) -> Reply:
            reply = handle(request)
            if self._memory is not None:
                self._memory.keep()
            return reply

        return keeping

    def _table(self) -> list[tuple[str, re.Pattern[str], Route]]:
        rows: list[tuple[str, str, Route]] = [
            ("GET", "submission_id", self._submission_id),
            ("POST", "transfer", self._transfer),
            ("GET", "task_list", self._task_list),
            ("GET", "task/([^/]+)", self._task),
            ("GET", "task/([^/]+)/event_list", self._events),
            ("GET", "task/([^/]+)/pause_info", self._pause_info),
            ("POST", "task/([^/]+)/cancel", self._cancel),
            ("GET", "task/([^/]+)/successful_transfers", self._successful),
            ("GET", "operation/endpoint/([^/]+)/ls", self._ls),
            ("GET", "operation/endpoint/([^/]+)/stat", self._stat),
            ("POST", "operation/endpoint/([^/]+)/mkdir", self._mkdir),
            ("POST", "operation/endpoint/([^/]+)/rename", self._rename),
            ("GET", "endpoint/([^/]+)", self._endpoint),
            ("GET", "endpoint/([^/]+)/access_list", self._rules),
            ("POST", "endpoint/([^/]+)/access", self._add_rule),
            ("DELETE", "endpoint/([^/]+)/access/([^/]+)", self._delete_rule),
        ]
        return [(method, re.compile("/v0\\.10/" + path), route) for method, path, route in rows]

    def _handle(self, request: Request) -> Reply:
        self.mover.advance()
        try:
            subject = self.auth.subject(request, TRANSFER)
            if subject is None:
                raise ServiceError(401, "AuthenticationFailed", "Token is not valid")
            for method, pattern, route in self._routes:
                match = pattern.fullmatch(request.path)
                if match is not None and method == request.method:
                    return route(request, subject, match)
            raise ServiceError(404, "ClientError.NotFound", "no such resource")
        except ServiceError as error:
            return error.reply(request.path)

    def _collection(self, match: re.Match[str], subject: str) -> Collection:
        found = self.collections.get(match[1])
        if found is None:
            raise ServiceError(404, "EndpointNotFound", f"No such endpoint '{match[1]}'")
        self._need_consent(found, subject)
        if found.resource and outage_of(self.desk, found.resource):
            raise ServiceError(
                502, "ExternalError.DirListingFailed.ConnectFailed",
                f"Error connecting to {found.name}: it cannot be reached",
            )  # fmt: skip
        return found

    def _need_consent(self, collection: Collection, subject: str) -> None:
        wanted = collection.data_access and not self.auth.has_consented(subject, collection.id)
        if wanted or self.desk.strike((FaultName.CONSENT_REQUIRED,), f"consent {collection.name}"):
            scope = f"{TRANSFER_SCOPE}[*https://auth.globus.org/scopes/{collection.id}/data_access]"
            raise ServiceError(
                403, "ConsentRequired", "Missing required data_access consent",
                {"required_scopes": [scope]},
            )  # fmt: skip

    def _own_task(self, match: re.Match[str], subject: str) -> Task:
        found = self.mover.tasks.get(match[1])
        if found is None or found.owner != subject:
            raise ServiceError(404, "ClientError.NotFound", "Task ID not found")
        return found

    def _submission_id(self, request: Request, subject: str, match: re.Match[str]) -> Reply:
        return Reply({"DATA_TYPE": "submission_id", "value": self.mover.new_submission()})

    def _transfer(self, request: Request, subject: str, match: re.Match[str]) -> Reply:
        body = _document(request)
        for side in ("source_endpoint", "destination_endpoint"):
            if body.get(side) in self.collections:
                self._need_consent(self.collections[body[side]], subject)
        task_id, again = self.mover.submit(body, subject)
        return Reply({
            "DATA_TYPE": "transfer_result", "code": "Duplicate" if again else "Accepted",
            "message": "The transfer has been accepted", "submission_id": body["submission_id"],
            "task_id": task_id, "request_id": "simulated", "resource": "/transfer",
        }, 202)  # fmt: skip

    def _task_list(self, request: Request, subject: str, match: re.Match[str]) -> Reply:
        mine = [task for task in self.mover.tasks.values() if task.owner == subject]
        wanted = re.search(r"status:([A-Z,]+)", request.query.get("filter", ""))
        if wanted is not None:
            mine = [task for task in mine if task.status in wanted[1].split(",")]
        return _listing("task_list", [self.mover.document(task) for task in mine], request)

    def _task(self, request: Request, subject: str, match: re.Match[str]) -> Reply:
        return Reply(self.mover.document(self._own_task(match, subject)))

    def _events(self, request: Request, subject: str, match: re.Match[str]) -> Reply:
        newest_first = list(reversed(self._own_task(match, subject).events))
        return _listing("event_list", newest_first, request)

    def _pause_info(self, request: Request, subject: str, match: re.Match[str]) -> Reply:
        task = self._own_task(match, subject)
        message = "Paused by the manager of the collection" if task.paused else None
        return Reply({
            "DATA_TYPE": "pause_info_limited", "pause_rules": [], "source_pause_message": None,
            "destination_pause_message": message, "source_pause_message_share": None,
            "destination_pause_message_share": None,
        })  # fmt: skip

    def _cancel(self, request: Request, subject: str, match: re.Match[str]) -> Reply:
        ended = self.mover.cancel(self._own_task(match, subject))
        code = "Canceled" if ended else "TaskComplete"
        return Reply({"DATA_TYPE": "result", "code": code, "message": "", "request_id": "s"})

    def _successful(self, request: Request, subject: str, match: re.Match[str]) -> Reply:
        items = self._own_task(match, subject).items
        rows = [
            {
                "DATA_TYPE": "successful_transfer", "source_path": item.source,
                "destination_path": item.target,
            }
            for item in items if item.state == "done"
        ]  # fmt: skip
        return Reply({"DATA_TYPE": "successful_transfers", "marker": 0, "DATA": rows})

    def _ls(self, request: Request, subject: str, match: re.Match[str]) -> Reply:
        path = request.query.get("path", "/~/")
        rows = self._collection(match, subject).listing(path)
        return Reply({
            "DATA_TYPE": "file_list", "endpoint": match[1], "path": path, "absolute_path": path,
            "DATA": rows, "length": len(rows), "total": len(rows),
        })  # fmt: skip

    def _stat(self, request: Request, subject: str, match: re.Match[str]) -> Reply:
        return Reply(self._collection(match, subject).stat(request.query.get("path", "")))

    def _mkdir(self, request: Request, subject: str, match: re.Match[str]) -> Reply:
        self._collection(match, subject).mkdir(_document(request).get("path", ""))
        return Reply({"DATA_TYPE": "mkdir_result", "code": "DirectoryCreated", "message": ""}, 202)

    def _rename(self, request: Request, subject: str, match: re.Match[str]) -> Reply:
        body = _document(request)
        self._collection(match, subject).rename(body.get("old_path", ""), body.get("new_path", ""))
        return Reply({"DATA_TYPE": "result", "code": "FileRenamed", "message": ""})

    def _endpoint(self, request: Request, subject: str, match: re.Match[str]) -> Reply:
        found = self.collections.get(match[1])
        if found is None:
            raise ServiceError(404, "EndpointNotFound", f"No such endpoint '{match[1]}'")
        return Reply({
            "DATA_TYPE": "endpoint", "id": found.id, "display_name": found.name,
            "entity_type": "GCSv5_mapped_collection", "acl_available": True,
        })  # fmt: skip

    def _rules(self, request: Request, subject: str, match: re.Match[str]) -> Reply:
        rows = list(self._collection(match, subject).rules.values())
        return Reply({"DATA_TYPE": "access_list", "DATA": rows, "length": len(rows)})

    def _add_rule(self, request: Request, subject: str, match: re.Match[str]) -> Reply:
        made = self._collection(match, subject).add_rule(_document(request))
        return Reply({
            "DATA_TYPE": "access_create_result", "code": "Created", "access_id": made["id"],
            "message": "Access rule created successfully.",
        }, 201)  # fmt: skip

    def _delete_rule(self, request: Request, subject: str, match: re.Match[str]) -> Reply:
        if self._collection(match, subject).rules.pop(match[2], None) is None:
            raise ServiceError(404, "AccessRuleNotFound", "no such rule")
        return Reply({"DATA_TYPE": "result", "code": "Deleted", "message": ""})


def collection_id(name: str) -> str:
    """UUID of the collection with a name: the same every time."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"alsct-simulated-collection:{name}"))


def _document(request: Request) -> dict[str, Any]:
    body = request.json()
    if not isinstance(body, dict):
        raise ServiceError(400, "ClientError.BadRequest", "the body is no JSON object")
    return body


def _listing(kind: str, rows: list[dict[str, Any]], request: Request) -> Reply:
    try:
        offset, limit = (int(request.query.get(n, d)) for n, d in (("offset", 0), ("limit", 100)))
    except ValueError as error:
        raise ServiceError(400, "ClientError.BadRequest", "offset and limit are numbers") from error
    part = rows[offset : offset + limit]
    return Reply({
        "DATA_TYPE": kind, "DATA": part, "length": len(part), "limit": limit, "offset": offset,
        "total": len(rows),
    })  # fmt: skip


def _error(status: int, fault: Fault) -> Reply:
    """An HTTP error in the manner of Globus Transfer."""
    reply = ServiceError(status, _NAMES[status], f"simulated {status}").reply("/")
    if fault.value is not None and status in (429, 503):
        return Reply(reply.body, status, {"Retry-After": str(int(fault.value))})
    return reply


def _auth_error(status: int, fault: Fault) -> Reply:
    """An HTTP error in the manner of Globus Auth."""
    row = {"status": str(status), "code": _NAMES[status].upper(), "title": f"simulated {status}"}
    return Reply({"errors": [row], "error": "simulated"}, status)
