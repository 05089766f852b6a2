"""Both writers: any order of slices gives the same product; nothing half-made has its name."""

from __future__ import annotations

import hashlib
import json
import threading
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from alsct_gui.files.writers.base import VolumeFormat, VolumeWriter, create_volume
from alsct_gui.model.errors import CancelledError, OutputError

FORMATS: list[VolumeFormat] = ["ome-zarr", "tiff"]
PROVENANCE = {"engine": "fourier 1", "input_sha256": "ab", "resolved": {"name": "x"}}


def volume(shape: tuple[int, int, int], dtype: str = "float32") -> NDArray[Any]:
    values = np.random.default_rng(4).normal(100, 30, shape)
    return np.clip(values, 0, 255).astype(dtype)


def start(path: Path, data: NDArray[Any], kind: VolumeFormat, **options: Any) -> VolumeWriter:
    options = {"provenance": PROVENANCE, "voxel_um": (1.3, 1.3, 1.3)} | options
    return create_volume(path, shape=data.shape, dtype=data.dtype, format=kind, **options)  # type: ignore[arg-type]


def make(path: Path, data: NDArray[Any], kind: VolumeFormat, **options: Any) -> Path:
    with start(path, data, kind, **options) as writer:
        writer.write(0, data)
        return writer.finish()


def stored(path: Path, kind: VolumeFormat) -> NDArray[Any]:
    if kind == "tiff":
        return np.stack([tifffile.imread(file) for file in sorted(path.glob("*.tiff"))])
    return np.asarray(zarr.open_group(path, mode="r")["0"])


def digest(path: Path) -> dict[str, str]:
    return {
        str(file.relative_to(path)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(path.rglob("*"))
        if file.is_file()
    }


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("dtype", ["float32", "uint16", "uint8"])
@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 5, 300), (35, 31, 47), (16, 260, 258)])
def test_reads_back_as_written(
    tmp_path: Path, kind: VolumeFormat, dtype: str, shape: tuple[int, int, int]
) -> None:
    data = volume(shape, dtype)
    path = make(tmp_path / "recscan", data, kind)
    back = stored(path, kind)
    assert back.dtype == data.dtype
    np.testing.assert_array_equal(back, data)
    assert [item.name for item in tmp_path.iterdir()] == ["recscan"]


@pytest.mark.parametrize("kind", FORMATS)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32 - 1), n_slices=st.integers(1, 50), threads=st.integers(1, 3))
def test_any_order_any_blocks_any_threads_give_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory,
    kind: VolumeFormat,
    seed: int,
    n_slices: int,
    threads: int,
) -> None:
    tmp_path = tmp_path_factory.mktemp("order")
    data = volume((n_slices, 20, 280))
    plain = digest(make(tmp_path / "one" / "rec", data, kind))
    rng = np.random.default_rng(seed)
    cuts = np.unique(rng.integers(0, n_slices + 1, rng.integers(0, 12)))
    edges = [0, *(int(c) for c in cuts if 0 < c < n_slices), n_slices]
    blocks = list(pairwise(edges))
    rng.shuffle(blocks)
    with start(tmp_path / "two" / "rec", data, kind, threads=threads) as writer:
        for first, stop in blocks:
            writer.write(int(first), data[first:stop])
        assert digest(writer.finish()) == plain


@pytest.mark.parametrize("kind", FORMATS)
def test_callers_in_many_threads(tmp_path: Path, kind: VolumeFormat) -> None:
    data = volume((64, 20, 280))
    plain = digest(make(tmp_path / "one" / "rec", data, kind))
    with start(tmp_path / "two" / "rec", data, kind) as writer:

        def every_fourth(offset: int) -> None:
            for k in range(offset, 64, 4):
                writer.write(k, data[k : k + 1])

        threads = [threading.Thread(target=every_fourth, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert digest(writer.finish()) == plain


@pytest.mark.parametrize("kind", FORMATS)
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(order_seed=st.integers(0, 1000), before=st.integers(0, 50))
def test_resumed_ends_in_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory, kind: VolumeFormat, order_seed: int, before: int
) -> None:
    tmp_path = tmp_path_factory.mktemp("resume")
    data = volume((50, 20, 280))
    order = np.random.default_rng(order_seed).permutation(50)
    plain = digest(make(tmp_path / "one" / "rec", data, kind))
    final = tmp_path / "two" / "rec"
    with start(final, data, kind) as writer:
        for k in order[:before]:
            writer.write(int(k), data[k : k + 1])
    assert not final.exists()
    with start(final, data, kind, resume=True) as writer:
        done = writer.done_slices()
        assert set(np.flatnonzero(done)) <= set(order[:before].tolist())
        for slab in (range(16), range(16, 32), range(32, 48), range(48, 50)):
            assert done[list(slab)].all() == (set(slab) <= set(order[:before].tolist()))
        for first in range(0, 50, 7):  # blocks that hold old and new slices
            writer.write(first, data[first : first + 7])
        assert digest(writer.finish()) == plain
    assert [item.name for item in final.parent.iterdir()] == ["rec"]


@pytest.mark.parametrize("kind", FORMATS)
def test_journal_cut_short_by_a_kill(tmp_path: Path, kind: VolumeFormat) -> None:
    data = volume((33, 8, 8))
    plain = digest(make(tmp_path / "one" / "rec", data, kind))
    final = tmp_path / "two" / "rec"
    with start(final, data, kind) as writer:
        writer.write(0, data[:32])
    journal = final.with_name(".rec.partial") / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-3])
    with start(final, data, kind, resume=True) as writer:
        assert writer.done_slices().sum() == 16
        missing = np.flatnonzero(~writer.done_slices())
        writer.write(int(missing[0]), data[missing])
        assert digest(writer.finish()) == plain


