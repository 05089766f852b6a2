"""The widgets in a plain napari, opened by their names as its menu does."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alsct_bench.textured import Textured, scribble, textured_volume
from alsct_gui.face.layerdata import labels_layer, volume_layer
from alsct_gui.files.labels import load_labels, save_labels
from alsct_gui.files.open import open_volume
from alsct_gui.files.writers.base import create_volume
from alsct_gui.steps.values import array_volume
from napari_alsct_segment.classifier.model import load_pixel_model
from napari_alsct_segment.faces.lossplot import LossPlot, loss_range, ticks
from napari_alsct_segment.network.model import Round
from tests.face.conftest import Wait

PACKAGE = "napari-alsct-segment"
EDGE_UM = 1.3
PLAIN = (
    "Threshold", "Apply a pixel classifier", "Probability of a phase",
    "Uncertainty of a classifier", "Apply a labelling network", "Apply a denoising network",
    "Train a labelling network", "Train on a noisy scan (Noise2Inverse)",
)  # fmt: skip


@pytest.fixture
def small() -> Textured:
    whole = textured_volume(64, 3)
    return Textured(whole.values[:24], whole.truth[:24])


@pytest.fixture
def opened(viewer: Any, small: Textured, tmp_path: Path) -> Any:
    """A viewer with a volume that lies in a file."""
    with create_volume(
        tmp_path / "rec é.zarr", shape=(24, 64, 64), dtype="float32", voxel_um=(EDGE_UM,) * 3,
        provenance={"units": "1/cm"},
    ) as writer:  # fmt: skip
        writer.write(0, small.values)
        path = writer.finish()
    data, about, _ = volume_layer(open_volume(path))
    viewer.add_image(data, **about)
    viewer.dims.set_point(0, 12 * EDGE_UM)
    return viewer


def widget(viewer: Any, name: str) -> Any:
    return viewer.window.add_plugin_dock_widget(PACKAGE, name)[1]


def test_they_open_and_say_what_they_need(opened: Any) -> None:
    for name in PLAIN:
        face = widget(opened, name)
        assert face.step.sentence
        for tier in ("newbie", "average", "power"):
            face.show_tier(tier)
        if name == "Threshold":
            assert face.run_button.isEnabled()
        else:
            assert not face.run_button.isEnabled()
            assert "Open a layer" in face.status.text()


def paint(layer: Any, marks: np.ndarray) -> None:
    """Paint marks as strokes of the brush end: through the layer's history."""
    for value in np.unique(marks[marks > 0]):
        for index in np.unique(np.nonzero(marks == value)[0]):
            y, x = np.nonzero(marks[index] == value)
            layer.data_setitem((np.full(y.size, index), y, x), int(value))


