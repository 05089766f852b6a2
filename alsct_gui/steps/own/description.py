"""What is known of one's own code before it runs: how to start it, what it takes and makes.

A description is a YAML file ``<name>.step.yaml``::

    title: Porosity
    sentence: Counts the voxels below a threshold in every slice.
    command: perl {here}/porosity.pl {input} {output} {threshold}
    input_format: npy            # zarr, tiff or npy; as it lies on the disk when not given
    output: table                # volume, labels, table or report
    environment: {conda: perl5}  # or {container: image}, or {python: /path/to/python}
    parameters: {threshold: {type: float, default: 0.5, min: 0, help: Voxels below it count.}}

A Python file with a function ``run`` and a notebook with a cell of parameters describe
themselves; a description of the same name beside them may add to that.
"""

from __future__ import annotations

import keyword
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, make_dataclass
from pathlib import Path
from typing import Any, Literal, Optional

from alsct_gui.files.plaintext import read_plain
from alsct_gui.model.codec import from_plain
from alsct_gui.model.errors import RecipeError
from alsct_gui.steps.settings import setting

Form = Literal["command", "function", "notebook"]
Format = Literal["", "zarr", "tiff", "npy"]
OutputKind = Literal["volume", "labels", "table", "report"]
INPUT_KINDS = ("volume", "labels", "table")
DESCRIPTION = ".step.yaml"
RESERVED = ("input", "output", "params", "here")
"""Placeholders that are no parameters."""
_PLAIN = (bool, int, float, str, list, tuple, type(None))
_WORDS_CHARACTERS = 300
_TYPES: dict[str, type] = {"int": int, "float": float, "bool": bool, "text": str}


@dataclass(frozen=True, slots=True)
class Environment:
    """In what it runs; all empty for this machine and, for Python, this interpreter."""

    python: str = ""
    """An interpreter."""
    conda: str = ""
    """Name or path of a conda environment."""
    container: str = ""
    """Image for podman, docker or apptainer, whichever is there."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter, as a description has it."""

    type: Literal["int", "float", "bool", "text", "choice", "ints", "floats"] = "float"
    default: object = None
    """None makes it one that may be left out."""
    choices: tuple[str, ...] = ()
    """Of ``choice``."""
    label: str = ""
    unit: str = ""
    help: str = ""
    min: float | None = None
    max: float | None = None
    odd: bool = False
    empty: str = ""
    """What happens when it is left out, for people."""


@dataclass(frozen=True, slots=True)
class Extra:
    """What a description says; the fields of `OwnCode` that a person may give."""

    title: str = ""
    sentence: str = ""
    command: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    input_format: Format = ""
    output: Literal["", "volume", "labels", "table", "report"] = ""
    output_suffix: str = ""
    environment: Environment = field(default_factory=Environment)
    parameters: Mapping[str, Parameter] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OwnCode:
    """One's own code, ready to be made a step."""

    path: Path
    """The file that a person names: script, notebook or description."""
    form: Form
    title: str
    sentence: str
    command: tuple[str, ...] = ()
    """Of the form ``command``: words with ``{input}``, ``{output}``, ``{params}``, ``{here}``,
    ``{input.NAME}`` and ``{parameter}``."""
    inputs: Mapping[str, str] = field(default_factory=lambda: {"volume": "volume"})
    """Kinds of the inputs by name."""
    input_format: Format = ""
    """How volumes are handed over; empty as they lie on the disk."""
    output: OutputKind = "volume"
    output_suffix: str = ""
    """Ending of the file that it writes: ``.tif``, ``.csv`` …"""
    environment: Environment = field(default_factory=Environment)
    parameters: Mapping[str, Parameter] = field(default_factory=dict)


def read_extra(path: Path) -> Extra:
    """Read a description.

    Raises
    ------
    RecipeError
        Names what is wrong by its path.
    """
    return from_plain(Extra, read_plain(path) or {}, where=path.name)


