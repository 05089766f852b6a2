"""What a Python file or a notebook says of itself, read without running it."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from alsct_gui.model.errors import InputError, RecipeError
from alsct_gui.steps.own.description import (
    DESCRIPTION,
    OutputKind,
    OwnCode,
    Parameter,
    noun,
    one_line,
    read_extra,
)

FUNCTION = "run"
MAX_BYTES = 1 << 24
PLACES = ("input", "output")
"""Names in a notebook's cell of parameters that say where the files are."""
_NAMES = {"int": "int", "float": "float", "bool": "bool", "str": "text"}
_LABELS = ("labels", "mask", "markers", "label", "segmentation")
_KINDS: tuple[OutputKind, ...] = ("volume", "labels", "table", "report")


def read_function(path: Path) -> OwnCode:
    """Describe a Python file by the signature of its function ``run``.

    Arguments without a default are inputs, those with one are parameters; their type hints (int,
    float, bool, str, Literal, tuples of numbers, each or None) become the form. The function
    returns an array, unless the file says ``OUTPUT = "labels"``, ``"table"`` (a dict of columns or
    of numbers) or ``"report"`` (the path of a file).

    Raises
    ------
    InputError
        There is no such function, or its signature cannot be a form.
    """
    tree = _parse(_read(path), path)
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    found = next((node for node in functions if node.name == FUNCTION), None)
    if found is None:
        raise InputError(
            "has no function run", where=str(path),
            fix="Write one: def run(volume, size: int = 3)",
        )  # fmt: skip
    arguments = [*found.args.posonlyargs, *found.args.args]
    plain = len(arguments) - len(found.args.defaults)
    doc = ast.get_docstring(found) or ""
    helps = _helps(doc)
    with_default = zip(arguments[plain:], found.args.defaults, strict=True)
    keywords = zip(found.args.kwonlyargs, found.args.kw_defaults, strict=True)
    parameters = {
        argument.arg: _parameter(argument, default, helps, path)
        for argument, default in [*with_default, *keywords]
    }
    if not plain:
        raise InputError(
            "run takes no volume", where=str(path),
            fix="Give its first argument no default: def run(volume, size: int = 3)",
        )  # fmt: skip
    inputs = {argument.arg: _input_kind(argument.arg) for argument in arguments[:plain]}
    constants = _constants(tree)
    output = constants.get("OUTPUT", "volume")
    if output not in _KINDS:
        raise InputError(f"OUTPUT is {output!r}", where=str(path),
                         fix=f"Take one of {', '.join(_KINDS)}")  # fmt: skip
    code = OwnCode(
        path=path, form="function", sentence=_first_sentence(doc) or f"Runs {path.name}.",
        inputs=inputs, input_format="npy",
        title=one_line(str(constants.get("TITLE", ""))) or noun(path.stem), output=output,
        parameters=parameters,
    )  # fmt: skip
    return _with_extra(code, path, takes_any=found.args.kwarg is not None)


def read_notebook(path: Path) -> OwnCode:
    """Describe a notebook by its cell of parameters: the one that is tagged ``parameters``.

    Lines ``name = value`` of it become the form; ``input`` and ``output`` get the paths. A comment
    behind a line says what it does.

    Raises
    ------
    InputError
        It is no notebook, or has no such cell.
    """
    cells = notebook_cells(path)
    tagged = [source for source, tags in cells if "parameters" in tags]
    if len(tagged) != 1:
        raise InputError(
            f"{len(tagged)} cells are tagged parameters", where=str(path),
            fix="Tag the one cell that holds them (papermill's way)",
        )  # fmt: skip
    lines = tagged[0].splitlines()
    inputs: dict[str, str] = {}
    parameters = {}
    suffix = ""
    for node in _parse(tagged[0], path).body:
        name, value, hint = _assignment(node)
        if not name:
            continue
        comment = lines[node.lineno - 1].partition("#")[2].strip()
        if name == PLACES[0] or name.startswith(f"{PLACES[0]}_"):
            port = name.removeprefix(PLACES[0]).removeprefix("_") or "volume"
            inputs[port] = _input_kind(port)
        elif name == PLACES[1]:
            suffix = Path(str(_literal(value, path))).suffix
        else:
            parameters[name] = _typed(_literal(value, path), hint, path, name, comment)
    if not inputs or not suffix:
        raise InputError(
            "its parameters have no input or no output", where=str(path),
            fix='Write input = "rec.zarr" and output = "out.csv" into the cell',
        )  # fmt: skip
    kind: OutputKind = {".csv": "table", ".html": "report", ".pdf": "report", ".png": "report"}.get(
        suffix, "volume"
    )  # type: ignore[assignment]
    code = OwnCode(
        path=path, form="notebook", title=noun(path.stem), sentence=f"Runs {path.name}.",
        inputs=inputs, output=kind, output_suffix=suffix, parameters=parameters,
    )  # fmt: skip
    return _with_extra(code, path)


def notebook_cells(path: Path) -> list[tuple[str, Sequence[str]]]:
    """Return the code cells of a notebook: source and tags.

    Raises
    ------
    InputError
        It is no notebook.
    """
    try:
        book = json.loads(_read(path))
        return [
            ("".join(cell["source"]), cell.get("metadata", {}).get("tags", []))
            for cell in book["cells"] if cell["cell_type"] == "code"
        ]  # fmt: skip
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"it is no notebook ({error})"[:200], where=str(path)) from error