def test_scribble_look_and_label(opened: Any, small: Textured, tmp_path: Path, wait: Wait) -> None:
    face = widget(opened, "Pixel classifier")
    assert not face.box.run.isEnabled()
    face.inputs.new.click()
    strokes = face.strokes.layer
    assert strokes.mode == "paint"
    assert strokes.selected_label == 1
    np.testing.assert_allclose(strokes.scale, (EDGE_UM,) * 3)
    marks = scribble(small.truth, 900, 1)
    # With one phase there is nothing to learn, but the slice is made ready.
    paint(strokes, np.where(marks == 1, marks, 0))
    wait(lambda: face.bar.words.text() == "ready" or face.wrong.text(), "the slice is ready", 180)
    assert face.wrong.text() == ""
    assert face.look.view is None
    paint(strokes, np.where(marks == 1, 0, marks))
    wait(lambda: sum(face.strokes.scribbles.counts.values()) == 900, "the marks")
    assert face.phases.labels == (1, 2, 3)
    assert "300 voxels marked" in face.phases.buttons[3].text()
    wait(lambda: face.look.view is not None or face.wrong.text(), "the first look", 180)
    assert face.wrong.text() == ""
    view = face.look.view
    assert view.index == 12
    assert (view.labels == small.truth[12]).mean() > 0.85
    names = [layer.name for layer in opened.layers]
    assert names[-1] == "Strokes"
    assert "Phases: preview" in names
    preview = opened.layers["Phases: preview"]
    np.testing.assert_allclose(preview.translate, (12 * EDGE_UM, 0, 0))
    face.bar.choice.setCurrentIndex(1)
    names = [layer.name for layer in opened.layers]
    assert "Uncertainty: preview" in names
    assert "Phases: preview" not in names
    opened.dims.set_point(0, 8 * EDGE_UM)
    wait(lambda: face.look.view.index == 8, "a slice without strokes")
    view = face.look.view
    assert view.spots
    face.next_spot()
    center = opened.scene.camera.center
    np.testing.assert_allclose(center[-2:], (view.spots[0].y * EDGE_UM, view.spots[0].x * EDGE_UM))
    face.search()
    wait(lambda: "most doubtful" in face.status.text(), "a doubtful slice")
    ended: list[Any] = []
    face.finished.connect(ended.append)
    face.box.output.setText(str(tmp_path / "out.labels.zarr"))
    face.box.run.click()
    wait(lambda: ended or face.wrong.text(), "the labels", 180)
    assert face.wrong.text() == ""
    assert [layer.name for layer in opened.layers if "preview" in layer.name] == []
    found = np.asarray(opened.layers["out"].data)
    assert (found == small.truth).mean() > 0.85
    model = load_pixel_model(tmp_path / "out.model.safetensors")
    assert model.trained[0].volume == "rec é.zarr"
    assert face.inputs.strokes() is strokes
    # The strokes were saved beside the volume and come back.
    wait(lambda: (tmp_path / "rec é.strokes.safetensors").exists(), "the strokes are saved")
    opened.layers.remove("Strokes")
    wait(lambda: face.strokes.layer is None or face.strokes.layer is not strokes, "they are gone")
    face.make_strokes()
    np.testing.assert_array_equal(face.strokes.layer.data, marks)
    # Another model to go on with, and what is wrong is said.
    face.go_on_with(tmp_path / "out.labels.zarr")
    face.bar.preview.setChecked(True)
    face.look.renew()
    wait(lambda: "cannot be read as a model" in face.wrong.text(), "the complaint")
    face.go_on_with(tmp_path / "out.model.safetensors")
    wait(lambda: face.look.view is not None, "a look with both")


@pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch is not installed: extra [torch]")
def test_a_training_shows_its_loss_and_goes_on(viewer: Any, tmp_path: Path, wait: Wait) -> None:
    rng = np.random.default_rng(0)
    good = np.zeros((6, 48, 48), np.float32)
    good[:, 10:30, 12:40] = 1
    poor = (good + 0.5 * rng.normal(size=good.shape)).astype(np.float32)
    first, second = viewer.add_image(poor, name="poor"), viewer.add_image(good, name="good")
    face = widget(viewer, "Train a denoising network")
    face.inputs.choose("volume", first)
    face.inputs.choose("good", second)
    face.output.setText(str(tmp_path / "net.safetensors"))
    face.show_parameters(
        replace(face.parameters(), most_steps=100_000, round_steps=5, patch_px=32, depth=10,
                patience=1000)
    )  # fmt: skip
    face.run_button.click()
    assert face.plot.isVisibleTo(face)
    wait(lambda: len(face.plot.rounds) >= 2 or face.wrong.text(), "two rounds", 180)
    assert face.wrong.text() == ""
    face.cancel_button.click()
    wait(lambda: "goes on from step" in face.status.text(), "the end")
    reached = face.plot.rounds[-1].steps
    ended: list[Any] = []
    face.finished.connect(ended.append)
    face.show_parameters(replace(face.parameters(), most_steps=reached + 5))
    face.run_button.click()
    wait(lambda: ended or face.wrong.text(), "the network", 180)
    assert face.wrong.text() == ""
    assert face.plot.rounds[-1].steps == reached + 5
    assert (tmp_path / "net.safetensors").exists()
    assert "The best was step" in face.status.text()
    assert "loss" not in face.status.text()


