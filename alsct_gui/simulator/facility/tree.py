"""Folders of a simulated facility: one for each collection of the beamline's profile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from alsct_gui.simulator.facility.outages import CFS, PERLMUTTER


@dataclass(frozen=True, slots=True)
class Tree:
    """Where everything lies, below one folder."""

    root: Path
    """The folder."""

    @property
    def raw(self) -> Path:
        """Where the beamline's server keeps raw scans."""
        return self.root / "data832/raw"

    @property
    def scratch(self) -> Path:
        """Where it keeps reconstructions."""
        return self.root / "data832/scratch"

    @property
    def acquisition(self) -> Path:
        """The acquisition machine."""
        return self.root / "spot832"

    @property
    def nersc(self) -> Path:
        """File systems of NERSC."""
        return self.root / "nersc"

    @property
    def cfs(self) -> Path:
        """Community file system."""
        return self.nersc / "cfs/als"

    @property
    def pscratch(self) -> Path:
        """Perlmutter's scratch."""
        return self.nersc / "pscratch/als"

    @property
    def jobs(self) -> Path:
        """Where scripts, manifests and logs of jobs lie."""
        return self.pscratch / "alsct-jobs"

    @property
    def credentials(self) -> Path:
        """Keys and secrets, for the owner alone."""
        return self.root / "credentials"

    @property
    def memory(self) -> Path:
        """What the stand-ins remember."""
        return self.root / "memory"

    @property
    def profile(self) -> Path:
        """Profile of the simulated beamline."""
        return self.root / "profile.yaml"

    @property
    def policy(self) -> Path:
        """Its policy."""
        return self.root / "policy.yaml"

    @property
    def key(self) -> Path:
        """Key for the Superfacility API."""
        return self.credentials / "nersc-key.pem"

    @property
    def card(self) -> Path:
        """What tells others how to reach the facility; there while it runs."""
        return self.root / "facility.json"

    @property
    def collections(self) -> Mapping[str, Path]:
        """Root folder of each collection, by the profile's name for it."""
        return {
            "spot832": self.acquisition,
            "data832": self.root / "data832",
            "data832_raw": self.raw,
            "data832_scratch": self.scratch,
            "nersc832": self.cfs,
            "nersc832_alsdev_raw": self.cfs / "raw",
            "nersc832_alsdev_scratch": self.cfs / "scratch",
            "nersc832_alsdev_pscratch_raw": self.pscratch / "raw",
            "nersc832_alsdev_pscratch_scratch": self.pscratch / "scratch",
        }

    @property
    def resources(self) -> Mapping[str, str]:
        """Resource of NERSC that a collection lies on, for those that lie there."""
        return {
            name: PERLMUTTER if folder.is_relative_to(self.pscratch) else CFS
            for name, folder in self.collections.items()
            if folder.is_relative_to(self.nersc)
        }

    def make(self) -> None:
        """Make the folders; those that are there stay."""
        for folder in (*self.collections.values(), self.jobs, self.memory):
            folder.mkdir(parents=True, exist_ok=True)
        self.credentials.mkdir(exist_ok=True, mode=0o700)
