"""Where the program's own files lie: presets, profiles, icons, job templates."""

from __future__ import annotations

from pathlib import Path

PLAIN_SUFFIXES = (".yaml", ".yml", ".json")
"""Endings of files that hold plain data."""
_PACKAGE = Path(__file__).resolve().parents[1]


def resource_path(*parts: str) -> Path:
    """Return the path of a file or folder under ``resources/``.

    In a wheel they lie inside the package; in a checkout beside it.
    """
    packed = _PACKAGE / "_resources"
    root = packed if packed.is_dir() else _PACKAGE.parent / "resources"
    return root.joinpath(*parts)


def resource_names(folder: str) -> tuple[str, ...]:
    """Names of the YAML files that come with the program in a folder, in alphabetical order."""
    return tuple(sorted(path.stem for path in resource_path(folder).glob("*.yaml")))


def named_or_path(folder: str, source: str | Path) -> Path | None:
    """Return the file that a person means: one of ours by its name, else one of theirs.

    Parameters
    ----------
    folder
        Under ``resources/``.
    source
        A name of `resource_names`, or the path of a YAML or JSON file.

    Returns
    -------
    Path or None
        None when it is neither; whether the file exists is not looked at.
    """
    if str(source) in resource_names(folder):
        return resource_path(folder, f"{source}.yaml")
    path = Path(source)
    return path if path.suffix in PLAIN_SUFFIXES else None
