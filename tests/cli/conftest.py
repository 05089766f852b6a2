from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from alsct_gui.cli.app import run
from alsct_gui.simulator.spec import SimulationSpec
from alsct_gui.simulator.write import simulate_scan


@dataclass(frozen=True)
class Answer:
    """What a command left with and printed."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> dict[str, Any]:
        """The one JSON object on standard output."""
        parsed = json.loads(self.out)
        assert isinstance(parsed, dict)
        return parsed


Alsct = Callable[..., Answer]


@pytest.fixture
def alsct(capsys: pytest.CaptureFixture[str]) -> Alsct:
    """Run a command line in this process."""

    def call(*words: object) -> Answer:
        with pytest.raises(SystemExit) as ended:
            run([str(word) for word in words])
        printed = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Answer(ended.value.code, printed.out, printed.err)

    return call


@pytest.fixture(scope="session")
def foam(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small simulated scan; its axis is at column 66.3 of 128."""
    spec = SimulationSpec(
        phantom="foam", n_columns=128, n_rows=12, n_angles=181, center_px=66.3, seed=3
    )
    return simulate_scan(tmp_path_factory.mktemp("scan") / "foam $(x) é.h5", spec)
