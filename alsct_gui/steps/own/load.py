"""One's own code as a `Step`: everything that a step can do, it can do as well."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from alsct_gui.files.resources import resource_path
from alsct_gui.model.errors import AlsctError, InputError, RecipeError
from alsct_gui.steps.own.description import (
    DESCRIPTION,
    OwnCode,
    check_inputs,
    described,
    description_of,
    noun,
    parameter_type,
    read_extra,
)
from alsct_gui.steps.own.run import check_command, run_code
from alsct_gui.steps.own.source import read_function, read_notebook
from alsct_gui.steps.reporter import Reporter
from alsct_gui.steps.settings import parameters_to_plain
from alsct_gui.steps.step import Port, Preset, Step

FOLDER_VARIABLE = "ALSCT_OWN_STEPS"
"""Environment variable that names another folder for one's own code."""
ENDINGS = (DESCRIPTION, ".py", ".ipynb")
_SUFFIX = re.compile(r"(\.\w+)*")


def own_folder() -> Path:
    """Return the folder whose files are listed as steps, which need not exist."""
    named = os.environ.get(FOLDER_VARIABLE)
    if named:
        return Path(named).absolute()
    config = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(config).expanduser() / "alsct-gui" / "steps"


def own_files() -> list[Path]:
    """Return the files of that folder that are steps, in alphabetical order."""
    return step_files(own_folder())


def example_files() -> list[Path]:
    """Return the worked examples that come with the program."""
    return step_files(resource_path("examples"))


def step_files(folder: Path) -> list[Path]:
    """Return the files of a folder that are steps, in alphabetical order.

    A description and a script or notebook of one name are one step: the description when it has
    a command, else the script.
    """
    try:
        files = [path for path in sorted(folder.iterdir())
                 if path.name.endswith(ENDINGS) and path.is_file()]  # fmt: skip
    except OSError:  # there is none yet, or it is closed to us: nothing to list
        return []
    return [path for path in files if path.name.endswith(DESCRIPTION) == _has_command(path)
            or not _has_twin(path, files)]  # fmt: skip


def slug(path: Path) -> str:
    """Return the name of a step, without its family: ``My Filter.py`` is ``my-filter``."""
    stem = path.name.removesuffix(DESCRIPTION).removesuffix(path.suffix)
    return re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-") or "code"


def own_code(path: str | Path) -> OwnCode:
    """Read what a script, a notebook or a description says of itself; nothing of it runs.

    Raises
    ------
    InputError, RecipeError
        It cannot be a step; says why.
    """
    path = Path(path).expanduser().absolute()
    if not path.is_file():
        raise InputError("there is no such file", where=str(path), fix="Check the path")
    if path.suffix in (".py", ".ipynb"):
        if _has_command(path):
            return described(description_of(path))
        return read_function(path) if path.suffix == ".py" else read_notebook(path)
    if path.name.endswith(DESCRIPTION):
        return described(path)
    raise InputError(
        "is no step by its name", where=str(path), fix=f"Take a file that ends in {ENDINGS}"
    )


def own_step(path: str | Path) -> Step[Any]:
    """Return one's own code as a step.

    Raises
    ------
    InputError, RecipeError
        It cannot be one; says why.
    """
    code = own_code(path)

    def run(inputs: Mapping[str, Any], parameters: Any, reporter: Reporter) -> Mapping[str, Any]:
        return run_code(code, inputs, parameters_to_plain(parameters), reporter)

    check_inputs(code.inputs, code.path.name)
    check_command(code)
    if not _SUFFIX.fullmatch(code.output_suffix):
        raise RecipeError(f"{code.output_suffix!r} is no ending of a name", where=code.path.name,
                          fix="Write one such as .csv")  # fmt: skip
    ports = tuple(
        Port(name, kind, noun(name))  # type: ignore[arg-type] # as was checked
        for name, kind in code.inputs.items()
    )
    return Step(
        name=f"own.{slug(code.path)}", title=code.title, sentence=code.sentence,
        parameters=parameter_type(code.parameters, code.path.name), inputs=ports,
        outputs=(Port("made", code.output, code.title),), run=run,
        presets=(Preset("as written"),), preview="none", source=str(code.path),
    )  # fmt: skip


def _has_command(path: Path) -> bool:
    """Whether a description of this name has a command; one that cannot be read says so itself."""
    beside = description_of(path)
    try:
        return beside.is_file() and bool(read_extra(beside).command.strip())
    except AlsctError:
        return False


def _has_twin(path: Path, files: Sequence[Path]) -> bool:
    """Whether a description and what it describes are both there."""
    if path.name.endswith(DESCRIPTION):
        stem = path.name.removesuffix(DESCRIPTION)
        return any(path.with_name(f"{stem}{ending}") in files for ending in ENDINGS[1:])
    return description_of(path) in files