def test_resume_refuses_another_recipe_unless_told_to_start_anew(tmp_path: Path) -> None:
    data = volume((20, 8, 8))
    with start(tmp_path / "rec", data, "ome-zarr") as writer:
        writer.write(0, data[:16])
    other = PROVENANCE | {"resolved": {"name": "y"}}
    with pytest.raises(OutputError, match=r"another recipe.*Start anew"):
        start(tmp_path / "rec", data, "ome-zarr", resume=True, provenance=other)
    with start(
        tmp_path / "rec", data, "ome-zarr", resume=True, provenance=other, on_mismatch="anew"
    ) as writer:
        assert not writer.done_slices().any()


def test_without_resume_an_old_partial_is_dropped(tmp_path: Path) -> None:
    data = volume((20, 8, 8))
    with start(tmp_path / "rec", data, "tiff") as writer:
        writer.write(0, data[:16])
    with start(tmp_path / "rec", data, "tiff") as writer:
        assert not writer.done_slices().any()
        assert list((tmp_path / ".rec.partial" / "content").iterdir()) == []


def test_two_writers_of_one_product_refuse(tmp_path: Path) -> None:
    data = volume((4, 8, 8))
    with start(tmp_path / "rec", data, "ome-zarr") as first:
        with pytest.raises(OutputError, match="another run is writing"):
            start(tmp_path / "rec", data, "ome-zarr", resume=True)
        first.abort()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", FORMATS)
def test_never_overwrites(tmp_path: Path, kind: VolumeFormat) -> None:
    data = volume((4, 8, 8))
    path = make(tmp_path / "rec", data, kind)
    before = digest(path)
    with pytest.raises(OutputError, match="exists already"):
        start(path, data, kind)
    with start(tmp_path / "late", data, kind) as writer:
        writer.write(0, data)
        (tmp_path / "late").write_text("another program's")
        with pytest.raises(OutputError, match="exists already"):
            writer.finish()
    assert (tmp_path / "late").read_text() == "another program's"
    assert digest(path) == before


def test_replace_moves_the_old_one_aside_only_when_the_new_one_is_whole(tmp_path: Path) -> None:
    data = volume((4, 8, 8))
    path = make(tmp_path / "rec", data, "ome-zarr")
    old = digest(path)
    with start(path, data + 1, "ome-zarr", replace=True) as writer:
        writer.write(0, data + 1)
        assert digest(path) == old
        writer.finish()
    np.testing.assert_array_equal(stored(path, "ome-zarr"), data + 1)
    (aside,) = (item for item in tmp_path.iterdir() if item != path)
    assert aside.name.startswith("rec.old-")
    assert digest(aside) == old


def test_missing_slices_are_not_a_product(tmp_path: Path) -> None:
    data = volume((4, 8, 8))
    with start(tmp_path / "rec", data, "tiff") as writer:
        writer.write(0, data[:1])
        writer.write(3, data[3:])
        with pytest.raises(OutputError, match="2 of 4 slices are missing, the first is 1"):
            writer.finish()
    assert not (tmp_path / "rec").exists()


def test_cancel_leaves_nothing(tmp_path: Path) -> None:
    data = volume((4, 8, 8))

    def cancelled_run() -> None:
        with start(tmp_path / "rec", data, "ome-zarr") as writer:
            writer.write(0, data[:1])
            raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        cancelled_run()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("first", "shape", "dtype"),
    [(3, (2, 8, 8), "f4"), (-1, (1, 8, 8), "f4"), (0, (1, 8, 9), "f4"), (0, (1, 8, 8), "u1"),
     (1, (1, 8, 8), "f4")],
)  # fmt: skip
def test_blocks_that_do_not_belong(
    tmp_path: Path, first: int, shape: tuple[int, ...], dtype: str
) -> None:
    data = volume((4, 8, 8))
    with start(tmp_path / "rec", data, "ome-zarr") as writer:
        writer.write(1, data[1:2])
        with pytest.raises(OutputError):
            writer.write(first, np.zeros(shape, dtype))


def test_what_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="float64"):
        create_volume(tmp_path / "rec", shape=(1, 1, 1), dtype="float64")
    with pytest.raises(OutputError, match="shape"):
        create_volume(tmp_path / "rec", shape=(0, 1, 1), dtype="float32")
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        create_volume(tmp_path / "file" / "rec", shape=(1, 1, 1), dtype="float32")


def test_provenance_travels_inside(tmp_path: Path) -> None:
    data = volume((2, 8, 8))
    for kind in FORMATS:
        with start(tmp_path / kind, data, kind) as writer:
            writer.write(0, data)
            writer.finish({"engine": "fourier 2"})
    group = zarr.open_group(tmp_path / "ome-zarr", mode="r")
    assert group.attrs["alsct"] == {"engine": "fourier 2"}
    text = (tmp_path / "tiff" / "provenance.json").read_text()
    assert json.loads(text) == {"engine": "fourier 2"}
