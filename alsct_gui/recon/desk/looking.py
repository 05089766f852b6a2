"""What a scan or a volume is at a glance, and its frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.files.check import stamp_of
from alsct_gui.files.findings import finding_of
from alsct_gui.files.identity import quick_identity
from alsct_gui.files.open import is_volume, open_volume
from alsct_gui.model.errors import InputError, UsageError
from alsct_gui.model.finding import Severity
from alsct_gui.model.recipe import Correction
from alsct_gui.model.scan import FrameStack, Scan
from alsct_gui.recon.center.phase_correlation import choose_pairs
from alsct_gui.recon.desk.answers import Frame, FrameWanted, Look, Opposite
from alsct_gui.recon.desk.cache import BoundedCache
from alsct_gui.recon.desk.pictures import limits, shrink, to_bytes
from alsct_gui.recon.desk.shelf import OpenScan, Shelf
from alsct_gui.recon.preprocess.binning import bin_frames
from alsct_gui.recon.preprocess.correct import correct_to_transmission, make_blend
from alsct_gui.recon.preprocess.flatfield import FlatField, make_flat_field, saturation_level

THUMBNAIL_PX = 96
MAX_KEYS = 5000
"""Metadata keys that are passed on."""
MAX_LIST = 64
"""Numbers of one key that are passed on."""
MAX_TEXT = 2000
"""Characters of one key that are passed on."""

_CORRECTION = Correction()


def look(shelf: Shelf, path: Path) -> Look:
    """Look at whatever lies at a path; what is amiss is told by findings, never raised."""
    stamp = stamp_of(path)
    known: dict[str, Any] = {
        "path": str(path),
        "size_bytes": stamp.size_bytes if stamp else 0,
        "modified_ns": stamp.modified_ns if stamp else 0,
    }
    try:
        if is_volume(path):
            return _look_at_volume(path, known)
        findings = shelf.check(path)
        known["findings"] = findings
        known["ok"] = not any(item.severity is Severity.ERROR for item in findings)
        with shelf.scan(path) as opened:
            return _look_at_scan(opened.scan, known)
    except InputError as error:
        # The check has told it already, unless it is a volume.
        known["findings"] = known.get("findings") or (finding_of(error),)
        return Look(**{**known, "kind": "unknown", "ok": False})


def _look_at_scan(scan: Scan, known: dict[str, Any]) -> Look:
    n_angles, n_rows, n_columns = scan.projections.shape
    geometry = scan.geometry
    summary = Look(
        **known, kind="scan", layout=scan.layout, people=scan.people, quantity=scan.quantity,
        n_angles=n_angles, n_rows=n_rows, n_columns=n_columns,
        n_flats=scan.flats.shape[0] if scan.flats else 0,
        n_darks=scan.darks.shape[0] if scan.darks else 0,
        range_deg=geometry.range_deg, pixel_um=geometry.pixel_size_um,
        distance_mm=geometry.distance_mm, energy_kev=geometry.energy_kev,
        tilt_deg=geometry.tilt_deg, metadata=short_metadata(scan.metadata),
        dtype=str(scan.projections.dtype),
    )  # fmt: skip
    try:
        return replace(
            summary, identity=quick_identity(scan), thumbnail=to_bytes(_small_projection(scan))
        )
    except InputError as error:
        lost = finding_of(error)
        findings = summary.findings if summary.findings else (lost,)
        return replace(summary, ok=False, findings=findings)


def _look_at_volume(path: Path, known: dict[str, Any]) -> Look:
    with open_volume(path) as volume:
        coarse = next(
            (level for level in reversed(volume.levels) if level.shape[2] >= THUMBNAIL_PX),
            volume.levels[0],
        )
        middle = np.asarray(coarse[coarse.shape[0] // 2], np.float32)
        return Look(
            **known, kind="volume", ok=True, findings=volume.warnings, layout=volume.layout,
            shape=volume.shape, levels=len(volume.levels), dtype=str(volume.dtype),
            voxel_um=volume.voxel_um, units=volume.units, provenance=volume.provenance,
            pixel_um=volume.voxel_um[2] if volume.voxel_um else None,
            thumbnail=to_bytes(shrink(middle, THUMBNAIL_PX)),
        )  # fmt: skip


def short_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata as plain data of bounded size: long lists and texts are cut, with a mark."""
    return {str(key)[:MAX_TEXT]: _short(metadata[key]) for key in list(metadata)[:MAX_KEYS]}


