"""Modules that a script imports from beside it, found without running anything.

Python looks for a module in the folder of the script before anywhere else. So what a script
imports is looked for there: packages, modules, and what these import from there in turn.
Names that are put together while it runs are not seen.
"""

from __future__ import annotations

import ast
import stat
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MOST_FILES = 200
"""Modules of one script that are followed."""
MOST_BYTES = 4_000_000
"""Largest module that is followed."""
_COMPILED = (".so", ".pyd", ".pyc")


@dataclass(frozen=True, slots=True)
class Beside:
    """What a script imports from its own folder."""

    files: tuple[Path, ...] = ()
    """Regular files below the folder of the code."""
    stuck: tuple[str, ...] = ()
    """What of it cannot go along to another machine, and why: sentences without a full stop."""


def modules_beside(script: Path, folder: Path, *, as_program: bool = False) -> Beside:
    """Return the modules that a Python file imports from its own folder.

    Parameters
    ----------
    script
        The file; one that is no Python imports nothing.
    folder
        That of the code: what does not lie below it cannot go along.
    as_program
        Whether Python runs the file itself, which then looks beside what a link leads to.
    """
    real = script.resolve().parent
    leads_out = as_program and real != script.parent.resolve()
    work = _Following(real if leads_out else script.parent, folder)
    tree = _parsed(script)
    if tree is not None:
        work.follow(tree, None)
    work.files.pop(script, None)
    return Beside(tuple(sorted(work.files)), tuple(work.stuck))


class _Following:
    """Follows imports from file to file; each is looked at once."""

    def __init__(self, root: Path, folder: Path) -> None:
        self._root, self._folder, self._real = root, folder, folder.resolve()
        self._names: dict[Path, frozenset[str]] = {}
        self._seen: set[Path] = set()
        self.files: dict[Path, None] = {}
        self.stuck: dict[str, None] = {}

    def follow(self, tree: ast.Module, package: Path | None) -> None:
        """Take in what a file imports.

        Parameters
        ----------
        tree
            The file.
        package
            Folder of the package that it is in; None for a module of no package.
        """
        for level, parts, names in _imports(tree):
            here = self._start(level, package)
            for part in parts:
                here = self._module(here, part) if here is not None else None
            if here is None or not (parts or level):
                continue
            every = self._listed(here) if "*" in names else names
            for name in every:
                self._module(here, name)

    def _start(self, level: int, package: Path | None) -> Path | None:
        """Folder in which the first name of an import is looked for."""
        if level == 0:
            return self._root
        for _ in range(level - 1):
            package = package.parent if package is not None else None
        is_inside = package is not None and self._root in package.parents
        return package if is_inside else None

    def _module(self, where: Path, name: str) -> Path | None:
        """Take in a module of a folder; returns its folder when it is a package."""
        names = self._entries(where)
        inside = where / name
        if name in names and "__init__.py" in self._entries(inside):
            self._take(inside / "__init__.py", inside)
            return inside
        compiled = [
            entry for entry in names
            if entry.partition(".")[0] == name and entry.endswith(_COMPILED)
        ]  # fmt: skip
        if f"{name}.py" in names:
            self._take(where / f"{name}.py", None if where == self._root else where)
        for entry in sorted(compiled):
            self._take(where / entry, None)
        is_module = bool(compiled) or f"{name}.py" in names
        return inside if name in names and inside.is_dir() and not is_module else None

    def _take(self, file: Path, package: Path | None) -> None:
        """Take in a file, and what it imports."""
        if file in self._seen:
            return
        self._seen.add(file)
        if len(self._seen) > MOST_FILES:
            self.stuck[f"it imports more than {MOST_FILES} modules from beside it"] = None
            return
        said = self._said(file)
        try:
            status = file.stat()
        except OSError as error:
            self.stuck[f"{said} cannot be read ({error.strerror})"] = None
            return
        if not stat.S_ISREG(status.st_mode):
            self.stuck[f"{said} is no regular file"] = None
            return
        if file.is_relative_to(self._folder):
            self.files[file] = None
        if not file.resolve().is_relative_to(self._real):
            self.stuck[f"{said} lies outside the folder of the code"] = None
        if file.name.endswith(_COMPILED):
            self.stuck[f"{said} is compiled for this machine"] = None
        elif status.st_size > MOST_BYTES:
            self.stuck[f"{said} has more than {MOST_BYTES / 1e6:.0f} MB"] = None
        else:
            tree = _parsed(file)
            if tree is None:
                self.stuck[f"{said} cannot be read as Python"] = None
            else:
                self.follow(tree, package)

    def _said(self, file: Path) -> str:
        name = file.relative_to(self._folder) if file.is_relative_to(self._folder) else file
        return f"the module {str(name)!r} that it imports"

    def _listed(self, package: Path) -> tuple[str, ...]:
        """Names of the modules of a package, as an import of all may mean them."""
        found = {entry.partition(".")[0] for entry in self._entries(package)}
        return tuple(sorted(found - {"__init__", "__pycache__", ""}))

    def _entries(self, folder: Path) -> frozenset[str]:
        if folder not in self._names:
            try:
                self._names[folder] = frozenset(entry.name for entry in folder.iterdir())
            except OSError:  # it is no folder, or closed to us, as it is to whoever imports from it
                self._names[folder] = frozenset()
        return self._names[folder]


def _imports(tree: ast.Module) -> Iterator[tuple[int, list[str], tuple[str, ...]]]:
    """Yield each import: how many packages up it begins, the dotted name, names from in there."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield 0, alias.name.split("."), ()
        elif isinstance(node, ast.ImportFrom):
            parts = node.module.split(".") if node.module else []
            yield node.level, parts, tuple(alias.name for alias in node.names)


def _parsed(file: Path) -> ast.Module | None:
    """Parse a file; None when it is no Python, or another Python's."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about its style
            return ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None
