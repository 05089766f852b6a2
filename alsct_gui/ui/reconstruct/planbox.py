"""The whole run: what it makes and needs, where it goes, and the button that queues it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from alsct_gui.model.errors import AlsctError
from alsct_gui.model.errors import CancelledError as WorkCancelledError
from alsct_gui.placement.runs.model import RunRequest
from alsct_gui.ui.actions.book import ActionBook
from alsct_gui.ui.reconstruct.planwords import other_format, plan_lines, plan_tip, product_path
from alsct_gui.ui.reconstruct.previewplan import is_scan
from alsct_gui.ui.services import Services
from alsct_gui.ui.session import Session
from alsct_gui.ui.tasks import Tasks, answer_of
from alsct_gui.ui.theme.style import digits_font
from alsct_gui.ui.widgets.parts import GAP_PX, MARGIN_PX, ElidedLabel, button, label, line

if TYPE_CHECKING:
    from alsct_gui.recon.desk.answers import PlanView

_GATHER_MS = 300
Submit = Callable[[RunRequest], object]


class PlanBox(QWidget):
    """The plan first, then the button.

    Parameters
    ----------
    session, tasks, services, book
        What every panel gets.
    submit
        Queues a run.
    """

    planned = Signal()  # there is another plan, or none

    def __init__(
        self, session: Session, tasks: Tasks, services: Services, book: ActionBook, submit: Submit
    ) -> None:
        super().__init__()
        self._session, self._tasks, self._services = session, tasks, services
        self._book, self._submit = book, submit
        self._chosen: dict[Path, Path] = {}
        self._task: asyncio.Task[Any] | None = None
        self._generation = 0
        self.plan: PlanView | None = None
        column = self._column = QVBoxLayout(self)
        column.setContentsMargins(MARGIN_PX, 0, MARGIN_PX, GAP_PX)
        column.setSpacing(4)
        column.addWidget(line())
        self._lines = tuple(label("", "faint" if k else "") for k in range(3))
        for part in self._lines:
            part.setFont(digits_font(part.font()))
            column.addWidget(part)
        self.refusal = label("", "wrong", wrap=True)
        column.addWidget(self.refusal)
        row = QHBoxLayout()
        row.setSpacing(GAP_PX)
        self.target = ElidedLabel("", "faint")
        self._choose = button(
            "Change…", self.ask_for_output, role="link", tip="Chooses name and folder of the volume"
        )
        row.addWidget(self.target, 1)
        row.addWidget(self._choose)
        column.addLayout(row)
        self.run = button("Reconstruct here", book["run.here"].trigger, role="primary")
        self.run.setToolTip(book["run.here"].toolTip())
        self.run.setMinimumHeight(32)
        column.addWidget(self.run)
        self._gather = QTimer(self)
        self._gather.setSingleShot(True)
        self._gather.setInterval(_GATHER_MS)
        self._gather.timeout.connect(self._ask)
        book.bind("run.here", self.run_here)
        book["run.here"].enabledChanged.connect(lambda _: self._draw())
        session.recipe_changed.connect(self._changed)
        session.look_changed.connect(self._looked)
        session.settings_changed.connect(lambda _: self._changed(None))
        self._draw()

    def add_below(self, other: QWidget) -> None:
        """Put another way to reconstruct below the button."""
        self._column.addWidget(other)

    @property
    def output(self) -> Path | None:
        """Where the product would go; None without a scan."""
        path = self._session.selected
        if path is None:
            return None
        if path in self._chosen:
            return other_format(self._chosen[path], self._session.recipe)
        scratch = self._services.scratch_folder
        return product_path(
            path, self._session.recipe, self._session.settings.output_folder, scratch
        )

    def run_here(self) -> None:
        """Queue the whole scan, unless it was refused."""
        path, output, look = self._session.selected, self.output, self._session.look
        if path is None or output is None or look is None or self._refused():
            return
        self._submit(
            RunRequest(
                scan=path, recipe=self._session.recipe, output=output,
                title=look.people.sample or path.stem, threads=self._session.settings.threads,
            )
        )  # fmt: skip

    def ask_for_output(self) -> None:
        """Let a person choose the product's name and folder."""
        if self.output is None:
            return
        dialog = QFileDialog(self.window(), "Volume to write", str(self.output.parent))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setFileMode(QFileDialog.FileMode.AnyFile)
        # A name that is taken gets a number from the queue; nothing is overwritten.
        dialog.setOption(QFileDialog.Option.DontConfirmOverwrite)
        dialog.setLabelText(QFileDialog.DialogLabel.Accept, "Choose")
        dialog.selectFile(self.output.name)
        dialog.fileSelected.connect(self.choose_output)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def choose_output(self, path: str) -> None:
        """Take another name for the product of the selected scan."""
        selected = self._session.selected
        if selected is not None and path:
            self._chosen[selected] = Path(path).absolute()
            self._changed(None)

    def renew_icons(self) -> None:
        """Draw nothing anew: it is made of words."""

    def close(self) -> bool:
        """Ask no more."""
        self._gather.stop()
        self._generation += 1
        if self._task is not None:
            self._task.cancel()
        return super().close()

    # -- the plan ----------------------------------------------------------------------

    def _looked(self, _: object) -> None:
        self.plan = None
        self._generation += 1
        self._changed(None)

    def _changed(self, _: object) -> None:
        if is_scan(self._session.look) and not self._gather.isActive():
            self._gather.start()
        self._draw()

    def _ask(self) -> None:
        path, output = self._session.selected, self.output
        if path is None or output is None:
            return
        self._generation += 1
        self._task = self._tasks.start(
            self._plan(path, output, self._generation), "Planning the run", instead_of=self._task
        )

    async def _plan(self, path: Path, output: Path, generation: int) -> None:
        try:
            plan = await answer_of(self._services.desk.plan(path, self._session.recipe, output))
        except WorkCancelledError:
            return
        except AlsctError as error:
            if generation == self._generation:
                self.plan = None
                self._draw(error.sentence)
            return
        if generation == self._generation and path == self._session.selected:
            self.plan = plan
            self._draw()

    def _refused(self) -> str:
        return self.plan.refusal if self.plan is not None else ""

    def _draw(self, trouble: str = "") -> None:
        plan, output = self.plan, self.output
        has_scan = is_scan(self._session.look)
        lines = plan_lines(plan) if plan is not None and has_scan else ()
        if has_scan and not lines and not self._refused() and not trouble:
            lines = ("Planning …",)
        for part, text in zip(self._lines, (*lines, "", "", "")[:3], strict=True):
            part.setText(text)
            part.setVisible(bool(text))
            part.setToolTip(plan_tip(plan) if plan is not None else "")
        words = (trouble or self._refused()) if has_scan else ""
        self.refusal.setText(words)
        self.refusal.setVisible(bool(words))
        self.target.setVisible(has_scan)
        self._choose.setVisible(has_scan)
        if output is not None:
            self.target.set_text(output.name)
            self.target.setToolTip(str(output))
        may = self._book["run.here"].isEnabled() and not self._refused()
        self.run.setEnabled(may and has_scan)
        self.planned.emit()
