"""The unit of the agent starts a command that there is, and ends it as the agent wants."""

from __future__ import annotations

from configparser import ConfigParser
from pathlib import Path
from typing import Any

UNIT = Path(__file__).parents[2] / "installers" / "alsct-agent.service"


def test_the_unit_runs_the_agent_and_leaves_its_runs_alone(alsct: Any) -> None:
    unit = ConfigParser(interpolation=None, delimiters=("=",))
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # systemd's names have capitals
    unit.read_string(UNIT.read_text())
    service = unit["Service"]
    program, *words = service["ExecStart"].split()
    assert Path(program).name == "alsct"
    assert alsct(*words, "--help").code == 0
    assert service["KillMode"] == "process"
    assert service["Restart"] == "always"
    assert unit["Install"]["WantedBy"] == "default.target"
