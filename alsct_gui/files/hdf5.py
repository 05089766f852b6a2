"""HDF5 files opened with care: the library never follows a link by itself.

Paths are walked link by link here, so that a file cannot make the library open another
one. An external link is followed only to a regular file inside the scan's own folder
(after resolving symbolic links); virtual datasets and external storage are refused.
Files are opened without locking, so that a reader never gets in the way of a writer.
"""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py

from alsct_gui.files.findings import broken, unsafe
from alsct_gui.files.rawfile import RawFile
from alsct_gui.files.superblock import HDF5_SIGNATURE, read_superblock

MAX_LINK_HOPS = 16
"""Links followed on the way to one object; more is taken for a loop."""

_BUILT_IN_FILTERS = {1, 2, 3, 4, 5, 6, 32000}

H5_ERRORS = (OSError, RuntimeError, KeyError, ValueError, TypeError, OverflowError, MemoryError)
"""What h5py may raise on a damaged file."""


@contextmanager
def hdf5_errors(where: str, name: str = "unreadable") -> Iterator[None]:
    """Turn what h5py raises on damaged bytes into an `InputError` that names the place."""
    try:
        yield
    except H5_ERRORS as error:
        raise broken(name, f"HDF5 says: {_first_line(error)}", where=where) from error


def regular_file(path: Path) -> Path:
    """Return the real path of a regular file.

    Raises
    ------
    InputError
        It is absent, or a pipe or device that would block whoever opens it.
    """
    try:
        real = Path(os.path.realpath(path))
        mode = real.stat().st_mode
    except (OSError, ValueError) as error:
        raise broken("not-found", f"Cannot be opened: {error}", where=str(path)) from error
    if not stat.S_ISREG(mode):
        raise broken("not-hdf5", "This is not a regular file", where=str(path))
    return real


