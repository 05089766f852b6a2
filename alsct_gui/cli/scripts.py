"""A product's whole making as a plain script: reconstructions and steps, one after the other."""

from __future__ import annotations

import pprint
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from alsct_gui.model.product import Provenance, StepProvenance
from alsct_gui.model.recipe import recipe_to_dict
from alsct_gui.recon.export import command_line
from alsct_gui.steps.chain import Link
from alsct_gui.steps.export import command_words
from alsct_gui.steps.registry import get_step
from alsct_gui.steps.settings import parameters_from, parameters_to_plain
from alsct_gui.steps.step import Step

_OUT = "@out@"
"""Stands for the folder that a script writes into."""
_IN_OUT = re.compile(rf"((?:\w+=)?){_OUT}/(.*)", re.DOTALL)

_SHELL = """\
#!/bin/sh
# Makes {name} again; written by alsct-gui.
# sh SCRIPT [FOLDER]: products go into the folder, "again" if none is named.
set -eu
out=${{1:-again}}
mkdir -p -- "$out"

{commands}
"""

_PYTHON = '''\
"""Makes a product again; written by alsct-gui. python SCRIPT [FOLDER]"""

import os
import sys

# BLAS starts no threads beside those of the stages; set before numpy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")

from pathlib import Path

{imports}

OUT = Path(sys.argv[1] if len(sys.argv) > 1 else "again")

{functions}
if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
{calls}
    print({product})
'''

_RECONSTRUCT = '''
def reconstruct(recipe: dict, scan_path: str, output: Path, batch_slices: int) -> None:
    """Reconstruct one scan."""
    with open_scan(scan_path) as scan:
        job = prepare_job(
            scan, recipe_from_dict(recipe), threads=os.cpu_count() or 1, batch_slices=batch_slices
        )
        run_job(job, output)

'''
_RECONSTRUCT_IMPORTS = (
    "from alsct_gui.files.open import open_scan",
    "from alsct_gui.model.recipe import recipe_from_dict",
    "from alsct_gui.recon.job import prepare_job",
    "from alsct_gui.recon.pipeline import run_job",
)
_STEP_IMPORT = "from alsct_gui.steps.running import run_step"


def shell_script(chain: Sequence[Link]) -> str:
    """Return a script for a POSIX shell that makes the last product of a chain again.

    Raises
    ------
    AlsctError
        A step of the chain is not installed, or takes other parameters by now.
    """
    places = _places(chain)
    commands = [" ".join(map(_shell_word, _words(link, places))) for link in _runs(chain)]
    name = " ".join(chain[-1].path.name.split())
    return _SHELL.format(name=name, commands="\n".join(commands))


def python_script(chain: Sequence[Link]) -> str:
    """Return a Python script that makes the last product of a chain again.

    Raises
    ------
    AlsctError
        A step of the chain is not installed, or takes other parameters by now.
    """
    places = _places(chain)
    calls, imports = [], set()
    for link in _runs(chain):
        if isinstance(link.made, Provenance):
            imports |= {*_RECONSTRUCT_IMPORTS}
            calls.append(
                f"    reconstruct(\n{_pretty(recipe_to_dict(link.made.resolved))},\n"
                f"        {str(link.inputs['scan'])!r}, {_python_path(places[link.path])},"
                f" {link.made.batch_slices},\n    )"
            )
        else:
            imports.add(_STEP_IMPORT)
            step = get_step(_key(link.made))
            parameters = parameters_to_plain(_parameters(step, link.made))
            inputs = ", ".join(
                f"{name!r}: {_python_path(places.get(path, path))}"
                for name, path in link.inputs.items()
            )
            calls.append(
                f"    run_step(\n        {step.key!r},\n{_pretty(parameters)},\n"
                f"        inputs={{{inputs}}},\n"
                f"        output={_python_path(_output(step, places[link.path]))},\n    )"
            )
    functions = _RECONSTRUCT if len(imports) > 1 else ""
    return _PYTHON.format(
        imports="\n".join(sorted(imports)), functions=functions, calls="\n".join(calls),
        product=_python_path(places[chain[-1].path]),
    )  # fmt: skip


def _runs(chain: Sequence[Link]) -> list[Link]:
    """Links that are runs: of a step's several products the first stands for all."""
    runs: dict[Path, Link] = {}
    for link in chain:
        runs.setdefault(_whole(link), link)
    return list(runs.values())


def _whole(link: Link) -> Path:
    """The product, or the folder of several."""
    several = isinstance(link.made, StepProvenance) and len(get_step(_key(link.made)).outputs) > 1
    return link.path.parent if several else link.path


def _places(chain: Sequence[Link]) -> dict[Path, Path]:
    """Where a script puts each product: into one folder, under the name it had.

    Products of a step that makes several keep the folder that they share.
    """
    taken: dict[Path, Path] = {}
    folders: dict[Path, str] = {}
    for link in chain:
        whole = _whole(link)
        if whole not in folders:
            name, count = whole.name, 2
            while name in folders.values():
                name, count = f"{whole.stem}-{count}{whole.suffix}", count + 1
            folders[whole] = name
        place = Path(_OUT, folders[whole])
        taken[link.path] = place if whole == link.path else place / link.path.name
    return taken


def _words(link: Link, places: Mapping[Path, Path]) -> list[str]:
    if isinstance(link.made, Provenance):
        return shlex.split(command_line(link.made.resolved, link.inputs["scan"], places[link.path]))
    step = get_step(_key(link.made))
    inputs: dict[str, str | Path] = {
        name: places.get(path, path) for name, path in link.inputs.items()
    }
    parameters = _parameters(step, link.made)
    return command_words(step, parameters, inputs, _output(step, places[link.path]))


def _key(made: StepProvenance) -> str:
    """By what the step is found: one's own code by its file."""
    return str(made.record.get("file") or made.step)


def _output(step: Step[Any], place: Path) -> Path:
    return place.parent if len(step.outputs) > 1 else place


def _parameters(step: Step[Any], made: StepProvenance) -> Any:
    return parameters_from(step.parameters, dict(made.parameters))


def _shell_word(word: str) -> str:
    match = _IN_OUT.fullmatch(word)
    return f'{match[1]}"$out"/{shlex.quote(match[2])}' if match else shlex.quote(word)


def _python_path(path: Path) -> str:
    if path.parts[:1] == (_OUT,):
        return " / ".join(["OUT", *(repr(part) for part in path.parts[1:])])
    return f"Path({str(path)!r})"


def _pretty(data: Any) -> str:
    text = pprint.pformat(data, sort_dicts=False, width=80)
    return "\n".join(f"        {line}" for line in text.splitlines())
