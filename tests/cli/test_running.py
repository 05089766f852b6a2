"""The demo, and what Ctrl-C leaves behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

from alsct_gui.simulator.spec import SimulationSpec
from alsct_gui.simulator.write import simulate_scan
from tests.cli.conftest import Alsct


def test_the_demo_agrees_with_the_truth_and_leaves_pictures(alsct: Alsct, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    answer = alsct("demo", "--output", folder, "--no-window", "--no-story", "--json")
    assert (answer.code, answer.data["ok"]) == (0, True)
    assert abs(answer.data["accuracy"]["center_error_px"]) <= 0.25
    assert abs(answer.data["accuracy"]["mean_ratio"] - 1) <= 0.02
    assert (folder / "slices.png").read_bytes().startswith(b"\x89PNG")
    assert "as it should be" in (folder / "report.txt").read_text()


def test_the_demo_empties_no_folder_but_its_own(alsct: Alsct, tmp_path: Path) -> None:
    mine = tmp_path / "thesis.txt"
    mine.write_text("years of work")
    answer = alsct("demo", "--output", tmp_path)
    assert answer.code == 7
    assert mine.read_text() == "years of work"


def test_ctrl_c_ends_a_run_and_leaves_nothing(tmp_path: Path) -> None:
    spec = SimulationSpec(phantom="smooth", n_columns=512, n_rows=400, n_angles=181)
    scan = simulate_scan(tmp_path / "scan.h5", spec, threads=2)
    before = set(tmp_path.iterdir())
    process = subprocess.Popen(
        [sys.executable, "-c", "from alsct_gui.cli import main; main()", "recon", str(scan),
         "--center", "255.5", "-s", "rings=[{method: vo-all}]", "-o", str(tmp_path / "rec.zarr")],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    journal = tmp_path / ".rec.zarr.partial" / "journal.jsonl"
    waiting = threading.Event()
    while not journal.exists() and process.poll() is None:
        waiting.wait(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, out + err
    assert "cancelled" in err
    assert set(tmp_path.iterdir()) == before
