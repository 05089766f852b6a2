"""The process in which svmbir runs: ``python -m alsct_gui.recon.engines.mbir_worker FOLDER``.

The folder holds ``job.json`` and ``sinograms.npy`` (slice, angle, column); the slices go to
``slices.npy`` beside them, in svmbir's own orientation. See `mbir_engine`.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np

from alsct_gui.recon.engines.arguments import center_runs

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def main(folder: Path) -> None:
    """Do the job in a folder."""
    job: dict[str, Any] = json.loads((folder / "job.json").read_text())
    _end_with(job["parent"])
    import svmbir

    sinograms = np.load(folder / "sinograms.npy", mmap_mode="r")
    size, offsets = job["size"], job["offsets_px"]
    slices = np.zeros((len(sinograms), size, size), np.float32)
    for start, stop in center_runs(offsets, job["block"]):
        views = np.ascontiguousarray(sinograms[start:stop].transpose(1, 0, 2))
        if views.max() <= 0:
            continue  # nothing but air: svmbir finds no scale in it and would refuse
        slices[start:stop] = svmbir.recon(
            views, np.array(job["angles_rad"]), center_offset=offsets[start],
            num_rows=size, num_cols=size, svmbir_lib_path=job["library"], **job["options"],
        )  # fmt: skip
    np.save(folder / "slices.npy", slices)


def _end_with(parent: int) -> None:
    """End when the process that asked for this ends, however it ends (on Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before the line above
            raise SystemExit(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
