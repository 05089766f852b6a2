"""Records in SciCat: made once, read back, mended.

SciCat refuses a second dataset of the same key (409), so that one whose answer was lost is
found and not made again. Its lists of files have no key of ours: they are looked at before one
is made, and a list that is there twice is taken away.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from alsct_gui.superfacility.credentials import Credentials
from alsct_gui.superfacility.errors import (
    LinkDownError,
    NeedsPersonError,
    NotThereError,
    RefusedError,
)
from alsct_gui.superfacility.metadata.base import (
    Difference,
    Record,
    RecordFile,
    clean_text,
    differences,
)
from alsct_gui.superfacility.metadata.scicat_session import ScicatAccess, ScicatSession
from alsct_gui.superfacility.metadata.scicat_words import (
    Block,
    Stored,
    block_body,
    chunks,
    firm_body,
    new_body,
    read_stored,
)

_LOOKS = 5
"""Looks at a record while it is made and mended; each finds less to do than the one before."""
_EXISTS = "http-409"


class Scicat:
    """A `MetadataCatalogue`.

    Parameters
    ----------
    access
        Where it is and who asks.
    credentials
        Where the password or the token is.
    """

    def __init__(self, access: ScicatAccess, credentials: Credentials) -> None:
        self._session, self._access = ScicatSession(access, credentials), access

    def read(self, pid: str) -> Record | None:
        """Read a record back; None when there is none."""
        found = self._stored(pid)
        return None if found is None else found.record

    def upsert(self, record: Record) -> Record:
        """Have the record there; see `MetadataCatalogue.upsert`."""
        wrong: tuple[Difference, ...] = ()
        for _ in range(_LOOKS):
            found = self._stored(record.pid)
            if found is None:
                self._create(record)
                continue
            wrong = differences(record, found.record)
            if not wrong:
                return found.record
            self._leave_to_a_person(record, wrong)
            self._mend(record, found, wrong)
        told = "; ".join(item.sentence for item in wrong[:3]) or "it cannot be read back"
        raise RefusedError(
            f"SciCat takes the record and does not keep it: {told}", where=self.address(record.pid),
            fix="Report it with this message", name="not-kept",
        )  # fmt: skip

    def address(self, pid: str) -> str:
        """Return the page of a record where pages are known, else its address in the API."""
        if self._access.page:
            return f"{self._access.page.rstrip('/')}/datasets/{quote(pid, safe='')}"
        return f"{self._access.base}/{self._path(pid)}"

    def close(self) -> None:
        """Forget the token."""
        self._session.close()

    def _stored(self, pid: str) -> Stored | None:
        """Look at a record and its lists of files.

        Both are asked for where SciCat looks at rights: its lists of everything are merely
        shorter for whoever may not see.
        """
        call, path = self._session.call, self._path(pid)
        try:
            if self._access.api == "v3":
                dataset = call("get", path, "record")
                blocks = call("get", f"{path}/origdatablocks", "files") if dataset else []
            else:
                dataset = call("get", path, "record", query={"include": "origdatablocks"})
                blocks = (dataset or {}).get("origdatablocks") or []
        except NotThereError:
            return None
        if not dataset:  # older ones answer with nothing at all
            return None
        try:
            return read_stored(dataset, blocks or [])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise LinkDownError(
                f"SciCat's record is not understood ({type(error).__name__})",
                where=self.address(pid), fix="It is tried again later", name="nonsense",
            ) from error  # fmt: skip

    def _create(self, record: Record) -> None:
        body = new_body(record, self._access.api)
        try:
            self._session.call("post", "datasets", "record", body=body)
        except RefusedError as error:
            if error.name != _EXISTS:
                raise

    def _leave_to_a_person(self, record: Record, wrong: Sequence[Difference]) -> None:
        theirs = [item for item in wrong if item.by_person]
        if theirs:
            raise NeedsPersonError(
                f"the record in SciCat says otherwise: {'; '.join(i.sentence for i in theirs)}",
                where=self.address(record.pid), name="record-conflict",
                fix="Put right the scan's proposal here or the record there",
                link=self.address(record.pid),
            )  # fmt: skip

    def _mend(self, record: Record, found: Stored, wrong: Sequence[Difference]) -> None:
        if any(item.what != "the files" for item in wrong):
            body = firm_body(record, found)
            self._session.call("patch", self._path(record.pid), "record", body=body)
        if any(item.what == "the files" for item in wrong):
            self._mend_files(record, found.blocks)

    def _mend_files(self, record: Record, blocks: Sequence[Block]) -> None:
        """Make the lists that lack out of those that are wrong, or anew; take away the rest."""
        call, spare = self._session.call, list(blocks)
        lacking = []
        for files in chunks(record.files):
            same = next((block for block in spare if _same(block.files, files)), None)
            if same is None:
                lacking.append(files)
            else:
                spare.remove(same)
        for files in lacking:
            if spare:
                call("patch", _block_path(spare.pop(0)), "files", body=block_body(files))
            else:
                call("post", "origdatablocks", "files", body=_new_block(record, files))
        for block in spare:
            call("delete", _block_path(block), "files")

    def _path(self, pid: str) -> str:
        return f"datasets/{_quoted(pid)}"


def _new_block(record: Record, files: Sequence[RecordFile]) -> dict[str, Any]:
    """Return the body of a new list.

    It goes to ``origdatablocks``. What hangs below the dataset adds the size of each list to
    the size that the dataset has, so that it grows with every repetition.
    """
    rights = {"ownerGroup": record.owner_group, "accessGroups": list(record.access_groups)}
    return {"datasetId": record.pid, **rights, **block_body(files)}


def _block_path(block: Block) -> str:
    return f"origdatablocks/{_quoted(block.id)}"


def _same(some: Sequence[RecordFile], others: Sequence[RecordFile]) -> bool:
    return _keys(some) == _keys(others)


def _keys(files: Sequence[RecordFile]) -> list[tuple[str, int, str]]:
    return sorted((clean_text(file.path), file.size_bytes, file.sha256) for file in files)


def _quoted(text: str) -> str:
    return quote(text, safe="")
