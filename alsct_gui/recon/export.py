"""The same reconstruction without the window: as a command line, and as a script."""

from __future__ import annotations

import pprint
import shlex
from pathlib import Path
from typing import Any

from alsct_gui.files.recipes import load_recipe, preset_names
from alsct_gui.files.shell import path_word, value_word
from alsct_gui.model.recipe import Recipe, recipe_to_dict

DEFAULT_PRESET = "standard-8.3.2"

_SCRIPT = '''\
"""Reconstruct one scan; written by alsct-gui."""

import os

# BLAS starts no threads beside those of the stages; set before numpy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")

from alsct_gui.files.open import open_scan
from alsct_gui.model.recipe import recipe_from_dict
from alsct_gui.recon.job import prepare_job
from alsct_gui.recon.pipeline import run_job

from pathlib import Path

RECIPE = {recipe}

with open_scan({path}) as scan:
    job = prepare_job(scan, recipe_from_dict(RECIPE), threads=os.cpu_count() or 1)
    result = run_job(job, Path({output}))
print(result.output, result.shape)
'''


def command_line(recipe: Recipe, path: str | Path, output: str | Path) -> str:
    """Return the `alsct recon` command that does what a recipe says.

    Parameters
    ----------
    recipe
        One whose name is a preset's becomes that preset and what differs from it.
    path, output
        Scan and volume; quoted for a POSIX shell as far as they need it.
    """
    known = preset_names()
    preset = recipe.name if recipe.name in known else DEFAULT_PRESET
    words = ["alsct", "recon", path_word(path), "--output", path_word(output), "--recipe", preset]
    for setting, value in changes(recipe_to_dict(load_recipe(preset)), recipe_to_dict(recipe)):
        words += ["--set", f"{setting}={value_word(value)}"]
    return shlex.join(words)


def python_script(recipe: Recipe, path: str | Path, output: str | Path) -> str:
    """Return a script that does what a recipe says."""
    data = pprint.pformat(recipe_to_dict(recipe), sort_dicts=False, width=88)
    return _SCRIPT.format(recipe=data, path=repr(str(path)), output=repr(str(output)))


def changes(base: Any, wanted: Any, path: str = "") -> list[tuple[str, Any]]:
    """List the settings that make one recipe, as plain data, out of another.

    Groups are compared setting by setting, lists as a whole.
    """
    if isinstance(base, dict) and isinstance(wanted, dict):
        found = []
        for key, value in wanted.items():
            inner = f"{path}.{key}" if path else str(key)
            found += changes(base.get(key), value, inner)
        return found
    same = base == wanted and type(base) is type(wanted)
    return [] if same else [(path, wanted)]
