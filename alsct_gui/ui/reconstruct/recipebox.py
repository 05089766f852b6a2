"""The recipe as text: edited in place, judged as one types, copied, loaded, saved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QColor, QFocusEvent, QShowEvent, QTextCharFormat, QTextCursor, QTextFormat
from PySide6.QtWidgets import (
    QApplication,
    QFileDialog,
    QGridLayout,
    QPlainTextEdit,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from alsct_gui.files.recipes import load_recipe, save_recipe
from alsct_gui.model.errors import AlsctError
from alsct_gui.model.recipe import Recipe
from alsct_gui.ui.actions.book import ActionBook
from alsct_gui.ui.reconstruct.recipetext import Reading, read_recipe, recipe_text
from alsct_gui.ui.services import Services
from alsct_gui.ui.session import Level, Notice, Session
from alsct_gui.ui.tasks import Tasks, answer_of
from alsct_gui.ui.theme.style import tokens
from alsct_gui.ui.widgets.parts import GAP_PX, button, label, set_state

_PAUSE_MS = 300
_FILTER = "Recipes (*.yaml *.yml *.json)"


class RecipeBox(QWidget):
    """Text of the recipe, and what can be done with it.

    Parameters
    ----------
    session, tasks, services, book
        What every panel gets.
    output
        Returns where the product would go, for the command line.
    """

    def __init__(
        self, session: Session, tasks: Tasks, services: Services, book: ActionBook,
        output: Callable[[], Path | None],
    ) -> None:  # fmt: skip
        super().__init__()
        self._session, self._tasks, self._desk = session, tasks, services.desk
        self._output = output
        self._line: int | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP_PX)
        self.edit = _Text()
        self.edit.setMinimumHeight(240)
        self.edit.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.edit.setTabChangesFocus(True)
        self.edit.setAccessibleName("Recipe as text")
        self.edit.setToolTip("The whole recipe as YAML; what fits is taken as you type")
        self.wrong = label("", "wrong", wrap=True)
        self.wrong.hide()
        column.addWidget(self.edit)
        column.addWidget(self.wrong)
        grid = QGridLayout()
        grid.setSpacing(GAP_PX)
        for place, key in enumerate(
            ("edit.copy_command", "edit.copy_python", "recon.load_recipe", "recon.save_recipe")
        ):
            words = ("Copy command", "Copy Python", "Load…", "Save…")[place]
            made = button(words, book[key].trigger, tip=book[key].toolTip())
            book[key].enabledChanged.connect(made.setEnabled)
            made.setEnabled(book[key].isEnabled())
            grid.addWidget(made, place // 2, place % 2)
        column.addLayout(grid)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MS)
        self._pause.timeout.connect(self._read)
        self.edit.textChanged.connect(self._pause.start)
        self.edit.left.connect(self._left)
        session.recipe_changed.connect(self._show)
        book.bind("edit.copy_command", lambda: self._copy(python=False))
        book.bind("edit.copy_python", lambda: self._copy(python=True))
        book.bind("recon.load_recipe", self.ask_to_load)
        book.bind("recon.save_recipe", self.ask_to_save)

    def renew_icons(self) -> None:
        """Mark the wrong line in the theme's colours."""
        self._mark(self._line)

    def close(self) -> bool:
        """Put away."""
        self._pause.stop()
        return super().close()

    def ask_to_load(self) -> None:
        """Let a person choose a recipe."""
        dialog = QFileDialog(self.window(), "Load recipe", self._folder(), _FILTER)
        dialog.fileSelected.connect(self.load)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def ask_to_save(self) -> None:
        """Let a person choose where to write the recipe."""
        dialog = QFileDialog(self.window(), "Save recipe", self._folder(), _FILTER)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("yaml")
        dialog.selectFile(f"{self._session.recipe.name or 'recipe'}.yaml")
        dialog.fileSelected.connect(self.save)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def load(self, path: str) -> None:
        """Take a recipe from a file."""
        try:
            recipe = load_recipe(Path(path))
        except AlsctError as error:
            self._session.report("Loading the recipe", error)
            return
        self._session.set_recipe(recipe)
        self._session.settle_recipe()
        self._session.notice(Notice(Level.DONE, f"The recipe is that of {path}."))

    def save(self, path: str) -> None:
        """Write the recipe to a file."""
        try:
            save_recipe(self._session.recipe, path)
        except AlsctError as error:
            self._session.report("Saving the recipe", error)
            return
        self._session.notice(Notice(Level.DONE, f"The recipe is saved in {path}."))

    def _folder(self) -> str:
        selected = self._session.selected
        return str(selected.parent) if selected is not None else ""

    # -- text --------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._show(self._session.recipe)

    def _show(self, recipe: Recipe) -> None:
        """Show a recipe, unless the text already says it in a person's own words."""
        if not self.isVisible():
            return  # writing and reading YAML takes longer than a slider may wait
        if read_recipe(self.edit.toPlainText()).recipe == recipe:
            self._judge(Reading(recipe))
            return
        at = self.edit.verticalScrollBar().value()
        with_text = recipe_text(recipe)
        self.edit.blockSignals(True)
        self.edit.setPlainText(with_text)
        self.edit.blockSignals(False)
        self.edit.verticalScrollBar().setValue(at)
        self._pause.stop()
        self._judge(Reading(recipe))

    def _read(self) -> None:
        reading = read_recipe(self.edit.toPlainText())
        self._judge(reading)
        if reading.recipe is not None:
            self._session.set_recipe(reading.recipe, touch="text")

    def _left(self) -> None:
        if self._pause.isActive():
            self._pause.stop()
            self._read()
        self._session.settle_recipe()

    def _judge(self, reading: Reading) -> None:
        words = reading.trouble
        if reading.line is not None:
            words = f"Line {reading.line + 1}: {words}"
        self.wrong.setText(words)
        self.wrong.setVisible(bool(words))
        set_state(self.edit, "state", "wrong" if words else "")
        self._mark(reading.line)

    def _mark(self, line: int | None) -> None:
        self._line = line
        marks = []
        if line is not None:
            mark = QTextEdit.ExtraSelection()
            mark.cursor = QTextCursor(self.edit.document().findBlockByNumber(line))
            look = QTextCharFormat()
            color = QColor(tokens().failed)
            color.setAlpha(50)
            look.setBackground(color)
            look.setProperty(QTextFormat.Property.FullWidthSelection, True)
            mark.format = look
            marks = [mark]
        self.edit.setExtraSelections(marks)

    # -- copies ------------------------------------------------------------------------

    def _copy(self, *, python: bool) -> None:
        path, output = self._session.selected, self._output()
        if path is not None and output is not None:
            words = "Copying a script" if python else "Copying the command line"
            self._tasks.start(self._export(path, output, python=python), words)

    async def _export(self, path: Path, output: Path, *, python: bool) -> None:
        told = await answer_of(self._desk.export(self._session.recipe, path, output))
        QApplication.clipboard().setText(told.python if python else told.command)
        what = "A Python script" if python else "The command line"
        self._session.notice(Notice(Level.DONE, f"{what} is on the clipboard."))


class _Text(QPlainTextEdit):
    """A text that says when it is left."""

    left = Signal()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.left.emit()
