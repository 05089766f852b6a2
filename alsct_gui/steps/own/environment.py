"""How a command is started in a person's environment. Pure, but for looking what is installed."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from alsct_gui.model.errors import EngineUnavailableError
from alsct_gui.steps.own.description import Environment

CONTAINERS = ("podman", "docker", "apptainer", "singularity")


def interpreter(environment: Environment) -> str:
    """Return what runs Python there."""
    if environment.python:
        return environment.python
    return "python" if environment.conda or environment.container else sys.executable


def wrapped(
    command: Sequence[str],
    environment: Environment,
    folders: Sequence[Path],
    engine: str = "",
) -> list[str]:
    """Return the command that starts another one in an environment.

    Parameters
    ----------
    command
        Words.
    environment
        Where it shall run.
    folders
        Folders that a container must see, under the same names.
    engine
        What starts containers; found on this machine when empty.

    Raises
    ------
    EngineUnavailableError
        Nothing here starts such an environment.
    """
    if environment.container:
        return _in_container(command, environment.container, folders, engine)
    if environment.conda:
        where = "-p" if "/" in environment.conda else "-n"
        return ["conda", "run", "--no-capture-output", where, environment.conda, *command]
    return list(command)


def _in_container(
    command: Sequence[str], image: str, folders: Sequence[Path], engine: str
) -> list[str]:
    engine = engine or next((name for name in CONTAINERS if shutil.which(name)), "")
    seen = sorted({str(folder) for folder in folders})
    if engine in ("podman", "docker"):
        mounts = [word for folder in seen for word in ("-v", f"{folder}:{folder}")]
        return [engine, "run", "--rm", "--init", *mounts, image, *command]
    if engine:
        return [engine, "exec", *(word for folder in seen for word in ("--bind", folder)), image,
                *command]  # fmt: skip
    raise EngineUnavailableError(
        "no program here starts containers", where=image, fix=f"Install one of {CONTAINERS}"
    )
