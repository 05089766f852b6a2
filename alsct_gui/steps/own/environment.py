"""How a command is started in a person's environment. Pure, but for looking what is installed."""

from __future__ import annotations

import csv
import io
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from alsct_gui.model.errors import EngineUnavailableError
from alsct_gui.steps.own.description import Environment

CONTAINERS = ("podman", "docker", "apptainer", "singularity")
CONDAS = ("conda", "mamba", "micromamba")


@dataclass(frozen=True, slots=True)
class Launch:
    """How a command is started, and ended."""

    command: tuple[str, ...]
    """Words."""
    stop: tuple[str, ...] = ()
    """Command that ends it where signals do not reach; empty where they do."""


def interpreter(environment: Environment) -> str:
    """Return what runs Python there."""
    if environment.python:
        return str(Path(environment.python).expanduser())
    return "python" if environment.conda or environment.container else sys.executable


def launch(
    command: Sequence[str],
    environment: Environment,
    *,
    folder: Path,
    seen: Sequence[Path] = (),
    variables: Mapping[str, str] | None = None,
    name: str = "",
) -> Launch:
    """Return what starts a command in an environment.

    Parameters
    ----------
    command
        Words.
    environment
        Where it shall run.
    folder
        Where it works and writes.
    seen
        Other folders that it reads. A container sees these and the folder under the same names,
        and can write into none but the folder.
    variables
        Environment variables; those of this process reach no container.
    name
        Of a container.

    Raises
    ------
    EngineUnavailableError
        Nothing here starts such an environment.
    """
    if environment.container:
        engine = _found(CONTAINERS, environment.container, "containers")
        if engine in ("podman", "docker"):
            return _docked(engine, command, environment.container, folder, seen,
                           variables or {}, name)  # fmt: skip
        binds = [f"{folder}:{folder}", *(f"{path}:{path}:ro" for path in _sorted(seen))]
        words = [word for bind in binds for word in ("--bind", bind)]
        return Launch((engine, "exec", *words, "--pwd", str(folder), environment.container,
                       *command))  # fmt: skip
    if environment.conda:
        engine = os.environ.get("CONDA_EXE") or _found(CONDAS, environment.conda, "environments")
        # Micromamba lets the output through without being told.
        through = () if Path(engine).name == "micromamba" else ("--no-capture-output",)
        where = "-p" if "/" in environment.conda else "-n"
        place = str(Path(environment.conda).expanduser())
        return Launch((engine, "run", *through, where, place, *command))
    return Launch(tuple(command))


def require_environment(environment: Environment, program: str = "") -> None:
    """Refuse code for which there is nothing here, before it is begun.

    Parameters
    ----------
    environment
        Where it shall run.
    program
        What its command starts with; empty for a function or a notebook.

    Raises
    ------
    EngineUnavailableError
        Nothing here starts such an environment, or there is no such interpreter or program.
    """
    if environment.container or environment.conda:
        launch((), environment, folder=Path())
        return
    wanted = program or interpreter(environment)
    if shutil.which(wanted) is None:
        raise EngineUnavailableError(
            "there is no such program here", where=wanted,
            fix="Install it, or name it by its whole path",
        )  # fmt: skip


def _docked(
    engine: str, command: Sequence[str], image: str, folder: Path, seen: Sequence[Path],
    variables: Mapping[str, str], name: str,
) -> Launch:  # fmt: skip
    mounts = [_mount(folder)] + [_mount(path, "readonly") for path in _sorted(seen)]
    words = [word for mount in mounts for word in ("--mount", mount)]
    words += [word for key, value in variables.items() for word in ("--env", f"{key}={value}")]
    if engine == "docker":  # else its files belong to root; podman's root is this person
        words += ["--user", f"{os.getuid()}:{os.getgid()}"]
    named = ("--name", name) if name else ()
    return Launch(
        (engine, "run", "--rm", "--init", *named, "--workdir", str(folder), *words, image,
         *command),
        (engine, "kill", name) if name else (),
    )  # fmt: skip


def _mount(path: Path, *more: str) -> str:
    """A mount as docker and podman read it: one line of CSV, for paths with commas."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(
        ["type=bind", f"source={path}", f"target={path}", *more]
    )
    return text.getvalue()


def _sorted(paths: Sequence[Path]) -> list[Path]:
    return sorted(set(paths))


def _found(names: Sequence[str], where: str, what: str) -> str:
    found = next((name for name in names if shutil.which(name)), "")
    if not found:
        raise EngineUnavailableError(
            f"no program here starts {what}", where=where,
            fix=f"Install one of {', '.join(names)}",
        )  # fmt: skip
    return found
