"""Access by groups of a file system: the proposal's group, setgid folders, and access lists.

Where the account may not give a file to the group (it has to be of the group itself for that),
an access list opens it all the same. Others are shut out in either case.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from alsct_gui.superfacility.access.base import Grant
from alsct_gui.superfacility.errors import (
    LinkDownError,
    NeedsPersonError,
    NotThereError,
    OutsideError,
    RefusedError,
)
from alsct_gui.superfacility.proposals import ProposalGroups
from alsct_gui.superfacility.scripts import Scripts

AT_ONCE_BYTES = 30_000
"""Bytes of paths that one script gets."""
NOT_OF_PROPOSALS = frozenset({"root", "wheel", "sudo", "users", "nobody", "nogroup", "everyone"})
"""Groups that are never those of a proposal, whatever a profile says."""
_GROUP = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_LINE = re.compile(r"(\d{1,6}) (?:missing|([0-9a-f]{1,8}) (.+) (-|[r-][w-][x-]))")

How = Literal["auto", "group", "acl"]


@dataclass(frozen=True, slots=True)
class PosixRules:
    """How files are opened at a place; from the profile.

    Raises
    ------
    RefusedError
        The folder is not absolute.
    """

    root: str
    """Folder below which the files lie; it stays as it is."""
    groups: ProposalGroups = field(default_factory=ProposalGroups)
    """Group of each proposal."""
    how: How = "auto"
    """By the files' group, by access lists, or by these where the former is not allowed."""

    def __post_init__(self) -> None:
        if not self.root.startswith("/") or ".." in self.root.split("/") or self.root == "/":
            raise RefusedError(
                f"{self.root[:200]!r} is no folder that access can be given to",
                where="profile: access", fix="Give an absolute path",
            )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Thing:
    """A file or folder as it stands."""

    mode: int
    """Raw mode, its kind included."""
    group: str
    """Its group."""
    acl: str
    """Rights that its access list gives to the group that was asked about; ``-`` for none."""

    def opened_by(self, group: str) -> str:
        """Say by what a group may read it, others not; empty when it may not."""
        is_folder = stat.S_ISDIR(self.mode)
        wanted = 0o050 if is_folder else 0o040
        if stat.S_IMODE(self.mode) & 0o007:
            return ""
        inherits = not is_folder or bool(self.mode & stat.S_ISGID)
        if self.group == group and self.mode & wanted == wanted and inherits:
            return "group"
        reads, enters = self.acl.startswith("r"), self.acl.endswith("x") or not is_folder
        return "acl" if reads and enters else ""


class PosixGate:
    """An `AccessGate` of a file system.

    Parameters
    ----------
    scripts
        What runs where the files are.
    rules
        How files are opened there.
    """

    name = "file system"

    def __init__(self, scripts: Scripts, rules: PosixRules) -> None:
        self._scripts, self._rules = scripts, rules

    def give(self, grants: Sequence[Grant]) -> None:
        """Open files, and the folders on the way to them."""
        for group, some in self._batches(grants):
            self._run("give", group, some)

    def seen(self, grants: Sequence[Grant]) -> tuple[str, ...]:
        """Look at modes, groups and access lists."""
        told: dict[Grant, str] = {}
        for group, some in self._batches(grants):
            things = self._run("look", group, some)
            for number, grant in enumerate(some):
                ways = [thing.opened_by(group) for thing in things.get(number, ())]
                by = " and ".join(sorted(set(ways)))
                told[grant] = f"{group} by {by}" if ways and all(ways) else ""
        return tuple(told[grant] for grant in grants)

    def take(self, grants: Sequence[Grant]) -> None:
        """Close files; folders stay open to whom they are open."""
        for group, some in self._batches(grants):
            there = self._run("look", group, some)
            left = [grant for number, grant in enumerate(some) if there.get(number)]
            if left:
                self._run("take", group, left)

    def _batches(self, grants: Sequence[Grant]) -> Iterator[tuple[str, list[Grant]]]:
        """Cut grants into what one script takes, each of one group."""
        by_group: dict[str, list[Grant]] = {}
        for grant in dict.fromkeys(grants):
            by_group.setdefault(self._group(grant), []).append(grant)
        for group, all_of_it in by_group.items():
            some: list[Grant] = []
            size = 0
            for grant in all_of_it:
                length = len(grant.path.encode()) + 1
                if some and size + length > AT_ONCE_BYTES:
                    yield group, some
                    some, size = [], 0
                some.append(grant)
                size += length
            yield group, some

    def _group(self, grant: Grant) -> str:
        group = self._rules.groups.group_of(grant.proposal)
        if _GROUP.fullmatch(group) is None or group in NOT_OF_PROPOSALS:
            raise NeedsPersonError(
                f"{group[:80]!r} is no group of a proposal", where=f"proposal {grant.proposal}",
                fix="Put the rule for groups in the profile right", name="proposal",
            )  # fmt: skip
        return group

    def _run(
        self, verb: str, group: str, grants: Sequence[Grant]
    ) -> Mapping[int, tuple[Thing, ...]]:
        parts = [verb, self._rules.root, group, self._rules.how, *(g.path for g in grants)]
        return read_things(self._scripts.run_script("rights", parts), group, grants)


def read_things(text: str, group: str, grants: Sequence[Grant]) -> Mapping[int, tuple[Thing, ...]]:
    """Read what `rights.sh` printed: the things on the way to each path, by its number.

    Raises
    ------
    OutsideError
        It failed, or has not said that it is done.
    """
    lines = text.splitlines()
    end = lines.pop() if lines else ""
    if end.startswith("failed "):
        raise _failure(end, group, grants)
    things: dict[int, tuple[Thing, ...]] = {}
    for line in lines:
        found = _LINE.fullmatch(line)
        if found is None:
            end = ""
        elif found[2] is not None:
            thing = Thing(int(found[2], 16), found[3], found[4])
            things[int(found[1])] = (*things.get(int(found[1]), ()), thing)
    if end != "done":
        raise LinkDownError(
            "what the script says about access is not understood", where="access",
            fix="It is tried again later", name="nonsense",
        )  # fmt: skip
    return things


def _failure(line: str, group: str, grants: Sequence[Grant]) -> OutsideError:
    _, code, said = line.split(" ", 2)
    number = re.match(r"path (\d{1,6}) ", said)
    index = int(number[1]) if number is not None else 0
    grant = grants[index] if index < len(grants) else grants[0]
    match code:
        case "group":
            return NeedsPersonError(
                f"there is no group {group!r}", where=f"proposal {grant.proposal}",
                name="proposal", fix="Have the group made, or put the scan's proposal right",
            )  # fmt: skip
        case "denied":
            return NeedsPersonError(
                f"the file cannot be opened to or closed for the group {group!r}",
                where=repr(grant.path[:200]), name="not-allowed",
                fix="The account must own the file and be of the group, or the file system must "
                "have access lists",
            )  # fmt: skip
        case "missing":
            return NotThereError(
                "the file is not there", where=repr(grant.path[:200]), fix="Copy it there first"
            )
    return RefusedError(
        f"access is not given: {said}", where=repr(grant.path[:200]), name="unsafe-path",
        fix="Take links and '..' out of the way",
    )  # fmt: skip
