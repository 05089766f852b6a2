"""The widgets in a plain napari, opened by their names as its menu does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alsct_gui.face.layerdata import volume_layer
from alsct_gui.face.sources import finest
from alsct_gui.files.open import open_volume
from tests.face.conftest import Wait

NAMES = ("Median", "Total variation", "Non-local means", "Ring removal", "Fewer bits")


@pytest.fixture
def opened(viewer: Any, rec_path: Path) -> Any:
    data, about, _ = volume_layer(open_volume(rec_path))
    viewer.add_image(data, **about)
    return viewer


def test_it_takes_the_layer_that_is_selected(opened: Any) -> None:
    first = opened.layers[0]
    second = opened.add_image(np.zeros((4, 9, 9), np.float32), name="second")
    _, face = opened.window.add_plugin_dock_widget("napari-alsct-filter", "Median")
    assert face.inputs.main() is second
    opened.layers.selection.active = first
    assert face.inputs.main() is first
    opened.layers.remove(second)
    assert face.inputs.main() is first


@pytest.mark.parametrize("name", NAMES)
def test_it_previews_and_runs(opened: Any, tmp_path: Path, wait: Wait, name: str) -> None:
    _, face = opened.window.add_plugin_dock_widget("napari-alsct-filter", name)
    face.output.setText(str(tmp_path / "out.zarr"))
    opened.dims.set_point(0, 3 * 0.65)
    face.preview.setChecked(True)
    wait(lambda: len(opened.layers) == 2, "the preview")
    preview = np.array(opened.layers[1].data[0])
    ended: list[Any] = []
    face.finished.connect(ended.append)
    face.run_button.click()
    wait(lambda: ended or face.wrong.text(), "the end")
    assert face.wrong.text() == ""
    made = opened.layers[-1]
    assert tuple(made.scale) == pytest.approx((0.65, 0.65, 0.65))
    with open_volume(tmp_path / "out.zarr") as volume:
        np.testing.assert_allclose(preview, volume.levels[0][3], rtol=1e-4, atol=1e-3)
        np.testing.assert_allclose(
            np.asarray(finest(made)[3]), volume.physical(volume.levels[0][3]), rtol=1e-5
        )
