"""What is sent to Globus: pure functions from a request to a transfer document."""

from __future__ import annotations

import re
import uuid

from globus_sdk import MISSING, TransferData

from alsct_gui.superfacility.errors import RefusedError
from alsct_gui.superfacility.transfer.base import TransferRequest, check_path, key_digest
from alsct_gui.superfacility.transfer.queue import MAX_LABEL


def transfer_document(request: TransferRequest, submission: str) -> TransferData:
    """Return what is sent to Globus: the same bytes each time for the same request.

    Raises
    ------
    RefusedError
        A place is no collection.
    """
    source, source_base = parse_place(request.source)
    target, target_base = parse_place(request.target)
    document = TransferData(
        source_endpoint=source, destination_endpoint=target, label=make_label(request),
        submission_id=submission, sync_level="checksum", verify_checksum=True,
        preserve_timestamp=True, notify_on_succeeded=False, notify_on_failed=False,
        notify_on_inactive=False,
    )  # fmt: skip
    for item in request.items:
        document.add_item(
            f"{source_base}{item.source}", f"{target_base}{item.target}",
            external_checksum=item.sha256 if item.sha256 is not None else MISSING,
            checksum_algorithm="SHA256" if item.sha256 is not None else MISSING,
        )  # fmt: skip
    return document


def make_label(request: TransferRequest) -> str:
    """Return a label that Globus takes, which ends with a mark made from the key."""
    mark = f" alsct-{key_digest(request.key)}"
    words = ", ".join(part for part in (request.proposal, request.label) if part)
    plain = re.sub(r"[^\w .,_-]+", " ", words, flags=re.ASCII).strip()
    return f"{plain[: MAX_LABEL - len(mark)]}{mark}".strip()


def parse_place(place: str) -> tuple[str, str]:
    """Return a collection's id and the folder in it, with a slash at both ends.

    Raises
    ------
    RefusedError
        It is no place of Globus.
    """
    collection, _, folder = place.partition(":")
    try:
        collection = str(uuid.UUID(collection))
    except ValueError as error:
        raise RefusedError(
            "this is no collection of Globus", where=repr(place[:200]),
            fix="Give the collection's UUID in the profile, or UUID:/folder",
        ) from error  # fmt: skip
    inner = folder.strip("/")
    if inner:
        check_path(inner)
    return collection, f"/{inner}/" if inner else "/"
