"""Reconstructions as products: which is of which scan and recipe, and where it lies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from alsct_gui.files.names import product_name
from alsct_gui.files.provenance import read_provenance
from alsct_gui.model.errors import InputError
from alsct_gui.model.placement import Evidence, ScanFacts
from alsct_gui.model.product import Provenance
from alsct_gui.model.recipe import Recipe
from alsct_gui.placement.goals.base import Clock, World
from alsct_gui.placement.goals.slices import count_slices
from alsct_gui.placement.policy import recipe_hash

_MOST_NAMES = 100
"""Numbered names of a product that are looked at."""


def output_of(world: World, root: Path, scan: ScanFacts, recipe: Recipe) -> Path:
    """Return the name of a product in a folder of this machine; numbered ones count as well.

    Raises
    ------
    BlockedError, RefusedError
        The scan lies where it has no place of its own, or its path cannot be used.
    """
    relative = PurePosixPath(world.relative(scan))
    return root / relative.parent / product_name(relative.stem, recipe.output.format)


def find_product(output: Path, scan: ScanFacts, mark: str, clock: Clock) -> Evidence | None:
    """Look for a whole product of a scan and recipe under a name, or one numbered like it.

    Parameters
    ----------
    output
        The name.
    scan
        Of which scan.
    mark
        Hash of the recipe.
    clock
        Seconds since 1970.
    """
    for path in numbered(output):
        slices = whole_slices(path, scan, mark)
        if slices:
            return Evidence(str(path), clock(), slices=slices)
    return None


def whole_slices(path: Path, scan: ScanFacts, mark: str) -> int:
    """Count the slices of a product; 0 when it is another's, or some are missing."""
    try:
        made = read_provenance(path)
        if not is_of(made, scan, mark):
            return 0
        slices = count_slices(path)
    except InputError:
        return 0  # something else has the name
    return slices if slices == expected_slices(made) else 0


def is_of(made: Provenance, scan: ScanFacts, mark: str) -> bool:
    """Whether a product is finished, and of that very scan and recipe."""
    whole = made.quality is not None
    return whole and made.input_identity == scan.id and recipe_hash(made.recipe) == mark


def expected_slices(made: Provenance) -> int:
    """Slices that the plan of a product announced."""
    return made.quality.slices_expected if made.quality is not None else 0


def numbered(output: Path) -> Iterator[Path]:
    """Names that a product got, as `runs.products.free_output` gives them, while there are."""
    stem, suffix = output.name, ""
    if output.suffix == ".zarr":
        stem, suffix = output.stem, output.suffix
    names = (
        output if n == 1 else output.with_name(f"{stem}-{n}{suffix}")
        for n in range(1, _MOST_NAMES + 1)
    )
    return (name for name in names if name.exists())
