"""Calls somebody's function or notebook in their own interpreter: ``python driver.py job.json``.

Runs where nothing of alsct-gui is installed: it imports the standard library, numpy when it
hands over arrays, and papermill when that is there. Python 3.9 and later.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import platform
import sys
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

Job = dict[str, Any]


def main(path: str) -> None:
    """Do the job; what happened goes to files that the job names."""
    job = json.loads(Path(path).read_text(encoding="utf-8"))
    Path(job["environment"]).write_text(json.dumps(environment()), encoding="utf-8")
    if job["form"] == "notebook":
        run_notebook(job)
    else:
        run_function(job)


def environment() -> dict[str, str]:
    """Return name and version of Python and of every package that is installed."""
    found = {"python": platform.python_version(), "platform": platform.platform()}
    for item in distributions():
        name = item.metadata["Name"]
        if name:
            found[name.lower()] = item.version
    return found


def run_function(job: Job) -> None:
    """Call ``run`` with arrays and parameters, and keep what it returns."""
    import numpy

    sys.path.insert(0, str(Path(job["script"]).parent))
    spec = importlib.util.spec_from_file_location("own_code", job["script"])
    if spec is None or spec.loader is None:
        sys.exit("{} cannot be imported".format(job["script"]))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    # Volumes and labels are arrays; a table is the path of a CSV file.
    given = [
        numpy.load(file, mmap_mode="r") if file.endswith(".npy") else file
        for file in job["inputs"].values()
    ]
    made = module.run(*given, **tupled(job["parameters"]))
    if made is None:
        sys.exit("run returns nothing")
    kind = job["kind"]
    if kind in ("volume", "labels"):
        numpy.save(job["output"], numpy.asarray(made))
    elif kind == "table":
        columns = {key: numpy.atleast_1d(value).tolist() for key, value in dict(made).items()}
        Path(job["output"]).write_text(json.dumps(columns), encoding="utf-8")
    else:
        Path(job["output"]).write_bytes(Path(made).read_bytes())


def run_notebook(job: Job) -> None:
    """Execute a notebook by papermill; without it, its code cells as one script."""
    parameters = {**job["parameters"], **job["places"]}
    book = json.loads(Path(job["script"]).read_text(encoding="utf-8"))
    if importlib.util.find_spec("papermill") is not None:
        import papermill

        # A notebook that names no kernel gets Python's; what it prints comes through at once.
        bare = "kernelspec" not in book.get("metadata", {})
        papermill.execute_notebook(
            job["script"], job["executed"], parameters=parameters, progress_bar=False,
            kernel_name="python3" if bare else None, language="python" if bare else None,
            stdout_file=sys.stdout, stderr_file=sys.stderr,
        )  # fmt: skip
        return
    lines = []
    for cell in book["cells"]:
        if cell["cell_type"] != "code":
            continue
        source = "".join(cell["source"])
        if any(line.lstrip()[:1] in ("%", "!") for line in source.splitlines()):
            sys.exit("the notebook has lines that are not Python (% or !): install papermill")
        lines.append(source)
        if "parameters" in cell.get("metadata", {}).get("tags", []):
            lines += [f"{name} = {value!r}" for name, value in tupled(parameters).items()]
    text = "\n".join(lines)
    name = f"notebook-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    exec(compile(text, name, "exec"), {"__name__": "__main__"})  # noqa: S102 (what it is for)


def tupled(parameters: Job) -> Job:
    """JSON knows no tuples; a function's default is one."""
    return {k: tuple(v) if isinstance(v, list) else v for k, v in parameters.items()}


if __name__ == "__main__":
    main(sys.argv[1])
