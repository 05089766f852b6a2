"""One's own code as a `Step`: everything that a step can do, it can do as well."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from alsct_gui.files.identity import file_checksum
from alsct_gui.files.plaintext import read_plain, write_plain
from alsct_gui.files.resources import resource_path
from alsct_gui.model.codec import to_plain
from alsct_gui.model.errors import AlsctError, InputError, RecipeError
from alsct_gui.model.volume import Volume
from alsct_gui.steps.own.description import (
    DESCRIPTION,
    RESERVED,
    OwnCode,
    check_inputs,
    described,
    noun,
    parameter_type,
    read_extra,
)
from alsct_gui.steps.own.environment import interpreter, launch
from alsct_gui.steps.own.exchange import hand_over, output_suffix, take_back
from alsct_gui.steps.own.process import run_process
from alsct_gui.steps.own.source import read_function, read_notebook
from alsct_gui.steps.reporter import Reporter
from alsct_gui.steps.settings import parameters_to_plain
from alsct_gui.steps.step import Port, Preset, Step

FOLDER_VARIABLE = "ALSCT_OWN_STEPS"
"""Environment variable that names another folder for one's own code."""
ENDINGS = (DESCRIPTION, ".py", ".ipynb")
_DRIVER = Path(__file__).with_name("driver.py")
_PLACE = re.compile(r"\{([\w.]+)\}")
_SHELLS = ("sh", "bash", "dash", "zsh", "ksh", "fish", "csh", "tcsh")
_SCRIPT = re.compile(r"-\w*c")
"""The option of a shell whose next word is a script."""
_THREADS = ("ALSCT_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


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
            return described(_description_of(path))
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
        return _run(code, inputs, parameters_to_plain(parameters), reporter)

    check_inputs(code.inputs, code.path.name)
    check_command(code)
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


def check_command(code: OwnCode) -> None:
    """Raise where a placeholder is unknown, or stands where a shell would read a path as words.

    Raises
    ------
    RecipeError
        Says which.
    """
    known = [*RESERVED, *(f"input.{name}" for name in code.inputs), *code.parameters]
    shell = bool(code.command) and Path(code.command[0]).name in _SHELLS
    for before, word in zip(("", *code.command), code.command, strict=False):
        for name in _PLACE.findall(word):
            if name not in known:
                raise RecipeError(f"{{{name}}} is unknown", where=code.path.name,
                                  fix=f"Known: {', '.join(known)}")  # fmt: skip
            if shell and _SCRIPT.fullmatch(before):
                raise RecipeError(
                    f"{{{name}}} stands inside a shell's script", where=code.path.name,
                    fix=f"Write it behind the script: {code.command[0]} -c '… \"$0\" …' {{{name}}}",
                )  # fmt: skip


def words_of(
    code: OwnCode, inputs: Mapping[str, Path], output: Path, params: Path,
    parameters: Mapping[str, Any],
) -> list[str]:  # fmt: skip
    """Return a command with its placeholders filled in, for no shell ever reads it.

    A parameter that is left out takes the word it stands in with it, and the option before that.
    """
    values = {name: _text(value) for name, value in parameters.items()} | {
        "input": str(next(iter(inputs.values()))), "output": str(output), "params": str(params),
        "here": str(code.path.parent), **{f"input.{name}": str(p) for name, p in inputs.items()},
    }  # fmt: skip
    words: list[str] = []
    for word in code.command:
        names = _PLACE.findall(word)
        if any(name in parameters and parameters[name] is None for name in names):
            if words and words[-1].startswith("-"):
                words.pop()
            continue
        words.append(_PLACE.sub(lambda match: values[match[1]], word))
    return words


def _run(
    code: OwnCode, inputs: Mapping[str, Any], parameters: Mapping[str, Any], reporter: Reporter
) -> dict[str, Any]:
    scratch = reporter.scratch_folder()
    folder = scratch.path
    paths = {
        name: hand_over(given, name, code.input_format, folder, reporter)
        for name, given in inputs.items()
    }  # fmt: skip
    suffix = code.output_suffix or output_suffix(code.output)
    if code.form == "function":
        suffix = {"table": ".json", "report": suffix}.get(code.output, ".npy")
    output, params = folder / f"output{suffix}", folder / "params.json"
    write_plain(params, dict(parameters))
    told = folder / "environment.json"
    if code.form == "command":
        command = words_of(code, paths, output, params, parameters)
    else:
        write_plain(folder / "job.json", _job(code, paths, parameters, output, folder, told))
        command = [interpreter(code.environment), str(_DRIVER), str(folder / "job.json")]
    reporter.record(
        file=str(code.path), sha256=_checksums(code, command),
        environment=to_plain(code.environment), command=command,
    )  # fmt: skip
    threads = str(reporter.threads)
    variables = {
        "PYTHONPATH": "",  # where it would find our modules instead of its own
        "PYTHONUNBUFFERED": "1",
        **dict.fromkeys(_THREADS, threads),
    }
    seen = [code.path.parent, _DRIVER.parent, *(path.parent for path in paths.values())]
    start = launch(
        command, code.environment, folder=folder, variables=variables, name=folder.name,
        seen=[path for path in seen if path != folder],
    )  # fmt: skip
    printed = run_process(start.command, folder, reporter, variables, start.stop)
    reporter.record(printed=printed, packages=_packages(told))
    source = next((item for item in inputs.values() if isinstance(item, Volume)), None)
    return {"made": take_back(code.output, output, source, scratch)}


def _job(
    code: OwnCode, paths: Mapping[str, Path], parameters: Mapping[str, Any], output: Path,
    folder: Path, told: Path,
) -> dict[str, Any]:  # fmt: skip
    named = {name: str(path) for name, path in paths.items()}
    places = {"input" if name == "volume" else f"input_{name}": p for name, p in named.items()}
    return {
        "form": code.form, "script": str(code.path), "inputs": named, "kind": code.output,
        "parameters": dict(parameters), "output": str(output), "environment": str(told),
        "places": {**places, "output": str(output)}, "executed": str(folder / "executed.ipynb"),
    }  # fmt: skip


def _checksums(code: OwnCode, command: Sequence[str]) -> dict[str, str]:
    """SHA-256 of every file of the code: its own, a description beside it, what a command names
    below its folder or as its program.
    """
    files = {code.path, _description_of(code.path)}
    if code.form == "command":
        files |= {Path(word) for word in command if Path(word).is_relative_to(code.path.parent)}
        program = shutil.which(command[0]) if not code.environment.container else None
        files |= {Path(program)} if program else set()
    return {str(path): file_checksum(path) for path in sorted(files) if path.is_file()}


def _packages(told: Path) -> dict[str, str]:
    """What is installed where it ran, by the driver's word; empty for a command."""
    if not told.is_file():
        return {}
    found = read_plain(told)
    return {str(name): str(number) for name, number in found.items()} if isinstance(
        found, dict) else {}  # fmt: skip


def _description_of(path: Path) -> Path:
    if path.name.endswith(DESCRIPTION):
        return path
    return path.with_name(f"{path.stem}{DESCRIPTION}")


def _has_command(path: Path) -> bool:
    """Whether a description of this name has a command; one that cannot be read says so itself."""
    beside = _description_of(path)
    try:
        return beside.is_file() and bool(read_extra(beside).command.strip())
    except AlsctError:
        return False


def _has_twin(path: Path, files: Sequence[Path]) -> bool:
    """Whether a description and what it describes are both there."""
    if path.name.endswith(DESCRIPTION):
        stem = path.name.removesuffix(DESCRIPTION)
        return any(path.with_name(f"{stem}{ending}") in files for ending in ENDINGS[1:])
    return _description_of(path) in files


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ",".join(str(item) for item in value)
    return str(value)
