"""TIFF: a folder of projections, a stack in one file, or a single sinogram.

TIFF says nothing of angles, so they are spread evenly over a range: the one that is given,
else one named in the file's name (``…_360deg.tif``), else 180 degrees. Whole turns leave out
their last angle, which would be the first view again; other ranges include it. Only the
pages of the file itself are read: metadata that name other files are not followed.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tifffile
from numpy.typing import NDArray

from alsct_gui.files.findings import broken, finding, unsafe
from alsct_gui.files.frames import PagedStack, RawStack, check_shape
from alsct_gui.files.hdf5 import regular_file
from alsct_gui.files.rawfile import RawFile
from alsct_gui.files.readers.exchange import even_angles
from alsct_gui.model.errors import InputError
from alsct_gui.model.finding import Finding
from alsct_gui.model.geometry import Geometry
from alsct_gui.model.scan import FlatGroup, FrameStack, People, Scan

LAYOUT = "tiff"

# tifffile logs each odd tag; what matters of them becomes an error or a finding here.
logging.getLogger("tifffile").addHandler(logging.NullHandler())

Kind = Literal["auto", "projections", "sinogram"]
Quantity = Literal["auto", "counts", "transmission", "line-integrals"]

SUFFIXES = (".tif", ".tiff")
MAX_PAGES = 200_000
"""Pages or files of one stack."""

_FLAT_WORDS = {"flat", "flats", "ob", "openbeam", "white", "bright", "bak", "data_white"}
_DARK_WORDS = {"dark", "darks", "df", "dc", "drk", "data_dark"}
_PROJECTION_WORDS = {"proj", "projection", "projections", "tomo", "radios", "data"}
_ERRORS = (OSError, ValueError, IndexError, KeyError, TypeError, OverflowError, RuntimeError,
           tifffile.TiffFileError, MemoryError, ZeroDivisionError, AttributeError)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TiffOptions:
    """What a TIFF does not say of itself."""

    kind: Kind = "auto"
    """``sinogram``: one page is (angle, column). A file with one page is taken for one."""
    range_deg: float | None = None
    """Range of the angles."""
    quantity: Quantity = "auto"
    """What the values are; found from the type and from one frame when ``auto``."""
    pixel_size_um: float | None = None
    """Edge of a detector pixel."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The files of a scan, sorted by what they are."""

    projections: tuple[Path, ...]
    flats: tuple[Path, ...] = ()
    darks: tuple[Path, ...] = ()


def open_tiff(path: Path, options: TiffOptions | None = None) -> Scan:
    """Open a TIFF file or a folder of them; see `alsct_gui.files.open.open_scan`.

    Raises
    ------
    InputError
        There are no TIFF files, they are damaged, or they differ in size.
    """
    options = options or TiffOptions()
    findings: list[Finding] = []
    opened: list[RawFile] = []
    try:
        parts = sort_files(path) if path.is_dir() else Parts((regular_file(path),))
        stack = stack_of_files(parts.projections, opened)
        if options.kind == "sinogram" or (options.kind == "auto" and _is_sinogram(parts, stack)):
            stack = _as_sinogram(stack)
        flats = _optional(parts.flats, stack, opened, "flats-missing", findings)
        darks = _optional(parts.darks, stack, opened, "darks-missing", findings)
        quantity = _quantity(options, stack, flats, findings)
    except BaseException:
        for file in opened:
            file.close()
        raise
    if quantity != "counts":
        findings = [
            item for item in findings if item.name not in ("flats-missing", "darks-missing")
        ]
    if options.pixel_size_um is None:
        findings.append(finding("pixel-size-missing", "TIFF files do not tell it reliably"))

    def close() -> None:
        for file in opened:
            file.close()

    n_angles, n_rows, n_columns = stack.shape
    return Scan(
        path=path,
        layout=LAYOUT,
        projections=stack,
        flats=flats,
        darks=darks,
        geometry=Geometry(
            angles_deg=_angles(path, options, n_angles, findings),
            n_rows=n_rows,
            n_columns=n_columns,
            pixel_size_um=options.pixel_size_um,
        ),
        quantity=quantity,
        flat_groups=(FlatGroup(0, flats.shape[0], 0.0),) if flats else (),
        people=People(sample=path.stem),
        metadata={"files": len(parts.projections)},
        warnings=tuple(findings),
        closer=close,
    )


