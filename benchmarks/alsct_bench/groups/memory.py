"""Peak memory of a whole run, in a process of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from alsct_bench.apart import last_line
from alsct_bench.context import Bench
from alsct_bench.measurement import Measurement, Target
from alsct_bench.samples import tall_file

GROUP = "memory"
_LIMIT_GB = 4.0

_CODE = """
import resource, sys
from pathlib import Path
from alsct_gui.cli.app import app
app(sys.argv[1:], standalone_mode=False)
book = Path("/proc/self/status")
if book.exists():
    # getrusage would begin with the peak of the process that started this one
    print([line.split()[1] for line in book.read_text().splitlines() if "VmHWM" in line][0])
else:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
"""Runs a command line and prints its peak memory, in the system's unit, as the last line."""


def measure(bench: Bench) -> Iterator[Measurement]:
    """Measure `alsct recon` on rows of a scan of full width and height."""
    scan = tall_file(bench.folder, bench.size)
    output = bench.folder / "memory.ome.zarr"
    words = [
        "recon", str(scan.path), "--output", str(output), "--recipe", "standard-8.3.2",
        "--rows", f"{scan.rows[0]}:{scan.rows[1]}", "--threads", str(bench.threads),
    ]  # fmt: skip
    peak = int(last_line(["-c", _CODE, *words], output, "run", GROUP).split()[-1])
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB here
    yield Measurement(
        GROUP,
        f"peak of a run over {scan.rows[1] - scan.rows[0]} rows, "
        f"{bench.threads} thread{'s' * (bench.threads != 1)}",
        peak * unit / 1e9,
        "GB",
        target=Target("value", _LIMIT_GB),
        note="interpreter and libraries included; so many rows of the full height, not all",
    )
