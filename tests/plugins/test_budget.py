"""Steps keep to their memory: a volume of twice the budget, in a process of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from alsct_bench.peak import STATUS, peak_of
from alsct_gui.simulator.specimens.balls import BallSpec, foam
from alsct_gui.simulator.specimens.specimen import write_specimen

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not STATUS.exists(), reason="no /proc: peaks cannot be read"),
]
_BUDGET_BYTES = 40_000_000


@pytest.fixture(scope="module")
def volumes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """80 MB, and one of the same kind that is small."""
    folder = tmp_path_factory.mktemp("budget")
    large = BallSpec((200, 316, 316), 60, 14.0, 0.3, inside=0.1, outside=1.1)
    tiny = BallSpec((24, 40, 40), 4, 5.0, 0.3, inside=0.1, outside=1.1)
    return (
        write_specimen(folder / "large.zarr", foam(large)),
        write_specimen(folder / "tiny.zarr", foam(tiny)),
    )


@pytest.mark.parametrize("step", ["filter.median", "segment.threshold", "measure.phases"])
def test_a_volume_of_twice_the_budget(
    volumes: tuple[Path, Path], tmp_path: Path, step: str
) -> None:
    large, tiny = volumes
    peak = peak_of(
        step, {"volume": large}, {"volume": tiny}, tmp_path / "made", budget_bytes=_BUDGET_BYTES
    )  # fmt: skip
    assert peak.before_bytes > 20_000_000  # a whole interpreter
    assert 0 < peak.grown_bytes <= _BUDGET_BYTES
