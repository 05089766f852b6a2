"""Reconstructions that are made by jobs, at NERSC or wherever there is a `Compute`.

A product lies in a folder that is named after its recipe, so that two recipes never meet under
one name, and a job that follows one that was cut off goes on with what that has left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from alsct_gui.files.names import product_name
from alsct_gui.files.provenance import TIFF_FILE, ZARR_FILE, parse_provenance
from alsct_gui.model.errors import InputError
from alsct_gui.model.placement import Evidence, GoalKey, ScanFacts, StateKind
from alsct_gui.model.policy import Place, Product
from alsct_gui.model.recipe import Recipe, recipe_to_dict
from alsct_gui.placement.goals.base import BlockedError, World
from alsct_gui.placement.goals.jobs import Computer, JobGoals
from alsct_gui.placement.goals.products import expected_slices, is_of
from alsct_gui.placement.goals.slices import ARRAY_FILE, count_listed
from alsct_gui.superfacility.compute.base import JobRequest
from alsct_gui.superfacility.compute.look import Answer, Question

_STAGE = "slices"
"""Stage of a reconstruction whose progress is told."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A whole product at a place, as it was listed."""

    path: str
    """Where it lies."""
    slices: int
    """Counted by its files."""
    files: Mapping[str, int]
    """Size in bytes of each file, by its path in the product."""


class ComputedReconstructions(JobGoals):
    """Reconstructions at a place with a `Compute`.

    Parameters
    ----------
    world
        What is known.
    place
        The place; its root is the folder below which products lie, on its own machine.
    recipes
        Finds a recipe by its hash.
    computer
        What runs jobs there.
    """

    def __init__(
        self, world: World, place: Place, recipes: Callable[[str], Recipe], computer: Computer
    ) -> None:
        super().__init__(world, place, computer, stage=_STAGE)
        self._recipes = recipes

    def observe(self, keys: Sequence[str]) -> Mapping[str, Evidence]:
        """List the products there, and count the slices by their files."""
        now_s = self._world.clock()
        return {
            key: Evidence(seen.path, now_s, size_bytes=sum(seen.files.values()), slices=seen.slices)
            for key, seen in self.look(keys).items()
        }

    def look(self, keys: Sequence[str]) -> Mapping[str, Seen]:
        """Return the whole products of goals, by their key."""
        paths = {key: self._output(key) for key in keys}
        names = (ZARR_FILE, ARRAY_FILE, TIFF_FILE)
        answer = self._computer.looker.look(Question(
            folders=tuple(paths.values()),
            texts=tuple(f"{path}/{name}" for path in paths.values() for name in names),
        ))  # fmt: skip
        found = {}
        for key, path in paths.items():
            mark = GoalKey.parse(key).recipe
            seen = whole_product(answer, path, self._world.scan(key), mark)
            if seen is not None:
                found[key] = seen
        return found

    def _job(self, key: str) -> JobRequest:
        scan, recipe = self._world.scan(key), self._recipes(GoalKey.parse(key).recipe)
        return JobRequest(
            key, self._raw(key, scan), self._output(key), self._computer.resources(scan),
            recipe_to_dict(recipe), stage=self._computer.stage, attempt=self._attempt(key),
        )  # fmt: skip

    def _raw(self, key: str, scan: ScanFacts) -> str:
        """Path of the raw file at the site of this place.

        Raises
        ------
        BlockedError
            It is at none of the site's places.
        """
        world, part = self._world, key.partition("/")[0]
        for place in world.policy.places:
            raw = world.observed.goals.get(GoalKey(part, Product.RAW, place.name).text)
            met = raw is not None and raw.state.kind is StateKind.MET
            if met and place.site == self._place.site and place.root:
                return f"{place.root.rstrip('/')}/{world.relative(scan)}"
        raise BlockedError(
            f"the raw file is at no place of {self._place.site}", where=scan.path,
            fix="Want it there as well",
        )  # fmt: skip

    def _output(self, key: str) -> str:
        scan, mark = self._world.scan(key), GoalKey.parse(key).recipe
        relative = PurePosixPath(self._world.relative(scan))
        name = product_name(relative.stem, self._recipes(mark).output.format)
        return str(PurePosixPath(self._place.root) / relative.parent / mark / name)


def whole_product(answer: Answer, path: str, scan: ScanFacts, mark: str) -> Seen | None:
    """Return the product at a path, when all its slices are there and it is of that recipe.

    Raises
    ------
    InputError
        It could not be looked at, so that nothing is known.
    """
    files = answer.folders.get(path)
    for name in (path, *(f"{path}/{file}" for file in (ZARR_FILE, ARRAY_FILE, TIFF_FILE))):
        if name in answer.errors:
            raise InputError(f"cannot be looked at ({answer.errors[name]})", where=name)
    if files is None:
        return None
    zarr, tiff = (answer.texts.get(f"{path}/{file}") for file in (ZARR_FILE, TIFF_FILE))
    text = zarr if zarr is not None else tiff
    if text is None:
        return None
    try:
        made = parse_provenance(text, path, zarr=zarr is not None)
        array = answer.texts.get(f"{path}/{ARRAY_FILE}") if zarr is not None else None
        if zarr is not None and array is None:
            return None
        slices = count_listed(files, array, path)
    except InputError:
        return None  # something else has the name
    if not is_of(made, scan, mark) or slices != expected_slices(made) or slices == 0:
        return None
    return Seen(path, slices, files)
