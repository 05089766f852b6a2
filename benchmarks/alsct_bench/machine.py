"""What a run was measured on."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

from alsct_gui.recon.versions import software_versions

_SIMD_FLAGS = ("avx512f", "avx2", "avx", "sse4_2", "asimd")


def core_count() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def machine_facts() -> dict[str, Any]:
    """Return processor, cores, memory, system and versions."""
    return {
        "cpu": _cpu_fact("model name") or platform.processor() or platform.machine(),
        "simd": next((f for f in _SIMD_FLAGS if f in _cpu_fact("flags").split()), ""),
        "cores": core_count(),
        "memory_gb": _memory_gb(),
        "system": f"{platform.system()} {platform.machine()}",
        "versions": software_versions(),
    }


def _cpu_fact(key: str) -> str:
    info = Path("/proc/cpuinfo")
    if not info.is_file():
        return ""
    for line in info.read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return ""


def _memory_gb() -> float | None:
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return None
    return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9, 1)
