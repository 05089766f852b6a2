"""JSON and YAML from disk as plain data, whatever was put into them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from alsct_gui.model.errors import AlsctError, OutputError, RecipeError

MAX_BYTES = 1 << 20
"""Largest settings file that is read; ours have a few kilobytes."""
_MAX_DEPTH = 100
"""How deep lists and mappings may lie in each other: libyaml's own loader minds no limit."""
_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml, ten times as quick, where PyYAML was built with it."""


class _NoAnchors(yaml.SafeDumper):
    """Safe YAML that says again what stands in two places, for aliases are not read back."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def read_plain(path: Path, *, error: type[AlsctError] = RecipeError) -> Any:
    """Parse a JSON or YAML file (by its suffix) into dicts, lists, numbers and texts.

    Raises
    ------
    AlsctError
        Of the class `error`: the file is absent, too large, or cannot be parsed.
    """
    try:
        if not path.is_file():
            raise error("there is no such file", where=str(path))
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as problem:
        raise error(str(problem), where=str(path)) from problem
    return parse_plain(raw, where=str(path), as_json=path.suffix == ".json", error=error)


def parse_plain(
    raw: bytes, *, where: str = "", as_json: bool = False, error: type[AlsctError] = RecipeError
) -> Any:
    """Parse JSON or YAML into dicts, lists, numbers and texts.

    Raises
    ------
    AlsctError
        Of the class `error`: it is too large, or cannot be parsed.
    """
    if len(raw) > MAX_BYTES:
        raise error(f"is larger than {MAX_BYTES} bytes", where=where)
    try:
        text = raw.decode("utf-8")
        return json.loads(text) if as_json else _load_yaml(text)
    except (yaml.YAMLError, ValueError, RecursionError) as problem:
        line = " ".join(str(problem).split())[:200]
        raise error(f"cannot be parsed: {line}", where=where) from problem


def _load_yaml(text: str) -> Any:
    """Load safe YAML without aliases, ten lines of which can stand for gigabytes."""
    depth = 0
    for event in yaml.parse(text, _Loader):
        if isinstance(event, yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not allowed")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise yaml.YAMLError(f"more than {_MAX_DEPTH} lists and mappings lie in each other")
    return yaml.load(text, _Loader)  # noqa: S506 (a safe one)


def write_plain(path: Path, data: Any) -> None:
    """Write plain data as JSON or YAML (by the suffix), beside the name and then renamed.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    if path.suffix == ".json":
        text = json.dumps(data, indent=2, allow_nan=False) + "\n"
    else:
        text = yaml.dump(data, Dumper=_NoAnchors, sort_keys=False, allow_unicode=True)
    partial = path.with_name(f".{path.name}.part")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as problem:
        partial.unlink(missing_ok=True)
        raise OutputError(str(problem), where=str(path)) from problem
