"""The same step without a window: as a command line, and as Python."""

from __future__ import annotations

import pprint
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alsct_gui.files.shell import path_word, value_word
from alsct_gui.steps.settings import parameters_to_plain
from alsct_gui.steps.step import Step

_SCRIPT = '''\
"""{title}; written by alsct-gui."""

from alsct_gui.steps.running import run_step

PARAMETERS = {parameters}

if __name__ == "__main__":
    result = run_step(
        {step!r},
        PARAMETERS,
        inputs={inputs},
        output={output!r},
    )
    print(*result.outputs.values(), sep="\\n")
'''


def command_line(
    step: Step[Any], parameters: Any, inputs: Mapping[str, str | Path], output: str | Path
) -> str:
    """Return the `alsct step run` command that does the same.

    Parameters
    ----------
    step
        The step.
    parameters
        Of its type.
    inputs, output
        Paths; quoted for a POSIX shell as far as they need it.
    """
    return shlex.join(command_words(step, parameters, inputs, output))


def command_words(
    step: Step[Any], parameters: Any, inputs: Mapping[str, str | Path], output: str | Path
) -> list[str]:
    """Return the words of `command_line`, not yet quoted."""
    words = ["alsct", "step", "run", path_word(step.key)]
    names = [port.name for port in step.inputs]
    plain = names[: len(inputs)] == list(inputs)
    if plain:
        words += [path_word(path) for path in inputs.values()]
    words.append(path_word(output))
    if not plain:
        for name, path in inputs.items():
            words += ["--input", f"{name}={path}"]
    usual = parameters_to_plain(step.preset())
    for name, value in parameters_to_plain(parameters).items():
        if value != usual[name] or type(value) is not type(usual[name]):
            words += ["--set", f"{name}={value_word(value)}"]
    return words


def python_script(
    step: Step[Any], parameters: Any, inputs: Mapping[str, str | Path], output: str | Path
) -> str:
    """Return a script that does the same."""
    return _SCRIPT.format(
        title=step.title, step=step.key, output=str(output),
        parameters=_pretty(parameters_to_plain(parameters)),
        inputs=_pretty({name: str(path) for name, path in inputs.items()}),
    )  # fmt: skip


def _pretty(data: Any) -> str:
    return pprint.pformat(data, sort_dicts=False, width=88)
