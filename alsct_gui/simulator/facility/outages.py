"""Which of NERSC's resources are down, as the fault desk says."""

from __future__ import annotations

from fnmatch import fnmatchcase

from alsct_gui.simulator.facility.faults import Fault, FaultDesk, FaultName

PERLMUTTER = "perlmutter"
CFS = "community_filesystem"
MACHINES = (PERLMUTTER, "dtns")
"""Machines that run commands, and keep files, through the Superfacility API."""
RESOURCES = (*MACHINES, CFS, "globus", "spin", "jupyter", "network")
"""What the Superfacility API tells the status of."""
OUTAGES = (FaultName.OUTAGE, FaultName.PLANNED_OUTAGE)


def concerns(fault: Fault, resource: str) -> bool:
    """Whether an outage is one of a resource; one that names no resource is Perlmutter's."""
    if fault.where in ("*", "sfapi"):
        return resource == PERLMUTTER
    return fnmatchcase(resource, fault.where)


def outage_of(
    desk: FaultDesk, resource: str, names: tuple[FaultName, ...] = OUTAGES
) -> Fault | None:
    """Return the outage of a resource that is on now; None when it is up."""
    now_s = desk.clock()
    for fault in desk.faults().values():
        if fault.name in names and fault.is_on(now_s) and concerns(fault, resource):
            return fault
    return None