class Hdf5Source:
    """One HDF5 file, and the files in its folder that it links to.

    Parameters
    ----------
    path
        The scan.

    Raises
    ------
    InputError
        It is absent, no HDF5, cut short, or still being written.
    """

    def __init__(self, path: Path) -> None:
        self.path = regular_file(path)
        self.folder = self.path.parent
        self._files: dict[Path, h5py.File] = {}
        self._raw: dict[Path, RawFile] = {}
        try:
            self.root = self._open(self.path)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close every file."""
        for raw in self._raw.values():
            raw.close()
        for file in self._files.values():
            file.close()
        self._raw.clear()
        self._files.clear()

    def raw(self, item: h5py.Dataset) -> RawFile:
        """Return the plain file in which a dataset lies, for reads beside HDF5."""
        path = Path(os.fsdecode(h5py.h5f.get_name(item.id)))
        if path not in self._raw:
            self._raw[path] = RawFile(path)
        return self._raw[path]

    def dataset(self, name: str) -> h5py.Dataset | None:
        """Return a dataset, or None when there is none of this name.

        Raises
        ------
        UnsafeInputError
            The way leads outside the scan's folder or in a circle, or the dataset takes
            its values from another file.
        """
        item = self.resolve(name)
        return item if isinstance(item, h5py.Dataset) else None

    def group(self, name: str) -> h5py.Group | None:
        """Return a group, or None when there is none of this name."""
        item = self.resolve(name)
        return item if isinstance(item, h5py.Group) else None

    def resolve(self, name: str, base: h5py.Group | None = None) -> Any:
        """Walk to an object, link by link; None when it is not there."""
        group = self.root if base is None or name.startswith("/") else base
        pending = deque(name.split("/"))
        hops = 0
        item: Any = group
        with hdf5_errors(name):
            while pending:
                part = pending.popleft()
                if part in ("", "."):
                    continue
                if not isinstance(item, h5py.Group):
                    return None
                link = item.get(part, getlink=True)
                if link is None:
                    return None
                if isinstance(link, h5py.HardLink):
                    item = open_object(item, part)
                    continue
                hops += 1
                if hops > MAX_LINK_HOPS:
                    raise unsafe("link-loop", f"More than {MAX_LINK_HOPS} links", where=name)
                if isinstance(link, h5py.ExternalLink):
                    item = self._linked_file(item, link, name)
                    if item is None:
                        return None
                elif link.path.startswith("/"):
                    item = item.file["/"]
                pending.extendleft(reversed(link.path.split("/")))
        return item

    def link_target(self, parent: h5py.Group, link: h5py.ExternalLink, name: str) -> Path | None:
        """Return the file that an external link means, None when it is absent.

        Raises
        ------
        UnsafeInputError
            It is not a regular file inside the scan's own folder.
        """
        holder = Path(os.fsdecode(h5py.h5f.get_name(parent.id))).parent
        try:
            target = Path(os.path.realpath(holder / link.filename))
            inside = target.is_relative_to(self.folder)
            mode = target.stat().st_mode if inside else 0
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise unsafe("external-link-refused", f"Link to {link.filename!r}: {error}",
                         where=name) from error  # fmt: skip
        if not inside:
            raise unsafe("external-link-refused", f"Links to {link.filename!r}", where=name)
        if not stat.S_ISREG(mode):
            raise unsafe("external-link-refused", f"{link.filename!r} is no file", where=name)
        return target

    def _linked_file(
        self, parent: h5py.Group, link: h5py.ExternalLink, name: str
    ) -> h5py.Group | None:
        target = self.link_target(parent, link, name)
        return None if target is None else self._open(target)

    def _open(self, path: Path) -> h5py.Group:
        """Root group of a file, opened once."""
        if path not in self._files:
            self._files[path] = _open_file(path)
        with hdf5_errors(path.name):
            return self._files[path]["/"]


def open_object(group: h5py.Group, name: str) -> Any:
    """Open what a hard link names: a Group, a checked Dataset, or None for other things."""
    opened = h5py.h5o.open(group.id, name.encode("utf-8", "surrogateescape"))
    if isinstance(opened, h5py.h5g.GroupID):
        return h5py.Group(opened)
    if not isinstance(opened, h5py.h5d.DatasetID):
        return None
    # The layout is asked first: even the shape of a virtual dataset opens its sources.
    created = opened.get_create_plist()
    where = f"{group.name}/{name}".replace("//", "/")
    if created.get_layout() == h5py.h5d.VIRTUAL:
        raise unsafe("virtual-source-refused", "This is a virtual dataset", where=where)
    if created.get_external_count() > 0:
        raise unsafe("external-storage-refused", "Its values lie outside HDF5", where=where)
    return h5py.Dataset(opened)


def unknown_filters(dataset: h5py.Dataset) -> tuple[str, ...]:
    """Names of the filters of a dataset that cannot be undone on this machine."""
    created = dataset.id.get_create_plist()
    found = [created.get_filter(index) for index in range(created.get_nfilters())]
    wanted = {code: text for code, _, _, text in found if code not in _BUILT_IN_FILTERS}
    if wanted:
        import hdf5plugin  # noqa: F401  (importing it registers its filters)
    return tuple(
        f"{text.decode('ascii', 'replace')} ({code})".strip()
        for code, text in wanted.items()
        if not h5py.h5z.filter_avail(code)
    )


def _open_file(path: Path) -> h5py.File:
    block = read_superblock(path)
    if path.stat().st_size == 0:
        raise broken("still-being-written", "The file is empty", where=path.name)
    if block is None:
        raise broken("not-hdf5", f"No {HDF5_SIGNATURE[1:4].decode()} signature", where=path.name)
    if block.missing_bytes > 0 and not block.open_for_write:
        raise broken("truncated", f"{block.missing_bytes} bytes are missing", where=path.name)
    try:
        return _open_unlocked(path, block.swmr_write)
    except H5_ERRORS as error:
        name = "still-being-written" if block.open_for_write else "unreadable"
        name = "truncated" if "truncated file" in str(error) else name
        raise broken(name, f"HDF5 says: {_first_line(error)}", where=path.name) from error


def _open_unlocked(path: Path, swmr: bool) -> h5py.File:
    try:
        return h5py.File(path, "r", locking=False, swmr=swmr)
    except OSError as error:
        # Another part of this process has it open with locks; HDF5 wants them to agree.
        if "locking flag" not in str(error):
            raise
        return h5py.File(path, "r", swmr=swmr)


def _first_line(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return text[0][:200] if text else type(error).__name__
