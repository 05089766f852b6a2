"""From a command on one volume to the lines of a policy that want the same of every scan."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from alsct_gui.files.provenance import json_safe
from alsct_gui.files.recipes import load_recipe, preset_names
from alsct_gui.model.errors import AlsctError, UsageError
from alsct_gui.model.policy import Policy
from alsct_gui.model.product import Provenance, StepProvenance
from alsct_gui.placement.policy import load_policy, recipe_hash
from alsct_gui.steps.chain import Link, chain_of
from alsct_gui.steps.registry import get_step
from alsct_gui.steps.settings import parameters_to_plain
from alsct_gui.steps.step import Step

_UNKNOWN = "RECIPE.yaml"
_NOTE = f"""\
# {_UNKNOWN} stands for the recipe that the volume was made by, which is none that comes with the
# program: save it as a file and give its path.
"""


def policy_lines(step: Step[Any], parameters: Any, inputs: Mapping[str, str | Path]) -> str:
    """Return the lines that make a command an analysis of a policy, with what came before.

    Parameters
    ----------
    step, parameters
        What is run.
    inputs
        On what, by the names of the step's inputs.

    Raises
    ------
    UsageError
        An input does not tell how it was made.
    """
    work = _Lines()
    last = work.add(step, parameters_to_plain(parameters), {
        name: work.source(Path(path)) for name, path in inputs.items()
    })  # fmt: skip
    wish = {
        "name": f"{last} of every scan", "product": "analysis", "analysis": last,
        "places": [_place(load_policy())],
    }  # fmt: skip
    plain = {"analyses": work.analyses, "wishes": [wish]}
    text: str = yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=100)
    return (_NOTE if _UNKNOWN in text else "") + text


class _Lines:
    def __init__(self) -> None:
        self.analyses: list[dict[str, Any]] = []
        self._names: dict[Path, str] = {}

    def source(self, path: Path) -> str:
        """Name of a product in the policy: a recipe's, or an analysis's, which is then added."""
        try:
            links = chain_of(path)
        except AlsctError as error:
            raise UsageError(
                f"it cannot be made again for every scan: {error.what}", where=str(path),
                fix=error.fix or "Take a volume that this program has made",
            ) from error  # fmt: skip
        for link in links:
            if link.path not in self._names:
                self._names[link.path] = self._name(link)
        return self._names[links[-1].path]

    def _name(self, link: Link) -> str:
        if isinstance(link.made, Provenance):
            mark = recipe_hash(link.made.recipe)
            presets = (name for name in preset_names() if recipe_hash(load_recipe(name)) == mark)
            return next(presets, _UNKNOWN)
        sources = {name: self._names.get(path, str(path)) for name, path in link.inputs.items()}
        step = get_step(_key(link.made))
        return self.add(step, dict(link.made.parameters), sources)

    def add(self, step: Step[Any], parameters: Mapping[str, Any], inputs: Mapping[str, str]) -> str:
        """Add an analysis; returns its name."""
        first, *others = [port.name for port in step.inputs if port.name in inputs]
        usual = json_safe(parameters_to_plain(step.preset()))
        plain = json_safe(parameters)
        changed = {key: value for key, value in plain.items() if usual.get(key) != value}
        taken = {item["name"] for item in self.analyses} | set(preset_names())
        base = step.name.rpartition(".")[2]
        names = (base if n == 1 else f"{base}-{n}" for n in range(1, len(taken) + 2))
        name = next(name for name in names if name not in taken)
        entry: dict[str, Any] = {"name": name, "step": step.key, "of": inputs[first]}
        if changed:
            entry["parameters"] = changed
        if others:
            entry["also"] = {key: inputs[key] for key in others}
        self.analyses.append(entry)
        return name


def _key(made: StepProvenance) -> str:
    file = made.record.get("file")
    return file if isinstance(file, str) else made.step


def _place(policy: Policy) -> str:
    """The first place of the beamline where volumes are made."""
    inside = {site.name for site in policy.sites if not site.outside}
    return next(
        place.name for place in policy.places
        if place.site in inside and place.root and not place.source
        and place.name != policy.admitted
    )  # fmt: skip