@pytest.fixture
def labels(viewer: Any, tmp_path: Path) -> Any:
    """Two touching balls as object 4, a block as 2, a speck as 7."""
    made = np.zeros((16, 40, 60), np.uint16)
    z, y, x = np.ogrid[:16, :40, :60]
    for middle in (16, 29):
        made[(z - 8) ** 2 + (y - 20) ** 2 + (x - middle) ** 2 <= 49] = 4
    made[2:6, 4:9, 50:58] = 2
    made[14, 35, 55] = 7
    path = save_labels(
        made, array_volume(made, voxel_um=(2.0, 1.0, 1.0)), tmp_path / "a.labels.zarr"
    )
    data, about, _ = labels_layer(open_volume(path))
    viewer.add_labels(data, **about)
    return made


def test_proof_reading(viewer: Any, labels: np.ndarray, tmp_path: Path, wait: Wait) -> None:
    face = widget(viewer, "Proof-reading of labels")
    layer = viewer.layers["a"]
    wait(lambda: face.review is not None, "the objects")
    assert face.sequence() == (4, 2, 7)
    assert face.about.text().startswith("Object 4: 1 of 3, ")
    face.forth.click()
    assert face.current == 2
    assert layer.selected_label == 2
    assert 2 <= viewer.dims.current_step[0] < 6
    face.back.click()
    face.back.click()
    assert face.current == 7
    face.delete_button.click()
    assert not (layer.data == 7).any()
    assert face.current == 4
    # Split at two markers.
    face.split_button.click()
    markers = viewer.layers["Markers of a split"]
    markers.data = np.array([[8, 20, 16], [8, 20, 29]])
    face.split_button.click()
    assert set(np.unique(layer.data)) == {0, 2, 4, 5}
    assert "Markers of a split" not in viewer.layers
    # Merge by picking, as a click does.
    face.merge_button.click()
    assert layer.mode == "pick"
    layer.selected_label = 5
    assert set(np.unique(layer.data)) == {0, 2, 4}
    face.number.setValue(2)
    face.relabel_button.click()
    assert "is there already" in face.wrong.text()
    face.number.setValue(40)
    face.relabel_button.click()
    assert face.current == 40
    for _ in range(4):
        face.undo_button.click()
    np.testing.assert_array_equal(layer.data, labels)
    assert not face.undo_button.isEnabled()
    face.redo_button.click()
    assert not (layer.data == 7).any()
    wait(lambda: "Kept in" in face.status.text() or face.wrong.text(), "the copy")
    assert face.wrong.text() == ""
    kept = load_labels(tmp_path / "a.edited.labels.zarr")
    np.testing.assert_array_equal(kept.labels[...], layer.data)
    assert kept.voxel_um == (2.0, 1.0, 1.0)
    with open_volume(tmp_path / "a.edited.labels.zarr") as volume:
        assert volume.provenance["edits"][:2] == ["delete 7", "split 4 into 2"]
    np.testing.assert_array_equal(load_labels(tmp_path / "a.labels.zarr").labels[...], labels)
    layer.data[14, 35, 55] = 99
    face.undo_button.click()
    assert "painted on meanwhile" in face.wrong.text()


def test_the_loss_is_drawn(app: Any) -> None:
    plot = LossPlot("dark")
    plot.resize(300, 150)
    empty = plot.grab().toImage()
    rounds = [Round(100 * (k + 1), 0.5 / (k + 1), 0.6 / (k + 1)) for k in range(8)]
    plot.show_rounds(rounds)
    drawn = plot.grab().toImage()
    colours = {
        drawn.pixelColor(x, y).name() for x in range(46, 292) for y in range(24, 128)
    }  # fmt: skip
    assert {"#56b4e9", "#e69f00"} <= colours
    assert empty != drawn
    plot.show_rounds([Round(10, float("nan"), float("inf"))])
    plot.grab()
    plot.deleteLater()
    low, high = loss_range(rounds)
    assert low < 0.0625 < 0.6 < high
    assert ticks(0.05, 0.7) == [0.05, 0.1, 0.2, 0.5]
    assert len(ticks(0.31, 0.32)) == 2
    assert len(ticks(1e-6, 10)) <= 6
