"""A run that is killed leaves no product, and a resumed one ends in the same bytes."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np

from alsct_gui.files.writers.base import create_volume

SHAPE = (40, 30, 300)
CHILD = """
import sys
from pathlib import Path
import numpy as np
from alsct_gui.files.writers.base import create_volume
data = np.random.default_rng(0).normal(size={shape}).astype(np.float32)
writer = create_volume(Path(sys.argv[1]), shape={shape}, dtype="float32")
for k in range(20, -1, -1):
    writer.write(k, data[k : k + 1])
print("twenty-one slices", flush=True)
sys.stdin.read()
"""


def digest(path: Path) -> dict[str, str]:
    return {
        str(file.relative_to(path)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in path.rglob("*")
        if file.is_file()
    }


def test_killed_and_resumed(tmp_path: Path) -> None:
    data = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)
    final = tmp_path / "killed" / "rec.zarr"
    with subprocess.Popen(
        [sys.executable, "-c", CHILD.format(shape=SHAPE), str(final)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as child:  # fmt: skip
        assert child.stdout is not None
        assert child.stdout.readline() == "twenty-one slices\n"
        child.kill()
        assert child.wait() == -signal.SIGKILL
    assert [item.name for item in final.parent.iterdir()] == [".rec.zarr.partial"]

    with create_volume(final, shape=SHAPE, dtype="float32", resume=True) as writer:
        done = writer.done_slices()
        assert done.sum() in (0, 16)  # the journal may have been a moment behind
        writer.write(0, data)
        writer.finish()
    with create_volume(tmp_path / "whole" / "rec.zarr", shape=SHAPE, dtype="float32") as writer:
        writer.write(0, data)
        whole = writer.finish()
    assert digest(final) == digest(whole)
