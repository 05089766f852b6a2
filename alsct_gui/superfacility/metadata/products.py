"""Reading a product for its record: how it was made, and its files; here and at NERSC."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from alsct_gui.files.provenance import ATTRIBUTE, provenance_from_plain, read_provenance
from alsct_gui.model.errors import InputError, RecipeError
from alsct_gui.superfacility.errors import LinkDownError, NotThereError, OutsideError, RefusedError
from alsct_gui.superfacility.metadata.base import RecordFile, clean_text
from alsct_gui.superfacility.metadata.build import Made, iso
from alsct_gui.superfacility.scripts import Scripts

MAX_FILES = 5_000
"""Files of a product that a record lists one by one; of more it lists what is at the top."""


class ProductReader(Protocol):
    """Reads products at a place."""

    def read(self, where: str) -> Made:
        """Return how a product was made and what it consists of.

        Parameters
        ----------
        where
            Its path, at that place.

        Raises
        ------
        InputError
            It is not there, or does not tell.
        OutsideError
            As for every service.
        """
        ...


class FolderProducts:
    """Products in folders of this machine."""

    def read(self, where: str) -> Made:
        """Read a product; see `ProductReader.read`."""
        path = Path(where)
        try:
            return Made(read_provenance(path), where, listed(_files_below(path)))
        except OSError as error:
            raise InputError(f"cannot be read ({error.strerror})", where=where) from error


class NerscProducts:
    """Products at NERSC, read by a script there.

    Parameters
    ----------
    scripts
        What runs it.
    """

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts

    def read(self, where: str) -> Made:
        """Read a product; see `ProductReader.read`."""
        text = self._scripts.run("product", [where, str(MAX_FILES)])
        told = dict(line.split(" ", 1) for line in text.splitlines() if " " in line)
        if "failed" in told:
            raise _failure(told["failed"], where)
        if not text.endswith("done\n") or not {"made", "files"} <= set(told):
            raise _nonsense(where)
        try:
            account = json.loads(base64.b64decode(told["made"]))
            rows = base64.b64decode(told["files"]).split(b"\0")[:-1]
            files = [
                RecordFile(_text(rows[n]), int(rows[n + 1]), iso(float(rows[n + 2])))
                for n in range(0, len(rows), 3)
            ]
            plain = account["attributes"][ATTRIBUTE] if "attributes" in account else account
            return Made(provenance_from_plain(plain), where, tuple(_sorted(files)))
        except RecipeError as error:
            raise InputError(f"{error.where}: {error.what}", where=where, fix=error.fix) from error
        except (ValueError, KeyError, IndexError, TypeError, OverflowError, OSError) as error:
            raise _nonsense(where) from error


def listed(files: Iterable[RecordFile], most: int = MAX_FILES) -> tuple[RecordFile, ...]:
    """Return files in the order of their names.

    Of more than `most`, each folder at the top is one entry with the size of all in it.
    """
    each = _sorted(files)
    if len(each) <= most:
        return tuple(each)
    sizes: dict[str, RecordFile] = {}
    for file in each:
        top = file.path.partition("/")[0]
        known = sizes.get(top, RecordFile(top, 0, ""))
        newest = max(known.modified, file.modified)
        sizes[top] = RecordFile(top, known.size_bytes + file.size_bytes, newest)
    return tuple(sizes.values())


def _files_below(product: Path) -> Iterable[RecordFile]:
    for folder, _, names in os.walk(product):
        for name in names:
            path = Path(folder, name)
            facts = path.lstat()
            relative = clean_text(path.relative_to(product).as_posix())
            yield RecordFile(relative, facts.st_size, iso(facts.st_mtime))


def _sorted(files: Iterable[RecordFile]) -> list[RecordFile]:
    return sorted(files, key=lambda file: file.path)


def _text(raw: bytes) -> str:
    return clean_text(raw.decode("utf-8", "surrogateescape"))


def _failure(said: str, where: str) -> OutsideError:
    code, _, words = said.partition(" ")
    if code == "missing":
        return NotThereError(words, where=where, fix="Reconstruct the scan again")
    return RefusedError(f"the product is not read: {words}", where=where)


def _nonsense(where: str) -> LinkDownError:
    return LinkDownError(
        "what the script says about the product is not understood", where=where,
        fix="It is tried again later", name="nonsense",
    )  # fmt: skip
