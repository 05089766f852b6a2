"""What code says of itself is read without running it."""

from __future__ import annotations

import ast
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from alsct_gui.model.errors import EngineUnavailableError, InputError, RecipeError
from alsct_gui.steps.own import driver
from alsct_gui.steps.own.description import Environment
from alsct_gui.steps.own.environment import Launch, interpreter, launch
from alsct_gui.steps.own.load import own_code, own_step, words_of
from alsct_gui.steps.settings import parameters_from, settings_of

FUNCTION = '''
"""A module."""
raise SystemExit("this must never run")
TITLE = "My filter"
OUTPUT = "labels"

def run(volume, mask, size: int = 3, *, factor: float = 1.5, how: Literal["a", "b"] = "a",
        on=True, name: str = "x", span: tuple[float, float] = (0.0, 1.0),
        top: typing.Optional[float] = None, low: "int | None" = None, edges=(1, 2)):
    """Does one thing and
    another.

    Parameters
    ----------
    size : int
        Edge of the window.
    factor: what it is multiplied by.
    """
    return volume
'''


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_functions_signature_becomes_the_form(tmp_path: Path) -> None:
    step = own_step(write(tmp_path / "my_filter.py", FUNCTION))
    assert (step.name, step.title) == ("own.my-filter", "My filter")
    assert step.sentence == "Does one thing and another."
    assert [(port.name, port.kind) for port in step.inputs] == [
        ("volume", "volume"), ("mask", "labels"),
    ]  # fmt: skip
    assert step.outputs[0].kind == "labels"
    found = {item.name: item for item in settings_of(step.parameters)}
    kinds = {name: item.kind for name, item in found.items()}
    assert kinds == {
        "size": "integer", "factor": "number", "how": "choice", "on": "switch", "name": "text",
        "span": "numbers", "top": "number", "low": "integer", "edges": "numbers",
    }  # fmt: skip
    assert found["size"].help == "Edge of the window."
    assert found["factor"].help == "what it is multiplied by."
    assert found["top"].optional
    assert found["low"].optional
    assert found["edges"].whole
    assert [value for value, _ in found["how"].choices] == ["a", "b"]
    made = parameters_from(step.parameters, {"size": 5, "span": [1, 2]})
    assert (made.size, made.span, made.top) == (5, (1.0, 2.0), None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def go(volume): pass", "has no function run"),
        ("def run(size=3): pass", "takes no volume"),
        ("def run(volume, *, size): pass", "has no default"),
        ("def run(volume, size=len('a')): pass", "is no plain value"),
        ("def run(volume, size=None): pass", "None without a hint"),
        ("def run(volume, size: dict = 3): pass", ""),
        ("OUTPUT = 'film'\ndef run(volume): pass", "Take one of volume, labels"),
        ("def run(volume", "is no Python"),
    ],
)
def test_what_cannot_be_a_form_says_why(tmp_path: Path, text: str, words: str) -> None:
    path = write(tmp_path / "code.py", text)
    if not words:  # an unknown hint: the default decides
        assert own_code(path).parameters["size"].type == "int"
        return
    with pytest.raises(InputError, match=words):
        own_code(path)


def notebook(path: Path, *cells: tuple[str, list[str]]) -> Path:
    book: dict[str, Any] = {
        "cells": [
            {"cell_type": "code", "metadata": {"tags": tags}, "source": [text], "outputs": [],
             "execution_count": None, "id": f"c{k}"}
            for k, (text, tags) in enumerate(cells)
        ],
        "metadata": {}, "nbformat": 4, "nbformat_minor": 5,
    }  # fmt: skip
    return write(path, json.dumps(book))


def test_a_notebooks_cell_of_parameters_becomes_the_form(tmp_path: Path) -> None:
    cell = 'input = "a.zarr"\noutput = "b.csv"\nsize = 3  # Edge.\nname: str = "x"\n'
    code = own_code(notebook(tmp_path / "a.ipynb", (cell, ["parameters"]), ("1 / 0", [])))
    assert (code.form, code.output, code.output_suffix) == ("notebook", "table", ".csv")
    assert {name: item.type for name, item in code.parameters.items()} == {
        "size": "int", "name": "text",
    }  # fmt: skip
    assert code.parameters["size"].help == "Edge."
    with pytest.raises(InputError, match="0 cells are tagged"):
        own_code(notebook(tmp_path / "b.ipynb", (cell, [])))
    with pytest.raises(InputError, match="no input or no output"):
        own_code(notebook(tmp_path / "c.ipynb", ("size = 3", ["parameters"])))
    with pytest.raises(InputError, match="is no notebook"):
        own_code(write(tmp_path / "d.ipynb", "{}"))


