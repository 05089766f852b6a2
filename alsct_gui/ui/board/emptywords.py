"""What stands on an empty board: why there is nothing, and how scans get in. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from alsct_gui.placement.feed import FeedState
from alsct_gui.ui.board.view import BoardView
from alsct_gui.ui.services import Facility

HAND_OVER = "board.admit"


@dataclass(frozen=True, slots=True)
class Missing:
    """Why the board is empty."""

    title: str
    """What is missing."""
    words: str
    """How it comes."""
    actions: tuple[str, ...] = ()
    """Commands that help, the usual one first."""


def missing_words(view: BoardView | None, facility: Facility, selected: Path | None) -> Missing:
    """Say why there is nothing on the board.

    Parameters
    ----------
    view
        What the ledger says; None before it was read.
    facility
        Which ledger and policy.
    selected
        What is selected in the window.
    """
    if facility.policy is None:
        words = f"{facility.trouble} Without a policy nobody knows what is wanted where."
        return Missing("The policy cannot be read", words, ("file.settings",))
    if view is None:
        return Missing("Reading the ledger", str(facility.ledger))
    state = view.snapshot.state
    if state in (FeedState.LATER, FeedState.UNREADABLE, FeedState.LOCKED, FeedState.OLD):
        actions = {FeedState.OLD: ("board.agent",), FeedState.LOCKED: ()}
        titles = {
            FeedState.LATER: "The ledger is of a later version",
            FeedState.LOCKED: "The ledger is locked",
            FeedState.OLD: "The ledger is of an earlier version",
        }
        return Missing(
            titles.get(state, "The ledger cannot be read"), view.snapshot.sentence,
            actions.get(state, ("file.settings",)),
        )  # fmt: skip
    usual = HAND_OVER if selected is not None else "workspace.scans"
    more = ("board.agent",) if view.snapshot.agent is None else ()
    if not facility.configured:
        root = next(
            place.root for place in facility.policy.places if place.name == facility.policy.admitted
        )
        return Missing(
            "No facility is set up here",
            f"The policy {facility.policy.name} admits scans in {root}, and that folder is not on "
            "this machine. Another policy can be named in the settings. Everything else of the "
            "window works without.",
            ("file.settings",),
        )
    return Missing(
        "No scan on the board yet",
        "A scan comes here once it is handed over: choose it in the list of scans and hand it "
        "over, or run alsct agent admit FILE. The agent then sees to it that it gets to where "
        f"the policy {facility.policy.name} wants it.",
        (usual, *more),
    )
