"""The page of settings: what there is to set, each with what it means; applied at once."""

from __future__ import annotations

import os
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from alsct_gui.files.profiles import profile_names
from alsct_gui.placement.ledger import default_ledger
from alsct_gui.placement.policy import policy_names
from alsct_gui.settings import Settings
from alsct_gui.ui.actions.book import ActionBook
from alsct_gui.ui.session import Session
from alsct_gui.ui.theme.icons import icon
from alsct_gui.ui.widgets.parts import Rows, button, label, line, padded


class Preferences(QDialog):
    """Settings, without an OK: each holds as soon as it is changed.

    Parameters
    ----------
    session
        Whose settings they are.
    book
        Commands it makes use of.
    owner
        Window over which it is shown.
    """

    def __init__(self, session: Session, book: ActionBook, owner: QWidget) -> None:
        super().__init__(owner)
        self._session, self._book = session, book
        self.setWindowTitle("Settings")
        self.setMinimumWidth(520)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 16, 24, 16)
        column.setSpacing(16)

        rows = Rows()
        self.theme = QComboBox()
        self.theme.addItem("Dark", "dark")
        self.theme.addItem("Light", "light")
        rows.add("Colours", self.theme, tip="Dark for a dim hall, light for daylight")
        self.profile = QComboBox()
        self.profile.addItems(profile_names())
        rows.add("Beamline", self.profile,
                 tip="Paths, names and defaults; holds from the next start")  # fmt: skip
        self.threads = padded(QSpinBox())
        self.threads.setRange(0, 1024)
        self.threads.setSpecialValueText(f"all ({os.cpu_count()})")
        rows.add("Threads", self.threads, tip="Processor threads of a reconstruction")
        self.output = _FolderField("Beside the scan", "Folder for results")
        rows.add("Results", self.output, tip="Folder in which reconstructions are stored")
        column.addWidget(rows)

        column.addWidget(line())
        column.addWidget(label("PLACEMENT", "heading"))
        column.addWidget(self._make_placement())
        column.addWidget(line())
        column.addWidget(label("WATCHED FOLDERS", "heading"))
        self.watched = QListWidget()
        self.watched.setAccessibleName("Watched folders")
        self.watched.setMaximumHeight(96)
        self.watched.setToolTip("Scans appear in the list while they are written here")
        column.addWidget(self.watched)
        self._usual = label("The beamline's own folder, where it exists.", "faint")
        column.addWidget(self._usual)
        buttons = QHBoxLayout()
        buttons.addWidget(
            button(
                "Watch folder…",
                lambda: book.trigger("file.watch"),
                tip="Watches one more folder for incoming scans",
            )
        )
        buttons.addWidget(button("Stop watching", self._stop, tip="Holds from the next start"))
        buttons.addStretch(1)
        column.addLayout(buttons)
        column.addWidget(line())
        last = QHBoxLayout()
        last.addWidget(
            button(
                "Reset window layout",
                lambda: book.trigger("view.reset_layout"),
                tip="Puts every panel where it was",
            )
        )
        last.addStretch(1)
        last.addWidget(button("Close", self.close, role="primary", tip="Closes this page (Esc)"))
        column.addLayout(last)

        self._show(session.settings)
        self.theme.activated.connect(lambda _: self._take_theme())
        self.profile.textActivated.connect(lambda name: session.remember(profile=name))
        self.threads.valueChanged.connect(lambda count: session.remember(threads=count))
        self.output.field.editingFinished.connect(
            lambda: session.remember(output_folder=self.output.field.text().strip())
        )
        session.settings_changed.connect(self._show)
        book.bind("file.settings", self._present)

    def _make_placement(self) -> Rows:
        """What the board is about; all but notices holds from the next start."""
        rows, session = Rows(), self._session
        self.policy = QComboBox()
        self.policy.addItems(policy_names())
        self.policy.setAccessibleName("Policy")
        tip = "What is wanted where: a name or a YAML file; holds from the next start"
        rows.add("Policy", self.policy, tip=tip)
        self.ledger = QLineEdit()
        self.ledger.setPlaceholderText(str(default_ledger()))
        self.ledger.setAccessibleName("Ledger")
        rows.add("Ledger", self.ledger,
                 tip="File of what is where; holds from the next start")  # fmt: skip
        self.agent = QCheckBox("Start it with the window, if none works")
        rows.add("Agent", self.agent, tip="It sees to it that scans get to where they belong")
        self.notify = QCheckBox("Tell the desktop what is worth telling")
        rows.add("Notices", self.notify, tip="Links that go down or return, what needs a person")
        self.policy.textActivated.connect(lambda name: session.remember(policy=name.strip()))
        typed = QLineEdit()
        self.policy.setLineEdit(typed)
        typed.editingFinished.connect(
            lambda: session.remember(policy=typed.text().strip() or policy_names()[0])
        )
        self.ledger.editingFinished.connect(
            lambda: session.remember(ledger=self.ledger.text().strip())
        )
        self.agent.toggled.connect(lambda on: session.remember(start_agent=on))
        self.notify.toggled.connect(lambda on: session.remember(notify=on))
        return rows

    def renew_icons(self) -> None:
        """Draw icons in the theme's colours."""
        self.output.renew_icons()

    def _present(self) -> None:
        self.show()
        self.raise_()
        self.theme.setFocus()

    def _show(self, settings: Settings) -> None:
        self.theme.setCurrentIndex(self.theme.findData(settings.theme))
        self.profile.setCurrentText(settings.profile)
        self.threads.blockSignals(True)
        self.threads.setValue(settings.threads)
        self.threads.blockSignals(False)
        self.output.field.setText(settings.output_folder)
        self.policy.setCurrentText(settings.policy)
        self.ledger.setText(settings.ledger)
        self.agent.setChecked(settings.start_agent)
        self.notify.setChecked(settings.notify)
        shown = [self.watched.item(k).text() for k in range(self.watched.count())]
        if shown != list(settings.watched):
            self.watched.clear()
            self.watched.addItems(list(settings.watched))
        self._usual.setVisible(not settings.watched)
        self.watched.setVisible(bool(settings.watched))

    def _take_theme(self) -> None:
        if self.theme.currentData() != self._session.settings.theme:
            self._book.trigger("view.theme")

    def _stop(self) -> None:
        chosen = {item.text() for item in self.watched.selectedItems()}
        kept = tuple(name for name in self._session.settings.watched if name not in chosen)
        self._session.remember(watched=kept)


class _FolderField(QWidget):
    """A folder to type or to choose."""

    def __init__(self, usual: str, title: str) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        self.field = QLineEdit()
        self.field.setPlaceholderText(usual)
        self.field.setAccessibleName(title)
        self._title = title
        self._choose = QToolButton()
        self._choose.setToolTip("Choose folder…")
        self._choose.setAccessibleName(f"Choose {title[0].lower()}{title[1:]}")
        self._choose.clicked.connect(self._ask)
        row.addWidget(self.field, 1)
        row.addWidget(self._choose)
        self.renew_icons()

    def renew_icons(self) -> None:
        """Draw the icon in the theme's colours."""
        self._choose.setIcon(icon("open"))

    def _ask(self) -> None:
        start = self.field.text() or str(Path.home())
        dialog = QFileDialog(self, self._title, start)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._take)
        dialog.open()

    def _take(self, folder: str) -> None:
        self.field.setText(folder)
        self.field.editingFinished.emit()
