"""Reading a product for its record: how it was made, and its files; here and elsewhere."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from alsct_gui.files.provenance import (
    ATTRIBUTE,
    TIFF_FILE,
    provenance_from_plain,
    read_provenance,
)
from alsct_gui.model.errors import InputError, RecipeError
from alsct_gui.model.product import Provenance
from alsct_gui.superfacility.compute.look import Looker, Question
from alsct_gui.superfacility.metadata.base import RecordFile, clean_text
from alsct_gui.superfacility.metadata.build import Made, iso

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


class LookedProducts:
    """Products at a place that can only be looked at by a command, such as NERSC.

    Parameters
    ----------
    looker
        What looks there.
    """

    def __init__(self, looker: Looker) -> None:
        self._looker = looker

    def read(self, where: str) -> Made:
        """Read a product; see `ProductReader.read`.

        When its files were written is not told there, so that all have the product's own time.
        """
        accounts = tuple(f"{where}/{name}" for name in ("zarr.json", TIFF_FILE))
        seen = self._looker.look(Question(folders=(where,), texts=accounts))
        text = next((text for path in accounts if (text := seen.texts.get(path))), None)
        sizes = seen.folders.get(where)
        if text is None or not sizes:
            why = seen.errors.get(where) or "it is not there, or does not tell how it was made"
            raise InputError(why, where=where, fix="Reconstruct the scan again")
        how = _provenance(text, where)
        files = (RecordFile(clean_text(name), size, how.created) for name, size in sizes.items())
        return Made(how, where, listed(files))


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


def _provenance(text: str, where: str) -> Provenance:
    try:
        plain = json.loads(text)
        return provenance_from_plain(
            plain["attributes"][ATTRIBUTE] if "attributes" in plain else plain
        )
    except RecipeError as error:
        raise InputError(f"{error.where}: {error.what}", where=where, fix=error.fix) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            "the product does not tell how it was made", where=where,
            fix="Take a product that this program has written",
        ) from error  # fmt: skip
