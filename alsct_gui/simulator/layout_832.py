"""The current HDF5 layout of beamline 8.3.2, with every metadata key it is known to have.

Scalars are stored as arrays of one value, as at the beamline; text as bytes.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from alsct_gui.simulator.camera import DARK, FLAT, PROJECTION
from alsct_gui.simulator.frames import Timeline
from alsct_gui.simulator.spec import SimulationSpec

DATASETS = {
    PROJECTION: "/exchange/data",
    FLAT: "/exchange/data_white",
    DARK: "/exchange/data_dark",
}
"""Where the frames of each kind go."""

Value = float | int | str | NDArray[np.float64]

_INSTRUMENT = "/measurement/instrument"
_ACQUISITION = "/process/acquisition"


def metadata(spec: SimulationSpec, timeline: Timeline) -> dict[str, NDArray[np.generic]]:
    """Return every dataset beside the frames, path -> array.

    Parameters
    ----------
    spec
        The scan.
    timeline
        When the frames are taken, and the current then.
    """
    groups: list[tuple[str, Mapping[str, Value]]] = [
        (_ACQUISITION, _acquisition(spec)),
        (_INSTRUMENT, _instrument(spec)),
        (_INSTRUMENT, _per_frame(spec, timeline)),
        ("/measurement/sample", _sample(spec)),
    ]
    plain = {f"{top}/{key}": _stored(value) for top, keys in groups for key, value in keys.items()}
    plain["/exchange/theta"] = spec.stage_deg
    return plain


def _stored(value: Value) -> NDArray[np.generic]:
    if isinstance(value, str):
        return np.array([value.encode()])
    return np.atleast_1d(np.asarray(value))


def _acquisition(spec: SimulationSpec) -> dict[str, Value]:
    camera, beam = spec.physics.camera, spec.physics.beam
    stage = spec.stage_deg
    keys: dict[str, Value] = {
        "name": spec.file_name.removesuffix(".h5"),
        "rotation/rotation_start": spec.start_deg,
        "rotation/rotation_step": float(stage[1] - stage[0]) if spec.n_angles > 1 else 0.0,
        "rotation/num_angles": spec.n_angles,
        "rotation/range": spec.range_deg,
        "rotation/blur_limit": 0,
        "rotation/multiRev": 0,
        "rotation/nhalfCir": round(spec.range_deg / 180),
        "flat_fields/i0cycle": spec.i0cycle,
        "flat_fields/num_flat_fields": spec.n_flats,
        "flat_fields/i0_move_x": 15.0,
        "flat_fields/i0_move_y": 0.0,
        "flat_fields/usebrightexpose": 0,
        "flat_fields/flat_field_value": beam.photons * camera.counts_per_photon,
        "dark_fields/num_dark_fields": spec.n_darks,
        "dark_fields/dark_num_avg_of": 1,
        "dark_fields/dark_field_value": camera.dark_counts,
    }
    for axis in "xy":
        for key, value in (("movedist", 0.0), ("numimg", 1), ("orig", 0.0), ("overlap", 0.0)):
            keys[f"mosaic/tile_{axis}{key}"] = value
    return keys


def _instrument(spec: SimulationSpec) -> dict[str, Value]:
    return {
        "instrument_name": "ALS 8.3.2 simulator",
        "attenuator/setup/filter_y": 0.0,
        # A second element stands there since the motor record was changed.
        "camera_motor_stack/setup/camera_distance": np.array([spec.distance_mm, 0.0]),
        "camera_motor_stack/setup/tilt_motor": 0.0,
        "detection_system/objective/camera_objective": "10x",
        "detection_system/scintillator/scintillator_type": "LuAG 50um",
        "detector/dimension_x": spec.n_columns,
        "detector/dimension_y": spec.n_rows,
        "detector/pixel_size": spec.pixel_size_um * 1e-3,
        "detector/binning_x": 1,
        "detector/binning_y": 1,
        "detector/dark_field_value": spec.physics.camera.dark_counts,
        "detector/delay_time": 0.0,
        "detector/model": "simulated",
        "detector/temperature": -10.0,
        "monochromator/energy": spec.energy_kev * 1e3,
        "monochromator/setup/Z2": 0.0,
        "slits/setup/hslits_center": 0.0,
        "slits/setup/hslits_size": 20.0,
        "slits/setup/vslits_Lead_Flag": 0.0,
        "source/source_name": "ALS",
    }


def _per_frame(spec: SimulationSpec, timeline: Timeline) -> dict[str, Value]:
    """Return one value per projection for each key."""
    n = spec.n_angles
    current = timeline.current_ma[PROJECTION]
    light = spec.physics.beam.photons / spec.physics.beam.current_ma
    return {
        "sample_motor_stack/setup/axis1pos": spec.stage_deg,
        "sample_motor_stack/setup/axis2pos": np.zeros(n),
        "sample_motor_stack/setup/sample_x": np.zeros(n),
        "sample_motor_stack/setup/axis5pos": np.zeros(n),
        "camera_motor_stack/setup/camera_elevation": np.zeros(n),
        "source/current": current,
        "source/beam_intensity_incident": current * light,
        "detector/exposure_time": np.full(n, spec.exposure_s),
        "monochromator/setup/turret1": np.zeros(n),
        "monochromator/setup/turret2": np.zeros(n),
        "time_stamp": spec.started.timestamp() + timeline.time_s[PROJECTION],
    }


def _sample(spec: SimulationSpec) -> dict[str, Value]:
    return {
        "experiment/beamline": "8.3.2",
        "experiment/experiment_lead": "Ada Example",
        "experiment/pi": "Ada Example",
        "experiment/proposal": spec.proposal,
        "experimenter/email": "operator@example.org",
        "experimenter/name": "operator",
        "file_name": spec.file_name.removesuffix(".h5"),
    }
