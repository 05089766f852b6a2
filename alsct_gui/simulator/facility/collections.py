"""Folders that stand for Globus collections: paths, listings, access rules."""

from __future__ import annotations

import os
import stat
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alsct_gui.simulator.facility.http import Reply


class ServiceError(Exception):
    """An error that Globus Transfer answers with.

    Parameters
    ----------
    status
        HTTP status.
    code
        Its code, as the service names it.
    message
        Words.
    extra
        Further fields of the document.
    """

    def __init__(
        self, status: int, code: str, message: str, extra: Mapping[str, Any] | None = None
    ) -> None:
        self.status, self.code, self.message = status, code, message
        self.extra = dict(extra or {})
        super().__init__(message)

    def reply(self, resource: str) -> Reply:
        """The answer."""
        document = {
            "code": self.code, "message": self.message, "request_id": "simulated",
            "resource": resource, **self.extra,
        }  # fmt: skip
        return Reply(document, self.status)


@dataclass
class Collection:
    """A folder that stands for a collection."""

    id: str
    """Its UUID."""
    name: str
    """Its name for people."""
    root: Path
    """The folder."""
    data_access: bool = False
    """Whether its data want a consent of their own (data_access)."""
    resource: str = ""
    """Resource of the facility that it lies on, whose outages take it away; empty for none."""
    rules: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Access rules by id."""

    def resolve(self, path: str) -> Path:
        """Return the file of a path.

        Raises
        ------
        ServiceError
            The path leaves the collection.
        """
        if not isinstance(path, str) or "\0" in path:
            raise ServiceError(400, "ClientError.BadRequest", "the path is not valid")
        plain = path.removeprefix("/~").lstrip("/")
        inside = Path(os.path.normpath(self.root / plain))
        if not inside.is_relative_to(self.root):
            raise ServiceError(403, "EndpointPermissionDenied", "Path not allowed")
        return inside

    def listing(self, path: str) -> list[dict[str, Any]]:
        """File documents of a folder's entries."""
        folder = self.resolve(path)
        with _said(path):
            return [document(entry) for entry in sorted(folder.iterdir())]

    def stat(self, path: str) -> dict[str, Any]:
        """File document of one path."""
        with _said(path):
            return document(self.resolve(path))

    def mkdir(self, path: str) -> None:
        """Make a folder."""
        with _said(path):
            self.resolve(path).mkdir()

    def rename(self, old: str, new: str) -> None:
        """Rename a file or folder; never onto something that is there."""
        target = self.resolve(new)
        if target.exists():
            raise ServiceError(502, "ExternalError.RenameFailed.Exists", f"{new} exists")
        with _said(old):
            self.resolve(old).rename(target)

    def add_rule(self, rule: Mapping[str, Any]) -> dict[str, Any]:
        """Add an access rule; returns its document."""
        needed = ("principal_type", "principal", "path", "permissions")
        if rule.get("DATA_TYPE") != "access" or not all(
            isinstance(rule.get(name), str) for name in needed
        ):
            raise ServiceError(400, "ClientError.BadRequest", "not an access document")
        if not rule["path"].startswith("/") or not rule["path"].endswith("/"):
            raise ServiceError(400, "ClientError.BadRequest", "path must begin and end with /")
        if rule["permissions"] not in ("r", "rw"):
            raise ServiceError(400, "ClientError.BadRequest", "permissions must be r or rw")
        same = ("principal_type", "principal", "path")
        for known in self.rules.values():
            if all(known[name] == rule[name] for name in same):
                raise ServiceError(409, "Exists", "There is already a rule for this principal")
        made = {
            "DATA_TYPE": "access", "id": str(uuid.uuid4()), "role_id": None, "role_type": None,
            "expiration_date": None, **{name: rule[name] for name in needed},
        }  # fmt: skip
        self.rules[made["id"]] = made
        return made


def document(path: Path) -> dict[str, Any]:
    """File document, as `ls` and `stat` answer it."""
    facts = path.lstat()
    kind = "dir" if stat.S_ISDIR(facts.st_mode) else "file"
    changed = time.strftime("%Y-%m-%d %H:%M:%S+00:00", time.gmtime(facts.st_mtime))
    return {
        "DATA_TYPE": "file", "name": path.name, "type": kind, "size": facts.st_size,
        "permissions": f"{stat.S_IMODE(facts.st_mode):04o}", "user": "simulated",
        "group": "simulated", "last_modified": changed, "link_target": None,
        "link_size": None, "link_user": None, "link_group": None, "link_last_modified": None,
    }  # fmt: skip


class _said:  # noqa: N801 (used like a function)
    """Errors of the file system in the words of the service."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        table: list[tuple[type[OSError], Callable[[], ServiceError]]] = [
            (FileNotFoundError, lambda: ServiceError(
                404, "ClientError.NotFound",
                f"Path not found, Error (list)\nMessage: No such file or directory: {self._path}",
            )),
            (NotADirectoryError, lambda: ServiceError(
                502, "ExternalError.DirListingFailed.NotDirectory", f"{self._path} is no folder")),
            (FileExistsError, lambda: ServiceError(
                502, "ExternalError.MkdirFailed.Exists", f"{self._path} exists")),
            (PermissionError, lambda: ServiceError(
                403, "EndpointPermissionDenied", f"Denied by endpoint: {self._path}")),
        ]  # fmt: skip
        for known, say in table:
            if isinstance(error, known):
                raise say() from error
