"""Access by rules of a Globus collection: a folder, a group, and an end.

Globus keeps a rule for ever. When one ends is worked out anew from the scans each time, so
nothing has to be remembered; a rule of a scan whose time is over is found and taken away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from alsct_gui.superfacility.access.base import Grant
from alsct_gui.superfacility.errors import NeedsPersonError
from alsct_gui.superfacility.proposals import ProposalGroups
from alsct_gui.superfacility.transfer.globus import GlobusTransfer
from alsct_gui.superfacility.transfer.globus_access import (
    AccessRule,
    add_rule,
    check_rule,
    delete_rule,
    list_rules,
)


@dataclass(frozen=True, slots=True)
class GlobusRules:
    """How folders of a collection are opened; from the profile."""

    collection: str
    """Id of the collection."""
    groups: ProposalGroups = field(default_factory=ProposalGroups)
    """Globus group of each proposal, by its UUID."""
    base: str = ""
    """Folder of the collection below which the files lie; empty for its root."""
    permissions: str = "r"
    """``r`` or ``rw``."""


class GlobusGate:
    """An `AccessGate` of a Globus collection: it opens the folders that files lie in.

    Parameters
    ----------
    transfer
        What speaks to Globus.
    rules
        How folders are opened.
    """

    name = "Globus"

    def __init__(self, transfer: GlobusTransfer, rules: GlobusRules) -> None:
        self._transfer, self._rules = transfer, rules

    def give(self, grants: Sequence[Grant]) -> None:
        """Make a rule for each folder and group."""
        for rule in dict.fromkeys(map(self._rule, grants)):
            add_rule(self._transfer, rule)

    def seen(self, grants: Sequence[Grant]) -> tuple[str, ...]:
        """Read the rules of the collection back."""
        wanted = [self._rule(grant) for grant in grants]
        there = self._there()
        return tuple(
            f"{rule.principal} {found.permissions} by rule {found.id}"
            if (found := there.get(_what(rule))) and found.permissions == rule.permissions
            else ""
            for rule in wanted
        )

    def take(self, grants: Sequence[Grant]) -> None:
        """Take away the rules of these folders and groups, and no others."""
        wanted = {_what(self._rule(grant)) for grant in grants}
        for what, rule in self._there().items():
            if what in wanted:
                delete_rule(self._transfer, rule)

    def _there(self) -> dict[tuple[str, str, str], AccessRule]:
        return {_what(rule): rule for rule in list_rules(self._transfer, self._rules.collection)}

    def _rule(self, grant: Grant) -> AccessRule:
        if not grant.folder:
            raise NeedsPersonError(
                "the scan lies in no folder of its proposal, so that all would be opened",
                where=repr(grant.path[:200]), name="no-folder", fix="Move it into one",
            )  # fmt: skip
        group = self._rules.groups.group_of(grant.proposal).lower()
        base = self._rules.base.strip("/")
        path = f"/{base}/{grant.folder}/" if base else f"/{grant.folder}/"
        rule = AccessRule(
            self._rules.collection, path, "group", group, self._rules.permissions,
            expires_s=grant.until_s,
        )  # fmt: skip
        check_rule(rule)
        return rule


def _what(rule: AccessRule) -> tuple[str, str, str]:
    """What a rule is about, whatever right it gives and when it ends."""
    return rule.path, rule.principal_type, rule.principal
