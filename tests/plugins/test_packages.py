"""What holds for every plugin: its manifest, its imports, its steps."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest
from npe2 import PluginManifest

from alsct_gui.steps.registry import get_step
from alsct_gui.steps.settings import settings_of

ROOT = Path(__file__).parents[2]
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))
KNOWN = {"model", "files", "recon", "remote", "steps", "face"}
"""Rooms that plugins may know; by `remote` one starts a process of its own."""
BACKENDS = {"PySide6", "PySide2", "PyQt5", "PyQt6"}

every_plugin = pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.name)


@every_plugin
def test_its_manifest_is_right(plugin: Path) -> None:
    manifest = PluginManifest.from_file(next(plugin.glob("src/*/napari.yaml")))
    manifest.validate_imports()
    assert manifest.name == plugin.name
    widgets = {widget.command for widget in manifest.contributions.widgets or ()}
    menus = manifest.contributions.menus or {}
    in_menus = {item.command for items in menus.values() for item in items}  # type: ignore[union-attr]
    assert widgets <= in_menus, "every widget stands in a menu"


@every_plugin
def test_its_imports_are_those_of_a_guest(plugin: Path) -> None:
    for file in plugin.rglob("src/**/*.py"):
        for name in _imported(ast.parse(file.read_text(encoding="utf-8"))):
            parts = name.split(".")
            assert parts[0] not in BACKENDS, f"{file.name} imports {name}: Qt comes by qtpy"
            assert not re.match(r"napari\._|napari\..*\._", name), f"{file.name} imports {name}"
            if parts[0] == "alsct_gui":
                assert len(parts) > 1, f"{file.name} imports {name}"
                assert parts[1] in KNOWN, f"{file.name} imports {name}"


@every_plugin
def test_its_steps_are_whole(plugin: Path) -> None:
    about = tomllib.loads((plugin / "pyproject.toml").read_text(encoding="utf-8"))
    for name in about["project"].get("entry-points", {}).get("alsct_gui.steps", {}):
        step = get_step(name)
        assert step.sentence.endswith(".")
        assert not step.title.endswith(".")
        for preset in step.presets:
            step.preset(preset.name)
        for setting in settings_of(step.parameters):
            assert setting.help.endswith("."), f"{name}: {setting.name} says not what it does"


def _imported(tree: ast.AST) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names
                                     if node.module in ("alsct_gui", "napari"))]  # fmt: skip
    return found
