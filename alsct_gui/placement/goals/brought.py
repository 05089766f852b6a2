"""Reconstructions that were made elsewhere and are brought here: counted when they arrive."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from alsct_gui.model.placement import MET, Evidence, GoalKey, StepState, failed
from alsct_gui.model.policy import Place
from alsct_gui.model.recipe import Recipe
from alsct_gui.placement.goals.base import World
from alsct_gui.placement.goals.bringing import (
    BroughtGoals,
    Parcel,
    Way,
    read_listing,
    regular_bytes,
    unnamed,
)
from alsct_gui.placement.goals.computed import ComputedReconstructions
from alsct_gui.placement.goals.products import find_product, output_of, whole_slices
from alsct_gui.placement.runs.products import free_output


class BroughtReconstructions(BroughtGoals):
    """Reconstructions of another place, in a folder of this machine.

    Parameters
    ----------
    world
        What is known.
    place
        The place; its root is a folder of this machine.
    recipes
        Finds a recipe by its hash.
    made
        What sees to the products where they are made.
    way
        How files get here.
    """

    def __init__(
        self, world: World, place: Place, recipes: Callable[[str], Recipe],
        made: ComputedReconstructions, way: Way,
    ) -> None:  # fmt: skip
        super().__init__(world, place, way)
        self._recipes, self._made = recipes, made

    def observe(self, keys: Sequence[str]) -> Mapping[str, Evidence]:
        """Count the slices here, of whatever product is of that scan and recipe."""
        found = {}
        for key in keys:
            mark = GoalKey.parse(key).recipe
            scan = self._world.scan(key)
            evidence = find_product(self._output(key), scan, mark, self._world.clock)
            if evidence is not None:
                found[key] = evidence
        return found

    def _parcel(self, key: str) -> Parcel:
        there = self._there(key)
        seen = self._made.look((there,)).get(there)
        if seen is None:
            raise self._gone()
        path = PurePosixPath(seen.path)
        files = {f"{path.name}/{name}": size_bytes for name, size_bytes in seen.files.items()}
        return Parcel(str(path.parent), files)

    def _settle(self, key: str) -> StepState:
        aside, mark = self.aside(key), GoalKey.parse(key).recipe
        try:
            listed = read_listing(aside)["files"]
        except FileNotFoundError:
            return MET  # it has its name already, or whoever looks sees that it has not
        except (OSError, ValueError, KeyError, TypeError) as error:
            return failed(f"what was to arrive is not known any more ({error})")
        content = aside / self._output(key).name
        if not content.exists() and self.observe((key,)):
            shutil.rmtree(aside)  # a kill fell between the new name and the end
            return MET
        for name, size_bytes in listed.items():
            found = regular_bytes(aside / name)
            if found != size_bytes:
                return failed(f"{name!r} has {found or 'no'} bytes of {size_bytes}")
        if not whole_slices(content, self._world.scan(key), mark):
            return failed("the product that has arrived is not whole")
        try:
            content.rename(free_output(self._output(key), ()))
            shutil.rmtree(aside)
        except OSError as error:
            raise unnamed(content, error) from error
        return MET

    def _output(self, key: str) -> Path:
        recipe = self._recipes(GoalKey.parse(key).recipe)
        return output_of(self._world, Path(self._place.root), self._world.scan(key), recipe)
