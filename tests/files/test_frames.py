from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alsct_gui.files.frames import Hdf5Stack, RawStack
from alsct_gui.files.open import open_scan
from alsct_gui.model.errors import InputError
from alsct_gui.model.scan import Scan
from tests.files.builders import frames_of, write_als832

STORAGES: dict[str, dict[str, Any]] = {
    "contiguous": {},
    "whole frames in chunks": {"chunks": (2, 4, 16)},
    "parts of frames in chunks": {"chunks": (3, 2, 16)},
    "gzip": {"chunks": (1, 4, 16), "compression": "gzip", "shuffle": True},
    "lzf": {"chunks": (1, 4, 16), "compression": "lzf"},
}


class Stored(NamedTuple):
    path: Path
    scan: Scan
    data: Any
    storage: str


slices = st.builds(
    slice,
    st.none() | st.integers(-20, 20),
    st.none() | st.integers(-20, 20),
    st.none() | st.integers(1, 5),
)


@pytest.fixture(scope="module", params=[*STORAGES, "big endian", "user block", "float"])
def stored(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[Stored]:
    path = tmp_path_factory.mktemp("frames") / "scan.h5"
    frames, options = frames_of(19, 4, 16), {}
    if request.param == "big endian":
        frames = frames.astype(">u2")
    if request.param == "float":
        frames = frames.astype("f4") / 7
    if request.param == "user block":
        options = {"userblock_size": 512}
    write_als832(path, frames=frames, storage=STORAGES.get(request.param), **options)
    with open_scan(path) as scan:
        yield Stored(path, scan, frames, request.param)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(frames=slices, rows=slices, columns=slices)
def test_any_block_is_what_h5py_holds(
    stored: Stored, frames: slice, rows: slice, columns: slice
) -> None:
    block = stored.scan.projections.read(frames, rows, columns)
    np.testing.assert_array_equal(block, stored.data[frames, rows, columns])
    assert block.dtype.isnative
    assert stored.scan.projections.dtype == stored.data.dtype.newbyteorder("=")


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(chosen=st.sets(st.integers(0, 18)))
def test_frames_by_index_into_a_given_array(stored: Stored, chosen: set[int]) -> None:
    index = np.array(sorted(chosen), dtype=np.intp)
    projections = stored.scan.projections
    wide = np.zeros((index.size, 6, 16), projections.dtype)
    projections.read(index, slice(1, 3), out=wide[:, 2:4])
    np.testing.assert_array_equal(wide[:, 2:4], stored.data[index, 1:3])
    assert not wide[:, :2].any()
    assert not wide[:, 4:].any()


def test_plain_frames_are_read_beside_hdf5(stored: Stored) -> None:
    through_hdf5 = stored.storage in ("parts of frames in chunks", "gzip", "lzf")
    assert isinstance(stored.scan.projections, Hdf5Stack if through_hdf5 else RawStack)


def test_threads_read_side_by_side(stored: Stored) -> None:
    out = np.zeros((19, 4, 16), stored.data.dtype.newbyteorder("="))

    def work(row: int) -> None:
        for frame in range(19):
            stored.scan.projections.read(
                slice(frame, frame + 1), slice(row, row + 1),
                out=out[frame : frame + 1, row : row + 1],
            )  # fmt: skip

    threads = [threading.Thread(target=work, args=(row,)) for row in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_array_equal(out, stored.data)


def test_wrong_requests_are_refused(stored: Stored) -> None:
    with open_scan(stored.path) as scan:
        read = scan.projections.read
        for index in ([3, 2], [1, 1], [-1], [19]):
            with pytest.raises(ValueError, match="frame"):
                read(np.array(index))
        with pytest.raises(ValueError, match="positive"):
            read(slice(None, None, -1))
        with pytest.raises(ValueError, match="need"):
            read(out=np.zeros((1, 1, 1), scan.projections.dtype))


def test_a_file_that_shrinks_while_it_is_open(tmp_path: Path) -> None:
    write_als832(tmp_path / "scan.h5", n_angles=300)
    with open_scan(tmp_path / "scan.h5") as scan:
        os.truncate(tmp_path / "scan.h5", 8192)
        with pytest.raises(InputError, match="missing at byte") as caught:
            scan.projections.read()
        assert caught.value.name == "truncated"


def test_reading_after_close_is_an_input_error(stored: Stored) -> None:
    with open_scan(stored.path) as scan:
        pass
    with pytest.raises(InputError):
        scan.projections.read(slice(0, 1))


def test_frames_never_written_read_as_zeros(tmp_path: Path) -> None:
    data = write_als832(tmp_path / "scan.h5")
    with h5py.File(tmp_path / "scan.h5", "r+", locking=False) as file:
        del file["/exchange/data"]
        made = file.create_dataset("/exchange/data", data.shape, data.dtype, chunks=(1, 4, 16))
        made[3] = data[3]
    with open_scan(tmp_path / "scan.h5") as scan:
        block = scan.projections.read()
    assert np.flatnonzero(block.any(axis=(1, 2))).tolist() == [3]


def test_opening_a_full_size_scan_reads_no_frame(tmp_path: Path) -> None:
    """A sparse file of 14.5 GB; what the kernel handed over to this process is counted."""
    path = tmp_path / "scan.h5"
    write_als832(path, n_angles=1313, rows=2, columns=2)
    with h5py.File(path, "r+", locking=False) as file:
        del file["/exchange/data"]
        space = h5py.h5s.create_simple((1313, 2160, 2560))
        created = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        created.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        created.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
        parent = file["exchange"].id
        h5py.h5d.create(parent, b"data", h5py.h5t.STD_U16LE, space, created)
    assert path.stat().st_size > 14.5e9
    before = _bytes_read()
    with open_scan(path) as scan:
        assert scan.projections.shape == (1313, 2160, 2560)
        assert isinstance(scan.projections, RawStack)
        assert scan.projections.bytes_read == 0
        assert _bytes_read() - before < 8e6
        scan.projections.read(rows=slice(7, 8), frames=slice(0, 3))
        assert scan.projections.bytes_read == 3 * 2560 * 2


def _bytes_read() -> int:
    text = Path("/proc/self/io").read_text()
    return int(text.split("rchar:")[1].split()[0])
