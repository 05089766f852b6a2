"""Work that makes way for what a person looks at meanwhile."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

STEPS_BACK = 10
"""In Unix's niceness: about a tenth of a processor that others want as well."""
SWITCH = "ALSCT_MAKE_WAY"
_TRIES, _PAUSE_S = 10, 0.1
"""Linux changes one session's share a tenth of a second, of all that ask."""
_AUTOGROUP = Path("/proc/self/autogroup")
_AUTOGROUPS_ON = Path("/proc/sys/kernel/sched_autogroup_enabled")
_CGROUP, _CGROUPS = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")


def make_way() -> None:
    """Let this process and its threads step back behind those of other programs.

    Linux shares processors between *sessions* first, and by niceness only within each of them
    (``man 7 sched``, "The autogroup feature"): work in a session of its own takes as much as the
    whole window, however nice it is. So the session steps back too. Within a session that has
    its share, its threads are then marked as idle work, upon which the kernel puts whatever
    wakes onto their processor instead of behind the window's own threads.

    Where a session is not held to a share, idle work could be kept waiting for ever by any other
    program; there it is only nice. That is so in a control group with a share of its own, as
    containers and many desktops have it: niceness counts among all that is in the group. So it
    is, too, where `ALSCT_MAKE_WAY` is ``no``: on a machine that computes for many, where nobody
    sits, a tenth of a processor is too little.
    """
    os.nice(STEPS_BACK)
    if os.environ.get(SWITCH) == "no":
        return
    # No Linux, or one without these files: what was done above has to do.
    with suppress(OSError):
        if _AUTOGROUPS_ON.read_text(encoding="ascii").strip() != "1":
            return
        if in_group_with_share(_CGROUP.read_text(encoding="utf-8"), _CGROUPS):
            return
        if os.getsid(0) == os.getpid():  # never the session of somebody's terminal
            _step_back_as_session()
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def in_group_with_share(membership: str, mounted: Path) -> bool:
    """Whether a control group holds a process to a share of the processors.

    Parameters
    ----------
    membership
        What ``/proc/PID/cgroup`` says (``man 7 cgroups``).
    mounted
        Where the groups of version 2 are mounted.
    """
    for line in membership.splitlines():
        _, controllers, path = line.split(":", 2)
        if "cpu" in controllers.split(",") and path != "/":
            return True
        if not controllers:  # version 2, where a group may leave the share to those above it
            group = mounted / path.lstrip("/")
            if any((place / "cpu.weight").exists() for place in (group, *group.parents)):
                return True
    return False


def _step_back_as_session() -> None:
    for tries_left in reversed(range(_TRIES)):
        try:
            _AUTOGROUP.write_text(str(STEPS_BACK), encoding="ascii")
            return
        except BlockingIOError:
            if not tries_left:
                raise
            time.sleep(_PAUSE_S)
