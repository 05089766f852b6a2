"""Peak memory of a step, in a process of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from alsct_gui.model.errors import AlsctError

STATUS = Path("/proc/self/status")
"""Where Linux keeps a process's peak."""

_PAUSE_S = 0.004
_CODE = """
import json, sys
from alsct_bench.peak import held_bytes
from alsct_gui.steps.reporter import Reporter
from alsct_gui.steps.running import run_step

asked = json.loads(sys.argv[1])

def run(kind):
    reporter = Reporter(threads=asked["threads"], memory_bytes=asked["budget_bytes"])
    run_step(asked["step"], asked["parameters"], inputs=asked[kind],
             output=asked["output"] + ("" if kind == "inputs" else "-tiny"), reporter=reporter)

run("tiny")  # imported, compiled
print(held_bytes("self"), flush=True)
run("inputs")
"""


@dataclass(frozen=True, slots=True)
class Peak:
    """Memory that a process which ran a step held of its own.

    Pages of files that are mapped, as those of the scratch disk, are the system's to take back,
    and do not count.
    """

    before_bytes: int
    """With all libraries imported and all kernels compiled, before the step."""
    peak_bytes: int
    """At the most, while it ran; looked at some two hundred times a second."""

    @property
    def grown_bytes(self) -> int:
        """What the step itself took."""
        return self.peak_bytes - self.before_bytes


def held_bytes(process: int | str) -> int:
    """Return what memory a process holds of its own; 0 when it has ended."""
    try:
        text = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(1024 * int(size) for size in re.findall(r"Rss(?:Anon|Shmem):\s+(\d+)", text))


def peak_of(
    step: str,
    inputs: Mapping[str, Path],
    tiny: Mapping[str, Path],
    output: Path,
    *,
    budget_bytes: int,
    parameters: Mapping[str, object] | None = None,
    threads: int = 2,
) -> Peak:
    """Run a step on files and return what memory its process took.

    Parameters
    ----------
    step
        Name of an installed step.
    inputs, tiny
        What it is given, and something of the same kind that is small: it is run on that first.
    output
        Name of the product; a second one beside it ends in ``-tiny``.
    budget_bytes
        Memory that the step may use.
    parameters
        Of the step; None for its first preset.

    Raises
    ------
    AlsctError
        The step failed; the message holds its last words.
    """
    asked = {
        "step": step, "inputs": _words(inputs), "tiny": _words(tiny), "output": str(output),
        "budget_bytes": budget_bytes, "threads": threads,
        "parameters": None if parameters is None else dict(parameters),
    }  # fmt: skip
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as words,
        subprocess.Popen(
            [sys.executable, "-c", _CODE, json.dumps(asked)],
            stdout=subprocess.PIPE, stderr=words, text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        ) as child,
    ):  # fmt: skip
        assert child.stdout is not None  # noqa: S101 - a pipe by construction
        before = int(child.stdout.readline() or 0)
        peak = before
        while child.poll() is None:
            peak = max(peak, held_bytes(child.pid))
            time.sleep(_PAUSE_S)
        if child.returncode:
            words.seek(0)
            lines = words.read().strip().splitlines() or ["no message"]
            raise AlsctError(f"the run to be measured failed: {lines[-1]}", where=step)
    return Peak(before, peak)


def _words(paths: Mapping[str, Path]) -> dict[str, str]:
    return {name: str(path) for name, path in paths.items()}
