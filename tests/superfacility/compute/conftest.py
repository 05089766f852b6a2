from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from alsct_gui.simulator.facility.clock import ManualClock
from alsct_gui.simulator.facility.faults import Fault, FaultDesk, FaultName
from alsct_gui.simulator.facility.sfapi import SuperfacilityStandIn
from alsct_gui.superfacility.compute.base import JobRequest, Resources
from alsct_gui.superfacility.compute.nersc import Nersc
from alsct_gui.superfacility.compute.script import Site
from alsct_gui.superfacility.compute.session import Access

# Does what a reconstruction does as far as a job sees it: an output and a finished progress file.
WORK = """
import json, pathlib, sys
options = [word[2:] for word in sys.argv[1:] if word.startswith("--") and "=" in word]
given = dict(option.split("=", 1) for option in options)
place = pathlib.Path(given["output"])
place.mkdir(parents=True, exist_ok=True)
(place / "scan").write_text(sys.argv[-1])
pathlib.Path(given["progress-file"]).write_text(json.dumps({"state": "finished", "slices": 4}))
print("made", place)
"""
# Goes on until it is told to stop.
LONG = "import signal; signal.sigwait([signal.SIGTERM]); raise SystemExit(130)"

RESOURCES = Resources("realtime", "als", "cpu", time_s=900)


@dataclass
class Facility:
    """The stand-in and what is needed to talk to it."""

    root: Path
    clock: ManualClock
    desk: FaultDesk
    service: SuperfacilityStandIn
    access: Access
    site: Site
    make: Callable[..., Nersc]

    def fault(self, name: FaultName, where: str = "*", count: int | None = None) -> int:
        return self.desk.put(Fault(name, where, count))

    def job(self, key: str = "scan|volume|recipe", **more: object) -> JobRequest:
        job = JobRequest(key, f"{self.root}/raw/a b.h5", f"{self.root}/rec $(x) 'é", RESOURCES)
        return replace(job, **more)  # type: ignore[arg-type]

    @property
    def names(self) -> list[str]:
        """Names of all jobs that were ever submitted."""
        return [job.name for job in self.service.slurm.jobs()]


@pytest.fixture
def facility(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Facility]:
    root = tmp_path_factory.mktemp("nersc")
    clock = ManualClock()
    desk = FaultDesk(clock)
    made: list[Nersc] = []
    with SuperfacilityStandIn(root, desk) as service:
        key = service.tokens.write_key(root.parent / f"{root.name}-key.pem")
        access = Access(service.api_url, service.token_url, key, answer_s=10, submit_s=10)
        program = (sys.executable, "-c", WORK)
        site = Site(f"{root}/jobs", runtime="podman-hpc", mounts=(str(root),), program=program)

        def make(**more: object) -> Nersc:
            access_words = {k: v for k, v in more.items() if k in Access.__slots__}
            site_words = {k: v for k, v in more.items() if k in Site.__slots__}
            nersc = Nersc(
                replace(access, **access_words),  # type: ignore[arg-type]
                replace(site, **site_words),  # type: ignore[arg-type]
                pause=lambda: None, clock=clock,
            )  # fmt: skip
            made.append(nersc)
            return nersc

        try:
            yield Facility(root, clock, desk, service, access, site, make)
        finally:
            desk.clear()
            for nersc in made:
                nersc.close()
