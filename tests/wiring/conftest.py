"""A beamline on loopback, its services in this process, with a clock that is moved by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from alsct_gui.files.open import open_scan
from alsct_gui.recon.job import prepare_job
from alsct_gui.recon.pipeline import run_job
from alsct_gui.simulator.facility.clock import ManualClock
from alsct_gui.simulator.facility.faults import FaultDesk
from alsct_gui.simulator.facility.globus import Globus
from alsct_gui.simulator.facility.papers import Addresses
from alsct_gui.simulator.facility.scicat import ScicatStandIn
from alsct_gui.simulator.facility.sfapi import SuperfacilityStandIn
from alsct_gui.simulator.facility.world import SERVICE_ACCOUNT
from alsct_gui.simulator.spec import SimulationSpec
from alsct_gui.simulator.write import simulate_scan
from alsct_gui.steps.running import run_step
from tests.placement.analysing import BRIGHT
from tests.placement.conftest import KNOWN
from tests.wiring.loopback import TABLE, TURN_S, Life, Loopback, services_of


@dataclass
class Stage:
    """A beamline, its services, and agents on it."""

    place: Loopback
    clock: ManualClock
    desk: FaultDesk
    globus: Globus
    sfapi: SuperfacilityStandIn
    scicat: ScicatStandIn
    begin: Callable[[], Life]

    def play(self, life: Life, turns: int = 40, *, until_met: bool = True) -> None:
        """Let an agent work, a minute from turn to turn; jobs have ended when it asks."""
        for number in range(turns):
            life.turn()
            if number % 4 == 3:
                life.look()
            for job in self.sfapi.slurm.jobs():
                self.sfapi.slurm.wait(job.id)
            self.clock.advance(TURN_S)
            if until_met and len(life.observed.goals) > 1 and not life.open_goals():
                break


@pytest.fixture(scope="session")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """80 rows of 64 columns, the axis at 31.2."""
    spec = SimulationSpec(n_columns=64, n_rows=80, n_angles=61, center_px=31.2, n_flats=4)
    return simulate_scan(tmp_path_factory.mktemp("scan") / "scan.h5", spec)


@pytest.fixture(scope="session")
def template(scan: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A product of the scan, which the jobs of these tests hand out."""
    output = tmp_path_factory.mktemp("template") / "template.zarr"
    with open_scan(scan) as opened:
        run_job(prepare_job(opened, KNOWN), output)
    return output


@pytest.fixture(scope="session")
def table(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of somebody's code, and of what it makes of that product."""
    folder = tmp_path_factory.mktemp("table")
    script = folder / "bright.py"
    script.write_text(BRIGHT)
    run_step(str(script), {}, inputs={"volume": template}, output=folder / TABLE)
    return folder


@pytest.fixture
def stage(
    tmp_path_factory: pytest.TempPathFactory, scan: Path, template: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Stage]:  # fmt: skip
    root = tmp_path_factory.mktemp("beamline")  # jobs take no brackets in a folder's name
    clock = ManualClock()
    desk = FaultDesk(clock)
    lives: list[Life] = []
    with services_of(root, clock, desk) as (globus, sfapi, scicat):
        for name, value in globus.environment.items():
            monkeypatch.setenv(name, value)
        addresses = Addresses(SERVICE_ACCOUNT, sfapi.api_url, sfapi.token_url, scicat.url)
        place = Loopback(root, clock, desk, addresses)
        place.fill(scan, template)

        def begin() -> Life:
            lives.append(Life(place))
            return lives[-1]

        yield Stage(place, clock, desk, globus, sfapi, scicat, begin)
        desk.clear()
        for life in lives:
            life.close()
        sfapi.slurm.close()