def _short(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= MAX_TEXT else f"{value[:MAX_TEXT]}…"
    if isinstance(value, list | tuple):
        items = [_short(item) for item in value[:MAX_LIST]]
        return items if len(value) <= MAX_LIST else [*items, f"… {len(value)} in all"]
    if isinstance(value, bool | int | float) or value is None:
        return value
    return str(value)[:MAX_TEXT]


def _small_projection(scan: Scan) -> NDArray[np.float32]:
    """The middle projection, small, divided by a flat when there is one."""

    def small(stack: FrameStack) -> NDArray[np.float32]:
        middle = stack.shape[0] // 2
        return shrink(stack.read(slice(middle, middle + 1))[0], THUMBNAIL_PX)

    picture = small(scan.projections)
    if scan.quantity != "counts" or scan.flats is None:
        return picture
    dark = small(scan.darks) if scan.darks is not None else np.zeros_like(picture)
    flat = small(scan.flats) - dark
    return np.divide(picture - dark, flat, out=np.ones_like(picture), where=flat > 0)


def read_frame(
    opened: OpenScan, wanted: FrameWanted, cache: BoundedCache, threads: int
) -> Frame:  # fmt: skip
    """Read one frame.

    Raises
    ------
    UsageError
        There is no such frame.
    InputError
        It cannot be read.
    """
    scan = opened.scan
    stacks = {"projection": scan.projections, "flat": scan.flats, "dark": scan.darks}
    stack = stacks[wanted.kind]
    count = stack.shape[0] if stack is not None else 0
    if stack is None or not 0 <= wanted.index < count:
        raise UsageError(f"there is no {wanted.kind} {wanted.index}; the scan has {count}",
                         where=str(scan.path))  # fmt: skip
    quantity = scan.quantity if wanted.kind == "projection" else "counts"
    if wanted.corrected and wanted.kind == "projection" and quantity == "counts":
        image: NDArray[Any] = _transmission(opened, wanted.index, wanted.binning, cache, threads)
        quantity = "transmission"
    else:
        raw = stack.read(slice(wanted.index, wanted.index + 1))
        image = bin_frames(raw, wanted.binning, threads)[0]
    if image.dtype not in (np.uint16, np.float32):
        image = image.astype(np.float32)
    low, high = limits(image)
    pixel_um = scan.geometry.pixel_size_um
    return Frame(
        image=image, kind=wanted.kind, index=wanted.index, count=count,
        angle_deg=_angle_deg(scan, wanted.index) if wanted.kind == "projection" else None,
        pixel_um=pixel_um * wanted.binning if pixel_um else None,
        quantity=quantity, low=low, high=high,
    )  # fmt: skip


def opposite_frames(
    opened: OpenScan, pair: int, binning: int, cache: BoundedCache, threads: int
) -> Opposite:
    """Read two frames half a turn apart, corrected.

    Parameters
    ----------
    pair
        Which of the pairs that the scan has, from 0.
    """
    scan = opened.scan
    pairs = choose_pairs(scan.geometry.angles_deg)
    if not 0 <= pair < len(pairs):
        raise UsageError(
            f"there is no pair {pair} of opposite projections; the scan has {len(pairs)}",
            where=str(scan.path), fix="Judge the centre by slices when the turn is too short",
        )  # fmt: skip
    chosen = pairs[pair]
    images = []
    for index in (chosen.first, chosen.second):
        if scan.quantity == "counts":
            images.append(_transmission(opened, index, binning, cache, threads))
            continue
        frame = bin_frames(scan.projections.read(slice(index, index + 1)), binning)[0]
        images.append(frame.astype(np.float32, copy=False))
    low, high = limits(images[0])
    pixel_um = scan.geometry.pixel_size_um
    return Opposite(
        first=images[0], second=images[1], indices=(chosen.first, chosen.second),
        angles_deg=(_angle_deg(scan, chosen.first), _angle_deg(scan, chosen.second)),
        mismatch_deg=float(chosen.mismatch_deg),
        pixel_um=pixel_um * binning if pixel_um else None, low=low, high=high,
    )  # fmt: skip


def _transmission(
    opened: OpenScan, index: int, binning: int, cache: BoundedCache, threads: int
) -> NDArray[np.float32]:
    scan = opened.scan
    _, n_rows, n_columns = scan.projections.shape
    whole = cache.get(
        ("field", opened.key, 1),
        lambda: make_flat_field(scan, (0, n_rows), (0, n_columns), _CORRECTION),
        _field_bytes,
    )
    field = cache.get(("field", opened.key, binning), lambda: _binned(whole, binning), _field_bytes)
    frames = bin_frames(scan.projections.read(slice(index, index + 1)), binning, threads)
    lines, _ = correct_to_transmission(
        frames, field, make_blend(field, np.array([index]), _CORRECTION), field_row=0,
        correction=_CORRECTION, saturation=saturation_level(scan.projections.dtype),
        threads=threads,
    )  # fmt: skip
    return lines[0]


def _binned(field: FlatField, binning: int) -> FlatField:
    """The same for binned frames, without reading the flats again."""
    if binning == 1:
        return field
    dark = bin_frames(field.dark[np.newaxis], binning)[0]
    return replace(field, dark=dark, flats=bin_frames(field.flats, binning))


def _field_bytes(field: FlatField) -> int:
    return field.dark.nbytes + field.flats.nbytes


def _angle_deg(scan: Scan, index: int) -> float:
    return float(scan.geometry.angles_deg[index])
