"""Run a reconstruction in a process of its own, for tests that kill, limit or measure it.

Called as ``python -m tests.recon.runs SCAN OUTPUT RECIPE [option ...]``, with the recipe as
JSON. Prints ``slices DONE`` as batches are finished, and at the end one line of JSON. Options:
``resume``; ``wait=DONE``: after so many slices, wait for ever; ``file_bytes=N``: no file may
grow beyond N bytes; ``threads=N``; ``batch=N`` slices.
"""

from __future__ import annotations

import json
import resource
import sys
import threading
from pathlib import Path

from alsct_gui.files.open import open_scan
from alsct_gui.model.errors import AlsctError
from alsct_gui.model.progress import Progress
from alsct_gui.model.recipe import recipe_from_dict
from alsct_gui.recon.job import prepare_job
from alsct_gui.recon.pipeline import run_job


def main(scan_path: str, output: str, recipe_json: str, *options: str) -> None:
    """Run, and print what came of it."""
    given = dict(option.partition("=")[::2] for option in options)
    wait_after = int(given.get("wait", -1))

    def show(step: Progress) -> None:
        say(f"{step.stage} {step.done}")
        if step.stage == "slices" and 0 <= wait_after <= step.done:
            threading.Event().wait()

    recipe = recipe_from_dict(json.loads(recipe_json))
    with open_scan(Path(scan_path)) as scan:
        job = prepare_job(
            scan, recipe, threads=int(given.get("threads", 1)),
            batch_slices=int(given.get("batch", 16)),
        )  # fmt: skip
        if "file_bytes" in given:
            limit = int(given["file_bytes"])
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        try:
            run_job(job, Path(output), progress=show, resume="resume" in given)
        except AlsctError as error:
            say(json.dumps({"error": type(error).__name__, "sentence": error.sentence}))
            return
    say(json.dumps({"peak_bytes": peak_bytes(), "planned_bytes": job.plan.memory_bytes}))


def peak_bytes() -> int:
    """Most memory this process has had, from the kernel's own book.

    The figure of `getrusage` would begin with the peak of the process that started this one.
    """
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("the kernel does not tell the peak of memory")


def say(line: str) -> None:
    """Write a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
