"""Work steps back: the process asks the kernel, and the kernel is asked what it made of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from alsct_gui.model.background import SWITCH

_ASK = """
import json, os
from pathlib import Path
from alsct_gui.model.background import make_way
before = os.nice(0)
make_way()
group = Path("/proc/self/autogroup")
print(json.dumps({
    "steps": os.nice(0) - before,
    "policy": os.sched_getscheduler(0),
    "group": group.read_text().split()[-1] if group.exists() else None,
}))
"""


def _asked(*, apart: bool, switch: str = "yes") -> dict[str, object]:
    command = [sys.executable, "-c", _ASK]
    done = subprocess.run(
        command, start_new_session=apart, capture_output=True, check=True,
        env={**os.environ, SWITCH: switch},
    )  # fmt: skip
    found: dict[str, object] = json.loads(done.stdout)
    return found


def _shares_by_session() -> bool:
    switch = Path("/proc/sys/kernel/sched_autogroup_enabled")
    return switch.exists() and switch.read_text().strip() == "1"


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone has sessions with shares")
@pytest.mark.skipif(not _shares_by_session(), reason="this kernel has no shares of sessions")
def test_a_session_of_its_own_steps_back_as_a_whole() -> None:
    assert _asked(apart=True) == {"steps": 10, "policy": os.SCHED_IDLE, "group": "10"}


@pytest.mark.skipif(sys.platform != "linux", reason="reads the scheduler's policy")
def test_somebody_elses_session_is_left_as_it_is() -> None:
    group = Path("/proc/self/autogroup")
    before = group.read_text().split()[-1] if group.exists() else None
    assert _asked(apart=False) == {"steps": 10, "policy": os.SCHED_OTHER, "group": before}


@pytest.mark.skipif(sys.platform != "linux", reason="reads the scheduler's policy")
def test_where_nobody_sits_it_is_only_nice() -> None:
    found = _asked(apart=True, switch="no")
    assert found["steps"] == 10
    assert found["policy"] == os.SCHED_OTHER
    assert found["group"] in ("0", None)
