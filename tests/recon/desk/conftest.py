from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from alsct_gui.recon.desk.cache import BoundedCache
from alsct_gui.recon.desk.client import Desk, start_desk
from alsct_gui.recon.desk.shelf import Shelf
from alsct_gui.recon.desk.stages import Slicer
from alsct_gui.simulator.spec import SimulationSpec
from alsct_gui.simulator.write import simulate_scan


@pytest.fixture(scope="session")
def foam(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small simulated scan; its axis is at column 66.3 of 128."""
    spec = SimulationSpec(
        phantom="foam", n_columns=128, n_rows=12, n_angles=181, center_px=66.3, seed=3
    )
    return simulate_scan(tmp_path_factory.mktemp("desk") / "foam $(x) é.h5", spec)


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    shelf = Shelf(2)
    yield shelf
    shelf.close()


@pytest.fixture
def slicer() -> Slicer:
    return Slicer(BoundedCache(100_000_000), threads=1)


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    """A desk with its process; one for all tests of a file, for it takes a second to start."""
    desk = start_desk()
    desk.presets().result(120.0)  # it runs, with all its threads
    yield desk
    desk.close()