def described(path: Path) -> OwnCode:
    """Return the code that a description tells of.

    Raises
    ------
    RecipeError
        It names no command, or something in it is wrong.
    """
    extra = read_extra(path)
    if not extra.command.strip():
        raise RecipeError(
            "names no command", where=path.name,
            fix="Add one, such as: command: python {here}/mine.py {input} {output}",
        )  # fmt: skip
    try:
        command = tuple(shlex.split(extra.command))
    except ValueError as error:
        raise RecipeError(f"its command has {str(error).lower()}", where=path.name,
                          fix="Close every quotation mark") from error  # fmt: skip
    return OwnCode(
        path=path,
        form="command",
        title=one_line(extra.title) or noun(path.name.removesuffix(DESCRIPTION)),
        sentence=one_line(extra.sentence) or f"Runs {one_line(command[0])}.",
        command=command,
        inputs=dict(extra.inputs) or {"volume": "volume"},
        input_format=extra.input_format,
        output=extra.output or "volume",
        output_suffix=extra.output_suffix,
        environment=extra.environment,
        parameters=extra.parameters,
    )


def parameter_type(parameters: Mapping[str, Parameter], where: str) -> type[Any]:
    """Make the frozen dataclass that a form and the checks are made from.

    Raises
    ------
    RecipeError
        A parameter has a name or a default that cannot be.
    """
    rows = []
    for name, item in parameters.items():
        _check_name(name, where)
        if name in RESERVED:
            raise RecipeError(f"{name!r} is no parameter, it is a place", where=where,
                              fix="Take another name")  # fmt: skip
        if not isinstance(item.default, _PLAIN):
            raise RecipeError("its default is no plain value", where=f"{where}: {name}",
                              fix="Take a number, a text, true or false, or a list of numbers",
                              )  # fmt: skip
        hint = _hint(item, f"{where}: {name}")
        default = tuple(item.default) if isinstance(item.default, list | tuple) else item.default
        made = setting(
            default, label=item.label, unit=item.unit, help=item.help, min=item.min, max=item.max,
            odd=item.odd, empty=item.empty or ("left out" if default is None else ""),
        )  # fmt: skip
        rows.append((name, hint, made))
    made_type = make_dataclass("Parameters", rows, frozen=True)
    # The defaults are checked like any other value.
    from_plain(made_type, {name: item.default for name, item in parameters.items()}, where=where)
    return made_type


def check_inputs(inputs: Mapping[str, str], where: str) -> None:
    """Raise unless these can be the inputs of a step.

    Raises
    ------
    RecipeError
        Names the one that cannot be.
    """
    for name, kind in inputs.items():
        _check_name(name, where)
        if kind not in INPUT_KINDS:
            raise RecipeError(f"{kind!r} cannot be an input", where=f"{where}: {name}",
                              fix=f"Take one of {', '.join(INPUT_KINDS)}")  # fmt: skip


def one_line(text: str) -> str:
    """Return words on one line, for a window; not endless."""
    return " ".join(text.split())[:_WORDS_CHARACTERS]


def noun(stem: str) -> str:
    """Return a file's name as a title: ``local_contrast`` becomes “Local contrast”."""
    return one_line(stem.replace("_", " ").replace("-", " ")).capitalize() or "Own code"


def _check_name(name: str, where: str) -> None:
    if not name.isidentifier() or name.startswith("_") or keyword.iskeyword(name):
        raise RecipeError(f"{name!r} is no name for an input or a parameter", where=where,
                          fix="Take letters, digits and underscores")  # fmt: skip


def _hint(item: Parameter, where: str) -> Any:
    hint: Any
    if item.type == "choice":
        if not item.choices:
            raise RecipeError("is a choice without choices", where=where)
        hint = Literal[item.choices]
    elif item.type in ("ints", "floats"):
        kind: Any = int if item.type == "ints" else float
        length = len(item.default) if isinstance(item.default, list | tuple) else 0
        kinds = (kind,) * length if length else (kind, ...)
        hint = tuple.__class_getitem__(kinds)
    else:
        hint = _TYPES[item.type]
    return Optional[hint] if item.default is None else hint  # noqa: UP045 (made at run time)
