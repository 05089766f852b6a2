"""The parameters as text, and the same step as a command and as Python."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtGui import QFontDatabase
from qtpy.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from alsct_gui.face.parts import GAP_PX, colour_wrong, label
from alsct_gui.model.errors import RecipeError

_LINES = 9


class ScriptView(QWidget):
    """Editable JSON, and two buttons.

    Parameters
    ----------
    read
        Makes parameters of plain data; raises `RecipeError` when it is wrong.
    write
        Makes plain data of parameters.
    theme
        Name of the viewer's theme.
    command, python
        Return the texts that the buttons copy.
    title
        What stands above the text.
    """

    changed = Signal(object)
    """Somebody wrote other parameters, and they are right."""

    def __init__(
        self, read: Callable[[Any], Any], write: Callable[[Any], Any], theme: str,
        command: Callable[[], str], python: Callable[[], str],
        title: str = "Parameters, as in a file for --params",
    ) -> None:  # fmt: skip
        super().__init__()
        self._read, self._write = read, write
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP_PX)
        column.addWidget(label(title, faint=True))
        self.text = QPlainTextEdit()
        self.text.setAccessibleName("Parameters")
        self.text.setStyleSheet(
            "QPlainTextEdit {border: 1px solid rgba(128, 128, 128, 110); padding: 2px}"
        )
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setMinimumHeight(self.text.fontMetrics().lineSpacing() * _LINES)
        self.text.textChanged.connect(self._edited)
        column.addWidget(self.text)
        self.error = label("", wrap=True)
        colour_wrong(self.error, theme)
        self.error.hide()
        column.addWidget(self.error)
        row = QHBoxLayout()
        row.setSpacing(GAP_PX)
        self.copy_command = QPushButton("Copy as command")
        self.copy_python = QPushButton("Copy as Python")
        for button, make in ((self.copy_command, command), (self.copy_python, python)):
            button.clicked.connect(lambda _=False, make=make: _copy(make()))
            row.addWidget(button)
        column.addLayout(row)

    def show_parameters(self, parameters: Any) -> None:
        """Show parameters; tells of no change."""
        text = json.dumps(self._write(parameters), indent=2, ensure_ascii=False)
        with QSignalBlocker(self.text):
            self.text.setPlainText(text)
        self._say("")

    def _edited(self) -> None:
        try:
            parameters = self._read(json.loads(self.text.toPlainText()))
        except ValueError as error:
            self._say(f"This is no JSON: {error}.")
        except RecipeError as error:
            self._say(error.sentence)
        else:
            self._say("")
            self.changed.emit(parameters)

    def _say(self, words: str) -> None:
        self.error.setText(words)
        self.error.setVisible(bool(words))


def _copy(text: str) -> None:
    clipboard = QApplication.clipboard()
    if clipboard is not None:
        clipboard.setText(text)
