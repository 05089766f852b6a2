"""One's own code in a plain napari."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.QtWidgets import QLabel

from alsct_gui.face.ownface import OwnCodeWidget
from alsct_gui.face.sources import finest
from alsct_gui.files.open import open_volume
from alsct_gui.steps.own.load import example_files
from tests.face.conftest import Wait
from tests.face.test_stepface import open_layer

Array = np.ndarray[Any, Any]


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of one's own code."""
    monkeypatch.setenv("ALSCT_STEPS", str(tmp_path / "jobs"))
    folder = tmp_path / "mine"
    monkeypatch.setenv("ALSCT_OWN_STEPS", str(folder))
    folder.mkdir()
    return folder


def dock(viewer: Any) -> OwnCodeWidget:
    widget = OwnCodeWidget(viewer)
    viewer.window.add_dock_widget(widget, name="Own code", add_vertical_stretch=False)
    return widget


def listed(widget: OwnCodeWidget) -> list[str]:
    return [widget.codes.itemText(k) for k in range(widget.codes.count()) if
            widget.codes.itemData(k) is not None]  # fmt: skip


def test_the_folder_and_the_examples_are_listed(viewer: Any, mine: Path, tmp_path: Path) -> None:
    widget = dock(viewer)
    examples = ["Example: grey values", "Example: local contrast", "Example: porosity"]
    assert listed(widget) == examples
    assert widget.codes.currentText() == ""
    code = mine / "a.py"
    code.write_text("def run(volume): return volume")
    elsewhere = tmp_path / "b.py"
    elsewhere.write_text("def run(volume): return volume")
    widget.open(elsewhere)
    widget.refresh()
    assert listed(widget) == ["a.py", *examples, "b.py"]
    assert widget.codes.currentText() == "b.py"
    for path in example_files():
        widget.open(path)
        assert widget.face is not None
        assert widget.wrong.text() == ""
        assert not widget.face.run_button.isEnabled()


def test_what_is_wrong_is_said_as_plain_words(viewer: Any, mine: Path) -> None:
    widget = dock(viewer)
    code = mine / "bad.py"
    code.write_text("def go(): pass")
    widget.open(code)
    assert "has no function run" in widget.wrong.text()
    assert widget.face is None
    code.write_text("def run(volume):\n    '''<img src=x><b>Bold</b>.'''")
    widget.open(code)
    assert widget.wrong.text() == ""
    assert widget.face is not None
    shown = [item for item in widget.face.findChildren(QLabel) if "<b>Bold" in item.text()]
    assert [item.textFormat().name for item in shown] == ["PlainText"]


def test_a_table_is_shown_and_a_volume_becomes_a_layer(
    viewer: Any, mine: Path, volume_path: Path, values: Array, wait: Wait
) -> None:
    open_layer(viewer, volume_path)
    widget = dock(viewer)
    table = mine / "count.py"
    table.write_text("OUTPUT = 'table'\ndef run(v, t: float = 0.7): return {'n': [(v > t).sum()]}")
    for path, name in ((table, "n"), (mine / "twice.py", "")):
        (mine / "twice.py").write_text("def run(v): return 2 * v")
        widget.open(path)
        assert widget.face is not None
        face, ended = widget.face, []
        face.finished.connect(ended.append)
        face.run_button.click()
        wait(lambda ended=ended, face=face: ended or face.wrong.text(), "the end")
        assert face.wrong.text() == ""
        assert face.results.table.isVisibleTo(face) == bool(name)
        if name:
            shown = face.results.table.model()
            assert int(shown.index(0, 0).data().replace(",", "")) == int((values > 0.7).sum())
    made = np.asarray(finest(viewer.layers[-1])[3])
    np.testing.assert_allclose(made, 2 * values[3], rtol=1e-6)


def test_its_failure_is_said_and_its_words_are_in_the_log(
    viewer: Any, mine: Path, volume_path: Path, tmp_path: Path, wait: Wait
) -> None:
    open_layer(viewer, volume_path)
    widget = dock(viewer)
    code = mine / "fails.py"
    code.write_text("def run(v):\n    print('on the way')\n    raise ValueError('too grey')")
    widget.open(code)
    face = widget.face
    assert face is not None
    face.run_button.click()
    wait(lambda: face.wrong.text(), "its words")
    assert "ValueError: too grey" in face.wrong.text()
    (log,) = (tmp_path / "jobs").glob("*/log.txt")
    assert "on the way" in log.read_text()


def test_closing_ends_its_work(
    viewer: Any, mine: Path, volume_path: Path, tmp_path: Path, wait: Wait
) -> None:
    open_layer(viewer, volume_path)
    widget = dock(viewer)
    code = mine / "slow.py"
    code.write_text("import time\ndef run(v):\n    print('PROGRESS 0.5')\n    time.sleep(600)")
    widget.open(code)
    face = widget.face
    assert face is not None
    face.run_button.click()
    wait(lambda: face.bar.value() > 0, "its progress")
    viewer.window.remove_dock_widget(widget)
    assert widget.face is None
    (events,) = (tmp_path / "jobs").glob("*/events.jsonl")
    wait(lambda: '"cancelled"' in events.read_text(), "the end of the work", 20)


def test_every_selected_layer_is_done(
    viewer: Any, mine: Path, volume_path: Path, values: Array, tmp_path: Path, wait: Wait
) -> None:
    first = open_layer(viewer, volume_path)
    second = viewer.add_image(values * 3, name="second")
    bad = viewer.add_image(values * 100, name="bad")
    viewer.add_labels(np.zeros(values.shape, int), name="labels")
    widget = dock(viewer)
    code = mine / "twice.py"
    code.write_text("def run(v):\n    assert v.max() < 50, 'too bright'\n    return 2 * v")
    widget.open(code)
    face = widget.face
    assert face is not None
    viewer.layers.selection = {first}
    assert face.run_button.text() == "Run"
    viewer.layers.selection = set(viewer.layers)
    assert face.run_button.text() == "Run on 3 layers"
    face.output.setText(str(tmp_path / "all"))
    face.run_button.click()
    assert face.cancel_button.text() == "Cancel (1 of 3)"
    wait(lambda: face.cancel_button.text() == "Cancel" and face.run_button.isEnabled(), "the end")
    assert face.status.text() == "1 of 3 failed."
    assert face.wrong.text().startswith("bad: ")
    assert "too bright" in face.wrong.text()
    for layer, name, source in ((first, "rec $(x) é", values), (second, "second", 3 * values)):
        with open_volume(tmp_path / "all" / f"{name}.twice.zarr") as made:
            np.testing.assert_allclose(made.levels[0][3], 2 * source[3], rtol=1e-6)
        assert layer in viewer.layers
    assert bad in viewer.layers
    viewer.layers.selection = {first, second}
    face.run_button.click()
    face.cancel()
    wait(lambda: face.cancel_button.text() == "Cancel" and face.run_button.isEnabled(), "the end")
    assert len(list((tmp_path / "all").iterdir())) == 2
