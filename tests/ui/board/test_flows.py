"""Flow runs in the window, and scans that are handed over to a flow and taken back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QApplication, QInputDialog

from alsct_gui.model.policy import Product
from alsct_gui.placement.ledger import Ledger
from alsct_gui.recon.desk.client import Desk
from alsct_gui.ui.board.flows import NOTE, flow_rows, trouble_words
from alsct_gui.ui.widgets.marks import State
from tests.ui.board.making import CFS, Made, part
from tests.ui.board.test_window import click_cell
from tests.ui.board.windows import board_window, written
from tests.ui.conftest import until

Drive = Callable[..., Any]
RUN = {
    "id": "1", "name": "brave-crab", "state": "failed", "sentence": "It has failed",
    "cause": "boom <b>", "page": "http://127.0.0.1:1/runs/flow-run/1", "started_s": 5.0,
}  # fmt: skip


def test_rows_of_a_note_whatever_is_in_it() -> None:
    note = {"runs": [RUN, {"name": 7}, "x", {"name": "late", "state": "late"}]}
    first, second = flow_rows(note, 10.0)
    assert (first.title, first.state, first.page) == ("brave-crab", State.FAILED, RUN["page"])
    assert "boom <b>" in first.words
    assert second.state is State.WAITING
    assert trouble_words({}).startswith("No orchestrator")
    assert trouble_words({"error": "Prefect is away."}) == "Prefect is away."
    assert trouble_words(note) == ""


def test_a_scan_is_handed_over_and_taken_back(
    app: Any, desk: Desk, drive: Drive, tmp_path: Path
) -> None:
    made = Made()
    for number in range(2):
        made.scan(number)
        made.goal(number, Product.RAW, CFS)

    async def story() -> None:
        async with board_window(app, desk, tmp_path, made) as program:
            with Ledger(program.services.facility.ledger) as ledger:
                ledger.note(NOTE, {"runs": [RUN], "asked_s": 1.0})
            click_cell(program, 1, 0)
            program.book.trigger("board.hand_over")
            dialog = program.window.findChild(QInputDialog)
            assert dialog is not None
            assert len(dialog.comboBoxItems()) == len(program.services.profile.prefect.flows)
            dialog.setTextValue(dialog.comboBoxItems()[0])
            dialog.accept()
            QApplication.sendPostedEvents()
            leased = lambda: written(program, lambda ledger: ledger.observed().leases)  # noqa: E731
            await until(lambda: part(1) in leased(), "the lease")
            assert leased()[part(1)].owner == "prefect/new_832_file_flow/new_file_832"
            program.book.trigger("board.flows")
            panel = program.parts.board.flows
            await until(lambda: "brave-crab" in panel.text.toPlainText(), "the run")
            assert "boom <b>" in panel.text.toPlainText(), "what comes from outside stays words"
            program.book.trigger("board.timeline")
            timeline = program.parts.board.timeline.text
            await until(lambda: "Handed over to a flow" in timeline.toPlainText(), "the story")
            program.book.trigger("board.take_back")
            await until(lambda: not leased(), "taken back")

    drive(story())