def sort_files(folder: Path) -> Parts:
    """Sort the TIFF files of a folder and of its subfolders, by their names, into kinds."""
    found: dict[str, list[Path]] = {"projections": [], "flats": [], "darks": []}
    home = folder.resolve()
    for item in sorted(folder.iterdir(), key=natural_order)[:MAX_PAGES]:
        kind = _kind(item.stem if item.is_file() else item.name)
        if item.is_dir() and (kind or item.name.lower() in _PROJECTION_WORDS):
            children = sorted(item.iterdir(), key=natural_order)[:MAX_PAGES]
            found[kind or "projections"] += [file for file in children if is_tiff(file)]
        elif is_tiff(item):
            found[kind or "projections"].append(item)
    if not found["projections"]:
        raise broken("not-a-scan", "There are no TIFF projections in it", where=str(folder))
    checked = {kind: tuple(_inside(file, home) for file in files) for kind, files in found.items()}
    return Parts(**checked)


def is_tiff(path: Path) -> bool:
    """Say whether a path is named like a TIFF file."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def natural_order(path: Path) -> list[tuple[int, int, str]]:
    """Key that sorts ``a2`` before ``a10``."""
    parts = re.split(r"(\d+)", path.name)
    return [(0, int(text), "") if text.isdecimal() else (1, 0, text) for text in parts if text]


def stack_of_files(paths: Sequence[Path], opened: list[RawFile]) -> FrameStack:
    """Return a lazy stack over the pages of one file, or over the first pages of many."""
    if len(paths) == 1:
        return _pages(paths[0], opened)
    shape, dtype = first_page(paths[0])

    def decode(index: int) -> NDArray[Any]:
        return read_page(paths[index], 0)

    return PagedStack(decode, (len(paths), *shape), dtype)


def first_page(path: Path) -> tuple[tuple[int, int], np.dtype[Any]]:
    """Shape and type of a file's first page."""
    try:
        with tifffile.TiffFile(path) as file:
            page = file.pages.first
            shape, dtype = page.shape, page.dtype
    except _ERRORS as error:
        raise broken("unreadable", f"No TIFF that can be read: {error}"[:300],
                     where=path.name) from error  # fmt: skip
    _check(shape, dtype, path)
    return (shape[0], shape[1]), np.dtype(dtype)


def read_page(path: Path, number: int) -> NDArray[Any]:
    """Decode one page.

    Raises
    ------
    InputError
        It cannot be decoded.
    """
    try:
        with tifffile.TiffFile(path) as file:
            page = file.pages[number]
            _check(page.shape, page.dtype, path)
            decoded: NDArray[Any] = page.asarray()
            return decoded
    except InputError:
        raise
    except _ERRORS as error:
        raise broken("frames-unreadable", f"Page {number}: {error}"[:300],
                     where=path.name) from error  # fmt: skip


def _pages(path: Path, opened: list[RawFile]) -> FrameStack:
    """Pages of one file: read plain when they are stored so, else decoded one by one."""
    try:
        with tifffile.TiffFile(path) as file:
            n_pages = len(file.pages)
            first = file.pages.first
            shape, dtype = first.shape, np.dtype(first.dtype).newbyteorder(file.byteorder)
            _check(shape, first.dtype, path)
            if n_pages > MAX_PAGES:
                raise broken("shape-absurd", f"{n_pages} pages", where=path.name)
            offsets = _plain_offsets(file, first)
    except InputError:
        raise
    except _ERRORS as error:
        raise broken("unreadable", f"No TIFF that can be read: {error}"[:300],
                     where=path.name) from error  # fmt: skip
    if offsets is None:
        return PagedStack(lambda number: read_page(path, number), (n_pages, *shape), first.dtype)
    raw = RawFile(path)
    opened.append(raw)
    stack = RawStack(raw, offsets, shape, dtype)
    if stack.end_bytes > raw.size_bytes:
        raise broken("truncated", "Pages end beyond the file", where=path.name)
    return stack


