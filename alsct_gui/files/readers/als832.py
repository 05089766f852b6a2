"""The current layout of beamline 8.3.2: DXchange frames, the instrument around them.

Angles: the stage counts against the sense of `alsct_gui.model.geometry`, so they are
negated here, as the beamline's production scripts do on reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from math import isfinite
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from alsct_gui.files.findings import finding
from alsct_gui.files.hdf5 import Hdf5Source
from alsct_gui.files.metadata import collect
from alsct_gui.files.readers.exchange import (
    energy_of,
    even_angles,
    flat_groups,
    optional_stack,
    projections_of,
    stored_angles,
)
from alsct_gui.files.readers.keys import Keys
from alsct_gui.model.geometry import Geometry
from alsct_gui.model.scan import FrameStack, People, Scan

LAYOUT = "als-8.3.2"

_INSTRUMENT = "/measurement/instrument"
_SAMPLE = "/measurement/sample"
_PROCESS = "/process/acquisition"
_ROTATION = f"{_PROCESS}/rotation"

PER_FRAME: Mapping[str, str] = {
    f"{_INSTRUMENT}/sample_motor_stack/setup/axis1pos": "axis1_pos",
    f"{_INSTRUMENT}/sample_motor_stack/setup/axis2pos": "axis2_pos",
    f"{_INSTRUMENT}/sample_motor_stack/setup/sample_x": "sample_x_mm",
    f"{_INSTRUMENT}/sample_motor_stack/setup/axis5pos": "axis5_pos",
    f"{_INSTRUMENT}/camera_motor_stack/setup/camera_elevation": "camera_elevation_mm",
    f"{_INSTRUMENT}/source/current": "beam_current_ma",
    f"{_INSTRUMENT}/source/beam_intensity_incident": "beam_intensity",
    f"{_INSTRUMENT}/detector/exposure_time": "exposure_time_s",
    f"{_INSTRUMENT}/time_stamp": "time_s",
    f"{_INSTRUMENT}/monochromator/setup/turret1": "turret1",
    f"{_INSTRUMENT}/monochromator/setup/turret2": "turret2",
}
"""Keys with one value per frame, and their names in `Scan.per_frame`."""

CATALOGUE_KEYS = (
    f"{_SAMPLE}/experiment/beamline",
    f"{_SAMPLE}/experiment/experiment_lead",
    f"{_SAMPLE}/experiment/pi",
    f"{_SAMPLE}/experiment/proposal",
    f"{_SAMPLE}/experimenter/email",
    f"{_SAMPLE}/experimenter/name",
    f"{_SAMPLE}/file_name",
    f"{_INSTRUMENT}/instrument_name",
    f"{_INSTRUMENT}/attenuator/setup/filter_y",
    f"{_INSTRUMENT}/camera_motor_stack/setup/tilt_motor",
    f"{_INSTRUMENT}/detection_system/objective/camera_objective",
    f"{_INSTRUMENT}/detection_system/scintillator/scintillator_type",
    f"{_INSTRUMENT}/detector/binning_x",
    f"{_INSTRUMENT}/detector/binning_y",
    f"{_INSTRUMENT}/detector/dark_field_value",
    f"{_INSTRUMENT}/detector/delay_time",
    f"{_INSTRUMENT}/detector/dimension_x",
    f"{_INSTRUMENT}/detector/dimension_y",
    f"{_INSTRUMENT}/detector/model",
    f"{_INSTRUMENT}/detector/temperature",
    f"{_INSTRUMENT}/monochromator/setup/Z2",
    f"{_INSTRUMENT}/slits/setup/hslits_center",
    f"{_INSTRUMENT}/slits/setup/hslits_size",
    f"{_INSTRUMENT}/slits/setup/vslits_Lead_Flag",
    f"{_INSTRUMENT}/source/source_name",
    f"{_ROTATION}/num_angles",
    f"{_ROTATION}/range",
    f"{_ROTATION}/blur_limit",
    f"{_ROTATION}/multiRev",
    f"{_ROTATION}/nhalfCir",
    f"{_PROCESS}/flat_fields/i0cycle",
    f"{_PROCESS}/flat_fields/num_flat_fields",
    f"{_PROCESS}/flat_fields/i0_move_x",
    f"{_PROCESS}/flat_fields/i0_move_y",
    f"{_PROCESS}/flat_fields/usebrightexpose",
    f"{_PROCESS}/dark_fields/num_dark_fields",
    f"{_PROCESS}/dark_fields/dark_num_avg_of",
    f"{_PROCESS}/name",
)
"""Keys that the catalogue wants; those that a file lacks are named in one finding."""

MARKER_KEYS = (
    f"{_PROCESS}/flat_fields/i0cycle",
    f"{_ROTATION}/multiRev",
    f"{_ROTATION}/nhalfCir",
    f"{_ROTATION}/blur_limit",
    f"{_INSTRUMENT}/sample_motor_stack/setup/axis1pos",
    f"{_INSTRUMENT}/monochromator/setup/Z2",
    f"{_INSTRUMENT}/slits/setup/vslits_Lead_Flag",
)
"""Keys that 8.3.2 writes and other users of DXchange do not."""


def read_als832(path: Path, source: Hdf5Source) -> Scan:
    """Open a scan of the current 8.3.2 layout; see `alsct_gui.files.open.open_scan`."""
    keys = Keys(source)
    projections = projections_of(source)
    n_angles = projections.shape[0]
    flats = optional_stack(keys, "/exchange/data_white", "flats-missing", projections)
    darks = optional_stack(keys, "/exchange/data_dark", "darks-missing", projections)
    geometry = _geometry(keys, projections)
    cycle = _whole(keys, f"{_PROCESS}/flat_fields/i0cycle")
    per_group = _whole(keys, f"{_PROCESS}/flat_fields/num_flat_fields")
    per_frame = _per_frame(keys, n_angles)
    _announced(keys, projections, flats, darks)
    people = _people(keys)
    missing = sorted({key for key in CATALOGUE_KEYS if not keys.has(key)} | set(keys.missing))
    if missing:
        text = f"{len(missing)} keys are missing: {', '.join(missing)}"
        keys.findings.append(finding("metadata-missing", text))
    metadata = collect(source)
    return Scan(
        path=path,
        layout=LAYOUT,
        projections=projections,
        flats=flats,
        darks=darks,
        geometry=geometry,
        flat_groups=flat_groups(flats.shape[0] if flats else 0, n_angles, per_group, cycle or 0),
        flat_value=_constant(keys, f"{_PROCESS}/flat_fields/flat_field_value", flats),
        dark_value=_constant(keys, f"{_PROCESS}/dark_fields/dark_field_value", darks),
        people=people,
        metadata=metadata.values,
        per_frame=per_frame,
        warnings=tuple(dict.fromkeys([*keys.findings, *metadata.findings])),
        closer=source.close,
    )


def _geometry(keys: Keys, projections: FrameStack) -> Geometry:
    n_angles, n_rows, n_columns = projections.shape
    pixel_size_mm = _positive(keys, f"{_INSTRUMENT}/detector/pixel_size", "pixel-size-missing")
    energy_kev, white = _energy(keys)
    for name, found in (("dimension_y", n_rows), ("dimension_x", n_columns)):
        key = f"{_INSTRUMENT}/detector/{name}"
        said = _whole(keys, key)
        if said is not None and said != found:
            text = f"{said} in the metadata, {found} in the frames"
            keys.findings.append(finding("frame-size-mismatch", text, where=key))
    return Geometry(
        angles_deg=_angles(keys, n_angles),
        n_rows=n_rows,
        n_columns=n_columns,
        pixel_size_um=None if pixel_size_mm is None else pixel_size_mm * 1000.0,
        distance_mm=_distance(keys),
        energy_kev=energy_kev,
        white_beam=white,
    )


def _angles(keys: Keys, n_angles: int) -> NDArray[np.float64]:
    stored = stored_angles(keys, "/exchange/theta", n_angles)
    if stored is not None:
        return 0.0 - stored
    start = keys.number(f"{_ROTATION}/rotation_start") or 0.0
    step = keys.number(f"{_ROTATION}/rotation_step")
    if step:
        text = f"{n_angles} angles from {start:g} in steps of {step:g} degrees are assumed"
        angles = start + step * np.arange(n_angles)
    else:
        range_deg = _range(keys)
        # A scan that was stopped early has fewer projections than the range was cut into.
        planned = max(_whole(keys, f"{_ROTATION}/num_angles") or n_angles, n_angles, 2)
        planned = min(planned, 10 * n_angles)
        text = f"{planned} angles over {range_deg:g} degrees are assumed"
        angles = even_angles(range_deg, planned, start)[:n_angles]
    keys.findings.append(finding("angles-missing", text, where="/exchange/theta"))
    return np.asarray(0.0 - angles, dtype=np.float64)


def _range(keys: Keys) -> float:
    """Range of the scan; with ``multiRev`` set it is ``nhalfCir`` half turns."""
    half_turns = keys.number(f"{_ROTATION}/nhalfCir")
    if keys.number(f"{_ROTATION}/multiRev") and half_turns and 0 < half_turns < 1e4:
        return 180.0 * half_turns
    range_deg = keys.number(f"{_ROTATION}/range")
    return range_deg if range_deg and 0 < abs(range_deg) < 3.6e6 else 180.0


def _distance(keys: Keys) -> float | None:
    key = f"{_INSTRUMENT}/camera_motor_stack/setup/camera_distance"
    values = keys.values(key)
    for value in values[:2]:
        if isinstance(value, int | float) and isfinite(value) and value != 0:
            return float(value)
    keys.findings.append(finding("distance-missing", f"The file holds {values[:2]}", where=key))
    return None


def _energy(keys: Keys) -> tuple[float | None, bool]:
    key = f"{_INSTRUMENT}/monochromator/energy"
    values = keys.values(key)
    energy_kev, white = energy_of(values[0]) if values else (None, False)
    if energy_kev is None:
        keys.findings.append(finding("energy-missing", f"The file holds {values[:1]}", where=key))
    return energy_kev, white


def _positive(keys: Keys, key: str, missing: str) -> float | None:
    value = keys.number(key)
    if value is None or value <= 0:
        keys.findings.append(finding(missing, f"The file holds {value}", where=key))
        return None
    return value


def _whole(keys: Keys, key: str) -> int | None:
    value = keys.number(key)
    return int(value) if value is not None and abs(value) < 1e9 else None


def _constant(keys: Keys, key: str, stack: FrameStack | None) -> float | None:
    return keys.number(key) if stack is None else None


def _announced(
    keys: Keys, projections: FrameStack, flats: FrameStack | None, darks: FrameStack | None
) -> None:
    """Compare the numbers of frames with those that the acquisition announced."""
    for key, kind, stack in (
        (f"{_ROTATION}/num_angles", "projections", projections),
        (f"{_PROCESS}/flat_fields/num_flat_fields", "flats", flats),
        (f"{_PROCESS}/dark_fields/num_dark_fields", "darks", darks),
    ):
        said = _whole(keys, key)
        if stack is None or said is None:
            continue
        count = stack.shape[0]
        # Flats are announced for each of their groups.
        fits = count % said == 0 if kind == "flats" and said > 0 else count == said
        if not fits:
            text = f"{said} {kind} announced, {count} in the file"
            keys.findings.append(finding("frame-count-mismatch", text, where=key))


def _per_frame(keys: Keys, n_angles: int) -> dict[str, NDArray[np.float64]]:
    found: dict[str, NDArray[np.float64]] = {}
    for key, name in PER_FRAME.items():
        values = keys.series(key)
        if values is None and name == "time_s":
            values = _seconds(keys.values(key))
        if values is not None and values.size == n_angles:
            found[name] = values
    return found


def _seconds(stamps: list[object]) -> NDArray[np.float64] | None:
    """Seconds since 1970 from ISO 8601 texts; None when one of them is none."""
    try:
        times = [datetime.fromisoformat(str(stamp).strip()) for stamp in stamps]
        return np.array([time.timestamp() for time in times])
    except (ValueError, OverflowError, OSError):
        return None


def _people(keys: Keys) -> People:
    return People(
        sample=keys.text(f"{_SAMPLE}/file_name"),
        proposal=keys.text(f"{_SAMPLE}/experiment/proposal"),
        principal_investigator=keys.text(f"{_SAMPLE}/experiment/pi"),
        experiment_lead=keys.text(f"{_SAMPLE}/experiment/experiment_lead"),
        experimenter=keys.text(f"{_SAMPLE}/experimenter/name"),
        email=keys.text(f"{_SAMPLE}/experimenter/email"),
        beamline=keys.text(f"{_SAMPLE}/experiment/beamline"),
        instrument=keys.text(f"{_INSTRUMENT}/instrument_name"),
        start_time=_start_time(keys),
    )


def _start_time(keys: Keys) -> str:
    """Time of the first frame, ISO 8601; the name of the file is not asked."""
    values = keys.values(f"{_INSTRUMENT}/time_stamp") if keys.has(
        f"{_INSTRUMENT}/time_stamp") else []  # fmt: skip
    if values and isinstance(values[0], str):
        return values[0]
    if values and isinstance(values[0], int | float) and 0 < values[0] < 4e9:
        return datetime.fromtimestamp(float(values[0])).astimezone().isoformat()
    return ""
