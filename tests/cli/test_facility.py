"""`alsct facility` as a process: it runs, tells, lets scans arrive, and ends when told."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from alsct_gui.files.check import check_scan
from alsct_gui.model.errors import InputError, UsageError
from tests.cli.conftest import Alsct
from tests.placement.conftest import wait_until

WAIT_S = 60
COMMAND = (sys.executable, "-c", "from alsct_gui.cli import main; main()", "facility", "run")


def test_it_runs_tells_lets_scans_arrive_and_ends(alsct: Alsct, tmp_path: Path) -> None:
    root = tmp_path / "facility"
    at = ("--at", root)
    assert alsct("facility", "status", *at).code == InputError.exit_code
    more = ("--at", str(root), "--scans", "2", "--every-s", "0", "--rate-mb-s", "0")
    process = subprocess.Popen([*COMMAND, *more], stderr=subprocess.DEVNULL, env=dict(os.environ))
    try:
        wait_until((root / "facility.json").exists, "it runs")
        facts = alsct("facility", "status", "--json", *at).data
        assert facts["pid"] == process.pid
        assert set(facts["ports"]) == {"transfer", "auth", "sfapi", "scicat", "control"}
        said = alsct("facility", "status", *at).out
        assert f"--profile {root}/profile.yaml" in said
        raw = root / "data832" / "raw"
        wait_until(lambda: len(list(raw.rglob("*.h5"))) == 2, "scans have arrived")
        last = max(raw.rglob("*.h5"))
        wait_until(lambda: check_scan(last) == (), "the last is whole")
        another = subprocess.run([*COMMAND, "--at", str(root)], capture_output=True, text=True,
                                 check=False, timeout=WAIT_S)  # fmt: skip
        assert another.returncode == UsageError.exit_code
        assert "another facility runs there" in another.stderr
        assert alsct("facility", "stop", *at).code == 0
        assert process.wait(WAIT_S) == 0
    finally:
        process.kill()
        process.wait()
    assert not (root / "facility.json").exists()
    assert alsct("facility", "stop", *at).code == InputError.exit_code


def test_a_card_of_a_facility_that_was_killed_is_taken_away(alsct: Alsct, tmp_path: Path) -> None:
    root = tmp_path / "facility"
    process = subprocess.Popen([*COMMAND, "--at", str(root)], stderr=subprocess.DEVNULL)
    try:
        wait_until((root / "facility.json").exists, "it runs")
    finally:
        process.kill()
        process.wait()
    said = alsct("facility", "put", "outage", "--at", root)
    assert "does not answer" in said.err
    assert alsct("facility", "stop", "--at", root).code == 0
    assert not (root / "facility.json").exists()
