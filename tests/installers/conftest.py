from __future__ import annotations

from tests.cli.conftest import alsct

__all__ = ["alsct"]
