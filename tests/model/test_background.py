"""Work steps back: the process asks the kernel, and the kernel is asked what it made of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from alsct_gui.model.background import SWITCH, in_group_with_share

_ASK = """
import json, os
from alsct_gui.model.background import make_way
from tests.model.test_background import group_niceness
before = os.nice(0)
make_way()
print(json.dumps({
    "steps": os.nice(0) - before,
    "policy": os.sched_getscheduler(0),
    "group": group_niceness(),
}))
"""


def group_niceness() -> str | None:
    """Of this session as a whole; None where it holds no share of its own: the file is empty then.

    So it is of processes for which nobody has begun a session, since the machine was started.
    """
    group = Path("/proc/self/autogroup")
    told = group.read_text().split() if group.exists() else []
    return told[-1] if told else None


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
    if not switch.exists() or switch.read_text().strip() != "1":
        return False
    return not in_group_with_share(Path("/proc/self/cgroup").read_text(), Path("/sys/fs/cgroup"))


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone has sessions with shares")
@pytest.mark.skipif(not _shares_by_session(), reason="this kernel has no shares of sessions")
def test_a_session_of_its_own_steps_back_as_a_whole() -> None:
    assert _asked(apart=True) == {"steps": 10, "policy": os.SCHED_IDLE, "group": "10"}


@pytest.mark.skipif(sys.platform != "linux", reason="reads the scheduler's policy")
def test_somebody_elses_session_is_left_as_it_is() -> None:
    before = group_niceness()
    assert _asked(apart=False) == {"steps": 10, "policy": os.SCHED_OTHER, "group": before}


@pytest.mark.skipif(sys.platform != "linux", reason="reads the scheduler's policy")
def test_where_nobody_sits_it_is_only_nice() -> None:
    found = _asked(apart=True, switch="no")
    assert found["steps"] == 10
    assert found["policy"] == os.SCHED_OTHER
    assert found["group"] in ("0", None)


@pytest.mark.parametrize(
    ("membership", "held"),
    [
        ("0::/\n", False),
        ("0::/plain/inner\n", False),
        ("0::/held/inner\n", True),
        ("0::/held\n", True),
        ("3:cpuset:/\n1:cpu,cpuacct:/\n0::/plain\n", False),
        ("3:cpuset:/mine\n1:cpu,cpuacct:/\n", False),
        ("3:cpuset:/\n1:cpu,cpuacct:/docker/1a:b\n", True),
        ("", False),
    ],
)
def test_a_group_with_a_share_is_known(tmp_path: Path, membership: str, held: bool) -> None:
    (tmp_path / "held" / "inner").mkdir(parents=True)
    (tmp_path / "plain" / "inner").mkdir(parents=True)
    (tmp_path / "held" / "cpu.weight").write_text("100\n")
    assert in_group_with_share(membership, tmp_path) is held


def test_the_outermost_group_in_sight_may_be_one_with_a_share(tmp_path: Path) -> None:
    (tmp_path / "cpu.weight").write_text("100\n")
    assert in_group_with_share("0::/\n", tmp_path)
