"""A SciCat backend on loopback that a real client talks to, in both versions of its API.

Datasets and their lists of files, who may see and change them, logins and tokens. It keeps
what it has in a file, so that it can be killed. Faults of the line strike at ``scicat METHOD
/api/v3/…``.
"""

from __future__ import annotations

import json
import os
import secrets
import threading
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote

from alsct_gui.simulator.facility.faults import Fault, FaultDesk
from alsct_gui.simulator.facility.http import Reply, Request, Server
from alsct_gui.simulator.facility.scicat_rules import (
    Plain,
    RefusedByScicat,
    User,
    check,
    check_block,
    check_new,
    fields_of,
    stored_form,
    told_form,
)

TOKEN_LIFE_S = 3600.0
"""How long a token is good."""
INGESTOR = User("ingestor", "aman-simulated", ("ingestor",), admin=True, deletes=True)
"""The account that writes records, as at most facilities."""
_LIMIT_V4 = 10  # datasets that the newer version lists unasked


class ScicatStandIn:
    """The service; use it as a context.

    Parameters
    ----------
    desk
        Faults, and the clock by which tokens expire.
    users
        Accounts.
    memory
        File in which everything outlives a kill; None is none.
    port
        0 is any that is free.
    """

    def __init__(
        self,
        desk: FaultDesk,
        *,
        users: tuple[User, ...] = (INGESTOR,),
        memory: Path | None = None,
        port: int = 0,
    ) -> None:
        self.desk = desk
        self.users = {user.name: user for user in users}
        self.datasets: dict[str, Plain] = {}
        """By key, as they are stored."""
        self.blocks: dict[str, Plain] = {}
        """Lists of files by id."""
        self.issued: list[str] = []
        """Every token that was ever given out: for tests that look for leaks."""
        self._tokens: dict[str, tuple[str, float]] = {}
        self._path, self._kept = memory, ""
        self._lock = threading.RLock()
        if memory is not None and memory.exists():
            self._recall(json.loads(memory.read_text(encoding="utf-8")))
        self.server = Server("scicat", self._handle, desk, error=_error, port=port)

    @property
    def url(self) -> str:
        """Address of the API."""
        return f"{self.server.url}/api"

    def __enter__(self) -> Self:
        """Begin to listen."""
        self.server.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self.server.close()

    def revoke(self) -> None:
        """Forget all tokens before their time: as after a restart with another secret."""
        with self._lock:
            self._tokens.clear()

    def blocks_of(self, pid: str) -> list[Plain]:
        """Lists of files of a dataset."""
        with self._lock:
            return [block for block in self.blocks.values() if block["datasetId"] == pid]

    def _handle(self, request: Request) -> Reply:
        # A slash inside a key comes percent-encoded; one that does not parts the path.
        parts = [unquote(part) for part in request.raw_path.strip("/").split("/")]
        routes = {"datasets": self._datasets, "origdatablocks": self._origdatablocks}
        try:
            if len(parts) < 3 or parts[0] != "api" or parts[1] not in ("v3", "v4"):
                raise _no_route(request)
            _, api, part, *rest = parts
            with self._lock:
                if part == "auth":
                    return self._login(request, rest)
                if part not in routes:
                    raise _no_route(request)
                reply = routes[part](request, api, rest, self._user(request))
                self._keep()
                return reply
        except RefusedByScicat as refusal:
            return refusal.reply()

    # Logins

    def _login(self, request: Request, rest: list[str]) -> Reply:
        if request.method != "POST" or rest not in (["login"], ["ldap"]):
            raise _no_route(request)
        words = request.json()
        words = words if isinstance(words, dict) else {}
        user = self.users.get(str(words.get("username")))
        if user is None or user.password != words.get("password"):
            return Reply({"message": "Unauthorized", "statusCode": 401}, 401)
        token = self._new_token(user)
        about = {"userId": user.name, "user": {"username": user.name}}
        life = {"expires_in": int(TOKEN_LIFE_S), "ttl": int(TOKEN_LIFE_S)}
        return Reply({"access_token": token, "id": token, **life, **about}, 201)

    def _new_token(self, user: User) -> str:
        import jwt

        # Clients read the end in it, by the machine's own clock.
        claims = {"username": user.name, "exp": int(time.time() + TOKEN_LIFE_S)}
        token = jwt.encode({**claims, "jti": secrets.token_hex(8)}, "simulated" * 8, "HS256")
        self._tokens[token] = (user.name, self.desk.clock() + TOKEN_LIFE_S)
        self.issued.append(token)
        return token

    def _user(self, request: Request) -> User | None:
        """Account of a request's token; None for a stranger, whom nobody sends away at once."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        name, until_s = self._tokens.get(token, ("", 0.0))
        return self.users.get(name) if kind == "Bearer" and until_s > self.desk.clock() else None

    # Datasets

    def _datasets(self, request: Request, api: str, rest: list[str], user: User | None) -> Reply:
        match (request.method, *rest):
            case ("POST",):
                return self._create(request, api, _known(user))
            case ("GET",):
                return Reply(self._list(request, api, user))
            case ("GET", "fullquery"):
                return Reply(self._list(request, api, user, words="fields"))
            case ("GET", pid):
                return self._get(request, api, pid, user)
            case ("PATCH", pid):
                return self._patch(request, api, pid, _known(user))
            case ("PUT", pid):
                return self._put(request, api, pid, _known(user))
            case ("DELETE", pid):
                self._need_delete(_known(user))
                self._found(pid)
                return Reply(told_form(self.datasets.pop(pid), api))
            case ("GET", pid, "origdatablocks") if api == "v3":
                self._readable(pid, user)
                return Reply(self.blocks_of(pid))
            case ("POST", pid, "origdatablocks") if api == "v3":
                body = request.json()
                body = {**body, "datasetId": pid} if isinstance(body, dict) else body
                return self._new_block(body, _known(user), adds=True)
        raise _no_route(request)

    def _create(self, request: Request, api: str, user: User) -> Reply:
        body = check_new(request.json(), api)
        pid = body.get("pid") or f"PID.SAMPLE.PREFIX/{uuid.uuid4()}"
        if not user.may_create(body["ownerGroup"], body.get("pid", "")):
            raise RefusedByScicat(403, "Unauthorized to create this dataset")
        if pid in self.datasets:
            raise RefusedByScicat(409, f"A dataset with pid {pid} already exists!")
        self.datasets[pid] = {
            "size": 0, "numberOfFiles": 0, "isPublished": False, "accessGroups": [], **body,
            "pid": pid, "_id": pid, "createdBy": user.name, "createdAt": self._now(),
            "updatedBy": user.name, "updatedAt": self._now(), "version": api,
        }  # fmt: skip
        return Reply(told_form(self.datasets[pid], api), 201)

    def _get(self, request: Request, api: str, pid: str, user: User | None) -> Reply:
        told = told_form(self._readable(pid, user), api)
        if api == "v4" and request.query.get("include") in ("origdatablocks", "all"):
            told["origdatablocks"] = self.blocks_of(pid)
        return Reply(told)

    def _patch(self, request: Request, api: str, pid: str, user: User) -> Reply:
        dataset = self._changeable(pid, user)
        body = request.json()
        check(body, fields_of(dataset["type"], api))
        if api == "v4":
            self._check_units(pid, body, dataset)
        dataset |= {**stored_form(body), "updatedBy": user.name, "updatedAt": self._now()}
        return Reply(told_form(dataset, api))

    def _put(self, request: Request, api: str, pid: str, user: User) -> Reply:
        dataset = self._changeable(pid, user)
        body = request.json()
        check_new({**body, "type": dataset["type"]} if isinstance(body, dict) else body, api)
        kept = ("pid", "_id", "type", "createdBy", "createdAt", "size", "numberOfFiles")
        self.datasets[pid] = {
            **{name: dataset[name] for name in kept}, "isPublished": False, **stored_form(body),
            "updatedBy": user.name, "updatedAt": self._now(),
        }  # fmt: skip
        return Reply(told_form(self.datasets[pid], api))

    def _list(
        self, request: Request, api: str, user: User | None, words: str = "filter"
    ) -> list[Plain]:
        asked, apart = _filter(request, words), _filter(request, "limits")
        where = asked.get("where", {}) if words == "filter" else asked
        limit = int((asked.get("limits") or apart).get("limit", 0))
        limit = limit or (_LIMIT_V4 if api == "v4" else len(self.datasets))
        seen = [
            told_form(dataset, api)
            for dataset in self.datasets.values()
            if (user.may_read(dataset) if user else dataset["isPublished"])
        ]
        return [row for row in seen if _matches(row, where)][:limit]

    def _found(self, pid: str) -> Plain:
        if pid not in self.datasets:
            raise RefusedByScicat(404, f"dataset: {pid} not found")
        return self.datasets[pid]

    def _readable(self, pid: str, user: User | None) -> Plain:
        dataset = self._found(pid)
        if not (dataset["isPublished"] if user is None else user.may_read(dataset)):
            raise RefusedByScicat(403, "Unauthorized access")
        return dataset

    def _changeable(self, pid: str, user: User) -> Plain:
        dataset = self._found(pid)
        if not user.may_change(dataset):
            raise RefusedByScicat(403, "Unauthorized to update this dataset")
        return dataset

    def _need_delete(self, user: User) -> None:
        if not user.deletes:
            raise RefusedByScicat(403, "Forbidden resource")

    def _check_units(self, pid: str, body: Mapping[str, Any], dataset: Plain) -> None:
        """Refuse a change that gives a value without its unit, or the other way round."""
        before = told_form(dataset, "v4").get("scientificMetadata", {})
        for key, item in (body.get("scientificMetadata") or {}).items():
            known = before.get(key)
            both = isinstance(known, dict) and {"value", "unit"} <= set(known)
            if both and isinstance(item, dict) and len({"value", "unit"} & set(item)) == 1:
                raise RefusedByScicat(
                    400, f"Original dataset {pid} contains both value and unit in {key}. "
                    "Please provide both when updating.",
                )  # fmt: skip

    # Lists of files

    def _origdatablocks(
        self, request: Request, api: str, rest: list[str], user: User | None
    ) -> Reply:
        match (request.method, *rest):
            case ("POST",):
                return self._new_block(request.json(), _known(user))
            case ("GET",):
                rows = [row for row in self.blocks.values() if self._shows(row, user)]
                where = _filter(request, "filter").get("where", {})
                return Reply([row for row in rows if _matches(row, where)])
            case ("GET", number):
                block = self._found_block(number)
                self._readable(block["datasetId"], user)
                return Reply(block)
            case ("PATCH", number):
                block = self._found_block(number)
                self._changeable(block["datasetId"], _known(user))
                check_block(request.json(), new=False)
                block |= request.json()
            case ("DELETE", number):
                block = self._found_block(number)
                self._need_delete(_known(user))
                del self.blocks[number]
            case _:
                raise _no_route(request)
        self._count(block["datasetId"])
        return Reply(block)

    def _shows(self, block: Plain, user: User | None) -> bool:
        """Whether a list is among those that an account gets unasked; no error when not."""
        dataset = self.datasets.get(block["datasetId"])
        return dataset is not None and user is not None and user.may_read(dataset)

    def _found_block(self, number: str) -> Plain:
        if number not in self.blocks:
            raise RefusedByScicat(404, f"OrigDatablock: {number} not found")
        return self.blocks[number]

    def _new_block(self, body: Any, user: User, *, adds: bool = False) -> Reply:
        check_block(body, new=True)
        dataset = self._found(body["datasetId"])
        if not (user.privileged or user.may_change(dataset)):
            raise RefusedByScicat(403, "Unauthorized access")
        rights = {name: dataset.get(name) for name in ("ownerGroup", "accessGroups")}
        block = {**body, **rights, "_id": str(uuid.uuid4()), "createdAt": self._now()}
        self.blocks[block["_id"]] = block
        if adds:  # the older path takes it on top of what the dataset has
            dataset["size"] += block["size"]
            dataset["numberOfFiles"] += len(block["dataFileList"])
        else:
            self._count(dataset["pid"])
        return Reply(block, 201)

    def _count(self, pid: str) -> None:
        blocks = self.blocks_of(pid)
        dataset = self.datasets.get(pid)
        if dataset is not None:
            dataset["size"] = sum(block["size"] for block in blocks)
            dataset["numberOfFiles"] = sum(len(block["dataFileList"]) for block in blocks)

    # What outlives a kill

    def _now(self) -> str:
        return datetime.fromtimestamp(self.desk.clock(), UTC).isoformat()

    def _keep(self) -> None:
        """Write what has changed; it is on the disk before anything is answered."""
        if self._path is None:
            return
        text = json.dumps({"datasets": self.datasets, "blocks": self.blocks})
        if text == self._kept:
            return
        fresh = self._path.with_suffix(".new")
        with fresh.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
        self._kept = text

    def _recall(self, plain: Mapping[str, Any]) -> None:
        self.datasets.update(plain["datasets"])
        self.blocks.update(plain["blocks"])


def _known(user: User | None) -> User:
    """Refuse a stranger, as the backend does: with 403, whatever the token was."""
    if user is None:
        raise RefusedByScicat(403, "Forbidden resource")
    return user


def _no_route(request: Request) -> RefusedByScicat:
    return RefusedByScicat(404, f"Cannot {request.method} {request.path}")


def _filter(request: Request, name: str) -> Plain:
    """Read an object of the query."""
    try:
        plain = json.loads(request.query.get(name) or "{}")
    except ValueError as error:
        raise RefusedByScicat(400, f"Invalid JSON in filter: {error}") from error
    if not isinstance(plain, dict):
        raise RefusedByScicat(400, "Invalid JSON in filter")
    return plain


def _matches(row: Mapping[str, Any], where: Mapping[str, Any]) -> bool:
    """Whether a row has these values; in a list, one of them."""
    for name, value in where.items():
        have = row.get(name)
        if value not in have if isinstance(have, list) else have != value:
            return False
    return True


def _error(status: int, fault: Fault) -> Reply:
    """An HTTP error in the manner of this service, or of the gateway before it."""
    headers = {} if fault.value is None else {"Retry-After": str(int(fault.value))}
    return Reply({"message": f"simulated {status}", "statusCode": status}, status, headers)
