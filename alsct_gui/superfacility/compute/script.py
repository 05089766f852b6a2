"""The job: a script that is always the same, a header of checked words, a manifest with the data.

`resources/jobs/recon.sbatch` is the script. Its `#SBATCH` lines cannot come from arguments, so
a header is put before it; every word of the header is of a closed alphabet or a number. Names
of samples, folders and everything else that people type stand in the manifest alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Literal

from alsct_gui.files.resources import resource_path
from alsct_gui.superfacility.compute.base import (
    SAFE_PATH,
    JobRequest,
    Resources,
    StepCall,
    is_job_name,
)
from alsct_gui.superfacility.errors import RefusedError

MANIFEST_VERSION = 1
MAX_PATH_BYTES = 4096
"""Longest path: Linux's PATH_MAX."""

Runtime = Literal["podman-hpc", "shifter", "none"]


@dataclass(frozen=True, slots=True)
class Site:
    """How jobs run at a place; from the profile.

    Raises
    ------
    RefusedError
        A folder or a mount is not of the closed alphabet.
    """

    folder: str
    """Where scripts, manifests, progress files and logs of the jobs lie."""
    runtime: Runtime = "podman-hpc"
    """What runs the container; none runs the program as it is installed."""
    image: str = "ghcr.io/als-computing/alsct-gui:latest"
    """The container of `installers/container`."""
    mounts: tuple[str, ...] = ("/global/cfs/cdirs/als", "/pscratch")
    """Folders that the container sees, under their own names."""
    program: tuple[str, ...] = ("alsct", "recon")
    """What reconstructs, one word each."""
    steps: tuple[str, ...] = ("alsct", "step", "run")
    """What runs steps, likewise."""
    longest_s: int = 4 * 3600
    """Longest time of a job in the profile's queue."""
    zone: str = "America/Los_Angeles"
    """Time zone in which the machine tells times."""

    def __post_init__(self) -> None:
        for path in (self.folder, *self.mounts):
            if SAFE_PATH.fullmatch(path) is None:
                raise RefusedError(
                    f"{path[:200]!r} is not a folder that jobs can use", where="profile",
                    fix="Give an absolute path of letters, digits, '_', '-' and '.'",
                    name="unsafe-path",
                )  # fmt: skip


@dataclass(frozen=True, slots=True)
class JobFiles:
    """Where the files of a job lie, all in the site's folder, all with safe names."""

    script: str
    """The script."""
    manifest: str
    """Its data."""
    recipe: str
    """The recipe, when one is given; of a step its parameters."""
    checksums: str
    """What somebody's code has to be, where a job runs such."""
    along: str
    """Folder of files that go along: somebody's code, models."""
    progress: str
    """Written by the reconstruction."""
    claim: str
    """Id of the one job that does the work."""
    end: str
    """Exit code of the script, written last."""


def job_files(site: Site, name: str) -> JobFiles:
    """Name the files of a job.

    Raises
    ------
    RefusedError
        The name is not one of ours, and could lead elsewhere.
    """
    if not is_job_name(name):
        raise RefusedError("this is not the name of a job of this program", where=repr(name[:80]))
    base = f"{site.folder}/{name}"
    return JobFiles(
        f"{base}.sbatch", f"{base}.json", f"{base}.recipe.json", f"{base}.code.json",
        f"{base}.along", f"{base}.progress.json", f"{base}.claim", f"{base}.end",
    )  # fmt: skip


def header(name: str, resources: Resources, site: Site) -> str:
    """Return the `#SBATCH` lines of a job, each in the first column.

    Raises
    ------
    RefusedError
        The name is not one of ours.
    """
    files = job_files(site, name)
    hours, rest = divmod(resources.time_s, 3600)
    options = {
        "job-name": name,
        "qos": resources.queue,
        "account": resources.account,
        "constraint": resources.constraint,
        "nodes": resources.nodes,
        "ntasks-per-node": 1,
        "cpus-per-task": resources.cpus,
        "time": f"{hours:02}:{rest // 60:02}:{rest % 60:02}",
        "output": f"{files.script.removesuffix('.sbatch')}.%j.log",
        "open-mode": "append",
        # Whoever is stopped by the limit gets a minute to end in good order.
        "signal": "B:TERM@60",
    }
    lines = [f"#SBATCH --{option}={value}" for option, value in options.items()]
    # Without it a job that lost its node would start again under the same id, unasked.
    return "\n".join([*lines, "#SBATCH --no-requeue", ""])


