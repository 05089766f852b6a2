"""Sheets of analyses as the ledger keeps them, found by the mark of a goal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from alsct_gui.model.codec import from_plain, to_plain
from alsct_gui.model.errors import RecipeError
from alsct_gui.model.policy import Policy, Product, Sheet
from alsct_gui.placement.goals.base import BlockedError

FindSheet = Callable[[str], Sheet]
"""Finds a sheet by its mark; raises `BlockedError` where nobody knows it."""


class Sheets:
    """Finds sheets by their mark: those of a policy, and what persons asked for.

    Parameters
    ----------
    policy
        Holds its analyses, settled.
    kept
        `Observed.recipes`: what persons have asked for, as plain data.
    """

    def __init__(self, policy: Policy, kept: Mapping[str, Mapping[str, Any]]) -> None:
        self._known = {sheet.mark: sheet for sheet in policy.sheets.values()}
        self._kept = kept

    def find(self, mark: str) -> Sheet:
        """Return the sheet of a mark.

        Raises
        ------
        BlockedError
            Nobody knows it.
        """
        if mark not in self._known:
            self._known[mark] = self._read(mark)
        return self._known[mark]

    def get(self, mark: str) -> Sheet | None:
        """Return the sheet of a mark; None where nobody knows it."""
        try:
            return self.find(mark)
        except BlockedError:
            return None

    def _read(self, mark: str) -> Sheet:
        plain = self._kept.get(mark)
        if plain is None:
            raise BlockedError(
                "the analysis is not in the policy any more", where=mark,
                fix="Put it back, or take the wish back",
            )  # fmt: skip
        try:
            return sheet_from_plain(plain)
        except RecipeError as error:
            raise BlockedError(
                f"the analysis cannot be read: {error.what}", where=error.where,
                fix="Ask for it again",
            ) from error  # fmt: skip


def sheet_to_plain(sheet: Sheet) -> dict[str, Any]:
    """Return plain data that `sheet_from_plain` takes back unchanged."""
    plain: dict[str, Any] = to_plain(sheet)
    return plain


def sheet_from_plain(plain: Mapping[str, Any]) -> Sheet:
    """Read a sheet that the ledger has kept.

    Raises
    ------
    RecipeError
        It is none.
    """
    return from_plain(Sheet, plain, where="analysis")


def chain_of(sheet: Sheet, find: FindSheet) -> tuple[Sheet, ...]:
    """Return an analysis and all that it is made of, itself first, none twice.

    Raises
    ------
    BlockedError
        One of them is not known.
    """
    found = {sheet.mark: sheet}
    waiting = [sheet]
    while waiting:
        for source in waiting.pop().inputs:
            if source.product is Product.ANALYSIS and source.mark not in found:
                found[source.mark] = find(source.mark)
                waiting.append(found[source.mark])
    return tuple(found.values())
