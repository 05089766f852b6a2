"""DXchange files of other beamlines, as written at the APS.

Angles are taken as stored: they already count in the sense of `alsct_gui.model.geometry`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from alsct_gui.files.findings import finding
from alsct_gui.files.hdf5 import Hdf5Source
from alsct_gui.files.metadata import collect
from alsct_gui.files.readers.exchange import (
    even_angles,
    flat_groups,
    optional_stack,
    projections_of,
    stored_angles,
)
from alsct_gui.files.readers.keys import Keys
from alsct_gui.model.geometry import Geometry
from alsct_gui.model.scan import People, Scan

LAYOUT = "dxchange"

_LENGTH_MM = {"m": 1000.0, "mm": 1.0, "um": 1e-3, "µm": 1e-3, "micron": 1e-3, "microns": 1e-3}
_ENERGY_KEV = {"kev": 1.0, "ev": 1e-3}


def read_dxchange(path: Path, source: Hdf5Source) -> Scan:
    """Open a DXchange scan; see `alsct_gui.files.open.open_scan`."""
    keys = Keys(source)
    projections = projections_of(source)
    n_angles, n_rows, n_columns = projections.shape
    flats = optional_stack(keys, "/exchange/data_white", "flats-missing", projections)
    darks = optional_stack(keys, "/exchange/data_dark", "darks-missing", projections)
    angles = stored_angles(keys, "/exchange/theta", n_angles)
    if angles is None:
        angles = even_angles(180.0, n_angles)
        text = f"{n_angles} angles over 180 degrees are assumed"
        keys.findings.append(finding("angles-missing", text, where="/exchange/theta"))
    pixel_mm = length_mm(keys, "/measurement/instrument/detector/actual_pixel_size_x",
                         "/measurement/instrument/detector/pixel_size_x",
                         "/measurement/instrument/detector/pixel_size")  # fmt: skip
    if pixel_mm is None:
        keys.findings.append(finding("pixel-size-missing", "The file holds none with a unit"))
    geometry = Geometry(
        angles_deg=np.asarray(angles, dtype=np.float64),
        n_rows=n_rows,
        n_columns=n_columns,
        pixel_size_um=None if pixel_mm is None else pixel_mm * 1000.0,
        distance_mm=length_mm(
            keys, "/measurement/instrument/camera_motor_stack/setup/camera_distance"
        ),
        energy_kev=_energy_kev(keys, "/measurement/instrument/monochromator/energy"),
    )
    metadata = collect(source)
    return Scan(
        path=path,
        layout=LAYOUT,
        projections=projections,
        flats=flats,
        darks=darks,
        geometry=geometry,
        flat_groups=flat_groups(flats.shape[0] if flats else 0, n_angles, None, 0),
        people=_people(keys),
        metadata=metadata.values,
        warnings=tuple(dict.fromkeys([*keys.findings, *metadata.findings])),
        closer=source.close,
    )


def length_mm(keys: Keys, *names: str) -> float | None:
    """First positive length among some keys; without a known unit it is not used."""
    return _with_unit(keys, names, _LENGTH_MM)


def _energy_kev(keys: Keys, *names: str) -> float | None:
    return _with_unit(keys, names, _ENERGY_KEV)


def _with_unit(keys: Keys, names: tuple[str, ...], units: dict[str, float]) -> float | None:
    for name in names:
        value = keys.number(name) if keys.has(name) else None
        factor = units.get(keys.units(name))
        if value is not None and factor is not None and value > 0:
            return value * factor
    return None


def _people(keys: Keys) -> People:
    return People(
        sample=keys.text("/measurement/sample/name"),
        proposal=keys.text("/measurement/sample/experiment/proposal"),
        experimenter=keys.text("/measurement/sample/experimenter/name"),
        email=keys.text("/measurement/sample/experimenter/email"),
        instrument=keys.text("/measurement/instrument/name"),
        start_time=keys.text("/process/acquisition/start_date"),
    )
