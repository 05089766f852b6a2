"""The layout of beamline 8.3.2 from 2018 to 2021: one dataset per image.

The file holds one group named after the scan. Its attributes are texts that end in a
carriage return; its datasets are the images, ``<scan>_<tile>_<angle>.tif`` with shape
(1, rows, columns), flats ``<scan>bak_<number>_<angle>.tif``, darks ``<scan>drk_…``.

Angles: the stage is the one of the current layout, so evenly spaced angles over the range,
both ends included, are negated. Sample to detector is ``Camera_Z_Support`` in mm.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from alsct_gui.files.findings import broken, finding
from alsct_gui.files.frames import NEVER_WRITTEN, PagedStack, RawStack, check_shape
from alsct_gui.files.hdf5 import Hdf5Source, hdf5_errors, open_object, unknown_filters
from alsct_gui.files.metadata import Metadata, collect_attributes, names_in
from alsct_gui.files.readers.exchange import energy_of, even_angles
from alsct_gui.files.readers.keys import as_number
from alsct_gui.model.finding import Finding
from alsct_gui.model.geometry import Geometry
from alsct_gui.model.scan import FlatGroup, FrameStack, People, Scan

LAYOUT = "als-8.3.2-legacy"

MAX_IMAGES = 100_000
"""Images in one file; far more than any scan of that time."""

_IMAGE = re.compile(r"(?P<kind>bak|drk)?_(?P<number>\d{1,6})_(?P<angle>\d{1,6})\.tif$")


@dataclass
class _Images:
    """Names of the images of one kind, with the numbers in them."""

    names: list[tuple[int, int, str]] = field(default_factory=list)
    """Tile or flat number, angle index, name of the dataset."""

    def in_time(self) -> list[tuple[int, int, str]]:
        """By angle index, then by number: the order in which they were taken."""
        return sorted(self.names, key=lambda item: (item[1], item[0]))


def find_group(source: Hdf5Source) -> h5py.Group | None:
    """Return the group that holds the images, None when the file is of another layout."""
    for name in names_in(source.root, 16):
        group = source.group(name)
        if group is None:
            continue
        images = [child for child in names_in(group, 64) if child.endswith(".tif")]
        if images and "nangles" in group.attrs:
            return group
    return None


def read_als832_legacy(path: Path, source: Hdf5Source, *, tile: int = 0) -> Scan:
    """Open one tile of a legacy scan; see `alsct_gui.files.open.open_scan`."""
    group = find_group(source)
    if group is None:
        raise broken("not-a-scan", "No group holds images named .tif", where=path.name)
    found = Metadata()
    collect_attributes(group, "", found)
    header = {key.removeprefix("@"): value for key, value in found.values.items()}
    findings = list(found.findings)
    images = _sort_images(group)
    tiles = sorted({number for number, _, _ in images[""].names})
    if tile not in tiles:
        raise broken("not-a-scan", f"There is no tile {tile}, only {tiles[:20]}", where=path.name)
    if len(tiles) > 1:
        text = f"{len(tiles)} tiles; tile {tile} is opened"
        findings.append(finding("tiles-several", text))
    chosen = [item for item in images[""].in_time() if item[0] == tile]
    projections = _stack(source, group, chosen)
    flats = _optional(source, group, images["bak"], "flats-missing", findings)
    darks = _optional(source, group, images["drk"], "darks-missing", findings)
    numbers = np.array([angle for _, angle, _ in chosen], dtype=np.intp)
    return Scan(
        path=path,
        layout=LAYOUT,
        projections=projections,
        flats=flats,
        darks=darks,
        geometry=_geometry(header, projections, numbers, findings),
        flat_groups=_flat_groups(images["bak"], numbers) if flats else (),
        people=_people(header, str(group.name).strip("/")),
        metadata=header,
        warnings=tuple(dict.fromkeys(findings)),
        closer=source.close,
    )


def _sort_images(group: h5py.Group) -> dict[str, _Images]:
    """Sort the images by kind: projections (empty), ``bak`` and ``drk``."""
    scan = str(group.name).strip("/")
    images = {"": _Images(), "bak": _Images(), "drk": _Images()}
    for name in names_in(group, MAX_IMAGES):
        # The scan's own name goes first: it may itself end in "bak" or in digits.
        found = _IMAGE.match(name.removeprefix(scan)) or _IMAGE.search(name)
        if found is not None:
            item = (int(found["number"]), int(found["angle"]), name)
            images[found["kind"] or ""].names.append(item)
    return images


def _optional(
    source: Hdf5Source, group: h5py.Group, images: _Images, missing: str, findings: list[Finding]
) -> FrameStack | None:
    if not images.names:
        findings.append(finding(missing, "There are none"))
        return None
    return _stack(source, group, images.in_time())


def _stack(source: Hdf5Source, group: h5py.Group, images: list[tuple[int, int, str]]) -> FrameStack:
    """One stack over datasets of one image each."""
    shape, dtype = _shape(group, images[0][2])
    offsets = np.empty(len(images), np.int64)
    plain = True
    for index, (_, _, name) in enumerate(images):
        with hdf5_errors(name):
            dataset = _image(group, name)
            if (dataset.shape, dataset.dtype) != ((1, *shape), dtype):
                text = f"{dataset.shape} {dataset.dtype} beside {shape} {dtype}"
                raise broken("shape-absurd", text, where=name)
            offset = dataset.id.get_offset()
            empty = dataset.id.get_storage_size() == 0
            plain = plain and (empty or offset is not None) and not unknown_filters(dataset)
            offsets[index] = NEVER_WRITTEN if offset is None else offset
    if plain:
        stack = RawStack(source.raw(dataset), offsets, shape, dtype)
        if stack.end_bytes > source.raw(dataset).size_bytes:
            raise broken("truncated", "Images end beyond the file", where=str(group.name))
        return stack

    def decode(index: int) -> np.ndarray[Any, Any]:
        name = images[index][2]
        with hdf5_errors(name, "frames-unreadable"):
            frame: np.ndarray[Any, Any] = _image(group, name)[0]
            return frame

    return PagedStack(decode, (len(images), *shape), dtype)


def _shape(group: h5py.Group, name: str) -> tuple[tuple[int, int], np.dtype[Any]]:
    with hdf5_errors(name):
        first = _image(group, name)
        check_shape(first.shape, first.dtype, name)
        return first.shape[1:], first.dtype


def _image(group: h5py.Group, name: str) -> h5py.Dataset:
    link = group.get(name, getlink=True)
    dataset = open_object(group, name) if isinstance(link, h5py.HardLink) else None
    if not isinstance(dataset, h5py.Dataset):
        raise broken("unreadable", "This is no image of the file itself", where=name)
    return dataset


def _geometry(
    header: dict[str, Any],
    projections: FrameStack,
    numbers: np.ndarray[Any, np.dtype[np.intp]],
    findings: list[Finding],
) -> Geometry:
    n_angles, n_rows, n_columns = projections.shape
    said = {key: as_number(header.get(key)) for key in (
        "nangles", "nslices", "nrays", "arange", "pxsize", "Camera_Z_Support")}  # fmt: skip
    planned = int(said["nangles"] or 0)
    if planned != n_angles:
        text = f"{planned} projections announced, {n_angles} in the file"
        findings.append(finding("frame-count-mismatch", text, where="nangles"))
    if (said["nslices"], said["nrays"]) != (n_rows, n_columns):
        text = f"{said['nslices']} x {said['nrays']} announced, {n_rows} x {n_columns} found"
        findings.append(finding("frame-size-mismatch", text, where="nslices, nrays"))
    range_deg = said["arange"]
    if range_deg is None or not 0 < abs(range_deg) < 3.6e6:
        range_deg = 180.0
        findings.append(finding("angles-missing", "180 degrees are assumed", where="arange"))
    # An image's place in the turn is the number in its name, also when some are missing.
    n_planned = min(max(planned, int(numbers[-1]) + 1, 2), 1_000_000)
    if not said["pxsize"] or not 0 < said["pxsize"] < 1e3:
        findings.append(finding("pixel-size-missing", f"It is {said['pxsize']}", where="pxsize"))
        said["pxsize"] = None
    if not said["Camera_Z_Support"]:
        findings.append(finding("distance-missing", "It is not given", where="Camera_Z_Support"))
    energy_kev, white = (
        energy_of(header["Mono_Energy"]) if "Mono_Energy" in header else (None, False)
    )
    if energy_kev is None:
        findings.append(finding("energy-missing", "It is not given", where="Mono_Energy"))
    return Geometry(
        angles_deg=0.0 - even_angles(range_deg, n_planned)[numbers],
        n_rows=n_rows,
        n_columns=n_columns,
        pixel_size_um=said["pxsize"] * 1e4 if said["pxsize"] else None,
        distance_mm=said["Camera_Z_Support"] or None,
        energy_kev=energy_kev,
        white_beam=white,
    )


def _flat_groups(
    images: _Images, numbers: np.ndarray[Any, np.dtype[np.intp]]
) -> tuple[FlatGroup, ...]:
    """Flats named after the same projection form a group; the last come after the scan."""
    groups: list[FlatGroup] = []
    angles = np.array([angle for _, angle, _ in images.in_time()])
    for angle in np.unique(angles):
        place = float(np.searchsorted(numbers, angle))
        if angle >= numbers[-1] and numbers.size > 1:
            place = float(numbers.size)
        first = int(np.searchsorted(angles, angle))
        groups.append(FlatGroup(first, int(np.sum(angles == angle)), place))
    return tuple(groups)


def _people(header: dict[str, Any], group: str) -> People:
    started = str(header.get("sdate", ""))
    with suppress(ValueError):
        started = datetime.strptime(started, "%m-%d-%Y %H:%M:%S").isoformat()
    return People(
        sample=str(header.get("object", "")) or group,
        experimenter=str(header.get("experimenter", "")),
        beamline="8.3.2",
        instrument=str(header.get("scanner", "")),
        start_time=started,
    )
