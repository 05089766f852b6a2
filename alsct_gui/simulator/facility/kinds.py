"""Every fault in words for people, as menus and the command line show it."""

from __future__ import annotations

from dataclasses import dataclass

from alsct_gui.simulator.facility.faults import FaultName as F
from alsct_gui.simulator.facility.outages import CFS, PERLMUTTER


@dataclass(frozen=True, slots=True)
class FaultKind:
    """A fault that can be put on the desk."""

    name: F
    """Which."""
    title: str
    """For a menu."""
    means: str
    """What happens while it is on, a sentence without a full stop."""
    where: str = "*"
    """Where it strikes when no place is given."""
    places: tuple[str, ...] = ()
    """Other places that make sense; patterns as of file names."""


_LINE = ("transfer *", "auth *", "sfapi *", "scicat *")
_STATUS = ("transfer POST */transfer", "sfapi POST *", "sfapi GET */status/*")
_JOBS = ("sfapi job alsct-*",)
_FILES = ("task *.h5",)

KINDS = (
    FaultKind(F.OUTAGE, "Outage", "The machine is down, unannounced, and its jobs are lost",
              PERLMUTTER, (CFS, "globus", "spin", "jupyter", "?*")),
    FaultKind(F.PLANNED_OUTAGE, "Planned outage", "The machine is down as it was announced",
              PERLMUTTER, (CFS, "?*")),
    FaultKind(F.REFUSED, "Connection refused", "Nobody listens on a service's port",
              "*", ("transfer", "auth", "sfapi", "scicat")),
    FaultKind(F.RESET_BEFORE, "Reset before", "A connection breaks before a request is carried out",
              "*", _LINE),
    FaultKind(F.RESET_AFTER, "Reset after", "A request is carried out, then the connection breaks",
              "*", _LINE),
    FaultKind(F.STALL, "Stall before", "A request is neither carried out nor answered", "*", _LINE),
    FaultKind(F.STALL_AFTER, "Stall after", "A request is carried out and never answered",
              "*", _LINE),
    FaultKind(F.TRUNCATED, "Truncated answer", "An answer ends in the middle", "*", _LINE),
    FaultKind(F.GARBLED, "Garbled answer", "Half of an answer comes as if it were the whole",
              "*", _LINE),
    FaultKind(F.UNAUTHORIZED, "401", "A token is not accepted", "*", _STATUS),
    FaultKind(F.FORBIDDEN, "403", "A request is not allowed", "*", _STATUS),
    FaultKind(F.NOT_FOUND, "404", "What is asked for is not found", "*", _STATUS),
    FaultKind(F.TOO_MANY, "429", "A service has too much to do", "*", _STATUS),
    FaultKind(F.SERVER_ERROR, "500", "A service makes a mistake", "*", _STATUS),
    FaultKind(F.BAD_GATEWAY, "502", "What is behind a gateway is away", "*", _STATUS),
    FaultKind(F.UNAVAILABLE, "503", "A service is away", "*", _STATUS),
    FaultKind(F.CONSENT_REQUIRED, "Consent required", "A collection wants a consent", "consent *"),
    FaultKind(F.PAUSED, "Transfers paused", "The manager of a collection pauses transfers",
              "task *"),
    FaultKind(F.PERMISSION_DENIED, "Permission denied", "A folder may not be written",
              "task *", _FILES),
    FaultKind(F.QUOTA, "Quota used up", "The quota at the target is used up", "task *", _FILES),
    FaultKind(F.DISK_FULL, "Disk full", "The disk at the target is full", "task *", _FILES),
    FaultKind(F.BAD_CHECKSUM, "Bad checksum", "What arrives differs from what was sent",
              "task *", _FILES),
    FaultKind(F.CREDENTIALS_EXPIRED, "Credentials expired", "Transfers wait for a login", "task *"),
    FaultKind(F.STUCK, "Transfers stuck", "Transfers are active and nothing moves", "task *"),
    FaultKind(F.NODE_FAIL, "NODE_FAIL", "A job ends because a node failed", "sfapi job *", _JOBS),
    FaultKind(F.TIMEOUT, "TIMEOUT", "A job ends at its time limit", "sfapi job *", _JOBS),
    FaultKind(F.HELD, "Jobs held", "Jobs are held in the queue", "sfapi job *", _JOBS),
    FaultKind(F.JOB_NOT_FOUND, "Job not found", "A job that runs is not found",
              "*", ("sfapi submit", "sfapi jobs")),
    FaultKind(F.NO_OUTPUT, "No output", "A job is COMPLETED and has written nothing",
              "sfapi job *", _JOBS),
)  # fmt: skip
"""All of them, in the order of a menu."""

KIND = {kind.name: kind for kind in KINDS}
"""By name."""
