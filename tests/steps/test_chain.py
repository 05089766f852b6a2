"""A product's making, walked back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from alsct_gui.model.errors import InputError
from alsct_gui.steps.chain import chain_of, changed_code, told_by


def told(path: str, made: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    mark = {"name": "volume", "kind": "volume", "path": path, "identity": "", "made": made or {}}
    return {"step": "toy.smooth", "title": "Smooth", "parameters": {}, "inputs": [mark],
            "output": "smooth", "versions": {}, "created": "", **more}  # fmt: skip


def report(folder: Path, about: Any) -> Path:
    path = folder / "r.html"
    path.write_text("<p>")
    path.with_name("r.html.json").write_text(json.dumps(about))
    return path


def test_the_first_comes_first_and_each_once(tmp_path: Path) -> None:
    first = told("/data/scan.zarr")
    second = told("/made/1.zarr", first)
    twice = {**second["inputs"][0], "name": "other"}
    second["inputs"].append(twice)
    path = report(tmp_path, second)
    chain = chain_of(path)
    assert [link.path for link in chain] == [Path("/made/1.zarr"), path]
    assert chain[0].inputs == {"volume": Path("/data/scan.zarr")}
    assert chain[1].inputs == {"volume": Path("/made/1.zarr"), "other": Path("/made/1.zarr")}


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ({}, "does not tell how"), ([1], "does not tell how"), ({"step": 5}, "does not tell|step"),
        ({"step": "a"}, "is missing|title"), ({"recipe": 1}, "provenance"),
    ],
)  # fmt: skip
def test_what_tells_nothing(tmp_path: Path, about: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        chain_of(report(tmp_path, about))


def test_what_is_absent_damaged_or_endless(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        told_by(tmp_path / "none.csv")
    path = report(tmp_path, {})
    path.with_name("r.html.json").write_text("{")
    with pytest.raises(InputError, match="cannot be read"):
        told_by(path)
    deep: dict[str, Any] = {}
    for number in range(250):
        deep = told(f"/made/{number}.zarr", deep)
    with pytest.raises(InputError, match="more than 200 links"):
        chain_of(report(tmp_path, deep))


def test_code_that_is_not_what_it_was(tmp_path: Path) -> None:
    code = tmp_path / "a.py"
    code.write_text("x")
    known = {str(code): "0" * 64, str(tmp_path / "gone.py"): "0" * 64}
    assert changed_code({"record": {"sha256": known}}) == [*known]
    for strange in ({}, {"record": 5}, {"record": {"sha256": [1]}}):
        assert changed_code(strange) == []
