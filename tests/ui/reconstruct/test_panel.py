"""The panel as a person uses it: real slices, real clicks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.ui.conftest import until

Run = Callable[[Any], None]
Scans = tuple[Path, Path]


async def ready(bench: Any, path: Path) -> None:
    """Open a scan and wait for slice, axis and plan."""
    await bench.open(path)
    await until(lambda: bench.session.preview is not None, "a slice comes by itself")
    await until(lambda: bench.panel.axis.result is not None, "the axis is found by itself")
    await until(lambda: bench.panel.plan.plan is not None, "the run is planned")
    await settled(bench)


async def settled(bench: Any) -> None:
    """Wait until the slice in view is of the recipe and nothing is being made."""
    maker = bench.panel.maker
    await until(
        lambda: not maker.state.making and not maker._gather.isActive() and maker._task is None,
        "the slice is made",
    )


def type_into(field: Any, text: str, key: Any = None) -> None:
    from PySide6.QtTest import QTest

    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, text)
    if key is not None:
        QTest.keyClick(field, key)


def click(widget: Any) -> None:
    from PySide6.QtCore import Qt
    from PySide6.QtTest import QTest

    QTest.mouseClick(widget, Qt.MouseButton.LeftButton)


def test_a_moved_slider_makes_new_slices_and_the_newest_wins(
    at_the_panel: Run, scans: Scans
) -> None:
    async def work(bench: Any) -> None:
        await ready(bench, scans[0])
        axis, before = bench.panel.axis, bench.session.preview
        first_recipe = bench.session.recipe
        assert abs(before.center_px - 66.5) < 0.5
        bench.previews.clear()
        axis.slider.setSliderDown(True)
        for steps in (4, 8, 12, 16):
            axis.slider.setValue(steps)
            await asyncio.sleep(0.02)
        axis.slider.setSliderDown(False)
        wanted = bench.session.recipe.center.center_px
        assert wanted == round(axis._base_px + 4.0, 2)
        await until(
            lambda: bench.session.preview.center_px == wanted, "the slice of the last place"
        )
        await settled(bench)
        order = [preview.center_px for preview in bench.previews]
        assert order == sorted(order), "an older slice never follows a newer one"
        assert bench.session.preview.center_px == wanted
        assert not np.array_equal(bench.session.preview.image, before.image)
        assert axis.edit.text() == f"{wanted:.2f}"
        # The whole movement is one step back.
        bench.book.trigger("edit.undo")
        assert bench.session.recipe == first_recipe

    at_the_panel(work)


def test_what_is_asked_in_a_row_ends_with_the_last(at_the_panel: Run, scans: Scans) -> None:
    async def work(bench: Any) -> None:
        await ready(bench, scans[0])
        bench.previews.clear()
        for row in (3, 5, 9, 12):
            bench.session.set_row(row)
            await asyncio.sleep(0.03)
        bench.session.set_setting("engine.filter", "hann")
        await until(
            lambda: (
                bench.session.preview.row == 12
                and bench.session.preview.resolved.engine.filter == "hann"
            ),
            "the last slice",
        )
        await settled(bench)
        rows = [preview.row for preview in bench.previews]
        assert rows == sorted(rows)
        count = len(bench.previews)
        bench.session.set_setting("output.format", "tiff")
        await asyncio.sleep(0.15)
        assert len(bench.previews) == count, "what the picture does not depend on makes none"

    at_the_panel(work)


def test_a_click_on_a_method_takes_its_value(at_the_panel: Run, scans: Scans) -> None:
    async def work(bench: Any) -> None:
        await ready(bench, scans[0])
        axis = bench.panel.axis
        assert bench.session.recipe.center.method == "auto"
        assert axis.auto.isChecked()
        row = axis.rows["sinogram"]
        click(row)
        assert bench.session.recipe.center.method == "manual"
        assert bench.session.recipe.center.center_px == round(row.estimate.center_px, 2)
        assert not axis.auto.isChecked()
        click(axis.auto)
        assert bench.session.recipe.center.method == "auto"
        await settled(bench)
        shown = axis.edit.text()
        assert f"{bench.session.preview.center_px:.2f}" == shown, "one value everywhere"
        bench.book.trigger("recon.center")
        await until(lambda: bench.session.recipe.center.method == "manual", "found around the row")
        assert abs(bench.session.recipe.center.center_px - 66.5) < 0.5
        await settled(bench)

    at_the_panel(work)


def test_keys_move_the_axis(at_the_panel: Run, scans: Scans) -> None:
    async def work(bench: Any) -> None:
        await ready(bench, scans[0])
        start = bench.panel.axis.center_px
        bench.book.trigger("recon.axis_right")
        bench.book.trigger("recon.axis_far_right")
        assert bench.session.recipe.center.center_px == round(round(start + 0.25, 2) + 1, 2)
        bench.book.trigger("recon.axis_left")
        bench.book.trigger("recon.axis_far_left")
        assert abs(bench.session.recipe.center.center_px - start) < 0.011
        ways = {"left": "[", "right": "]", "far_left": "{", "far_right": "}"}
        for way, key in ways.items():
            assert bench.book[f"recon.axis_{way}"].shortcut().toString() == key

    at_the_panel(work)


def test_each_scan_has_its_own_axis(at_the_panel: Run, scans: Scans) -> None:
    async def work(bench: Any) -> None:
        from PySide6.QtCore import Qt

        await ready(bench, scans[0])
        type_into(bench.panel.axis.edit, "70.128", Qt.Key.Key_Return)
        assert bench.session.recipe.center.center_px == 70.13
        await bench.open(scans[1])
        assert bench.session.recipe.center.method == "auto"
        await until(lambda: bench.panel.axis.result is not None, "the other axis")
        assert abs(bench.panel.axis.center_px - 61.25) < 0.5
        await bench.open(scans[0])
        assert bench.session.recipe.center.center_px == 70.13
        assert bench.panel.axis.edit.text() == "70.13"

    at_the_panel(work)


def test_a_wrong_value_is_marked_where_it_stands(at_the_panel: Run, scans: Scans) -> None:
    async def work(bench: Any) -> None:
        from PySide6.QtCore import Qt

        await ready(bench, scans[0])
        click(bench.panel.tiers["more"])
        assert bench.session.settings.tier == "more"
        bench.panel.sections["Region"].unfold()
        row = bench.panel.rows["region.binning"]
        before = bench.session.recipe
        type_into(row.edit, "99", Qt.Key.Key_Return)
        assert row.wrong.text() == "99 is too large. Most: 16."
        assert row.wrong.isVisible()
        assert row.edit.property("state") == "wrong"
        assert bench.session.recipe == before
        type_into(row.edit, "", Qt.Key.Key_Escape)
        assert not row.wrong.isVisible()
        assert row.edit.text() == "1"
        type_into(row.edit, "2", Qt.Key.Key_Return)
        assert bench.session.recipe.region.binning == 2
        await until(lambda: bench.session.preview.image.shape == (64, 64), "a binned slice")

    at_the_panel(work)


def test_tiers_and_switches_show_what_matters(at_the_panel: Run, scans: Scans) -> None:
    async def work(bench: Any) -> None:
        panel = bench.panel
        await ready(bench, scans[0])
        assert panel.rows["rings.0.method"].isVisible()
        assert not panel.rows["phase.delta_beta"].isVisible()
        assert not panel.sections["Engine"].isVisible()
        panel.rows["phase"].box.click()
        assert bench.session.recipe.phase is not None
        assert panel.rows["phase.delta_beta"].isVisible()
        combo = panel.rows["rings.0.method"].combo
        combo.setCurrentIndex(combo.findData("vo-all"))
        combo.activated.emit(combo.currentIndex())
        assert bench.session.recipe.rings[0].method == "vo-all"
        assert panel.preset.currentText() == "standard-8.3.2 (changed)"
        click(panel.tiers["all"])
        assert panel.rows["rings.0.snr"].isVisible()
        assert not panel.rows["rings.0.sigma"].isVisible()
        assert panel.text.isVisible()
        assert panel.area.widget().minimumSizeHint().width() <= 300, "fits 300 px"
        click(panel.reset)
        assert panel.preset.currentText() == "standard-8.3.2"
        assert bench.session.recipe.phase is None
        await settled(bench)

    at_the_panel(work)


def test_text_that_fits_is_taken_and_a_wrong_line_is_marked(
    at_the_panel: Run, scans: Scans
) -> None:
    async def work(bench: Any) -> None:
        await ready(bench, scans[0])
        click(bench.panel.tiers["all"])
        box = bench.panel.text
        first = box.edit.toPlainText()
        box.edit.setPlainText(first.replace("cutoff: 0.25", "cutoff: 0.5"))
        await until(lambda: bench.session.recipe.engine.cutoff == 0.5, "the text is taken")
        assert bench.panel.rows["engine.cutoff"].edit.text() == "0.5"
        box.edit.setPlainText(first.replace("cutoff: 0.25", "cutoff: 5"))
        await until(box.wrong.isVisible, "the mistake is said")
        line = first.split("\n").index("  cutoff: 0.25")
        assert box.wrong.text().startswith(f"Line {line + 1}: engine.cutoff: 5.0 is too large")
        assert box.edit.extraSelections()[0].cursor.blockNumber() == line
        assert bench.session.recipe.engine.cutoff == 0.5
        bench.book.trigger("edit.undo")
        assert box.edit.toPlainText() == first
        assert not box.wrong.isVisible()
        await settled(bench)

    at_the_panel(work)


def test_the_recipe_is_copied_saved_and_loaded(
    at_the_panel: Run, scans: Scans, tmp_path: Path
) -> None:
    async def work(bench: Any) -> None:
        from PySide6.QtWidgets import QApplication

        await ready(bench, scans[0])
        clipboard = QApplication.clipboard()
        clipboard.setText("")
        bench.book.trigger("edit.copy_command")
        await until(clipboard.text, "the command line is copied")
        assert clipboard.text().startswith("alsct recon")
        clipboard.setText("")
        bench.book.trigger("edit.copy_python")
        await until(clipboard.text, "the script is copied")
        compile(clipboard.text(), "script", "exec")
        bench.session.set_setting("engine.cutoff", 0.4)
        saved = bench.session.recipe
        bench.panel.text.save(str(tmp_path / "mine.yaml"))
        bench.book.trigger("recon.reset_preset")
        assert bench.session.recipe != saved
        bench.panel.text.load(str(tmp_path / "mine.yaml"))
        assert bench.session.recipe == saved
        await settled(bench)

    at_the_panel(work)


def test_a_slow_engine_waits_for_space_and_an_error_says_the_way_out(
    at_the_panel: Run, scans: Scans
) -> None:
    async def work(bench: Any) -> None:
        await ready(bench, scans[0])
        before = bench.session.preview
        bench.session.set_setting("engine.name", "nosuch")
        await until(lambda: bench.panel.maker.state.waits, "it waits")
        assert bench.panel.hint.text() == (
            "Press Space to make the slice with nosuch. The slice in view is not of this recipe."
        )
        assert bench.session.preview is before
        bench.book.trigger("recon.preview")
        await until(bench.panel.trouble.isVisible, "the error is said in place")
        assert "there is no engine of this name" in bench.panel.trouble.text()
        assert bench.session.preview is before
        bench.book.trigger("edit.undo")
        await until(lambda: not bench.panel.trouble.isVisible(), "all is well again")

    at_the_panel(work)


def test_a_picture_of_a_sweep_is_chosen_and_adopted(at_the_panel: Run, scans: Scans) -> None:
    async def work(bench: Any) -> None:
        from PySide6.QtCore import Qt
        from PySide6.QtTest import QTest

        await ready(bench, scans[0])
        page = bench.panel.sweep
        click(bench.panel.sweep_button)
        assert page.isVisible()
        assert page.size() == page._over.size(), "covers the canvas and nothing else"
        page.first.choose("rings.0.sigma")
        for edit, text in (
            (page.first.start, "1"),
            (page.first.stop, "3"),
            (page.first.count, "3"),
        ):
            edit.setText(text)
        page.second.choose("center.center_px")
        page.second.count.setText("2")
        assert page.count.text() == "3 × 2 = 6 pictures"
        click(page.start)
        await until(lambda: len(page.sheet.images) == 6, "all pictures come")
        await until(lambda: page._task is None, "the sweep ends")
        place = page.sheet.cell(4).center().toPoint()
        QTest.mouseClick(page.sheet, Qt.MouseButton.LeftButton, pos=place)
        assert page.sheet.current == 4
        assert page.caption.text().startswith("Width 3, Centre ")
        pixel = page.sheet.grab().toImage().pixelColor(place)
        assert pixel.red() == pixel.green() == pixel.blue(), "pictures stay grey"
        QTest.keyClick(page.sheet, Qt.Key.Key_Left)
        assert page.sheet.current == 3
        values = page._trials[3].values
        QTest.keyClick(page.sheet, Qt.Key.Key_Return)
        assert not page.isVisible()
        assert bench.session.recipe.rings[0].sigma == values[0] == 2.0
        assert bench.session.recipe.center.center_px == values[1]
        await settled(bench)
        bench.book.trigger("edit.undo")
        assert bench.session.recipe.rings[0].sigma == 3.0, "both values are one step"
        assert bench.session.recipe.center.method == "auto"
        bench.book.trigger("recon.sweep")
        QTest.keyClick(page.sheet, Qt.Key.Key_Escape)
        assert not page.isVisible()

    at_the_panel(work)


def test_the_plan_is_told_and_the_run_is_queued_as_told(
    at_the_panel: Run, scans: Scans, tmp_path: Path
) -> None:
    async def work(bench: Any) -> None:
        plan = bench.panel.plan
        assert not plan.run.isEnabled()
        await ready(bench, scans[0])
        lines = [part.text() for part in plan._lines]
        assert lines[0] == "16 slices of 128 × 128 px"
        assert lines[2].endswith("free")
        click(plan.run)
        request = bench.submitted[0]
        assert request.scan == scans[0]
        assert request.output == tmp_path / "recfirst.zarr"
        assert request.recipe == bench.session.recipe
        plan.choose_output(str(tmp_path / "other.zarr"))
        bench.session.set_setting("output.format", "tiff")
        click(plan.run)
        assert bench.submitted[1].output == tmp_path / "other"
        bench.session.set_setting("region.rows", [0, 4000])
        await until(lambda: plan.refusal.text(), "a plan that does not go is refused")
        assert "lies outside the scan" in plan.refusal.text()
        assert not plan.run.isEnabled()
        bench.book.trigger("run.here")
        assert len(bench.submitted) == 2

    at_the_panel(work)


def test_arrows_in_a_field_are_one_step_back(at_the_panel: Run, scans: Scans) -> None:
    async def work(bench: Any) -> None:
        from PySide6.QtCore import Qt
        from PySide6.QtTest import QTest

        await ready(bench, scans[0])
        click(bench.panel.tiers["more"])
        row = bench.panel.rows["rings.0.sigma"]
        row.edit.setFocus()
        for _ in range(3):
            QTest.keyClick(row.edit, Qt.Key.Key_Up)
        assert row.edit.text() == "3.6"
        bench.book.trigger("edit.undo")
        assert bench.session.recipe.rings[0].sigma == 3.0
        await settled(bench)

    at_the_panel(work)


def test_space_presses_the_button_that_has_the_focus(at_the_panel: Run, scans: Scans) -> None:
    async def work(bench: Any) -> None:
        from PySide6.QtCore import Qt
        from PySide6.QtTest import QTest
        from PySide6.QtWidgets import QApplication

        await ready(bench, scans[0])
        box = bench.panel.rows["phase"].box
        box.setFocus()
        await until(lambda: QApplication.focusWidget() is box, "the box has the focus")
        QTest.keyClick(box.window().windowHandle(), Qt.Key.Key_Space)
        assert bench.session.recipe.phase is not None
        await settled(bench)

    at_the_panel(work)
