"""What earlier runs of a step took, as the ledger knows it. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from alsct_gui.model.placement import GoalKey, Observed, StateKind
from alsct_gui.model.policy import Place, Product, Sheet, Source
from alsct_gui.placement.sheets import Sheets
from alsct_gui.superfacility.compute.steptime import Took

Sizes = Mapping[tuple[str, Product, str], int]
"""Size in bytes of products, wherever they lie, by scan, product and mark."""


def sizes_of(observed: Observed) -> Sizes:
    """Return the sizes of all products that steps are made of."""
    found: dict[tuple[str, Product, str], int] = {}
    for key, record in observed.goals.items():
        if record.evidence is None or not record.evidence.size_bytes:
            continue
        goal = GoalKey.parse(key)
        if goal.product in (Product.RECONSTRUCTION, Product.ANALYSIS):
            found[goal.scan, goal.product, goal.recipe] = record.evidence.size_bytes
    return found


def bytes_in(sizes: Sizes, scan: str, inputs: tuple[Source, ...]) -> int | None:
    """Return the size of what an analysis is made of; None when one of them is not known."""
    known = [sizes.get((scan, source.product, source.mark)) for source in inputs]
    found = [size_bytes for size_bytes in known if size_bytes is not None]
    return sum(found) if len(found) == len(known) else None


def runs_of(
    observed: Observed, sizes: Sizes, sheets: Sheets, places: Mapping[str, Place],
    sheet: Sheet, place: str,
) -> tuple[Took, ...]:  # fmt: skip
    """Return what runs of an analysis's step took, wherever they were.

    Parameters
    ----------
    observed
        What the ledger knows.
    sizes
        As `sizes_of` returns them.
    sheets
        Finds the analyses.
    places
        By name; what was only brought to one was made elsewhere.
    sheet, place
        Which analysis, and the name of the place where it is to run.
    """
    found = []
    for key, record in observed.goals.items():
        evidence = record.evidence
        if record.state.kind is not StateKind.MET or evidence is None or not evidence.seconds:
            continue
        goal = GoalKey.parse(key)
        known = places.get(goal.place)
        other = sheets.get(goal.recipe) if goal.product is Product.ANALYSIS else None
        if other is None or other.step != sheet.step or known is None or known.source:
            continue
        size_bytes = bytes_in(sizes, goal.scan, other.inputs)
        if size_bytes:
            is_same = goal.place == place and _does_the_same(other, sheet)
            found.append(Took(evidence.seconds, size_bytes, is_same))
    return tuple(found)


def _does_the_same(one: Sheet, other: Sheet) -> bool:
    """Whether two analyses do the same work, be it of other volumes."""
    return (one.parameters, one.code) == (other.parameters, other.code)
