"""The part that DXchange and the current 8.3.2 layout share: ``/exchange``.

Data Exchange: De Carlo et al., J. Synchrotron Rad. 21 (2014) 1224-1230.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from alsct_gui.files.findings import broken, finding
from alsct_gui.files.frames import stack_of
from alsct_gui.files.hdf5 import Hdf5Source
from alsct_gui.files.readers.keys import Keys
from alsct_gui.model.errors import InputError
from alsct_gui.model.scan import FlatGroup, FrameStack

MAX_ANGLE_DEG = 3.6e6
"""Ten thousand turns; an angle beyond it is no angle."""


def projections_of(source: Hdf5Source, name: str = "/exchange/data") -> FrameStack:
    """Return the projections; without them there is no scan."""
    dataset = source.dataset(name)
    if dataset is None:
        raise broken("not-a-scan", "There are no projections", where=name)
    return stack_of(source, dataset)


def optional_stack(keys: Keys, name: str, missing: str, like: FrameStack) -> FrameStack | None:
    """Return flats or darks; None, and a finding, when they are missing or do not fit."""
    dataset = keys.find(name)
    if dataset is None:
        keys.findings.append(finding(missing, "There are none", where=name))
        return None
    if dataset.shape is not None and len(dataset.shape) == 3 and dataset.shape[0] == 0:
        keys.findings.append(finding(missing, "The stack is empty", where=name))
        return None
    try:
        stack = stack_of(keys.source, dataset)
    except InputError as error:
        keys.findings.append(finding(error.name or missing, error.what, where=name))
        keys.findings.append(finding(missing, "They cannot be read", where=name))
        return None
    if stack.shape[1:] != like.shape[1:]:
        text = f"Frames of {stack.shape[1:]} beside projections of {like.shape[1:]}"
        keys.findings.append(finding("frame-size-mismatch", text, where=name))
        keys.findings.append(finding(missing, "They do not fit the projections", where=name))
        return None
    return stack


def even_angles(range_deg: float, n_angles: int, start_deg: float = 0.0) -> NDArray[np.float64]:
    """Evenly spaced angles with both ends: 1313 over 180 degrees are 1312 equal steps."""
    return start_deg + np.linspace(0.0, range_deg, n_angles)


def stored_angles(keys: Keys, name: str, n_angles: int) -> NDArray[np.float64] | None:
    """Return one angle per projection as stored, in degrees; None when there are none to use.

    More angles than projections are cut (the scan was stopped early); fewer, or such that
    are not finite, cannot be used.
    """
    angles = keys.series(name)
    if angles is None or angles.size == 0:
        return None
    if keys.units(name).startswith("rad"):
        angles = np.rad2deg(angles)
    if angles.size != n_angles:
        text = f"{angles.size} angles, {n_angles} projections"
        keys.findings.append(finding("angles-count-mismatch", text, where=name))
        if angles.size < n_angles:
            return None
        angles = angles[:n_angles]
    if not np.all(np.isfinite(angles)) or np.any(np.abs(angles) > MAX_ANGLE_DEG):
        bad = int(np.sum(~(np.abs(angles) <= MAX_ANGLE_DEG)))
        text = f"{bad} of {n_angles} angles"
        keys.findings.append(finding("angles-not-finite", text, where=name))
        return None
    return angles


def flat_groups(
    n_flats: int, n_angles: int, per_group: int | None, cycle: int
) -> tuple[FlatGroup, ...]:
    """Say between which projections the flats were taken.

    Flats are stored in the order in which they were taken, `per_group` at a time. With
    `cycle` > 0 a group comes before every `cycle`-th projection and after the last; with 0,
    one group before the scan and, when there are twice as many flats, one after it. When
    the numbers do not fit, all flats are one group before the scan.
    """
    if n_flats == 0:
        return ()
    if not per_group or per_group < 1 or n_flats % per_group:
        return (FlatGroup(0, n_flats, 0.0),)
    n_groups = n_flats // per_group
    if cycle > 0:
        positions = [*range(0, n_angles, cycle), n_angles][:n_groups]
    else:
        positions = [0, n_angles][:n_groups]
    if len(positions) < n_groups:
        return (FlatGroup(0, n_flats, 0.0),)
    return tuple(
        FlatGroup(number * per_group, per_group, float(position))
        for number, position in enumerate(positions)
    )


def energy_of(value: object) -> tuple[float | None, bool]:
    """Photon energy in keV from one in eV, and whether it means white beam.

    At 8.3.2 anything but a number, or more than 1000 keV, means white beam, which is
    taken as 30 keV.
    """
    try:
        energy_kev = float(str(value).strip()) / 1000.0
    except ValueError:
        return WHITE_BEAM_KEV, True
    if not np.isfinite(energy_kev) or energy_kev > 1000.0:
        return WHITE_BEAM_KEV, True
    return (energy_kev, False) if energy_kev > 0 else (None, False)


WHITE_BEAM_KEV = 30.0
