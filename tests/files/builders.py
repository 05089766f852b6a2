"""Small scans in every layout, whole or broken in a known way; for all tests that need files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

INSTRUMENT = "/measurement/instrument"
PROCESS = "/process/acquisition"


def frames_of(
    n_angles: int, rows: int, columns: int, *, dtype: str = "u2", seed: int = 0
) -> NDArray[Any]:
    """Counts between 1000 and 20000, all frames different."""
    counts = np.random.default_rng(seed).integers(1000, 20000, (n_angles, rows, columns))
    return counts.astype(dtype)


def als832_metadata(n_angles: int, rows: int, columns: int) -> dict[str, Any]:
    """Every key of the current 8.3.2 layout, stored as arrays as at the beamline."""
    text = {
        "/measurement/sample/experiment/beamline": "8.3.2",
        "/measurement/sample/experiment/experiment_lead": "Grace Hopper",
        "/measurement/sample/experiment/pi": "Ada Lovelace",
        "/measurement/sample/experiment/proposal": "BLS-00564",
        "/measurement/sample/experimenter/email": "someone@example.org",
        "/measurement/sample/experimenter/name": "Someone",
        "/measurement/sample/file_name": "20240101_120000_sandstone",
        f"{INSTRUMENT}/instrument_name": "microCT",
        f"{INSTRUMENT}/detection_system/objective/camera_objective": "5x",
        f"{INSTRUMENT}/detection_system/scintillator/scintillator_type": "LuAG",
        f"{INSTRUMENT}/detector/model": "PCO.edge",
        f"{INSTRUMENT}/source/source_name": "ALS",
        f"{PROCESS}/name": "20240101_120000_sandstone",
    }
    numbers: dict[str, list[float]] = {
        f"{INSTRUMENT}/detector/dimension_x": [columns],
        f"{INSTRUMENT}/detector/dimension_y": [rows],
        f"{INSTRUMENT}/detector/pixel_size": [0.00325],
        f"{INSTRUMENT}/detector/binning_x": [1],
        f"{INSTRUMENT}/detector/binning_y": [1],
        f"{INSTRUMENT}/detector/dark_field_value": [100],
        f"{INSTRUMENT}/detector/delay_time": [0],
        f"{INSTRUMENT}/detector/temperature": [-5],
        f"{INSTRUMENT}/camera_motor_stack/setup/camera_distance": [0.0, 50.0],
        f"{INSTRUMENT}/camera_motor_stack/setup/tilt_motor": [0.1],
        f"{INSTRUMENT}/monochromator/energy": [25000.0],
        f"{INSTRUMENT}/monochromator/setup/Z2": [208.0],
        f"{INSTRUMENT}/attenuator/setup/filter_y": [0.0],
        f"{INSTRUMENT}/slits/setup/hslits_center": [0.0],
        f"{INSTRUMENT}/slits/setup/hslits_size": [10.0],
        f"{INSTRUMENT}/slits/setup/vslits_Lead_Flag": [0.0],
        f"{PROCESS}/rotation/rotation_start": [0.0],
        f"{PROCESS}/rotation/num_angles": [n_angles],
        f"{PROCESS}/rotation/range": [180.0],
        f"{PROCESS}/rotation/blur_limit": [4.0],
        f"{PROCESS}/rotation/multiRev": [0],
        f"{PROCESS}/rotation/nhalfCir": [1],
        f"{PROCESS}/flat_fields/i0cycle": [0],
        f"{PROCESS}/flat_fields/num_flat_fields": [4],
        f"{PROCESS}/flat_fields/i0_move_x": [10],
        f"{PROCESS}/flat_fields/i0_move_y": [0],
        f"{PROCESS}/flat_fields/usebrightexpose": [0],
        f"{PROCESS}/flat_fields/flat_field_value": [30000.0],
        f"{PROCESS}/dark_fields/num_dark_fields": [3],
        f"{PROCESS}/dark_fields/dark_num_avg_of": [1],
        f"{PROCESS}/dark_fields/dark_field_value": [100.0],
    }
    metadata: dict[str, Any] = {key: np.array([value.encode()]) for key, value in text.items()}
    metadata |= {key: np.asarray(value) for key, value in numbers.items()}
    per_frame = {
        "source/current": np.linspace(500.0, 490.0, n_angles),
        "source/beam_intensity_incident": np.full(n_angles, 2.0),
        "time_stamp": 1.7e9 + np.arange(n_angles),
        "detector/exposure_time": np.full(n_angles, 0.1),
        "sample_motor_stack/setup/axis1pos": np.linspace(0, 180, n_angles),
        "sample_motor_stack/setup/axis2pos": np.zeros(n_angles),
        "sample_motor_stack/setup/sample_x": np.zeros(n_angles),
        "sample_motor_stack/setup/axis5pos": np.zeros(n_angles),
        "camera_motor_stack/setup/camera_elevation": np.full(n_angles, 7.0),
        "monochromator/setup/turret1": np.zeros(n_angles),
        "monochromator/setup/turret2": np.zeros(n_angles),
    }
    return metadata | {f"{INSTRUMENT}/{key}": value for key, value in per_frame.items()}


def write_als832(
    path: Path,
    n_angles: int = 19,
    rows: int = 4,
    columns: int = 16,
    *,
    frames: NDArray[Any] | None = None,
    theta: NDArray[Any] | str | None = "even",
    flats: NDArray[Any] | int | None = 4,
    darks: NDArray[Any] | int | None = 3,
    without: tuple[str, ...] = (),
    changed: dict[str, Any] | None = None,
    storage: dict[str, Any] | None = None,
    **file_options: Any,
) -> NDArray[Any]:
    """Write a scan of the current layout and return its projections.

    Parameters
    ----------
    frames, theta, flats, darks
        Arrays to store; None leaves the dataset out, a number makes so many frames.
    without
        Metadata keys to leave out.
    changed
        Metadata keys with other values.
    storage
        Arguments of ``create_dataset`` for the frames: chunks, compression …
    file_options
        Arguments of ``h5py.File``.
    """
    data = frames_of(n_angles, rows, columns) if frames is None else frames
    metadata = als832_metadata(n_angles, rows, columns) | (changed or {})
    with h5py.File(path, "w", locking=False, **file_options) as file:
        file.create_dataset("/exchange/data", data=data, **(storage or {}))
        if isinstance(flats, int):
            flats = frames_of(flats, rows, columns, seed=1) + np.uint16(20000)
        if isinstance(darks, int):
            darks = frames_of(darks, rows, columns, seed=2) // 100
        if flats is not None:
            file["/exchange/data_white"] = flats
        if darks is not None:
            file["/exchange/data_dark"] = darks
        if isinstance(theta, str):
            theta = np.linspace(0.0, 180.0, n_angles)
        if theta is not None:
            file["/exchange/theta"] = theta
        for key, value in metadata.items():
            if key not in without:
                file[key] = value
    return data


def write_dxchange(path: Path, n_angles: int = 9, *, theta: bool = True) -> NDArray[Any]:
    """Write a scan as at the APS, and return its projections."""
    data = frames_of(n_angles, 3, 8)
    with h5py.File(path, "w", locking=False) as file:
        file["implements"] = "exchange:measurement"
        file["/exchange/data"] = data
        file["/exchange/data_white"] = frames_of(2, 3, 8) + np.uint16(20000)
        file["/exchange/data_dark"] = frames_of(2, 3, 8) // 100
        file["/measurement/instrument/source/name"] = "Advanced Photon Source"
        file["/measurement/instrument/detector/pixel_size_x"] = 1.5
        file["/measurement/instrument/detector/pixel_size_x"].attrs["units"] = "microns"
        file["/measurement/instrument/monochromator/energy"] = np.array([27.4])
        file["/measurement/instrument/monochromator/energy"].attrs["units"] = "keV"
        if theta:
            file["/exchange/theta"] = np.linspace(0, 180, n_angles)
            file["/exchange/theta"].attrs["units"] = "degrees"
    return data


def write_nxtomo(path: Path, *, key: list[int] | None = None, angles: bool = True) -> NDArray[Any]:
    """Write a NXtomo scan and return all its frames."""
    image_key = np.array([2, 1, 1, 0, 0, 0, 3, 0, 1] if key is None else key)
    data = frames_of(image_key.size, 3, 8)
    with h5py.File(path, "w", locking=False) as file:
        detector = file.create_group("/entry1/tomo_entry/instrument/detector")
        detector["data"] = data
        detector["image_key"] = image_key
        detector["x_pixel_size"] = 0.002
        detector["x_pixel_size"].attrs["units"] = "mm"
        if angles:
            file["/entry1/tomo_entry/sample/rotation_angle"] = np.arange(image_key.size) * 10.0
        file["/entry1/start_time"] = "2024-01-01T12:00:00"
    return data


def write_legacy(path: Path, *, tiles: int = 1, storage: dict[str, Any] | None = None) -> None:
    """Write a legacy scan of 5 images of 3 x 8 with 2 flats before and after, 2 darks."""
    scan = "20200101_120000_bak"
    header = {"nangles": 5, "nslices": 3, "nrays": 8, "arange": 180.0, "pxsize": 0.000645,
              "Mono_Energy": 20000.0, "i0cycle": 0, "num_bright_field": 2,
              "Camera_Z_Support": 30.5, "sdate": "01-01-2020 12:00:00"}  # fmt: skip
    with h5py.File(path, "w", locking=False) as file:
        group = file.create_group(scan)
        for name, value in header.items():
            group.attrs[name] = np.bytes_(f"{value}\r")
        names = [f"_{tile:04d}_{angle:04d}" for tile in range(tiles) for angle in range(5)]
        names += [f"bak_{number:04d}_{angle:04d}" for number in range(2) for angle in (0, 4)]
        names += [f"drk_{number:04d}_0004" for number in range(2)]
        for number, name in enumerate(names):
            image = np.full((1, 3, 8), 100 + number, "u2")
            group.create_dataset(f"{scan}{name}.tif", data=image, **(storage or {}))
