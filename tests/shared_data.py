"""Real scans that lie beside a checkout; tests that need one skip with its name."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def shared_file(name: str) -> Path:
    """Return the path of a real scan, or skip the test with the scan's name."""
    path = SHARED_DATA / name
    if not path.exists():
        pytest.skip(f"real scan {name} is not beside this checkout")
    return path