def _plain_offsets(file: tifffile.TiffFile, first: Any) -> NDArray[np.int64] | None:
    """Where each page's pixels begin, None when a page is compressed or in pieces."""
    offsets = []
    for page in file.pages:
        same = page.shape == first.shape and page.dtype == first.dtype
        if not same:
            raise broken("shape-absurd", f"Pages of {first.shape} and of {page.shape}",
                         where=file.filename)  # fmt: skip
        if not first.is_contiguous or not _in_one_piece(page):
            return None
        offsets.append(page.dataoffsets[0])
    return np.array(offsets, np.int64)


def _in_one_piece(page: Any) -> bool:
    """Say whether the strips of a page follow one another."""
    starts, sizes = page.dataoffsets, page.databytecounts
    return all(
        starts[number] + sizes[number] == starts[number + 1] for number in range(len(starts) - 1)
    )


def _check(shape: tuple[int, ...], dtype: Any, path: Path) -> None:
    if dtype is None or len(shape) != 2:
        raise broken("shape-absurd", f"A page of {shape} {dtype} is no grey picture",
                     where=path.name)  # fmt: skip
    check_shape((1, *shape), np.dtype(dtype), path.name)


def _is_sinogram(parts: Parts, stack: FrameStack) -> bool:
    return len(parts.projections) == 1 and stack.shape[0] == 1


def _as_sinogram(stack: FrameStack) -> FrameStack:
    """Turn one page (angle, column) into frames of one row; several are several rows."""
    n_rows, n_angles, n_columns = stack.shape

    def decode(angle: int) -> NDArray[Any]:
        return stack.read(rows=slice(angle, angle + 1))[:, 0, :]

    return PagedStack(decode, (n_angles, n_rows, n_columns), stack.dtype)


def _optional(
    paths: tuple[Path, ...],
    like: FrameStack,
    opened: list[RawFile],
    missing: str,
    findings: list[Finding],
) -> FrameStack | None:
    if not paths:
        findings.append(finding(missing, "There are none"))
        return None
    stack = stack_of_files(paths, opened)
    if stack.shape[1:] != like.shape[1:]:
        text = f"Frames of {stack.shape[1:]} beside projections of {like.shape[1:]}"
        findings.append(finding("frame-size-mismatch", text, where=paths[0].name))
        findings.append(finding(missing, "They do not fit the projections"))
        return None
    return stack


def _kind(name: str) -> str:
    words = set(re.split(r"[^a-z]+", name.lower())) | {name.lower()}
    if words & _FLAT_WORDS:
        return "flats"
    return "darks" if words & _DARK_WORDS else ""


def _inside(path: Path, home: Path) -> Path:
    real = regular_file(path)
    if not real.is_relative_to(home):
        raise unsafe("external-link-refused", f"Leads to {real}", where=path.name)
    return real


def _quantity(
    options: TiffOptions, stack: FrameStack, flats: FrameStack | None, findings: list[Finding]
) -> Literal["counts", "transmission", "line-integrals"]:
    """Tell counts from transmission and line integrals.

    Integers, and frames with flats, are counts. Else the edge columns of one frame, where
    there is mostly no sample, decide: near 1 it is transmission, near 0 line integrals.
    """
    if options.quantity != "auto":
        return options.quantity
    if flats is not None or stack.dtype.kind in "ui":
        return "counts"
    frame = stack.read(slice(0, 1))[0]
    edge = max(1, frame.shape[1] // 20)
    empty = np.median(np.concatenate([frame[:, :edge], frame[:, -edge:]], axis=1))
    quantity: Literal["counts", "transmission", "line-integrals"] = "counts"
    if np.nanmax(np.abs(frame)) < 32:
        quantity = "transmission" if abs(empty - 1) < abs(empty) else "line-integrals"
    text = f"Beside the sample a frame has {empty:.3g}: taken as {quantity}"
    findings.append(finding("quantity-assumed", text))
    return quantity


def _angles(
    path: Path, options: TiffOptions, n_angles: int, findings: list[Finding]
) -> NDArray[np.float64]:
    range_deg = options.range_deg
    if range_deg is None:
        named = re.search(r"(?<!\d)(180|360|540|720)\s*deg", path.name.lower())
        range_deg = float(named[1]) if named else 180.0
        source = "as the name says" if named else "for want of better knowledge"
        text = f"{n_angles} angles over {range_deg:g} degrees, {source}"
        findings.append(finding("angles-missing", text))
    if range_deg % 360.0 == 0.0:
        return range_deg * np.arange(n_angles) / n_angles
    return even_angles(range_deg, n_angles)
