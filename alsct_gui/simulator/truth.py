"""What a simulated scan should come out as, stored beside it as ``<stem>.truth/``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.codec import to_plain
from alsct_gui.model.errors import InputError
from alsct_gui.simulator.camera import FLAT
from alsct_gui.simulator.frames import FrameSource
from alsct_gui.simulator.shapes import Detector, Phantom
from alsct_gui.simulator.spec import SimulationSpec


@dataclass(frozen=True, eq=False)
class Truth:
    """Everything known about a simulated scan."""

    phantom: Phantom
    """The sample; its ``tables`` hold breaks, spheres, voids."""
    detector: Detector
    """Pixel size, true centre (column on the full detector) and tilt."""
    angles_deg: NDArray[np.float64]
    """True angles in the sense of `model.geometry`, shape (angle,)."""
    parameters: Mapping[str, Any]
    """The spec as plain data, stripes, flat groups, counts of defects."""

    def slices(
        self, slices: slice = slice(None), *, size: int | None = None, oversample: int = 1
    ) -> NDArray[np.float32]:
        """Return true slices in 1/cm; see `Phantom.voxels`. Computed when called."""
        return self.phantom.voxels(self.detector, slices, size=size, oversample=oversample)

    def integrals(
        self, angles: slice = slice(None), rows: slice = slice(None), *, oversample: int = 1
    ) -> NDArray[np.float32]:
        """Return exact line integrals, shape (angle, row, column); see `Phantom.project`."""
        return self.phantom.project(
            self.detector, self.angles_deg[angles], rows, oversample=oversample
        )


def truth_folder(scan: Path) -> Path:
    """Return where the truth of a scan lies."""
    return scan.with_name(f"{scan.stem}.truth")


def write_truth(folder: Path, spec: SimulationSpec, phantom: Phantom, source: FrameSource) -> None:
    """Write the truth into a folder, which is made."""
    folder.mkdir(parents=True)
    parameters = {
        "spec": to_plain(replace(spec, phantom=phantom.name)),
        "detector": asdict(spec.detector),
        "angles_deg": spec.angles_deg.tolist(),
        "flat_groups_at": list(spec.flat_groups_at),
        "flats_current_ma": source.timeline.current_ma[FLAT].tolist(),
        "stripes": [asdict(stripe) for stripe in source.camera.stripes],
        "dead_pixels": source.camera.dead.tolist(),
        "hot_pixels": source.camera.hot.tolist(),
    }
    _write_json(folder / "parameters.json", parameters)
    _write_json(folder / "phantom.json", phantom.to_plain())
    for name, rows in phantom.tables.items():
        _write_json(folder / f"{name}.json", list(rows))


def _write_json(path: Path, data: Any) -> None:
    path.write_text(json.dumps(data, indent=1), encoding="utf-8")


def load_truth(path: str | Path) -> Truth:
    """Load the truth of a scan.

    Parameters
    ----------
    path
        The scan's file, or its truth folder.

    Raises
    ------
    InputError
        There is no truth beside the scan, or it cannot be read.
    """
    given = Path(path)
    folder = given if given.suffix == ".truth" else truth_folder(given)
    try:
        parameters = json.loads((folder / "parameters.json").read_text(encoding="utf-8"))
        phantom = json.loads((folder / "phantom.json").read_text(encoding="utf-8"))
        return Truth(
            phantom=Phantom.from_plain(phantom),
            detector=Detector(**parameters["detector"]),
            angles_deg=np.asarray(parameters["angles_deg"], dtype=np.float64),
            parameters=parameters,
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"the truth of this scan cannot be read ({error})", where=str(folder),
            fix="Only simulated scans have one; simulate the scan again",
        ) from error  # fmt: skip


def truth_slices(
    path: str | Path,
    slices: slice = slice(None),
    *,
    size: int | None = None,
    oversample: int = 1,
) -> NDArray[np.float32]:
    """Return true slices (1/cm) of a simulated scan, shape (slice, y, x)."""
    return load_truth(path).slices(slices, size=size, oversample=oversample)
