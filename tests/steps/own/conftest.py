from __future__ import annotations

from tests.steps.conftest import values, volume_path

__all__ = ["values", "volume_path"]
