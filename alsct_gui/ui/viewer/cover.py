"""What lies over the canvas while there is no picture: words, a button, or findings."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from alsct_gui.model.finding import Finding, Severity
from alsct_gui.ui.viewer.mode import Cover
from alsct_gui.ui.widgets.marks import Mark, State
from alsct_gui.ui.widgets.parts import GAP_PX, MARGIN_PX, button, label

_STATES = {
    Severity.ERROR: State.FAILED,
    Severity.WARNING: State.BLOCKED,
    Severity.INFO: State.WAITING,
}
_WIDTH_PX = 560


class CoverPage(QStackedWidget):
    """Covers the canvas; the canvas stays alive beneath it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("canvas")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._shown: Cover | None = None
        self._title = label("", "title")
        self._words = label("", "faint", wrap=True)
        self._button = button("", self._do, role="primary")
        self._words_page = self._make_words_page()
        self._findings: tuple[Finding, ...] = ()
        self._findings_page: QWidget | None = None
        self.addWidget(self._words_page)

    @property
    def words(self) -> str:
        """Its title; that of the findings when it lists them."""
        return self._shown.title if self._shown is not None else ""

    @property
    def texts(self) -> tuple[str, ...]:
        """Everything that can be read on it."""
        page = self._words_page if self._findings_page is None else self.currentWidget()
        return tuple(words.text() for words in page.findChildren(QLabel)) if page else ()

    def press(self) -> None:
        """Press the button, as a click would."""
        self._button.click()

    def say(self, cover: Cover) -> None:
        """Show words, and a button if there is one."""
        self._shown = cover
        self._title.setText(cover.title)
        self._words.setText(cover.words)
        self._button.setText(cover.verb)
        self._button.setVisible(bool(cover.verb))
        self.setCurrentWidget(self._words_page)
        self._rise()

    def list_findings(self, name: str, findings: Sequence[Finding]) -> None:
        """List what is wrong with a scan, and what to do about it."""
        self._shown = Cover(f"{name} cannot be worked on as it is", "")
        if tuple(findings) != self._findings or self._findings_page is None:
            self._findings = tuple(findings)
            if self._findings_page is not None:
                self.removeWidget(self._findings_page)
                self._findings_page.deleteLater()
            self._findings_page = _findings_page(self._shown.title, self._findings)
            self.addWidget(self._findings_page)
        self.setCurrentWidget(self._findings_page)
        self._rise()

    def _rise(self) -> None:
        self.show()
        self.raise_()

    def _do(self) -> None:
        if self._shown is not None and self._shown.does is not None:
            self._shown.does()

    def _make_words_page(self) -> QWidget:
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(MARGIN_PX, MARGIN_PX, MARGIN_PX, MARGIN_PX)
        column.setSpacing(GAP_PX)
        column.addStretch(2)
        for part in (self._title, self._words):
            part.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            column.addWidget(part)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self._button)
        row.addStretch(1)
        column.addSpacing(GAP_PX)
        column.addLayout(row)
        column.addStretch(3)
        return page


def _findings_page(title: str, findings: Sequence[Finding]) -> QWidget:
    page = QWidget()
    page.setMaximumWidth(_WIDTH_PX)
    column = QVBoxLayout(page)
    column.setContentsMargins(MARGIN_PX, 32, MARGIN_PX, MARGIN_PX)
    column.setSpacing(MARGIN_PX)
    column.addWidget(label(title, "title", wrap=True))
    grid = QGridLayout()
    grid.setHorizontalSpacing(GAP_PX)
    grid.setVerticalSpacing(4)
    grid.setColumnStretch(1, 1)
    for finding in findings:
        at = grid.rowCount()
        mark = Mark(_STATES[finding.severity], finding.severity.value)
        grid.addWidget(mark, at, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(label(finding.message, wrap=True), at, 1)
        small = " · ".join(part for part in (finding.name, finding.where) if part)
        if finding.fix:
            grid.addWidget(label(f"{finding.fix}.", "faint", wrap=True), at + 1, 1)
        grid.addWidget(label(small, "small", wrap=True), at + 2, 1)
        grid.setRowMinimumHeight(at + 3, GAP_PX)
    column.addLayout(grid)
    column.addStretch(1)
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setAccessibleName("Findings")
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    holder = QWidget()
    middle = QHBoxLayout(holder)
    middle.addStretch(1)
    middle.addWidget(page, 4)
    middle.addStretch(1)
    area.setWidget(holder)
    return area