def test_a_description_is_checked(tmp_path: Path) -> None:
    path = tmp_path / "a.step.yaml"
    for text, words in (
        ("title: A", "names no command"),
        ("command: a\ncomand: b", "Did you mean 'command'"),
        ("command: a\noutput: film", "is not a choice"),
        ("command: a\nparameters: {x y: {type: int, default: 1}}", "is no name"),
        ("command: a\nparameters: {x: {type: int, default: 9, max: 3}}", "too large"),
        ("command: a\nparameters: {x: {type: choice, default: a}}", "without choices"),
        ("command: a\ninputs: {volume: film}", "cannot be an input"),
        ("command: a\ninputs: {a b: volume}", "is no name for an input"),
        ("command: a\nparameters: {class: {default: 1.0}}", "is no name for"),
        ("command: a\nparameters: {output: {default: 1.0}}", "it is a place"),
        ("command: a\nparameters: {x: {type: text, default: {a: 1}}}", "is no plain value"),
        ("command: a\nparameters: {x: {type: ints, default: 5}}", "x"),
        ("command: '   '", "names no command"),
        ("command: sh -c 'a", "no closing quotation"),
        ("command: a {what}", "is unknown"),
        ("command: bash -lc 'cat {input}'", "stands inside a shell's script"),
        ("a: &a [1]\nb: *a", "aliases"),
        ("- a", "a.step.yaml"),
        ("command: [a]", "command"),
        ("\x00", "cannot be parsed"),
    ):
        with pytest.raises(RecipeError, match=words):
            own_step(write(path, text))
    with pytest.raises(InputError, match="is no step by its name"):
        own_step(write(tmp_path / "a.txt", ""))


def test_placeholders(tmp_path: Path) -> None:
    code = own_code(
        write(tmp_path / "a.step.yaml", "inputs: {volume: volume, mask: labels}\n"
              "parameters: {size: {type: int, default: 1}, top: {}, also: {type: bool, default: no}"
              ", pair: {type: ints, default: [0, 0]}}\n"
              "command: do {input} {input.mask} -o {output} -s {size} "
              "--top {top} {here}/x {params} '--also={also}' '{pair}'")
    )  # fmt: skip
    places = {"volume": Path("/a b"), "mask": Path("/m")}
    given = {"size": 3, "top": None, "also": True, "pair": (1, 2)}
    words = words_of(code, places, Path("/out"), Path("/p.json"), given)
    assert words == ["do", "/a b", "/m", "-o", "/out", "-s", "3", f"{tmp_path}/x", "/p.json",
                     "--also=true", "1,2"]  # fmt: skip
    hostile = Path("/a {output} $(touch x) `y`\n'\"")
    words = words_of(code, {"volume": hostile, "mask": hostile}, Path("/out"), Path("/p"), given)
    assert words[1] == str(hostile)


def test_environments(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    words, folder, seen = ["python", "x.py"], Path("/made here"), [Path("/data,1"), Path("/code")]
    monkeypatch.delenv("CONDA_EXE", raising=False)

    def started(environment: Environment, *installed: str) -> Launch:
        there = tmp_path / "-".join(("bin", *installed))
        there.mkdir()
        for name in installed:
            (there / name).touch(0o755)
        monkeypatch.setenv("PATH", str(there))
        return launch(words, environment, folder=folder, seen=seen, variables={"A": "b c"},
                      name="one")  # fmt: skip

    plain = started(Environment())
    assert (plain.command, plain.stop) == (("python", "x.py"), ())
    assert started(Environment(conda="ct"), "conda").command == (
        "conda", "run", "--no-capture-output", "-n", "ct", "python", "x.py",
    )  # fmt: skip
    micro = started(Environment(conda="/env/ct"), "micromamba")
    assert micro.command[:4] == ("micromamba", "run", "-p", "/env/ct")
    image = Environment(container="example/ct:1")
    podman = started(image, "podman", "docker")
    assert podman.command == (
        "podman", "run", "--rm", "--init", "--name", "one", "--workdir", "/made here",
        "--mount", "type=bind,source=/made here,target=/made here",
        "--mount", "type=bind,source=/code,target=/code,readonly",
        "--mount", 'type=bind,"source=/data,1","target=/data,1",readonly',
        "--env", "A=b c", "example/ct:1", "python", "x.py",
    )  # fmt: skip
    assert podman.stop == ("podman", "kill", "one")
    docker = started(image, "docker").command
    assert docker[docker.index("--user") + 1] == f"{os.getuid()}:{os.getgid()}"
    assert started(image, "apptainer").command[:4] == (
        "apptainer", "exec", "--bind", "/made here:/made here",
    )  # fmt: skip
    assert interpreter(Environment(python="/usr/bin/python3")) == "/usr/bin/python3"
    assert interpreter(image) == "python"


@pytest.mark.parametrize(
    ("environment", "words"),
    [(Environment(container="a"), "starts containers"), (Environment(conda="a"), "environments")],
)
def test_nothing_starts_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, environment: Environment, words: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CONDA_EXE", raising=False)
    with pytest.raises(EngineUnavailableError, match=words):
        launch(["x"], environment, folder=tmp_path)


def test_the_driver_is_for_older_pythons_and_imports_nothing_of_ours() -> None:
    tree = ast.parse(Path(driver.__file__).read_text(), feature_version=(3, 9))
    imported = {
        alias.name for node in ast.walk(tree) if isinstance(node, ast.Import)
        for alias in node.names
    } | {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}  # fmt: skip
    assert imported - set(sys.stdlib_module_names) == {"importlib.metadata", "importlib.util",
                                                       "numpy", "papermill"}  # fmt: skip
