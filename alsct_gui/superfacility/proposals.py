"""From a scan's proposal to the group that owns its data: from the profile, never guessed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from alsct_gui.superfacility.errors import NeedsPersonError, RefusedError


@dataclass(frozen=True, slots=True)
class ProposalGroups:
    r"""How a service calls the group of a proposal; a proposal that neither knows has none.

    Raises
    ------
    RefusedError
        The pattern is no regular expression, or the template does not fit it.
    """

    pattern: str = ""
    r"""Regular expression of a whole proposal, such as ``BLS-(?P<number>\d{5})``; may be empty."""
    group: str = ""
    r"""Group of a proposal that fits, as a template: ``als-\g<number>``, or ``\g<0>`` for all."""
    table: Mapping[str, str] = field(default_factory=dict)
    """Groups by proposal; these come first."""

    def __post_init__(self) -> None:
        if bool(self.pattern) is not bool(self.group):
            raise RefusedError("a pattern and a group belong together", where="profile: proposals")
        try:
            # A template that names what the pattern lacks fails here, not at the first scan.
            re.compile(f"{self.pattern}|").sub(self.group, "")
        except (re.error, IndexError) as error:
            raise RefusedError(
                f"the rule for groups cannot be understood ({error})", where="profile: proposals",
                fix="Give a regular expression and a template that fits it",
            ) from error  # fmt: skip

    def group_of(self, proposal: str) -> str:
        """Return the group of a proposal.

        Raises
        ------
        NeedsPersonError
            There is no proposal, or nobody has said which group it has.
        """
        if not proposal.strip():
            raise NeedsPersonError(
                "the proposal of the scan is not known", where="proposal", name="proposal",
                fix="Say which proposal it belongs to",
            )  # fmt: skip
        found = self.table.get(proposal)
        match = re.fullmatch(self.pattern, proposal) if self.pattern else None
        if found is None and match is not None:
            found = match.expand(self.group)
        if not found:
            raise NeedsPersonError(
                f"{proposal[:80]!r} is no proposal whose group is known", where="proposal",
                fix="Put the scan's proposal right, or its group into the profile", name="proposal",
            )  # fmt: skip
        return found
