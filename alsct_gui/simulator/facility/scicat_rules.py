"""What SciCat's backend takes and refuses: who may do what, and which fields a body may have.

As in `src/casl` and `src/datasets/dto` of SciCatProject/scicat-backend-next.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote, unquote

from alsct_gui.simulator.facility.http import Reply

Plain = dict[str, Any]

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]{2,}")
# To SI units, as far as the beamline's records have them.
_SI = {
    "mm": (1e-3, "m"), "um": (1e-6, "m"), "s": (1.0, "s"), "deg": (0.017453292519943295, "rad"),
    "eV": (1.602176634e-19, "(kg m^2) / s^2"), "mA": (1e-3, "A"),
}  # fmt: skip

COMMON = {
    "ownerGroup": "str", "accessGroups": "texts", "instrumentGroup": "str", "owner": "str",
    "ownerEmail": "email", "orcidOfOwner": "str", "contactEmail": "emails",
    "sourceFolder": "path", "sourceFolderHost": "str", "size": "int", "packedSize": "int",
    "numberOfFiles": "int", "numberOfFilesArchived": "int", "creationTime": "date",
    "validationStatus": "str", "keywords": "texts", "description": "str", "datasetName": "str",
    "classification": "str", "license": "str", "isPublished": "bool", "techniques": "list",
    "sharedWith": "texts", "relationships": "list", "datasetlifecycle": "dict",
    "scientificMetadata": "dict", "comment": "str", "dataQualityMetrics": "int",
    "runNumber": "str",
}  # fmt: skip
"""Fields that all datasets have, and of what kind each is."""
RAW_V3 = {
    **COMMON, "proposalId": "str", "principalInvestigator": "str", "endTime": "date",
    "creationLocation": "str", "dataFormat": "str", "sampleId": "str", "instrumentId": "str",
    "investigator": "str", "inputDatasets": "texts", "usedSoftware": "texts",
    "jobParameters": "dict", "jobLogData": "str",
}  # fmt: skip
DERIVED_V3 = {
    **COMMON, "proposalId": "str", "investigator": "str", "inputDatasets": "texts",
    "usedSoftware": "texts", "jobParameters": "dict", "jobLogData": "str",
}  # fmt: skip
ANY_V4 = {
    **COMMON, "principalInvestigators": "texts", "startTime": "date", "endTime": "date",
    "creationLocation": "str", "dataFormat": "str", "proposalIds": "texts",
    "sampleIds": "texts", "instrumentIds": "texts", "inputDatasets": "texts",
    "usedSoftware": "texts", "jobParameters": "dict", "jobLogData": "str",
}  # fmt: skip
NEEDED = ("ownerGroup", "contactEmail", "sourceFolder", "creationTime")
NEEDED_V3 = {
    "raw": (*NEEDED, "owner", "principalInvestigator", "creationLocation"),
    "derived": (*NEEDED, "owner", "investigator", "inputDatasets", "usedSoftware"),
}
NEEDED_V4 = (*NEEDED, "datasetName")
_PLURALS = {
    "proposalId": "proposalIds", "sampleId": "sampleIds", "instrumentId": "instrumentIds",
    "principalInvestigator": "principalInvestigators", "investigator": "principalInvestigators",
}  # fmt: skip
BLOCK = {
    "datasetId": "str", "ownerGroup": "str", "accessGroups": "texts", "instrumentGroup": "str",
    "size": "int", "chkAlg": "str", "dataFileList": "list", "isPublished": "bool",
}  # fmt: skip
FILE = {
    "path": "str", "size": "int", "time": "date", "chk": "str", "uid": "str", "gid": "str",
    "perm": "str", "type": "str",
}  # fmt: skip


@dataclass(frozen=True)
class User:
    """An account."""

    name: str
    """Its name."""
    password: str = field(repr=False)
    groups: tuple[str, ...] = ()
    """Groups it is in."""
    admin: bool = False
    """Whether one of them is of ADMIN_GROUPS."""
    privileged: bool = False
    """Whether one is of CREATE_DATASET_PRIVILEGED_GROUPS: creates for everybody, changes only
    what is its groups' own."""
    deletes: bool = False
    """Whether one is of DELETE_GROUPS."""

    def may_create(self, owner_group: str, pid: str) -> bool:
        """Whether it may make a dataset, with a key of its own choice or without."""
        return self.admin or self.privileged or (not pid and owner_group in self.groups)

    def may_read(self, dataset: Mapping[str, Any]) -> bool:
        """Whether it may see a dataset."""
        groups = {dataset["ownerGroup"], *dataset.get("accessGroups", ())}
        return self.admin or bool(groups & set(self.groups)) or bool(dataset.get("isPublished"))

    def may_change(self, dataset: Mapping[str, Any]) -> bool:
        """Whether it may change a dataset or its files."""
        return self.admin or dataset["ownerGroup"] in self.groups