def body() -> str:
    """Return the part of the script that is the same for every job."""
    return resource_path("jobs", "recon.sbatch").read_text(encoding="utf-8")


def script_text(name: str, resources: Resources, site: Site) -> str:
    """Return the whole script: interpreter, header, body."""
    return f"#!/bin/bash\n{header(name, resources, site)}{body()}"


def manifest_of(job: JobRequest, site: Site) -> dict[str, Any]:
    """Return the manifest: everything the script is told, as plain data.

    Raises
    ------
    RefusedError
        A path is not absolute, climbs, is too long or holds a zero byte, or lies where the
        container does not see it.
    """
    files = job_files(site, job.name)
    scan = "" if job.call is not None else checked_path(job.scan, site, "scan")
    copy_to = f"{site.folder}/{job.name}.work/{PurePosixPath(scan).name}" if job.stage else ""
    common = [
        f"--progress-file={files.progress}",
        f"--memory-gb={job.resources.memory_gb:g}",
        f"--threads={job.resources.cpus}",
    ]
    output = checked_path(job.output, site, "output")
    if job.call is not None:
        arguments = [*common, *_step_words(job.call, files, site), output]
    else:
        arguments = [
            f"--output={output}",
            *common,
            *([f"--recipe={files.recipe}"] if job.recipe else []),
            "--resume",
            *job.options,
            "--",
            copy_to or scan,
        ]
    if any("\0" in word for word in arguments):
        raise RefusedError("an argument of the job holds a zero byte", name="hostile-path")
    return {
        "version": MANIFEST_VERSION,
        "name": job.name,
        "folder": site.folder,
        "runtime": site.runtime,
        "image": site.image,
        "mounts": list(site.mounts),
        "program": list(site.program if job.call is None else site.steps),
        "arguments": arguments,
        "copy_from": scan if job.stage else "",
        "copy_to": copy_to,
    }


def _step_words(call: StepCall, files: JobFiles, site: Site) -> list[str]:
    """Words of `alsct step run` before the output; what has the output's name is moved aside."""
    inputs = (
        f"--input={name}={checked_path(path, site, f'input {name}')}"
        for name, path in call.inputs.items()
    )
    along = (f"--input={name}={files.along}/{file}" for name, file in call.along.items())
    return [
        *inputs,
        *along,
        f"--params={files.recipe}",
        *([f"--code={files.checksums}"] if call.checksums else []),
        "--overwrite",
        "--resume",
        "--",
        f"{files.along}/{call.step}" if call.step in call.files else call.step,
    ]


def job_contents(job: JobRequest, site: Site) -> dict[str, bytes]:
    """Return the files of a job by their paths, all but the script.

    Raises
    ------
    RefusedError
        As for `manifest_of`.
    """
    files, call = job_files(site, job.name), job.call
    contents = {files.manifest: manifest_bytes(manifest_of(job, site))}
    settings = job.recipe if call is None else call.parameters
    if settings or call is not None:
        contents[files.recipe] = json.dumps(dict(settings), indent=1).encode("ascii")
    if call is not None and call.checksums:
        contents[files.checksums] = json.dumps(dict(call.checksums), indent=1).encode("ascii")
    if call is not None:
        contents |= {f"{files.along}/{name}": data for name, data in call.files.items()}
    return contents


def manifest_bytes(manifest: Mapping[str, Any]) -> bytes:
    """Return the manifest as a file: JSON in ASCII, whatever the names are made of."""
    return json.dumps(manifest, indent=1, ensure_ascii=True).encode("ascii")


def checked_path(path: str, site: Site, what: str) -> str:
    """Return a path that a job may use.

    Raises
    ------
    RefusedError
        It is not absolute, climbs, is too long, holds a zero byte, or the container does not
        see it.
    """
    parts = path.split("/")
    wrong = ""
    if not path.startswith("/") or ".." in parts:
        wrong = "is not an absolute path without '..'"
    elif "\0" in path:
        wrong = "holds a zero byte"
    elif len(path.encode("utf-8", "surrogateescape")) > MAX_PATH_BYTES:
        wrong = "is too long"
    elif site.runtime != "none" and not any(path.startswith(f"{m}/") for m in site.mounts):
        wrong = f"lies outside {', '.join(site.mounts)}"
    if wrong:
        raise RefusedError(
            f"the path of the {what} {wrong}", where=repr(path[:200]), name="hostile-path",
            fix="Give a path that the job can see",
        )  # fmt: skip
    return path
