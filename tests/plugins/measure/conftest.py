from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from scipy import ndimage

from alsct_gui.simulator.specimens.balls import BallSpec, foam, touching_spheres
from alsct_gui.simulator.specimens.degrade import Degradation
from alsct_gui.simulator.specimens.specimen import Specimen
from alsct_gui.steps.reporter import Reporter
from napari_alsct_measure.blocks import SHARE, VOXEL_BYTES, Room

Mask = np.ndarray[tuple[int, int, int], np.dtype[np.bool_]]


def room(shape: tuple[int, ...], slices: int = 10_000, threads: int = 2) -> Room:
    """A room whose slabs have so many slices; with few, what lies between is on the disk."""
    memory = math.ceil(slices * VOXEL_BYTES * shape[1] * shape[2] / SHARE)
    return Room(shape, Reporter(memory_bytes=memory, threads=threads))


@pytest.fixture(scope="session")
def sponge() -> Mask:
    """A rough body that fills half of the volume and reaches all of its edges."""
    noise = np.random.default_rng(0).standard_normal((26, 30, 34))
    return np.asarray(ndimage.gaussian_filter(noise, 2) > 0)


@pytest.fixture(scope="session")
def spheres() -> Callable[..., Specimen]:
    """120 spheres that touch one another; the same call gives the same specimen."""

    @cache
    def make(blur_px: float = 0.0, cnr: float | None = None) -> Specimen:
        how = Degradation(blur_px=blur_px, cnr=cnr)
        return touching_spheres(BallSpec((104, 104, 104), 120, 9.0, degradation=how))

    return make


@pytest.fixture(scope="session")
def foams() -> Callable[..., Specimen]:
    """Foams of one geometry: porosity is known to all digits."""

    @cache
    def make(blur_px: float = 0.0, cnr: float | None = None) -> Specimen:
        how = Degradation(blur_px=blur_px, cnr=cnr)
        return foam(BallSpec((80, 96, 96), 40, 8.0, 0.3, inside=0.1, outside=1.1, degradation=how))

    return make
