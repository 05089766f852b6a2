"""One's own code as a `Step`: everything that a step can do, it can do as well."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from alsct_gui.files.identity import file_checksum
from alsct_gui.files.plaintext import write_plain
from alsct_gui.model.errors import InputError, RecipeError
from alsct_gui.model.volume import Volume
from alsct_gui.steps.own.description import DESCRIPTION, OwnCode, described, parameter_type
from alsct_gui.steps.own.environment import interpreter, wrapped
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


def own_folder() -> Path:
    """Return the folder whose files are listed as steps, which need not exist."""
    named = os.environ.get(FOLDER_VARIABLE)
    if named:
        return Path(named).absolute()
    config = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(config).expanduser() / "alsct-gui" / "steps"


def own_files() -> list[Path]:
    """Return the files of that folder that are steps, in alphabetical order."""
    folder = own_folder()
    if not folder.is_dir():
        return []
    files = [path for path in sorted(folder.iterdir()) if path.name.endswith(ENDINGS)]
    # A description beside a script or a notebook of its name only adds to that.
    stems = {path.stem for path in files if path.suffix in (".py", ".ipynb")}
    return [path for path in files if not path.name.endswith(DESCRIPTION)
            or path.name.removesuffix(DESCRIPTION) not in stems]  # fmt: skip


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
    if path.suffix == ".py":
        return read_function(path)
    if path.suffix == ".ipynb":
        return read_notebook(path)
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

    ports = []
    for name, kind in code.inputs.items():
        if kind not in ("volume", "labels"):
            raise RecipeError(f"{kind!r} cannot be an input", where=f"{code.path.name}: {name}",
                              fix="Take volume or labels")  # fmt: skip
        ports.append(Port(name, kind, name.replace("_", " ").capitalize()))  # type: ignore[arg-type]
    stem = code.path.name.removesuffix(DESCRIPTION).removesuffix(code.path.suffix)
    return Step(
        name=f"own.{re.sub(r'[^a-z0-9]+', '-', stem.lower()).strip('-') or 'code'}",
        title=code.title, sentence=code.sentence,
        parameters=parameter_type(code.parameters, code.path.name), inputs=tuple(ports),
        outputs=(Port("made", code.output, code.title),), run=run,
        presets=(Preset("as written"),), preview="none", source=str(code.path),
    )  # fmt: skip


def words_of(
    code: OwnCode, inputs: Mapping[str, Path], output: Path, params: Path,
    parameters: Mapping[str, Any],
) -> list[str]:  # fmt: skip
    """Return a command with its placeholders filled in. A parameter that is left out takes the
    word it stands in with it, and the option before that.

    Raises
    ------
    RecipeError
        A placeholder is unknown.
    """
    places = {
        "input": str(next(iter(inputs.values()))), "output": str(output), "params": str(params),
        "here": str(code.path.parent), **{f"input.{name}": str(p) for name, p in inputs.items()},
    }  # fmt: skip
    words: list[str] = []
    for word in code.command:
        names = re.findall(r"\{([\w.]+)\}", word)
        if any(name in parameters and parameters[name] is None for name in names):
            if words and words[-1].startswith("-"):
                words.pop()
            continue
        for name in names:
            if name not in places and name not in parameters:
                known = ", ".join([*places, *parameters])
                raise RecipeError(f"{{{name}}} is unknown", where=code.path.name,
                                  fix=f"Known: {known}")  # fmt: skip
            word = word.replace(f"{{{name}}}", places.get(name) or _text(parameters.get(name)))
        words.append(word)
    return words


def _run(
    code: OwnCode, inputs: Mapping[str, Any], parameters: Mapping[str, Any], reporter: Reporter
) -> dict[str, Any]:
    folder = reporter.scratch_folder()
    paths = {
        name: hand_over(volume, name, code.input_format, folder, reporter)
        for name, volume in inputs.items() if isinstance(volume, Volume)
    }  # fmt: skip
    suffix = code.output_suffix or output_suffix(code.output)
    if code.form == "function":
        suffix = {"table": ".json", "report": suffix}.get(code.output, ".npy")
    output, params = folder / f"output{suffix}", folder / "params.json"
    write_plain(params, {**parameters})
    told = folder / "environment.json"
    if code.form == "command":
        command = words_of(code, paths, output, params, parameters)
    else:
        job = _job(code, paths, parameters, output, folder, told)
        write_plain(folder / "job.json", job)
        command = [interpreter(code.environment), str(_DRIVER), str(folder / "job.json")]
    reporter.uses({"own code": code.path.name, "own code sha256": file_checksum(code.path),
                   **_place(code)})  # fmt: skip
    seen = [folder, code.path.parent, _DRIVER.parent, *(path.parent for path in paths.values())]
    # Where it would find our modules instead of its own.
    variables = {"PYTHONPATH": "", "PYTHONUNBUFFERED": "1"}
    run_process(wrapped(command, code.environment, seen), folder, reporter, variables)
    if told.is_file():
        reporter.uses(json.loads(told.read_text(encoding="utf-8")))
    return {"made": take_back(code.output, output)}


def _job(
    code: OwnCode, paths: Mapping[str, Path], parameters: Mapping[str, Any], output: Path,
    folder: Path, told: Path,
) -> dict[str, Any]:  # fmt: skip
    named = {name: str(path) for name, path in paths.items()}
    single = len(named) == 1
    places = {"input" if single else f"input_{name}": path for name, path in named.items()}
    return {
        "form": code.form, "script": str(code.path), "inputs": named, "kind": code.output,
        "parameters": dict(parameters), "output": str(output), "environment": str(told),
        "places": {**places, "output": str(output)}, "executed": str(folder / "executed.ipynb"),
    }  # fmt: skip


def _place(code: OwnCode) -> dict[str, str]:
    """Where it runs, for the record."""
    where = {"conda": code.environment.conda, "container": code.environment.container,
             "interpreter": code.environment.python}  # fmt: skip
    return {f"own code {key}": value for key, value in where.items() if value}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ",".join(str(item) for item in value)
    return str(value)
