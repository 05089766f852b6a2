"""Scans and volumes come into a plain napari lazily, with their units, and go out again."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.settings import get_settings
from qtpy.QtCore import QMimeData, QPointF, Qt, QUrl
from qtpy.QtGui import QDropEvent

from alsct_gui.files.convert import convert_volume
from alsct_gui.files.labels import load_labels, save_labels
from alsct_gui.files.open import open_scan, open_volume
from alsct_gui.model.errors import InputError, OutputError
from napari_alsct_io.reader import get_reader, kind_of, read
from napari_alsct_io.samples import volume_of
from tests.face.conftest import Wait

PLUGIN = "napari-alsct-io"


@pytest.fixture(scope="module")
def tiff_path(rec_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return convert_volume(rec_path, tmp_path_factory.mktemp("tiff") / "recfoam", format="tiff")


@pytest.fixture(scope="module")
def labels_path(rec_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    with open_volume(rec_path) as volume:
        labels = (np.asarray(volume.levels[0][:]) > 100).astype(np.uint16)
        return save_labels(labels, volume, tmp_path_factory.mktemp("labels") / "a.labels.zarr")


def test_a_raw_scan_opens_as_projections_with_flats_and_darks(
    viewer: Any, scan_path: Path, qapp: Any
) -> None:
    layers = viewer.open(str(scan_path), plugin=PLUGIN)
    with open_scan(scan_path) as scan:
        assert scan.flats is not None
        frame = scan.projections.read(slice(7, 8))[0]
        angle_deg = scan.geometry.angles_deg[7]
    assert [layer.name for layer in layers] == [
        "foam é projections", "foam é flats", "foam é darks"
    ]  # fmt: skip
    assert [layer.visible for layer in layers] == [True, False, False]
    projections = layers[0]
    assert projections.data.shape == (181, 12, 128)
    np.testing.assert_array_equal(projections.data[7], frame)
    assert projections.axis_labels == ("angle", "row", "column")
    assert tuple(projections.scale) == pytest.approx((1, 0.65, 0.65))
    assert [str(unit) for unit in projections.units] == ["pixel", "micrometer", "micrometer"]
    assert projections.metadata["angles_deg"][7] == angle_deg
    assert projections.metadata["scan_path"] == str(scan_path)
    assert layers[1].data.dtype == np.uint16


def test_a_dropped_scan_is_opened_lazily(
    viewer: Any, scan_path: Path, wait: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What a person chose for good when napari asked; its own reader claims *.h5, too.
    monkeypatch.setattr(get_settings().plugins, "extension2reader", {"*.h5": PLUGIN})
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(scan_path))])
    event = QDropEvent(
        QPointF(5, 5), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    viewer.window._qt_viewer.dropEvent(event)
    wait(lambda: len(viewer.layers) == 3, "the layers")
    assert not isinstance(viewer.layers[0].data, np.ndarray)


def test_files_are_closed_with_the_layers(scan_path: Path, tiff_path: Path) -> None:
    def open_files() -> list[str]:
        names = []
        for link in Path("/proc/self/fd").iterdir():
            try:
                names.append(str(link.readlink()))
            except FileNotFoundError:
                continue  # the folder's own
        return [name for name in names if name.endswith((".h5", ".tif", ".tiff"))]

    layers = read(str(scan_path)) + read(str(tiff_path))
    assert open_files()
    one = layers[1][0]
    del layers
    gc.collect()
    assert {Path(name).suffix for name in open_files()} == {".h5"}
    assert one[0].any()
    del one
    gc.collect()
    assert open_files() == []


@pytest.mark.parametrize("kind", ["zarr", "tiff"])
def test_a_volume_opens_with_voxel_and_units(
    viewer: Any, rec_path: Path, tiff_path: Path, kind: str
) -> None:
    path = rec_path if kind == "zarr" else tiff_path
    (layer,) = viewer.open(str(path), plugin=PLUGIN)
    with open_volume(rec_path) as volume:
        expected = volume.levels[0][5]
    np.testing.assert_array_equal(layer.data[5], expected)
    assert tuple(layer.scale) == pytest.approx((0.65, 0.65, 0.65))
    assert [str(unit) for unit in layer.units] == ["micrometer"] * 3
    assert layer.axis_labels == ("z", "y", "x")
    assert layer.metadata["value_units"] == "1/cm"
    assert layer.metadata["provenance"]["engine"].startswith("fourier")
    low, high = layer.contrast_limits
    assert expected.min() <= low < high <= expected.max()


def test_levels_of_a_pyramid_and_scaled_integers(rec_path: Path, tmp_path: Path) -> None:
    from alsct_gui.files.writers.base import create_volume

    values = np.random.default_rng(0).random((4, 300, 520)).astype(np.float32)
    with create_volume(tmp_path / "big.zarr", shape=values.shape, dtype="float32") as writer:
        writer.write(0, values)
        writer.finish()
    ((levels, about, kind),) = read(str(tmp_path / "big.zarr"))
    assert kind == "image"
    assert about["multiscale"]
    assert [level.shape for level in levels][:2] == [(4, 300, 520), (2, 150, 260)]
    assert about["units"] == ("pixel",) * 3
    small = convert_volume(rec_path, tmp_path / "8bit.zarr", dtype="uint8")
    ((data, _, _),) = read(str(small))
    with open_volume(rec_path) as volume:
        inside = np.clip(volume.levels[0][5], data[:].min(), data[:].max())
    np.testing.assert_allclose(data[5], inside, atol=1.5)


def test_labels_open_as_labels(viewer: Any, labels_path: Path) -> None:
    (layer,) = viewer.open(str(labels_path), plugin=PLUGIN)
    assert layer.as_layer_data_tuple()[2] == "labels"
    assert layer.data.dtype == np.uint16
    assert set(np.unique(layer.data)) == {0, 1}
    layer.data[0, 0, 0] = 7  # in memory, so that it can be painted on


def test_what_is_written_comes_back(viewer: Any, rec_path: Path, tmp_path: Path) -> None:
    (layer,) = viewer.open(str(rec_path), plugin=PLUGIN)
    (zarr,) = layer.save(str(tmp_path / "out.zarr"), plugin=PLUGIN)
    (folder,) = layer.save(str(tmp_path / "out.tif"), plugin=PLUGIN)
    assert folder == str(tmp_path / "out")
    with open_volume(rec_path) as before:
        for path in (zarr, folder):
            with open_volume(path) as after:
                np.testing.assert_array_equal(after.levels[0][:], before.levels[0][:])
                assert after.voxel_um == before.voxel_um
                assert after.units == "1/cm"
                assert after.provenance["engine"] == before.provenance["engine"]
    with pytest.raises(OutputError, match="exists already"):
        layer.save(str(tmp_path / "out.zarr"), plugin=PLUGIN)
    flat = viewer.add_image(np.ones((5, 6)), scale=(2e-3, 2e-3), units=("mm", "mm"))
    (one,) = flat.save(str(tmp_path / "one.zarr"), plugin=PLUGIN)
    with open_volume(one) as volume:
        assert (volume.shape, volume.voxel_um) == ((1, 5, 6), (2.0, 2.0, 2.0))
    painted = viewer.add_labels(np.arange(24).reshape(2, 3, 4), name="painted")
    (labels,) = painted.save(str(tmp_path / "p.zarr"), plugin=PLUGIN)
    assert load_labels(Path(labels)).labels[1, 2, 3] == 23


def test_colours_are_no_volume(viewer: Any, tmp_path: Path) -> None:
    layer = viewer.add_image(np.zeros((4, 5, 3), np.uint8), rgb=True)
    with pytest.raises(OutputError, match="axes of colours"):
        layer.save(str(tmp_path / "rgb.zarr"), plugin=PLUGIN)


def test_only_what_is_a_scan_or_a_volume_is_taken(
    scan_path: Path, rec_path: Path, tiff_path: Path, tmp_path: Path
) -> None:
    assert (kind_of(scan_path), kind_of(rec_path), kind_of(tiff_path)) == (
        "scan", "volume", "volume"
    )  # fmt: skip
    empty = tmp_path / "empty"
    empty.mkdir()
    text = tmp_path / "notes.h5"
    text.write_text("not HDF5")
    for path in (empty, text, tmp_path / "none.h5"):
        assert get_reader(str(path)) is None
    cut = tmp_path / "cut.h5"
    cut.write_bytes(scan_path.read_bytes()[:20_000])
    reader = get_reader(str(cut))
    assert reader is not None
    with pytest.raises(InputError):
        reader(str(cut))


def test_samples_are_made_once_and_open(
    viewer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_alsct_io import samples

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(samples, "_SIZES", {"foam": (96, 8, 91)})
    for key, count in (("foam-scan", 3), ("foam", 1)):
        assert len(viewer.open_sample(PLUGIN, key)) == count
    made = volume_of("foam")
    assert made.is_relative_to(tmp_path)
    before = made.stat().st_mtime_ns
    assert volume_of("foam").stat().st_mtime_ns == before
