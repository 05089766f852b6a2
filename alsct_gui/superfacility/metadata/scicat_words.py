"""SciCat's words: records as its API takes and gives them, in both versions that are in use.

Only fields that every backend of version 4 knows are sent: one that it does not know makes it
refuse the whole. Versions differ in a few names; the older one has other fields for derived
datasets than for raw ones (`src/datasets/dto` of SciCatProject/scicat-backend-next).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from alsct_gui.superfacility.metadata.base import (
    Record,
    RecordFile,
    Words,
    clean,
    escape_key,
    unescape_key,
)

Api = Literal["v3", "v4"]

FILES_AT_ONCE = 5000
"""Files of one list; MongoDB keeps no document of more than 16 MB."""
_CHECKSUM = "sha256"
_MADE_BY_SCICAT = ("valueSI", "unitSI")
"""What SciCat adds to a value with a unit."""


@dataclass(frozen=True, slots=True)
class Block:
    """A list of files as SciCat keeps it (an OrigDatablock)."""

    id: str
    files: tuple[RecordFile, ...]


@dataclass(frozen=True, slots=True)
class Stored:
    """A record as it was read back, and what is needed to mend it."""

    record: Record
    blocks: tuple[Block, ...]
    scientific: Mapping[str, Any]
    """Scientific metadata with keys as they came."""


def new_body(record: Record, api: Api) -> dict[str, Any]:
    """Return the body that makes a record."""
    words = record.words
    body: dict[str, Any] = {
        "pid": record.pid, "type": record.kind, "isPublished": False,
        "ownerGroup": record.owner_group, "owner": words.owner, "contactEmail": words.contact,
        "creationTime": words.created, "datasetName": words.name,
        "description": words.description, "keywords": list(words.keywords),
        **_proposal(record, api), **firm_body(record),
    }  # fmt: skip
    if record.kind == "raw":
        body |= {"creationLocation": words.location or words.instrument or "unknown"}
        body |= {"endTime": words.ended} if words.ended else {}
        body |= _named("sampleId", words.sample, api)
        body |= _named("instrumentId", words.instrument, api)
        body |= _investigator("principalInvestigator", words.investigator or words.owner, api)
    else:
        body |= {"jobLogData": words.log} if words.log else {}
        body |= _investigator("investigator", words.investigator or words.owner, api)
    return dict(clean(body))


def firm_body(record: Record, found: Stored | None = None) -> dict[str, Any]:
    """Return the fields that are mended; what others have added to what was found stays."""
    groups = list(record.access_groups)
    kept: dict[str, Any] = {}
    if found is not None:
        groups = list(dict.fromkeys([*groups, *found.record.access_groups]))
        kept = {
            key: without_si(value)
            for key, value in found.scientific.items()
            if unescape_key(key) not in record.scientific
        }
    ours = {escape_key(key): value for key, value in record.scientific.items()}
    body: dict[str, Any] = {
        "sourceFolder": record.folder, "accessGroups": groups,
        "scientificMetadata": {**kept, **ours},
    }  # fmt: skip
    if record.kind == "derived":
        body |= {
            "inputDatasets": list(record.inputs), "usedSoftware": list(record.software),
            "jobParameters": dict(record.parameters),
        }  # fmt: skip
    elif record.data_format:
        body["dataFormat"] = record.data_format
    return dict(clean(body))


def block_body(files: Sequence[RecordFile]) -> dict[str, Any]:
    """Return the body of a list of files."""
    rows = [
        {"path": file.path, "size": file.size_bytes, "time": file.modified}
        | ({"chk": file.sha256} if file.sha256 else {})
        for file in files
    ]
    body = {"size": sum(file.size_bytes for file in files), "dataFileList": rows}
    if any(file.sha256 for file in files):
        body["chkAlg"] = _CHECKSUM
    return dict(clean(body))


def chunks(files: Sequence[RecordFile]) -> list[tuple[RecordFile, ...]]:
    """Cut a list of files into lists that SciCat can keep."""
    return [
        tuple(files[start : start + FILES_AT_ONCE]) for start in range(0, len(files), FILES_AT_ONCE)
    ]


def read_stored(dataset: Mapping[str, Any], blocks: Sequence[Mapping[str, Any]]) -> Stored:
    """Read a record and its lists of files.

    Raises
    ------
    KeyError, TypeError, ValueError
        It is not what SciCat gives.
    """
    read = tuple(_block(block) for block in blocks)
    scientific = dict(dataset.get("scientificMetadata") or {})
    kind = dataset["type"]
    words = Words(
        name=_text(dataset, "datasetName"), owner=_text(dataset, "owner"),
        contact=_text(dataset, "contactEmail"), created=_text(dataset, "creationTime"),
        description=_text(dataset, "description"),
        investigator=_first(dataset, "principalInvestigators", "principalInvestigator",
                            "investigator"),
        location=_text(dataset, "creationLocation"),
        instrument=_first(dataset, "instrumentIds", "instrumentId"),
        sample=_first(dataset, "sampleIds", "sampleId"), ended=_text(dataset, "endTime"),
        keywords=_texts(dataset, "keywords"), log=_text(dataset, "jobLogData"),
    )  # fmt: skip
    record = Record(
        pid=str(dataset["pid"]), kind=kind, owner_group=str(dataset["ownerGroup"]),
        proposal=_first(dataset, "proposalIds", "proposalId"),
        folder=_text(dataset, "sourceFolder"), words=words,
        access_groups=_texts(dataset, "accessGroups"),
        files=tuple(file for block in read for file in block.files),
        data_format=_text(dataset, "dataFormat"),
        scientific={unescape_key(key): without_si(value) for key, value in scientific.items()},
        inputs=_texts(dataset, "inputDatasets"), software=_texts(dataset, "usedSoftware"),
        parameters=dict(dataset.get("jobParameters") or {}),
        published=bool(dataset.get("isPublished")),
    )  # fmt: skip
    return Stored(record, read, scientific)


def without_si(value: Any) -> Any:
    """Return a value without what SciCat has worked out of it."""
    if isinstance(value, Mapping):
        return {k: without_si(item) for k, item in value.items() if k not in _MADE_BY_SCICAT}
    return value


def _block(plain: Mapping[str, Any]) -> Block:
    files = [
        RecordFile(
            str(row["path"]), int(row["size"]), str(row.get("time") or ""),
            str(row.get("chk") or ""),
        )
        for row in plain["dataFileList"]
    ]  # fmt: skip
    return Block(str(plain.get("_id") or plain["id"]), tuple(files))


def _proposal(record: Record, api: Api) -> dict[str, Any]:
    return _named("proposalId", record.proposal, api)


def _named(name: str, value: str, api: Api) -> dict[str, Any]:
    """Return an id as a field; the newer version has lists of them."""
    if not value:
        return {}
    return {name: value} if api == "v3" else {f"{name}s": [value]}


def _investigator(name: str, value: str, api: Api) -> dict[str, Any]:
    return {name: value} if api == "v3" else {"principalInvestigators": [value]}


def _first(plain: Mapping[str, Any], *names: str) -> str:
    """Return the first of a list, or a text, under the first name that has one."""
    for name in names:
        value = plain.get(name)
        if isinstance(value, list):
            value = next((item for item in value if item), None)
        if value:
            return str(value)
    return ""


def _text(plain: Mapping[str, Any], name: str) -> str:
    return str(plain.get(name) or "")


def _texts(plain: Mapping[str, Any], name: str) -> tuple[str, ...]:
    return tuple(str(item) for item in plain.get(name) or ())
