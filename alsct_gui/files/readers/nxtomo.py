"""NXtomo (NeXus): one stack of all frames, and a key that says what each of them is.

``image_key`` is 0 for a projection, 1 for a flat, 2 for a dark, 3 for an invalid frame,
which is left out. The frames may lie behind an external link inside the scan's folder.
Angles are taken as stored: NeXus leaves the sense of rotation open, and the beamlines that
write it agree with `alsct_gui.model.geometry`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from alsct_gui.files.findings import broken, finding
from alsct_gui.files.frames import SelectedStack, stack_of
from alsct_gui.files.hdf5 import H5_ERRORS, Hdf5Source, open_object
from alsct_gui.files.metadata import collect, names_in
from alsct_gui.files.readers.dxchange import length_mm
from alsct_gui.files.readers.exchange import MAX_ANGLE_DEG, even_angles
from alsct_gui.files.readers.keys import Keys
from alsct_gui.model.errors import InputError
from alsct_gui.model.geometry import Geometry
from alsct_gui.model.scan import FlatGroup, FrameStack, People, Scan

LAYOUT = "nxtomo"

PROJECTION, FLAT, DARK, INVALID = 0, 1, 2, 3
"""Values of ``image_key``."""

_MAX_GROUPS = 2000
_MAX_DEPTH = 6


@dataclass(frozen=True, eq=False)
class Detector:
    """A group with frames and their key."""

    path: str
    """Group that holds ``data`` and ``image_key``."""
    image_key: NDArray[np.int64]
    """What each frame is, shape (frame,)."""


def find_detectors(source: Hdf5Source) -> list[str]:
    """Paths of the groups that hold an ``image_key``, in the order in which they lie."""
    found: list[str] = []
    pending = [("", source.root, 0)]
    visited: set[int] = set()
    while pending and len(visited) < _MAX_GROUPS:
        path, group, depth = pending.pop(0)
        address = h5py.h5o.get_info(group.id).addr
        if address in visited:
            continue
        visited.add(address)
        names = names_in(group, _MAX_GROUPS)
        if "image_key" in names:
            found.append(path)
        if depth < _MAX_DEPTH:
            pending.extend((f"{path}/{name}", child, depth + 1)
                           for name in names
                           if (child := _subgroup(group, name)) is not None)  # fmt: skip
    return found


def _subgroup(group: h5py.Group, name: str) -> h5py.Group | None:
    """Return a group that hangs here by a hard link."""
    try:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            return None
        child = open_object(group, name)
    except (InputError, *H5_ERRORS):
        return None
    return child if isinstance(child, h5py.Group) else None


def read_nxtomo(path: Path, source: Hdf5Source) -> Scan:
    """Open a NXtomo scan; see `alsct_gui.files.open.open_scan`."""
    keys = Keys(source)
    detector, frames = _detector(keys, path)
    entry = f"/{detector.path.split('/')[1]}"
    key = detector.image_key
    chosen = np.flatnonzero(key == PROJECTION)
    if chosen.size == 0:
        raise broken("not-a-scan", "No frame is a projection", where=f"{detector.path}/image_key")
    projections = SelectedStack(frames, chosen)
    flats = _some(keys, frames, np.flatnonzero(key == FLAT), "flats-missing")
    darks = _some(keys, frames, np.flatnonzero(key == DARK), "darks-missing")
    pixel_mm = length_mm(keys, f"{detector.path}/x_pixel_size")
    if pixel_mm is None:
        keys.findings.append(finding("pixel-size-missing", "x_pixel_size is not given"))
    geometry = Geometry(
        angles_deg=_angles(keys, detector, frames.shape[0]),
        n_rows=frames.shape[1],
        n_columns=frames.shape[2],
        pixel_size_um=None if pixel_mm is None else pixel_mm * 1000.0,
        distance_mm=length_mm(keys, f"{detector.path}/distance"),
    )
    metadata = collect(source)
    return Scan(
        path=path,
        layout=LAYOUT,
        projections=projections,
        flats=flats,
        darks=darks,
        geometry=geometry,
        flat_groups=_flat_groups(key),
        people=_people(keys, entry),
        metadata=metadata.values,
        warnings=tuple(dict.fromkeys([*keys.findings, *metadata.findings])),
        closer=source.close,
    )


def _detector(keys: Keys, path: Path) -> tuple[Detector, FrameStack]:
    """First detector whose frames are there and are as many as its key.

    A refused link at the only detector is an error; at one of several it is passed over.
    """
    refused: InputError | None = None
    for group in find_detectors(keys.source):
        key = keys.series(f"{group}/image_key")
        try:
            dataset = keys.source.dataset(f"{group}/data")
            if dataset is None or key is None:
                continue
            frames = stack_of(keys.source, dataset)
        except InputError as error:
            refused = refused or error
            continue
        if key.size != frames.shape[0]:
            text = f"{key.size} keys, {frames.shape[0]} frames"
            refused = refused or broken("frame-count-mismatch", text, where=f"{group}/image_key")
            continue
        return Detector(group, key.astype(np.int64)), frames
    raise refused or broken("not-a-scan", "No detector's frames are there", where=path.name)


def _some(
    keys: Keys, frames: FrameStack, chosen: NDArray[np.intp], missing: str
) -> FrameStack | None:
    if chosen.size == 0:
        keys.findings.append(finding(missing, "No frame is marked as one"))
        return None
    return SelectedStack(frames, chosen)


def _angles(keys: Keys, detector: Detector, n_frames: int) -> NDArray[np.float64]:
    """One angle per projection: NeXus stores one for every frame."""
    chosen = detector.image_key == PROJECTION
    entry = f"/{detector.path.split('/')[1]}"
    inner = detector.path.rsplit("/instrument", 1)[0]
    for group in dict.fromkeys((f"{inner}/sample", f"{inner}/data", f"{entry}/sample",
                                f"{entry}/data", detector.path)):  # fmt: skip
        name = f"{group}/rotation_angle"
        angles = keys.series(name) if keys.has(name) else None
        if angles is None or angles.size == 0:
            continue
        if angles.size == n_frames:
            angles = angles[chosen]
        if angles.size != int(chosen.sum()):
            text = f"{angles.size} angles, {n_frames} frames"
            keys.findings.append(finding("angles-count-mismatch", text, where=name))
        elif not np.all(np.abs(angles) <= MAX_ANGLE_DEG):
            keys.findings.append(finding("angles-not-finite", "Some are not", where=name))
        else:
            return np.rad2deg(angles) if keys.units(name).startswith("rad") else angles
    count = int(chosen.sum())
    text = f"{count} angles over 180 degrees are assumed"
    keys.findings.append(finding("angles-missing", text, where="rotation_angle"))
    return even_angles(180.0, count)


def _flat_groups(image_key: NDArray[np.int64]) -> tuple[FlatGroup, ...]:
    """Flats between the same two projections are one group."""
    before = np.cumsum(image_key == PROJECTION)[image_key == FLAT]
    places, first, count = np.unique(before, return_index=True, return_counts=True)
    return tuple(
        FlatGroup(int(start), int(number), float(place))
        for place, start, number in zip(places, first, count, strict=True)
    )


def _people(keys: Keys, entry: str) -> People:
    def text(*names: str) -> str:
        found = (keys.text(f"{entry}/{name}") for name in names if keys.has(f"{entry}/{name}"))
        return next(found, "")

    return People(
        sample=text("sample/name", "tomo_entry/sample/name"),
        proposal=text("experiment_identifier"),
        experimenter=text("user/name", "user01/name"),
        beamline=text("instrument/beamline", "instrument/name"),
        instrument=text("instrument/name"),
        start_time=text("start_time"),
    )
