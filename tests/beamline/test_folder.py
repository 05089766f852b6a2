import os
from pathlib import Path

import pytest

from alsct_gui.beamline.folder import FolderWatch, Pass


def full_pass(watch: FolderWatch) -> Pass:
    """Take passes until the tree is listed; the differences of all of them."""
    changed, part = [], watch.next_pass()
    while not part.whole:
        changed += part.changed
        part = watch.next_pass()
    return Pass((*changed, *part.changed), part.gone, part.troubles, True)


def names(found: Pass) -> list[str]:
    return sorted(entry.path.name for entry in found.changed)


def test_scans_and_volumes_are_told_once_and_again_when_they_change(tmp_path: Path) -> None:
    proposal = tmp_path / "BLS-00564_someone"
    (proposal / "recscan").mkdir(parents=True)
    (proposal / "recscan" / "scan_00000.tiff").touch()
    (proposal / "recscan.zarr" / "0").mkdir(parents=True)
    (proposal / "recscan.zarr" / "hidden.h5").touch()
    (proposal / "notes.txt").touch()
    (proposal / "scan.h5").write_bytes(b"1")
    (proposal / "OTHER.HDF5").write_bytes(b"1")
    watch = FolderWatch(tmp_path)
    first = full_pass(watch)
    assert names(first) == ["OTHER.HDF5", "recscan", "recscan.zarr", "scan.h5"]
    assert {entry.path.name: entry.kind for entry in first.changed} == {
        "OTHER.HDF5": "scan", "recscan": "volume", "recscan.zarr": "volume", "scan.h5": "scan",
    }  # fmt: skip
    assert (first.gone, first.troubles) == ((), ())
    assert names(full_pass(watch)) == []
    (proposal / "scan.h5").write_bytes(b"12")
    assert names(full_pass(watch)) == ["scan.h5"]
    (proposal / "scan.h5").unlink()
    last = full_pass(watch)
    assert (names(last), last.gone) == ([], (proposal / "scan.h5",))


def test_another_file_of_the_same_size_and_time_under_the_same_name_is_new(tmp_path: Path) -> None:
    for name in ("scan.h5", "other.tmp"):
        (tmp_path / name).write_bytes(b"1")
        os.utime(tmp_path / name, (1e9, 1e9))
    watch = FolderWatch(tmp_path)
    full_pass(watch)
    (tmp_path / "other.tmp").replace(tmp_path / "scan.h5")
    assert names(full_pass(watch)) == ["scan.h5"]


def test_names_of_copies_that_are_not_whole_are_skipped(tmp_path: Path) -> None:
    for name in (".scan.h5.Xy12", ".scan.h5.partial", "scan.h5.partial", "rec.zarr.partial",
                 "scan.h5.tmp", ".hidden.h5"):  # fmt: skip
        (tmp_path / name).touch()
    (tmp_path / ".trash").mkdir()
    (tmp_path / ".trash" / "old.h5").touch()
    watch = FolderWatch(tmp_path)
    assert names(full_pass(watch)) == []
    (tmp_path / ".scan.h5.Xy12").rename(tmp_path / "scan.h5")
    assert names(full_pass(watch)) == ["scan.h5"]


def test_links_out_of_the_folder_and_to_folders_are_not_followed(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    for folder in (inside, outside):
        (folder / "scan.h5").touch()
    (inside / "linked.h5").symlink_to(inside / "scan.h5")
    (inside / "foreign.h5").symlink_to(outside / "scan.h5")
    (inside / "nowhere.h5").symlink_to(inside / "absent.h5")
    (inside / "loop.h5").symlink_to(inside / "loop.h5")
    (inside / "round").symlink_to(inside)
    (inside / "away").symlink_to(outside)
    os.mkfifo(inside / "pipe.h5")
    watch = FolderWatch(inside)
    assert names(full_pass(watch)) == ["linked.h5", "scan.h5"]


def test_depth_is_limited(tmp_path: Path) -> None:
    deep = tmp_path / "1" / "2" / "3"
    deep.mkdir(parents=True)
    (deep / "scan.h5").touch()
    assert names(full_pass(FolderWatch(tmp_path, max_depth=3))) == ["scan.h5"]
    assert names(full_pass(FolderWatch(tmp_path, max_depth=2))) == []


@pytest.mark.parametrize("per_pass", [1, 7, 1000])
def test_a_large_folder_takes_several_passes_and_misses_nothing(
    tmp_path: Path, per_pass: int
) -> None:
    for number in range(60):
        folder = tmp_path / f"{number % 3}"
        folder.mkdir(exist_ok=True)
        (folder / f"{number}.h5").touch()
    watch = FolderWatch(tmp_path, entries_per_pass=per_pass)
    part = watch.next_pass()
    assert len(part.changed) <= per_pass
    assert part.whole is (per_pass == 1000)
    watch.close()
    assert len(full_pass(watch).changed) + len(part.changed) == 60
    (tmp_path / "1" / "1.h5").unlink()
    assert full_pass(watch).gone == (tmp_path / "1" / "1.h5",)


def test_a_folder_that_vanishes_is_said_and_comes_back(tmp_path: Path) -> None:
    top = tmp_path / "raw"
    watch = FolderWatch(top)
    missing = full_pass(watch)
    assert [trouble.folder for trouble in missing.troubles] == [top]
    assert "cannot be listed (No such file or directory)" in missing.troubles[0].sentence
    top.mkdir()
    (top / "scan.h5").touch()
    assert (names(full_pass(watch)), full_pass(watch).troubles) == (["scan.h5"], ())
    top.rename(tmp_path / "away")
    lost = full_pass(watch)
    assert (lost.gone, len(lost.troubles)) == ((), 1)
    (tmp_path / "away").rename(top)
    back = full_pass(watch)
    assert (names(back), back.gone, back.troubles) == ([], (), ())


def test_a_folder_that_may_not_be_read_hides_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    (closed / "scan.h5").touch()
    (tmp_path / "open.h5").touch()
    watch = FolderWatch(tmp_path)
    assert names(full_pass(watch)) == ["open.h5", "scan.h5"]
    allowed = os.scandir

    def refuse(path: Path) -> object:  # root may read anything, so permissions do not do here
        if Path(path) == closed:
            raise PermissionError(13, "Permission denied")
        return allowed(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = full_pass(watch)
    assert (found.gone, [item.folder for item in found.troubles]) == ((), [closed])
    assert "Permission denied" in found.troubles[0].sentence
    (tmp_path / "open.h5").unlink()
    assert full_pass(watch).gone == (tmp_path / "open.h5",)


def test_a_subfolder_that_was_removed_takes_its_scans_along(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "scan.h5").touch()
    watch = FolderWatch(tmp_path)
    full_pass(watch)
    (inner / "scan.h5").unlink()
    inner.rmdir()
    found = full_pass(watch)
    assert (found.gone, found.troubles) == ((inner / "scan.h5",), ())


HOSTILE = [b"two\nlines.h5", b"x" * 252 + b".h5", b"not-utf8-\xff\xfe.h5", b"; rm -rf $HOME.h5",
           b"\x1b[31mred.h5", b"-rf.h5", "Ünïcödé µ 試料.h5".encode(), b"'\".h5"]  # fmt: skip


def test_hostile_names_are_names(tmp_path: Path) -> None:
    for name in HOSTILE:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).touch()
    found = full_pass(FolderWatch(tmp_path))
    assert sorted(os.fsencode(entry.path.name) for entry in found.changed) == sorted(HOSTILE)
