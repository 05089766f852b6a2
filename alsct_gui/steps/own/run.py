"""One run of one's own code: files handed over, its process, what it made taken back."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

from alsct_gui.files.identity import file_checksum
from alsct_gui.files.plaintext import read_plain, write_plain
from alsct_gui.model.codec import to_plain
from alsct_gui.model.errors import InputError, RecipeError
from alsct_gui.model.volume import Volume
from alsct_gui.steps.own.beside import Beside, modules_beside
from alsct_gui.steps.own.description import RESERVED, OwnCode, description_of
from alsct_gui.steps.own.environment import interpreter, launch
from alsct_gui.steps.own.exchange import hand_over, output_suffix, take_back
from alsct_gui.steps.own.process import run_process
from alsct_gui.steps.reporter import Reporter

_DRIVER = Path(__file__).with_name("driver.py")
_OURS = Path(__file__).resolve().parents[3]
_PLACE = re.compile(r"\{([\w.]+)\}")
_SHELLS = ("sh", "bash", "dash", "zsh", "ksh", "fish", "csh", "tcsh")
_SCRIPT = re.compile(r"-\w*c")
"""The option of a shell whose next word is a script."""
_THREADS = ("ALSCT_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def run_code(
    code: OwnCode, inputs: Mapping[str, Any], parameters: Mapping[str, Any], reporter: Reporter
) -> dict[str, Any]:
    """Run one's own code on what a step is given; returns what a step returns.

    Raises
    ------
    AlsctError
        Its files cannot be handed over, it cannot be started, it failed, or it made something else.
    """
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
        file=str(code.path), sha256=_checksums(code, command, paths.values()),
        program=_program(code, command), environment=to_plain(code.environment), command=command,
    )  # fmt: skip
    variables = {"PYTHONUNBUFFERED": "1", **dict.fromkeys(_THREADS, str(reporter.threads))}
    if not code.environment.container:
        variables["PYTHONPATH"] = search_path(os.environ.get("PYTHONPATH", ""))
    seen = [code.path.parent, _DRIVER.parent, *(path.parent for path in paths.values())]
    start = launch(
        command, code.environment, folder=folder, variables=variables, name=folder.name,
        seen=[path for path in seen if path != folder],
    )  # fmt: skip
    printed = run_process(
        start.command, folder, reporter, variables, name=code.path.name, stop=start.stop
    )
    reporter.record(printed=printed, packages=_packages(told))
    source = next((item for item in inputs.values() if isinstance(item, Volume)), None)
    return {"made": take_back(code.output, output, source, scratch)}


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


def search_path(known: str) -> str:
    """Return PYTHONPATH without our own folder, whose modules it would find instead of its own."""
    entries = [entry for entry in known.split(os.pathsep) if entry]
    return os.pathsep.join(entry for entry in entries if Path(entry).resolve() != _OURS)


def code_files(code: OwnCode, parameters: Mapping[str, Any]) -> dict[str, Path]:
    """Return the files of one's own code, by their paths below its folder.

    They are its own, a description beside it, what its command names below its folder, and the
    modules that these import from there.
    """
    files = _files(code, _bare_command(code, parameters))
    return {path.relative_to(code.path.parent).as_posix(): path for path in files}


def require_portable(code: OwnCode, parameters: Mapping[str, Any]) -> None:
    """Refuse code that would run elsewhere without a module that it imports from beside it.

    Raises
    ------
    InputError
        Says which, and why it cannot go along.
    """
    for script in _scripts(code, _bare_command(code, parameters)):
        for why in _beside(code, script).stuck:
            raise InputError(
                f"{why}, so the code cannot go along with a job", where=str(script),
                fix="Put a Python file of that name beside the script, or want it here",
            )  # fmt: skip


def code_checksums(code: OwnCode, parameters: Mapping[str, Any]) -> dict[str, str]:
    """Return the SHA-256 of each file of one's own code, as `code_files` names them.

    Raises
    ------
    InputError
        One cannot be read.
    """
    try:
        return {name: file_checksum(path) for name, path in code_files(code, parameters).items()}
    except OSError as error:
        raise InputError(
            f"its files cannot be read ({error.strerror})", where=str(code.path)
        ) from error


def checksums_of(record: Mapping[str, Any]) -> dict[str, str]:
    """Return the same of a product's provenance: its `record`; empty for an installed step."""
    known, file = record.get("sha256"), record.get("file")
    if not isinstance(known, Mapping) or not isinstance(file, str):
        return {}
    folder = PurePath(file).parent
    return {_below(PurePath(str(name)), folder): str(sum_) for name, sum_ in known.items()}


def _below(path: PurePath, folder: PurePath) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)


def _checksums(code: OwnCode, command: Sequence[str], inputs: Iterable[Path]) -> dict[str, str]:
    files = sorted(set(_files(code, command)) - set(inputs))
    return {str(path): file_checksum(path) for path in files}


def _files(code: OwnCode, command: Sequence[str]) -> list[Path]:
    files = {code.path, description_of(code.path)}
    if code.form == "command":
        named = (Path(word) for word in command)
        files |= {path for path in named if path.is_relative_to(code.path.parent)}
    for script in _scripts(code, command):
        files |= {*_beside(code, script).files}
    return sorted(path for path in files if path.is_file())


def _scripts(code: OwnCode, command: Sequence[str]) -> list[Path]:
    """Files of one's own code that Python runs, and that find modules beside them."""
    if code.form == "notebook":  # its kernel works elsewhere
        return []
    named = [code.path] if code.form == "function" else [Path(word) for word in command]
    folder = code.path.parent
    return [p for p in named if p.suffix == ".py" and p.is_relative_to(folder) and p.is_file()]


def _beside(code: OwnCode, script: Path) -> Beside:
    return modules_beside(script, code.path.parent, as_program=code.form == "command")


def _bare_command(code: OwnCode, parameters: Mapping[str, Any]) -> list[str]:
    """The command without its inputs and output."""
    nothing = dict.fromkeys(code.inputs, Path())
    return words_of(code, nothing, Path(), Path(), parameters)


def _program(code: OwnCode, command: Sequence[str]) -> dict[str, str]:
    """Which program a command starts on this machine, with its checksum."""
    elsewhere = code.environment.container or code.environment.conda
    found = None if elsewhere or code.form != "command" else shutil.which(command[0])
    return {found: file_checksum(Path(found))} if found else {}


def _packages(told: Path) -> dict[str, str]:
    """What is installed where it ran, by the driver's word; empty for a command."""
    if not told.is_file():
        return {}
    found = read_plain(told)
    return {str(name): str(number) for name, number in found.items()} if isinstance(
        found, dict) else {}  # fmt: skip


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ",".join(str(item) for item in value)
    return str(value)