def _with_extra(code: OwnCode, path: Path, *, takes_any: bool = False) -> OwnCode:
    """Add what a description of the same name says."""
    beside = path.with_name(f"{path.stem}{DESCRIPTION}")
    if not beside.is_file():
        return code
    extra = read_extra(beside)
    lost = [name for name in extra.inputs if name not in code.inputs]
    if not takes_any:
        lost += [name for name in extra.parameters if name not in code.parameters]
    if lost:
        raise RecipeError(
            f"{path.name} has no {lost[0]!r}", where=beside.name,
            fix=f"It has {', '.join([*code.inputs, *code.parameters])}",
        )  # fmt: skip
    if code.form == "function" and extra.input_format not in ("", "npy"):
        raise RecipeError(
            f"a function gets arrays, not {extra.input_format}", where=beside.name,
            fix="Leave input_format out, or write a command",
        )  # fmt: skip
    return replace(
        code, title=one_line(extra.title) or code.title,
        sentence=one_line(extra.sentence) or code.sentence,
        inputs={**code.inputs, **extra.inputs}, output=extra.output or code.output,
        output_suffix=extra.output_suffix or code.output_suffix,
        environment=extra.environment, parameters={**code.parameters, **extra.parameters},
        input_format=extra.input_format or code.input_format,
    )  # fmt: skip


def _input_kind(name: str) -> str:
    if name == "table":
        return "table"
    return "labels" if name in _LABELS else "volume"


def _parameter(
    argument: ast.arg, default: ast.expr | None, helps: Mapping[str, str], path: Path
) -> Parameter:
    if default is None:
        raise InputError(
            f"the parameter {argument.arg} of run has no default", where=str(path),
            fix=f"Give it one: {argument.arg}: float = 1.0",
        )  # fmt: skip
    value = _literal(default, path)
    return _typed(value, argument.annotation, path, argument.arg, helps.get(argument.arg, ""))


def _typed(value: Any, hint: ast.expr | None, path: Path, name: str, words: str) -> Parameter:
    """Work out a parameter by its hint, else by its default."""
    text = ast.unparse(hint) if hint is not None else ""
    if isinstance(hint, ast.Constant) and isinstance(hint.value, str):
        text = hint.value
    text = re.sub(r"\bOptional\[(.*)\]$|\s*\|\s*None$|^None\s*\|\s*", r"\1", text).split(".")[-1]
    choices = re.fullmatch(r"Literal\[(.*)\]", text)
    if choices:
        options = _literal(_parse(f"({choices[1]},)", path).body[0].value, path)  # type: ignore[attr-defined]
        if not all(isinstance(item, str) for item in options):
            raise InputError(f"the choices of {name} are no texts", where=str(path),
                             fix='Take Literal["a", "b"]')  # fmt: skip
        return Parameter("choice", value, options, help=words)
    numbers = re.fullmatch(r"(?:tuple|list|Tuple|List)\[(int|float)\b.*\]", text)
    if numbers or isinstance(value, tuple | list):
        whole = numbers[1] == "int" if numbers else all(type(item) is int for item in value)
        return Parameter("ints" if whole else "floats", value, help=words)
    kind = _NAMES.get(text) or _NAMES.get(type(value).__name__)
    if kind is None:
        raise InputError(
            f"the type of {name} cannot be a field of a form ({text or 'None without a hint'})",
            where=str(path), fix="Take int, float, bool, str, Literal or a tuple of numbers",
        )  # fmt: skip
    return Parameter(kind, value, help=words)  # type: ignore[arg-type]


def _assignment(node: ast.stmt) -> tuple[str, ast.expr, ast.expr | None]:
    """Name, value and hint of ``name = value``; an empty name for anything else."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target = node.targets[0]
        if isinstance(target, ast.Name):
            return target.id, node.value, None
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
        return node.target.id, node.value, node.annotation
    return "", ast.Constant(None), None


def _constants(tree: ast.Module) -> dict[str, Any]:
    found = {}
    for node in tree.body:
        name, value, _ = _assignment(node)
        if name.isupper() and isinstance(value, ast.Constant):
            found[name] = value.value
    return found


def _literal(node: ast.expr, path: Path) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError(
            f"the default {ast.unparse(node)[:80]} is no plain value", where=str(path),
            fix="Take a number, a text, true or false, or a tuple of numbers",
        ) from error  # fmt: skip


def _helps(doc: str) -> dict[str, str]:
    """What a docstring says of each parameter: ``size : int`` and the lines below it, or
    ``size: what it does``.
    """
    found = {}
    lines = doc.splitlines()
    for place, line in enumerate(lines):
        match = re.match(r"\s*(\w+)\s*(?:\([^)]*\))?\s*:\s*(.*)", line)
        if match is None:
            continue
        below = lines[place + 1] if place + 1 < len(lines) else ""
        deeper = len(below) - len(below.lstrip()) > len(line) - len(line.lstrip())
        found[match[1]] = (below.strip() if below.strip() and deeper else match[2]).strip()
    return found


def _first_sentence(doc: str) -> str:
    head = one_line(doc.partition("\n\n")[0])
    return head if not head or head.endswith(".") else f"{head}."


def _parse(text: str, path: Path) -> ast.Module:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError) as error:
        raise InputError(f"it is no Python ({error})"[:200], where=str(path)) from error


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"it has more than {MAX_BYTES} bytes", where=str(path))
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"it cannot be read ({error})"[:200], where=str(path)) from error
