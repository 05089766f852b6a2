"""The direct reader of our own volumes gives what zarr-python gives, and trusts nothing."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from alsct_gui.files.shardread import ShardedArray, read_layout
from alsct_gui.files.volumes import ImageArray, open_volume
from alsct_gui.files.writers.base import create_volume
from alsct_gui.model.errors import InputError, UnsafeInputError

SHAPE = (37, 20, 650)


def write(path: Path, shape: tuple[int, int, int], dtype: str) -> Path:
    values = np.random.default_rng(5).integers(0, 200, shape).astype(dtype)
    with create_volume(path, shape=shape, dtype=dtype) as writer:
        writer.write(0, values)
        return writer.finish()


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Any, Any]]:
    """Each level of a few volumes, by our reader and by zarr-python."""
    root = tmp_path_factory.mktemp("volumes")
    made = []
    for dtype, shape in (("float32", SHAPE), ("uint16", (5, 330, 7)), ("uint8", (1, 1, 3))):
        path = write(root / f"{dtype}.zarr", shape, dtype)
        volume, group = open_volume(path), zarr.open_group(path, mode="r")
        made += [(level, group[str(i)]) for i, level in enumerate(volume.levels)]
    return made


def axis_keys(size: int) -> st.SearchStrategy[Any]:
    bound = st.none() | st.integers(-size - 3, size + 3)
    step = st.none() | st.integers(1, size + 2)
    return st.integers(-size, size - 1) | st.builds(slice, bound, bound, step)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_any_key_gives_what_zarr_gives(pairs: list[tuple[Any, Any]], data: st.DataObject) -> None:
    ours, theirs = data.draw(st.sampled_from(pairs))
    n_keys = data.draw(st.integers(0, 3))
    key = [data.draw(axis_keys(size)) for size in ours.shape[:n_keys]]
    if n_keys < 3 and data.draw(st.booleans()):
        # An ellipsis in front moves the keys to the last axes.
        key = [..., *(data.draw(axis_keys(size)) for size in ours.shape[3 - n_keys :])]
    got, expected = ours[tuple(key)], np.asarray(theirs[tuple(key)])
    assert got.dtype == expected.dtype
    np.testing.assert_array_equal(got, expected, strict=True)


def test_our_volumes_are_read_directly(pairs: list[tuple[Any, Any]]) -> None:
    for ours, theirs in pairs:
        assert isinstance(ours, ShardedArray)
        assert (ours.shape, ours.chunks, ours.dtype) == (theirs.shape, theirs.chunks, theirs.dtype)
        assert (ours.ndim, ours.size) == (theirs.ndim, theirs.size)
        np.testing.assert_array_equal(np.asarray(ours, dtype="f8"), np.asarray(theirs))


@pytest.mark.parametrize("key", [37, -38, (0, 0, 0, 0), None, 1.0, True, (..., ...),
                                 slice(5, 0, -1), [0, 2]])  # fmt: skip
def test_other_keys_are_an_index_error(pairs: list[tuple[Any, Any]], key: Any) -> None:
    with pytest.raises(IndexError):
        pairs[0][0][key]


def test_threads_read_side_by_side(pairs: list[tuple[Any, Any]]) -> None:
    ours, theirs = pairs[0]
    expected = np.asarray(theirs)
    with ThreadPoolExecutor(4) as pool:
        for index, plane in enumerate(pool.map(lambda i: ours[i % SHAPE[0]], range(200))):
            np.testing.assert_array_equal(plane, expected[index % SHAPE[0]])


def test_a_shard_or_chunk_that_was_never_written_is_fill(tmp_path: Path) -> None:
    array = zarr.create_array(
        tmp_path, name="0", shape=(8, 6, 8), dtype="uint16", chunks=(4, 3, 4), shards=(4, 6, 8),
        compressors=None, fill_value=7,
    )  # fmt: skip
    array[0:2, :3, :4] = 9
    layout = read_layout(tmp_path / "0", "v/0")
    assert layout is not None
    ours = ShardedArray(tmp_path / "0", layout, "v/0")
    np.testing.assert_array_equal(ours[...], np.asarray(array))
    assert set(np.unique(ours[...])) == {7, 9}
    with pytest.raises(InputError, match="missing"):
        ShardedArray(tmp_path / "0", layout, "v/0", whole=True)[5]


def test_the_index_may_stand_first(tmp_path: Path) -> None:
    from zarr.codecs import BytesCodec, ShardingCodec

    codec = ShardingCodec(chunk_shape=(2, 3, 4), codecs=[BytesCodec()], index_location="start")
    array = zarr.create(
        store=tmp_path / "0", shape=(4, 6, 8), dtype="float32", chunks=(4, 6, 8), codecs=[codec],
        fill_value=0, zarr_format=3,
    )  # fmt: skip
    array[...] = np.random.default_rng(0).random((4, 6, 8), np.float32)
    layout = read_layout(tmp_path / "0", "v/0")
    assert layout is not None
    ours = ShardedArray(tmp_path / "0", layout, "v/0")
    np.testing.assert_array_equal(ours[1:, ::2, 3], array[1:, ::2, 3])


def test_other_codecs_are_left_to_zarr(tmp_path: Path) -> None:
    values = np.random.default_rng(0).random((4, 6, 8), np.float32)
    group = zarr.open_group(tmp_path / "v.zarr", mode="w")
    group.create_array("0", data=values, chunks=(2, 3, 4), shards=(4, 6, 8))  # compressed
    group.attrs["ome"] = {"multiscales": [{"datasets": [{"path": "0"}]}]}
    with open_volume(tmp_path / "v.zarr") as volume:
        assert isinstance(volume.levels[0], ImageArray)
        np.testing.assert_array_equal(volume.levels[0][1, ::2], values[1, ::2])


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return write(tmp_path / "v.zarr", (5, 20, 30), "float32")


@pytest.mark.parametrize("shape", [[10**12, 20, 30], [1 << 20, 1 << 20, 1 << 20]])
def test_absurd_shapes_are_refused(small: Path, shape: list[int]) -> None:
    file = small / "0" / "zarr.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"shape": shape}))
    with pytest.raises(InputError, match="shape") as caught:
        open_volume(small)
    assert caught.value.name == "shape-absurd"
    assert caught.value.where == "v.zarr/0"
    assert caught.value.fix


@pytest.mark.parametrize("change", [{"shape": [5, 20]}, {"shape": [5, 0, 30]}, {"codecs": []},
                                    {"shape": "many"}, {"fill_value": True}, {"codecs": 3},
                                    {"chunk_grid": None}, {"node_type": "group"}])  # fmt: skip
def test_odd_metadata_is_left_to_zarr(small: Path, change: dict[str, Any]) -> None:
    file = small / "0" / "zarr.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    assert read_layout(small / "0", "v/0") is None


def spoil_index(shard: Path, pair: int, offset: int, size: int) -> None:
    """Give a chunk another place, with a checksum that is right."""
    raw = bytearray(shard.read_bytes())
    start = len(raw) - 4 - 2 * 16  # a shard of this test has two chunks
    raw[start + 16 * pair : start + 16 * pair + 16] = np.array([offset, size], "<u8").tobytes()
    raw[-4:] = google_crc32c.value(bytes(raw[start:-4])).to_bytes(4, "little")
    shard.write_bytes(raw)


@pytest.mark.parametrize(
    ("offset", "size"), [(10**6, 9600), (2**63, 9600), (2**64 - 1, 9600), (0, 9601), (0, 2**63),
                         (19200, 9600)]
)  # fmt: skip
def test_an_index_that_points_outside(small: Path, offset: int, size: int) -> None:
    spoil_index(small / "0" / "c" / "0" / "0" / "0", 1, offset, size)
    with open_volume(small) as volume, pytest.raises(InputError, match="outside") as caught:
        volume.levels[0][0]
    assert caught.value.where == "v.zarr/0/c/0/0/0"
    assert caught.value.fix


def test_a_wrong_checksum_and_a_short_shard(small: Path) -> None:
    shard = small / "0" / "c" / "0" / "0" / "0"
    raw = shard.read_bytes()
    with open_volume(small) as volume:
        for damaged in (raw[:-1] + bytes([raw[-1] ^ 1]), raw[:20], b"", raw[100:]):
            shard.write_bytes(damaged)
            if damaged == raw[100:]:
                with pytest.raises(InputError, match="outside"):
                    volume.levels[0][0]
            else:
                with pytest.raises(InputError):
                    volume.levels[0][0]


def test_shards_that_lead_outside_or_block(small: Path, tmp_path: Path) -> None:
    shard = small / "0" / "c" / "0" / "0" / "0"
    outside = tmp_path / "elsewhere"
    shard.rename(outside)
    with open_volume(small) as volume:
        shard.symlink_to(outside)
        with pytest.raises(UnsafeInputError):
            volume.levels[0][0]
        shard.unlink()
        os.mkfifo(shard)
        with pytest.raises(InputError, match="regular"):
            volume.levels[0][0]
