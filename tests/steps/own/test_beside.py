"""Modules beside a script are found without running anything, and none from elsewhere."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alsct_gui.files.identity import file_checksum
from alsct_gui.files.tables import read_about
from alsct_gui.model.errors import InputError
from alsct_gui.steps.own import beside
from alsct_gui.steps.own.beside import modules_beside
from alsct_gui.steps.own.load import own_code
from alsct_gui.steps.own.run import checksums_of, code_checksums, code_files, require_portable
from alsct_gui.steps.running import run_step
from tests.steps.own.test_source import write


def lay(folder: Path, files: Mapping[str, str]) -> None:
    """Write modules: ``a/b`` is ``a/b.py``."""
    for name, text in files.items():
        path = folder / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def found(folder: Path, text: str) -> list[str]:
    script = write(folder / "mine.py", text)
    seen = modules_beside(script, folder)
    assert seen.stuck == ()
    return [str(path.relative_to(folder)) for path in seen.files]


TREE = {
    "a": "import b\nX = 1",
    "b": "def f():\n    from pack import tool\n    return tool.X",
    "c": "raise SystemExit('this must never run')",
    "pack/__init__": "from . import near\nfrom .deep import far",
    "pack/near": "import json, numpy",
    "pack/tool": "from .. import nothing\nfrom .near import *\nX = 1",
    "pack/deep/__init__": "",
    "pack/deep/far": "from ..near import x as y\nfrom ...c import z",
    "bare/one": "",
    "bare/two": "import c",
}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("import os, numpy.linalg\nfrom pathlib import Path", []),
        ("import c", ["c.py"]),
        ("try:\n    import c\nexcept ImportError:\n    pass", ["c.py"]),
        ("def run(v):\n    import a as z", ["a.py", "b.py", "pack/__init__.py",
         "pack/deep/__init__.py", "pack/deep/far.py", "pack/near.py", "pack/tool.py"]),
        ("import pack.near", ["pack/__init__.py", "pack/deep/__init__.py", "pack/deep/far.py",
                              "pack/near.py"]),
        ("import bare.one", ["bare/one.py"]),
        ("from bare import two", ["bare/two.py", "c.py"]),
        ("from bare import *", ["bare/one.py", "bare/two.py", "c.py"]),
        ("from . import a\nfrom .. import b", []),
        ("import mine", []),
        ("import a.b.c.d", ["a.py", "b.py", "pack/__init__.py", "pack/deep/__init__.py",
                            "pack/deep/far.py", "pack/near.py", "pack/tool.py"]),
        ("this is no Python", []),
    ],
)  # fmt: skip
def test_what_is_imported_is_found(text: str, names: list[str], tmp_path: Path) -> None:
    lay(tmp_path, TREE)
    assert found(tmp_path, text) == names


@given(st.sets(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd")), max_size=8))
def test_it_ends_and_finds_what_can_be_reached(
    tmp_path_factory: pytest.TempPathFactory, edges: set[tuple[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("graph")
    for name in "abcd":
        lines = [f"import {to}" for start, to in sorted(edges) if start == name]
        (folder / f"{name}.py").write_text("\n".join(lines))
    reached = {"a"}
    while more := {to for start, to in edges if start in reached} - reached:
        reached |= more
    assert found(folder, "import a") == [f"{name}.py" for name in sorted(reached)]


def test_python_itself_finds_the_same(tmp_path: Path) -> None:
    lay(tmp_path, {
        "a": "from pack import tool", "pack/__init__": "from .near import x", "pack/near": "x = 1",
        "pack/tool": "import c", "c": "", "d": "", "pack/other": "",
    })  # fmt: skip
    script = write(
        tmp_path / "mine.py",
        "import sys\nimport a\nfor m in list(sys.modules.values()):\n"
        "    print(getattr(m, '__file__', None))\n",
    )
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=True
    )  # fmt: skip
    loaded = {line for line in done.stdout.splitlines() if line.startswith(str(tmp_path))}
    assert {str(path) for path in modules_beside(script, tmp_path).files} == loaded - {str(script)}


def stuck(folder: Path, text: str) -> str:
    script = write(folder / "mine.py", text)
    (why,) = modules_beside(script, folder).stuck
    return why


def test_what_cannot_go_along_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, outside = tmp_path / "code", tmp_path / "outside"
    folder.mkdir()
    lay(outside, {"far": "X = 1", "pack/__init__": ""})
    (folder / "far.py").symlink_to(outside / "far.py")
    assert "'far.py' that it imports lies outside" in stuck(folder, "import far")
    (folder / "pack").symlink_to(outside / "pack")
    assert "'pack/__init__.py' that it imports lies outside" in stuck(folder, "import pack")
    (folder / "near.py").symlink_to(folder / "mine.py")
    assert found(folder, "import near") == ["near.py"], "a link within the folder is a file"
    (folder / "gone.py").symlink_to(folder / "nowhere.py")
    assert "'gone.py' that it imports cannot be read" in stuck(folder, "import gone")
    os.mkfifo(folder / "pipe.py")
    assert "is no regular file" in stuck(folder, "import pipe")
    (folder / "quick.cpython-311-x86_64-linux-gnu.so").write_bytes(b"\x7fELF")
    assert "is compiled for this machine" in stuck(folder, "import quick")
    (folder / "odd.py").write_text("def (")
    assert "cannot be read as Python" in stuck(folder, "import odd")
    monkeypatch.setattr(beside, "MOST_BYTES", 10)
    (folder / "large.py").write_text("X = 1234567890")
    assert "has more than 0 MB" in stuck(folder, "import large")
    monkeypatch.setattr(beside, "MOST_FILES", 1)
    lay(folder, {"p": "import q", "q": ""})
    assert "more than 1 modules" in stuck(folder, "import p")


def test_a_linked_program_finds_what_lies_beside_its_target(tmp_path: Path) -> None:
    lay(tmp_path / "real", {"mine": "import far", "far": ""})
    lay(tmp_path / "code", {"other": ""})
    link = tmp_path / "code" / "mine.py"
    link.symlink_to(tmp_path / "real" / "mine.py")
    assert modules_beside(link, link.parent) == beside.Beside(), "a function's folder is its own"
    (why,) = modules_beside(link, link.parent, as_program=True).stuck
    assert f"{tmp_path / 'real' / 'far.py'}" in why


def test_a_function_runs_with_its_module_and_records_it(volume_path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "code"
    double = "def double(x):\n    return 2 * x"
    lay(folder, {"helpers": "from tools import double", "tools": double})
    script = write(
        folder / "mine.py",
        "OUTPUT = 'table'\ndef run(volume):\n    from helpers import double\n"
        "    return {'n': [double(3)]}",
    )
    code = own_code(script)
    names = ["helpers.py", "mine.py", "tools.py"]
    assert list(code_files(code, {})) == names
    run_step(str(script), inputs={"volume": volume_path}, output=tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == "n\n6\n"
    record = read_about(tmp_path / "out.csv")["record"]
    assert record["sha256"] == {str(folder / n): file_checksum(folder / n) for n in names}
    assert checksums_of(record) == code_checksums(code, {})
    before = code_checksums(code, {})
    (folder / "tools.py").write_text("def double(x):\n    return 3 * x")
    assert code_checksums(code, {}) != before


def test_a_program_of_python_takes_its_modules_along(tmp_path: Path) -> None:
    folder = tmp_path / "code"
    lay(folder, {"bin/mine": "import helpers", "bin/helpers": "", "helpers": "", "unused": ""})
    path = write(folder / "mine.step.yaml", "command: python {here}/bin/mine.py {input} {output}\n")
    names = ["bin/helpers.py", "bin/mine.py", "mine.step.yaml"]
    assert list(code_files(own_code(path), {})) == names, "Python looks beside the program"
    require_portable(own_code(path), {})
    (folder / "bin" / "helpers.py").unlink()
    (folder / "bin" / "helpers.py").symlink_to(tmp_path)
    with pytest.raises(InputError, match="no regular file, so the code cannot go along"):
        require_portable(own_code(path), {})


def test_nothing_is_said_of_style(tmp_path: Path) -> None:
    lay(tmp_path, {"loose": 'X = "\\d"'})
    with pytest.warns((DeprecationWarning, SyntaxWarning), match="escape"):
        ast.parse((tmp_path / "loose.py").read_text())
    assert found(tmp_path, "import loose") == ["loose.py"]
