"""Who may read what is on a collection: access rules of Globus, with an end.

Globus keeps a rule for ever; when one ends is kept by us, in the ledger, and `due` says which
to take away.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from alsct_gui.superfacility.errors import NotThereError, RefusedError
from alsct_gui.superfacility.transfer.base import check_path
from alsct_gui.superfacility.transfer.globus import GlobusTransfer

_TYPES = ("identity", "group")
_PERMISSIONS = ("r", "rw")


@dataclass(frozen=True, slots=True)
class AccessRule:
    """One access rule."""

    collection: str
    """Id of the collection."""
    path: str
    """Folder, with a slash at both ends."""
    principal_type: str
    """``identity`` or ``group``; never everybody."""
    principal: str
    """UUID of the identity or group."""
    permissions: str = "r"
    """``r`` or ``rw``."""
    id: str = ""
    """As Globus calls it; empty before it is there."""
    expires_s: float | None = None
    """When it is to be taken away, seconds since 1970 UTC; None is never. Ours alone."""


def list_rules(transfer: GlobusTransfer, collection: str) -> tuple[AccessRule, ...]:
    """Read the rules of a collection back; those for everybody included."""
    rows = transfer.ask(
        f"access rules of {collection}",
        lambda client: list(client.endpoint_acl_list(collection).data["DATA"]),
    )
    return tuple(_read(collection, row) for row in rows if isinstance(row, Mapping))


def add_rule(transfer: GlobusTransfer, rule: AccessRule) -> AccessRule:
    """Make a rule, unless it is there already; returns it with its id, as it was read back.

    Raises
    ------
    RefusedError
        It is not a rule that we make, or the same principal has another right to the path.
    """
    check_rule(rule)
    found = _find(transfer, rule)
    if found is None:
        document = {
            "DATA_TYPE": "access", "principal_type": rule.principal_type,
            "principal": rule.principal, "path": rule.path, "permissions": rule.permissions,
        }  # fmt: skip
        transfer.ask(
            f"access to {rule.path}",
            lambda client: client.add_endpoint_acl_rule(rule.collection, document),
        )
        found = _find(transfer, rule)
    if found is None:
        raise RefusedError(
            "Globus took the access rule but does not list it", where=rule.path,
            fix="Look at the collection's permissions page",
        )  # fmt: skip
    if found.permissions != rule.permissions:
        raise RefusedError(
            f"there is a rule with the right {found.permissions!r} already", where=rule.path,
            fix="Take it away first, or want that",
        )  # fmt: skip
    return replace(found, expires_s=rule.expires_s)


def delete_rule(transfer: GlobusTransfer, rule: AccessRule) -> None:
    """Take a rule away; one that is gone is no error."""
    try:
        transfer.ask(
            f"access rule {rule.id}",
            lambda client: client.delete_endpoint_acl_rule(rule.collection, rule.id),
        )
    except NotThereError:
        return


def due(rules: Iterable[AccessRule], now_s: float) -> tuple[AccessRule, ...]:
    """Return the rules whose time is over."""
    return tuple(rule for rule in rules if rule.expires_s is not None and rule.expires_s <= now_s)


def check_rule(rule: AccessRule) -> None:
    """Refuse a rule that opens more than a folder to more than one person or group.

    Raises
    ------
    RefusedError
        Says what is wrong; a missing proposal or group ends here.
    """
    wrong = ""
    if rule.principal_type not in _TYPES or rule.permissions not in _PERMISSIONS:
        wrong = "it is for everybody, or gives a right that is not known"
    elif not (len(rule.path) > 2 and rule.path.startswith("/") and rule.path.endswith("/")):
        wrong = "its folder is missing, or the whole collection"
    else:
        try:
            uuid.UUID(rule.principal)
        except ValueError:
            wrong = "the person or group is missing or not known"
    if wrong:
        raise RefusedError(
            f"this access is not given: {wrong}", where=rule.path or rule.collection,
            fix="Give the proposal and its group",
        )  # fmt: skip
    check_path(rule.path.strip("/"))


def _find(transfer: GlobusTransfer, rule: AccessRule) -> AccessRule | None:
    for known in list_rules(transfer, rule.collection):
        same_who = (known.principal_type, known.principal) == (rule.principal_type, rule.principal)
        if same_who and known.path == rule.path:
            return known
    return None


def _read(collection: str, row: Mapping[str, Any]) -> AccessRule:
    def word(name: str) -> str:
        return str(row.get(name) or "")

    return AccessRule(
        collection, word("path"), word("principal_type"), word("principal"), word("permissions"),
        word("id"),
    )  # fmt: skip
