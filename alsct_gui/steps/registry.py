"""Which steps there are: entry points of the group ``alsct_gui.steps``.

Any installed package may add one. One that cannot be loaded is listed with the reason, and
never keeps another one from working.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from alsct_gui.model.errors import AlsctError, EngineUnavailableError
from alsct_gui.steps.step import Step

GROUP = "alsct_gui.steps"


@dataclass(frozen=True)
class Found:
    """A step that is installed."""

    name: str
    package: str
    """Name and version of the package that brought it."""
    step: Step[Any] | None
    """None when it cannot be loaded."""
    error: str = ""
    """Why not; a sentence."""


def step_names() -> list[str]:
    """Return the names of all steps that are installed, without loading them."""
    return list(_entry_points())


def list_steps() -> list[Found]:
    """Return every installed step in alphabetical order, then one's own."""
    rows = []
    for name, entry in _entry_points().items():
        try:
            rows.append(Found(name, _package(entry), _load(entry)))
        except AlsctError as error:
            rows.append(Found(name, _package(entry), None, error.sentence))
    return rows + _own_steps()


def get_step(name: str) -> Step[Any]:
    """Return a step by its name.

    Parameters
    ----------
    name
        Of an installed step, or the path of one's own code: see `alsct_gui.steps.own`.

    Raises
    ------
    EngineUnavailableError
        There is none of this name, or it cannot be loaded.
    InputError, RecipeError
        One's own code cannot be a step.
    """
    found = _entry_points()
    own = _own_path(name)
    if name not in found and own is not None:
        from alsct_gui.steps.own.load import own_step

        return own_step(own)
    if name not in found:
        near = difflib.get_close_matches(name, found, n=1)
        raise EngineUnavailableError(
            f"there is no step of this name; installed are {', '.join(found) or 'none'}",
            where=f"step {name!r}",
            fix=f"Did you mean {near[0]!r}?" if near else "Install the plugin that brings it",
        )
    return _load(found[name])


def package_of(name: str) -> str:
    """Return name and version of the package that brings a step; empty for none."""
    entry = _entry_points().get(name)
    return "" if entry is None else _package(entry)


def _own_steps() -> list[Found]:
    from alsct_gui.steps.own.load import own_files, own_step

    rows = []
    for path in own_files():
        try:
            step = own_step(path)
            rows.append(Found(step.name, str(path), step))
        except AlsctError as error:
            rows.append(Found(path.name, str(path), None, error.sentence))
    return rows


def _own_path(name: str) -> Path | None:
    """File that a name means: a path, or one's own code in its folder; None for neither."""
    from alsct_gui.steps.own.load import ENDINGS, own_files, slug

    if name.endswith(ENDINGS) or "/" in name:
        return Path(name)
    family, _, stem = name.partition(".")
    if family != "own":
        return None
    return next((path for path in own_files() if slug(path) == stem), None)


def _entry_points() -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: (entry.name, entry.value)):
        found.setdefault(entry.name, entry)
    return found


def _package(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist is not None else ""


def _load(entry: EntryPoint) -> Step[Any]:
    package = entry.dist.name if entry.dist is not None else entry.value.partition(":")[0]
    fix = f"Update or remove the package {package}, or ask its authors"
    try:
        step = entry.load()
    except Exception as error:
        raise EngineUnavailableError(
            f"{entry.value} failed with {type(error).__name__}: {error}",
            where=f"step {entry.name!r}", fix=fix,
        ) from error  # fmt: skip
    if not isinstance(step, Step) or step.name != entry.name:
        raise EngineUnavailableError(
            f"{entry.value} is no step of this name", where=f"step {entry.name!r}", fix=fix
        )
    return step
