from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alsct_gui.files.partialvolume import open_partial_volume
from alsct_gui.files.volumes import open_volume
from alsct_gui.files.writers.base import create_volume
from alsct_gui.files.writers.partial import partial_folder
from alsct_gui.model.errors import InputError

SHAPE = (40, 6, 8)
DATA = np.random.default_rng(2).random(SHAPE, np.float32)


def start(path: Path, dtype: str = "float32", **options: Any) -> Any:
    return create_volume(
        path, shape=SHAPE, dtype=dtype, voxel_um=(2, 1, 1), provenance={"units": "1/cm"}, **options
    )


def journalled(writer: Any) -> None:
    """Wait until the writer's background thread has noted what it was given."""
    for job in writer._syncs:
        job.result(timeout=30)


def test_finished_slices_are_read_while_others_are_made(tmp_path: Path) -> None:
    path = tmp_path / "rec.zarr"
    with start(path) as writer, open_partial_volume(path) as partial:
        finest = partial.volume.levels[0]
        assert (partial.state, partial.finished) == ("writing", ())
        assert partial.volume.voxel_um == (2, 1, 1)
        assert partial.volume.units == "1/cm"
        assert partial.volume.path == partial.path == path
        assert np.isnan(finest[...]).all()
        writer.write(16, DATA[16:34])
        journalled(writer)
        assert partial.refresh() == ((16, 32),)
        assert partial.n_finished == 16
        np.testing.assert_array_equal(finest[20], DATA[20])
        assert np.isnan(finest[33]).all()
        assert partial.refresh(announced=[(32, 34), (-5, 0), (38, 90)]) == ((16, 34), (38, 40))
        np.testing.assert_array_equal(finest[16:34, 2], DATA[16:34, 2])
        expected = np.full(SHAPE, np.nan, np.float32)
        expected[16:34] = DATA[16:34]
        np.testing.assert_array_equal(finest[3:37:5, :, ::2], expected[3:37:5, :, ::2])


def test_it_follows_the_product_to_its_final_name(tmp_path: Path) -> None:
    path = tmp_path / "rec.zarr"
    with start(path) as writer, open_partial_volume(partial_folder(path)) as partial:
        writer.write(0, DATA)
        journalled(writer)
        assert partial.refresh() == ((0, 40),)
        writer.finish()
        # Renamed between the look and the read.
        np.testing.assert_array_equal(partial.volume.levels[0][5], DATA[5])
        assert partial.state == "finished"
        assert partial.refresh() == ((0, 40),)
    with open_volume(path) as volume:
        np.testing.assert_array_equal(volume.levels[0][...], DATA)
    with pytest.raises(InputError, match="finished"):
        open_partial_volume(path)
    with pytest.raises(InputError, match="closed"):
        partial.volume.levels[0][0]


def test_an_older_product_of_the_name_is_not_taken_for_it(tmp_path: Path) -> None:
    path = tmp_path / "rec.zarr"
    with start(path) as writer:
        writer.write(0, DATA)
        writer.finish()
    writer = start(path, replace=True)
    writer.write(0, DATA[:16] + 1)
    journalled(writer)
    partial = open_partial_volume(path)
    assert partial.finished == ((0, 16),)
    writer.abort()
    with pytest.raises(InputError):
        partial.volume.levels[0][3]
    assert (partial.state, partial.finished) == ("gone", ())
    assert np.isnan(partial.volume.levels[0][3]).all()
    partial.close()


def test_work_that_begins_anew_is_another_product(tmp_path: Path) -> None:
    path = tmp_path / "rec.zarr"
    with start(path) as writer:
        writer.write(0, DATA[:16])
        journalled(writer)
    partial = open_partial_volume(path)
    assert partial.finished == ((0, 16),)
    with start(path, resume=True):
        assert partial.refresh() == ((0, 16),)
    with start(path):
        assert partial.refresh() == ()
        assert partial.state == "gone"
    partial.close()


def test_integers_and_tiff(tmp_path: Path) -> None:
    whole = (DATA * 200).astype(np.uint8)
    path = tmp_path / "recscan{x}"
    with start(path, "uint8", format="tiff") as writer:
        with pytest.raises(InputError, match="no slice"):
            open_partial_volume(path)
        writer.write(0, whole[:16])
        journalled(writer)
        with open_partial_volume(path, n_slices=40) as partial:
            finest = partial.volume.levels[0]
            assert (finest.shape, finest.dtype) == (SHAPE, np.uint8)
            np.testing.assert_array_equal(finest[14:18, 1:, 3], [
                *whole[14:16, 1:, 3], *np.zeros((2, 5), np.uint8)])  # fmt: skip
            writer.write(16, whole[16:])
            writer.finish()
            np.testing.assert_array_equal(finest[3], whole[3])
            partial.refresh()
            np.testing.assert_array_equal(finest[...], whole)


def test_damage_is_an_input_error(tmp_path: Path) -> None:
    path = tmp_path / "rec.zarr"
    with pytest.raises(InputError, match="not being written"):
        open_partial_volume(path)
    with start(path) as writer:
        writer.write(0, DATA[:16])
        journalled(writer)
    journal = partial_folder(path) / "journal.jsonl"
    text = journal.read_text()
    journal.write_text(text + "[16, 3")
    partial = open_partial_volume(path)
    assert partial.finished == ((0, 16),)
    (partial_folder(path) / "content" / "0" / "c" / "0" / "0" / "0").unlink()
    with pytest.raises(InputError, match="missing"):
        partial.volume.levels[0][0]
    partial.close()
    for line in ('{"a": 1}\n', "[1]\n", "3\n", "nonsense\n", '["a", 2]\n'):
        journal.write_text(text + line)
        with pytest.raises(InputError, match="journal"):
            open_partial_volume(path)
