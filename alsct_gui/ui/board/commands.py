"""What a person asks for the chosen cells: written into the ledger, beside the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QInputDialog, QMessageBox, QWidget

from alsct_gui.files.recipes import load_recipe
from alsct_gui.model.placement import GoalKey, GoalRecord, Observed
from alsct_gui.model.policy import Policy, Product
from alsct_gui.model.recipe import Recipe
from alsct_gui.placement.asking import (
    AskedAnalysis,
    analysis_of,
    ask_admit,
    ask_of_goals,
    ask_priority,
    ask_proposal,
    ask_retry_arrival,
    ask_unwant,
    ask_want,
    kept_analysis,
)
from alsct_gui.placement.ledger import Ledger
from alsct_gui.placement.recipes import Recipes
from alsct_gui.placement.sheets import Sheets
from alsct_gui.ui.actions.book import ActionBook
from alsct_gui.ui.board.choosing import Chosen, by_column, by_suffix
from alsct_gui.ui.board.columns import Names, product_words
from alsct_gui.ui.board.rows import Row
from alsct_gui.ui.services import Facility
from alsct_gui.ui.session import Level, Notice, Session
from alsct_gui.ui.tasks import Tasks
from alsct_gui.ui.words import count_words

MOST_PRIORITY = 1000
_STEP = 10
Work = Callable[[Ledger], object]
"""What is written into an opened ledger."""


class BoardCommands:
    """Binds the commands of the menu *Board*.

    Parameters
    ----------
    session, tasks, book
        What every panel gets.
    facility
        Which ledger and policy.
    names
        What places are called.
    chosen
        Tells what is selected on the board.
    story
        Tells everything about the current scan, to be copied.
    owner
        Window for questions.
    """

    def __init__(
        self, session: Session, tasks: Tasks, book: ActionBook, facility: Facility, names: Names,
        chosen: Callable[[], Chosen], story: Callable[[], str], owner: QWidget,
    ) -> None:  # fmt: skip
        self._session, self._tasks, self._facility = session, tasks, facility
        self._names, self._chosen, self._story, self._owner = names, chosen, story, owner
        self._asking: QMessageBox | None = None
        for key, does in (
            ("board.retry", self.retry), ("board.hold", self.hold),
            ("board.release", self.release), ("board.stop", self.stop_watching),
            ("board.cancel", self.ask_to_cancel), ("board.prioritise", self.prioritise),
            ("board.reset_priority", self.reset_priority), ("board.proposal", self.ask_proposal),
            ("board.want", self.want), ("board.unwant", self.unwant),
            ("board.copy", self.copy), ("board.admit", self.admit),
            ("board.admit_controlled", lambda: self.admit(export_controlled=True)),
        ):  # fmt: skip
            book.bind(key, does)

    # -- goals -------------------------------------------------------------------------

    def retry(self) -> None:
        """Try what is chosen again at once."""
        chosen = self._chosen()
        keys = _keys(record for record in chosen.open if not record.work)
        paths = [row.path for row in chosen.rows if row.arrival is not None]

        def work(ledger: Ledger) -> None:
            if keys:
                ask_of_goals(ledger, "retry", keys)
            for path in paths:
                ask_retry_arrival(ledger, path)

        if keys or paths:
            count = count_words(len(keys) + len(paths), "goal")
            self.write("Trying again", work, f"Tried again at once: {count}.")

    def hold(self) -> None:
        """Begin nothing more for what is chosen."""
        keys = _keys(record for record in self._chosen().open if not record.held)
        self._of_goals("hold", keys, "Held", undo=("release", keys))

    def release(self) -> None:
        """Take a hold back."""
        keys = _keys(self._chosen().held)
        self._of_goals("release", keys, "Released", undo=("hold", keys))

    def stop_watching(self) -> None:
        """Let what runs outside go on, and begin nothing more here."""
        keys = _keys(record for record in self._chosen().moving if not record.held)
        said = "No longer watched; what runs there goes on"
        self._of_goals("hold", keys, said, undo=("release", keys))

    def ask_to_cancel(self) -> None:
        """Ask whether what is under way is to be ended where it runs."""
        records = self._chosen().moving
        if not records or self._asking is not None:
            return
        box = QMessageBox(self._owner)
        box.setWindowTitle("Cancel there")
        box.setText(f"End {count_words(len(records), 'goal')} where the work runs?")
        box.setInformativeText(
            f"{_places(records, self._names)}. What was done so far is lost. “Stop watching” lets "
            "it go on."
        )
        end = box.addButton("Cancel there", QMessageBox.ButtonRole.DestructiveRole)
        leave = box.addButton("Let it run", QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(leave)
        box.setEscapeButton(leave)
        keys = _keys(records)
        box.finished.connect(lambda: self._answered(box.clickedButton() is end, keys))
        self._asking = box
        box.open()

    def _answered(self, end: bool, keys: tuple[str, ...]) -> None:
        if self._asking is not None:
            self._asking.deleteLater()
            self._asking = None
        if end:
            self._of_goals("cancel", keys, "Being ended there")

    def _of_goals(
        self, what: str, keys: tuple[str, ...], said: str,
        undo: tuple[str, tuple[str, ...]] | None = None,
    ) -> None:  # fmt: skip
        if not keys:
            return
        scans = count_words(len({key[:32] for key in keys}), "scan")
        sentence = f"{said}: {count_words(len(keys), 'goal')} of {scans}."
        back = partial(_of_goals, undo[0], undo[1]) if undo is not None else None
        self.write(said, partial(_of_goals, what, keys), sentence, back)

    # -- scans -------------------------------------------------------------------------

    def prioritise(self) -> None:
        """Put the chosen scans before all others."""
        view, chosen = self._session.board, self._chosen().scans
        if view is None or not chosen:
            return
        others = view.board.observed.scans
        most = max((s.priority for part, s in others.items() if part not in chosen), default=0)
        priority = min(MOST_PRIORITY, max(0, most) + _STEP)
        self._priority(chosen, priority, f"Before all others: {count_words(len(chosen), 'scan')}.")

    def reset_priority(self) -> None:
        """Give the chosen scans the priority that the policy gives them."""
        chosen = self._chosen().scans
        count = count_words(len(chosen), "scan")
        self._priority(chosen, 0, f"As the policy says: the priority of {count}.")

    def _priority(self, scans: tuple[str, ...], priority: int, said: str) -> None:
        view = self._session.board
        if view is None or not scans:
            return
        known = view.board.observed.scans
        before = {part: known[part].priority for part in scans if part in known}

        def undo(ledger: Ledger) -> None:
            for value in set(before.values()):
                own = [part for part, was in before.items() if was == value]
                ask_priority(ledger, own, value)

        work = partial(ask_priority, scans=scans, priority=priority)
        self.write("Setting priorities", work, said, undo)

    def ask_proposal(self) -> None:
        """Ask which proposal the chosen scans belong to."""
        rows = [row for row in self._chosen().rows if row.scan is not None]
        if not rows:
            return
        dialog = QInputDialog(self._owner)
        dialog.setWindowTitle("Set proposal")
        dialog.setLabelText(f"Proposal of {count_words(len(rows), 'scan')}")
        dialog.setOkButtonText("Set proposal")
        dialog.setTextValue(rows[0].proposal)
        dialog.textValueSelected.connect(lambda text: self.set_proposal(rows, text.strip()))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def set_proposal(self, rows: Sequence[Row], proposal: str) -> None:
        """Say which proposal scans belong to."""
        scans = tuple(row.id for row in rows)
        before = {row.id: row.proposal for row in rows}

        def undo(ledger: Ledger) -> None:
            for part, was in before.items():
                ask_proposal(ledger, [part], was)

        said = f"{count_words(len(scans), 'scan')} of {proposal or 'no proposal'}."
        work = partial(ask_proposal, scans=scans, proposal=proposal)
        self.write("Setting the proposal", work, said, undo)

    def admit(self, *, export_controlled: bool = False) -> None:
        """Hand the selected scan over to the agent."""
        path = self._session.selected
        if path is None:
            return
        more = ", and it never leaves" if export_controlled else ""
        work = partial(ask_admit, path=path, export_controlled=export_controlled)
        said = f"Handed over: {path.name}{more}."
        self.write(f"Handing over {path.name}", work, said, create=True)

    def copy(self) -> None:
        """Copy the whole story of the current scan."""
        text = self._story()
        if text:
            QGuiApplication.clipboard().setText(text)
            self._session.notice(Notice(Level.INFO, "Copied: the story of the scan."))

    # -- what is wanted ----------------------------------------------------------------

    def want(self) -> None:
        """Want the chosen products at the chosen places."""
        policy, view = self._facility.policy, self._session.board
        if policy is None or view is None:
            return
        found, kept = by_column(self._chosen().wantable), view.board.observed.recipes
        asked = [
            (product, place, scans, self._recipe(policy, product, place), analysis)
            for (product, place, analysis), scans in found.items()
        ]
        if not asked:
            return

        def work(ledger: Ledger) -> None:
            for product, place, scans, recipe, name in asked:
                analysis = analysis_of(policy, name, kept) if name else None
                ask_want(ledger, scans, product, place, recipe, analysis=analysis)

        names = ", ".join(
            f"{analysis or product_words(product)} at {self._names.place(place)}"
            f"{f' by {recipe.name}' if recipe is not None else ''}"
            for product, place, _, recipe, analysis in asked
        )
        count = count_words(len({scan for item in asked for scan in item[2]}), "scan")
        self.write("Wanting", work, f"Wanted of {count}: {names}.")

    def want_volume(
        self, scan: str, path: Path, place: str, recipe: Recipe, *, known: bool, said: str
    ) -> None:
        """Want a reconstruction of one scan at a place, by a recipe.

        Parameters
        ----------
        scan, path
            The scan, as the ledger calls it, and its file.
        place, recipe
            Where, and how.
        known
            Whether it is in the ledger; else the file is handed over first.
        said
            What is said once it is written.
        """

        def work(ledger: Ledger) -> None:
            if not known:
                ask_admit(ledger, path)
            ask_want(ledger, [scan], Product.RECONSTRUCTION, place, recipe, known=known)

        self.write("Asking for a reconstruction", work, said, create=not known)

    def unwant(self) -> None:
        """Take back that the chosen products are wanted; what is there stays."""
        policy, view = self._facility.policy, self._session.board
        found = by_suffix(self._chosen().unwantable)
        if policy is None or view is None or not found:
            return
        observed = view.board.observed

        def work(ledger: Ledger) -> None:
            for key, scans in found.items():
                ask_unwant(ledger, scans, key.product, key.place, key.recipe)

        def undo(ledger: Ledger) -> None:
            for key, scans in found.items():
                recipe = _recipe_of(policy, observed, key)
                analysis = _analysis_of(policy, observed, key)
                ask_want(ledger, scans, key.product, key.place, recipe, analysis=analysis)

        names = ", ".join(dict.fromkeys(self._names.goal(key) for key in found))
        count = count_words(len({scan for scans in found.values() for scan in scans}), "scan")
        self.write("Taking a wish back", work, f"Not wanted of {count}: {names}.", undo)

    def _recipe(self, policy: Policy, product: Product, place: str) -> Recipe | None:
        """The recipe by which something is wanted at a place: the policy's, else the window's."""
        if product is not Product.RECONSTRUCTION:
            return None
        named = [wish.recipe for wish in policy.wishes if place in wish.places and wish.recipe]
        return load_recipe(named[0]) if named else self._session.recipe

    # -- writing -----------------------------------------------------------------------

    def write(
        self, doing: str, work: Work, said: str, undo: Work | None = None, *, create: bool = False
    ) -> None:
        """Write into the ledger, and say so when it stands there."""
        self._tasks.start(self._write(work, said, undo, create), doing)

    async def _write(self, work: Work, said: str, undo: Work | None, create: bool) -> None:
        await asyncio.to_thread(_in_ledger, self._facility.ledger, work, create)
        view = self._session.board
        idle = view is not None and view.snapshot.agent is None
        sentence = (
            f"{said} The agent does not run: it does so when it is started." if idle else said
        )
        back: Callable[[], Any] | None = None
        if undo is not None:
            back = partial(self.write, "Undoing", undo, f"Undone: {said}")
        self._session.notice(
            Notice(Level.INFO, sentence, action_text="Undo" if back is not None else "",
                   action=back, key="board")
        )  # fmt: skip


def _in_ledger(path: Path, work: Work, create: bool) -> None:
    with Ledger(path, create=create) as ledger:
        work(ledger)


def _of_goals(what: str, keys: tuple[str, ...], ledger: Ledger) -> None:
    ask_of_goals(ledger, what, keys)


def _keys(records: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(record.key for record in records))


def _places(records: Sequence[GoalRecord], names: Names) -> str:
    goals = dict.fromkeys(names.goal(GoalKey.parse(record.key)) for record in records)
    text = ", ".join(goals)
    return f"{text[:1].upper()}{text[1:]}"


def _recipe_of(policy: Policy, observed: Observed, key: GoalKey) -> Recipe | None:
    if key.product is not Product.RECONSTRUCTION:
        return None
    return Recipes(policy, observed).find(key.recipe)


def _analysis_of(policy: Policy, observed: Observed, key: GoalKey) -> AskedAnalysis | None:
    if key.product is not Product.ANALYSIS:
        return None
    sheet = Sheets(policy, observed.recipes).find(key.recipe)
    return kept_analysis(policy, observed.recipes, sheet)
