"""The seam for the API that is to follow: DOE's Integrated Research Infrastructure.

The IRI Facility API offers much the same under other names (status, account, compute,
filesystem). An adapter for it is a `Compute`; what it needs of a client is this, and nothing
of it knows Slurm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol


class IriClient(Protocol):
    """What an adapter for the IRI API needs; each call is bounded in time."""

    def resource_status(self, resource_id: str) -> str:
        """Tell up, degraded, down or unknown of a resource."""
        ...

    def launch(self, resource_id: str, spec: Mapping[str, object]) -> str:
        """Submit a job (PSI/J's JobSpec as plain data) and return its id."""
        ...

    def job_status(self, resource_id: str, job_id: str) -> Mapping[str, object]:
        """Tell the state of a job."""
        ...

    def jobs(self, resource_id: str, name: str) -> Sequence[Mapping[str, object]]:
        """List jobs of a name, ended ones too."""
        ...

    def cancel(self, resource_id: str, job_id: str) -> None:
        """End a job."""
        ...

    def upload(self, resource_id: str, path: str, content: bytes) -> None:
        """Write a small file."""
        ...

    def download(self, resource_id: str, path: str) -> bytes | None:
        """Read a small file; None when it is absent."""
        ...