class RefusedByScicat(Exception):  # noqa: N818 (an answer, not a mistake)
    """An answer that says no.

    Parameters
    ----------
    status, message
        As the backend says it.
    """

    def __init__(self, status: int, message: str | list[str]) -> None:
        self.status, self.message = status, message
        super().__init__(str(message))

    def reply(self) -> Reply:
        """The answer."""
        names = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
                 409: "Conflict"}  # fmt: skip
        body = {"message": self.message, "statusCode": self.status}
        return Reply({**body, "error": names.get(self.status, "Error")}, self.status)


def check_new(body: Any, api: str) -> Plain:
    """Check the body of a new dataset; returns it in the form in which it is stored."""
    if not isinstance(body, dict):
        raise RefusedByScicat(400, ["the body is no object"])
    kind = body.get("type")
    if kind not in ("raw", "derived"):
        raise RefusedByScicat(400, "Invalid dataset type!")
    needed = NEEDED_V3[kind] if api == "v3" else NEEDED_V4
    known = {**fields_of(kind, api), "pid": "str", "type": "str"}
    check(body, known, needed)
    return stored_form(body)


def fields_of(kind: str, api: str) -> Mapping[str, str]:
    """Return the fields that a version of the API knows for a kind of dataset."""
    if api == "v4":
        return ANY_V4
    return RAW_V3 if kind == "raw" else DERIVED_V3


def check(body: Any, known: Mapping[str, str], needed: tuple[str, ...] = ()) -> None:
    """Refuse a body with a field that is not known, is of another kind or is missing."""
    if not isinstance(body, dict):
        raise RefusedByScicat(400, ["the body is no object"])
    wrong = [f"property {name} should not exist" for name in body if name not in known]
    wrong += [f"{name} must be a string" for name in needed if name not in body]
    wrong += [f"{name} is not {known[name]}" for name, value in body.items()
              if name in known and not _fits(known[name], value)]  # fmt: skip
    if wrong:
        raise RefusedByScicat(400, wrong)


def check_block(body: Any, *, new: bool) -> None:
    """Refuse a list of files that is none."""
    check(body, BLOCK, ("datasetId", "size", "dataFileList") if new else ())
    rows = body.get("dataFileList")
    if rows is not None and not rows:
        raise RefusedByScicat(400, ["dataFileList should not be empty"])
    for row in rows or []:
        check(row, FILE, ("path", "size", "time"))


def stored_form(body: Mapping[str, Any]) -> Plain:
    """Return a body as it is stored: lists of ids, encoded keys, values in SI units too."""
    plain: Plain = {}
    for name, value in body.items():
        if name in _PLURALS:
            plain[_PLURALS[name]] = [value]
        elif name == "scientificMetadata":
            plain[name] = _with_si({_encoded(key): item for key, item in value.items()})
        elif name == "sourceFolder":
            plain[name] = value if value == "/" else value.removesuffix("/")
        else:
            plain[name] = value
    return plain


def told_form(dataset: Mapping[str, Any], api: str) -> Plain:
    """Return a stored dataset as a version of the API tells it."""
    plain = dict(dataset)
    if "scientificMetadata" in plain:
        metadata = plain["scientificMetadata"]
        plain["scientificMetadata"] = {_decoded(key): item for key, item in metadata.items()}
    if api == "v3":
        for one, many in _PLURALS.items():
            if plain.get(many) and one != "investigator":
                plain[one] = plain[many][0]
        plain["history"] = []
    return plain


def _fits(kind: str, value: Any) -> bool:
    match kind:
        case "str":
            return isinstance(value, str)
        case "path":
            return isinstance(value, str) and bool(value)
        case "int":
            return isinstance(value, int) and not isinstance(value, bool)
        case "bool":
            return isinstance(value, bool)
        case "texts":
            return isinstance(value, list) and all(isinstance(item, str) for item in value)
        case "list":
            return isinstance(value, list)
        case "dict":
            return isinstance(value, dict)
        case "email" | "emails":
            parts = value.split(";") if isinstance(value, str) else [""]
            return all(_ADDRESS.fullmatch(part.strip()) is not None for part in parts)
    return _is_date(value)


def _is_date(value: Any) -> bool:
    try:
        datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return False
    return True


def _with_si(metadata: Mapping[str, Any]) -> Plain:
    """Add SI values, by the backend's own rule: the entries that begin with v and with u."""
    plain: Plain = {}
    for key, item in metadata.items():
        plain[key] = item
        if not isinstance(item, dict):
            continue
        found = {name[0]: value for name, value in item.items()
                 if name[0] in "uv" and not name.endswith("SI")}  # fmt: skip
        if "v" in found and found.get("u"):
            factor, unit = _SI.get(found["u"], (None, found["u"]))
            plain[key] = {**item, "valueSI": _scaled(found["v"], factor), "unitSI": unit}
    return plain


def _scaled(value: Any, factor: float | None) -> Any:
    if factor is None:
        return value
    return [item * factor for item in value] if isinstance(value, list) else value * factor


def _encoded(key: str) -> str:
    if _decoded(key) != key:
        return key
    return quote(key, safe="-_!~*'()").replace(".", "%2E")


def _decoded(key: str) -> str:
    return unquote(key)
