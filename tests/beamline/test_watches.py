"""Folders and single paths that are watched together."""

from __future__ import annotations

from pathlib import Path

from alsct_gui.beamline.folder import Pass
from alsct_gui.beamline.watches import PathWatch, Watches


def names(found: Pass) -> list[str]:
    return sorted(entry.path.name for entry in found.changed)


def test_several_folders_are_watched_and_forgotten(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.h5").touch()
    watches = Watches()
    watches.watch([tmp_path / "a", tmp_path / "b"])
    watches.watch([tmp_path / "a"])
    assert names(watches.next_pass()) == ["a.h5", "b.h5"]
    watches.forget(tmp_path / "a")
    watches.forget(tmp_path / "unknown")
    (tmp_path / "a" / "a.h5").unlink()
    (tmp_path / "b" / "b.h5").unlink()
    assert watches.next_pass().gone == (tmp_path / "b" / "b.h5",)
    watches.close()
    assert watches.places == ()


def test_a_single_scan_is_told_once_and_again_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "far" / "scan.h5"
    watch = PathWatch(path)
    assert watch.next_pass() == Pass((), (), (), True)
    path.parent.mkdir()
    path.write_bytes(b"1")
    (first,) = watch.next_pass().changed
    assert (first.path, first.kind, first.size_bytes) == (path, "scan", 1)
    assert watch.next_pass() == Pass((), (), (), True)
    path.write_bytes(b"12")
    assert [entry.size_bytes for entry in watch.next_pass().changed] == [2]
    path.unlink()
    assert watch.next_pass().gone == (path,)
    assert watch.next_pass().gone == ()
    path.write_bytes(b"1")
    assert names(watch.next_pass()) == ["scan.h5"]


def test_what_is_neither_scan_nor_volume_is_never_told(tmp_path: Path) -> None:
    for name, kinds in (("rec.zarr", ["volume"]), ("recscan", ["volume"]), ("stack", [])):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "slice_0000.tif").touch()
        assert [entry.kind for entry in PathWatch(folder).next_pass().changed] == kinds
    (tmp_path / "notes.txt").touch()
    assert names(PathWatch(tmp_path / "notes.txt").next_pass()) == []


def test_a_path_that_cannot_be_looked_at_is_said_and_does_not_go(tmp_path: Path) -> None:
    watch = PathWatch(tmp_path / ("long" * 100 + ".h5"))
    (trouble,) = watch.next_pass().troubles
    assert "stays as last seen" in trouble.sentence


def test_what_lies_in_a_watched_folder_is_watched_with_it(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    inside, outside = tmp_path / "in" / "a.h5", tmp_path / "b.h5"
    inside.touch()
    outside.touch()
    watches = Watches()
    watches.watch([tmp_path / "in"], [inside, outside])
    assert watches.places == (tmp_path / "in", outside)
    assert names(watches.next_pass()) == ["a.h5", "b.h5"]
    watches.forget(outside)
    outside.unlink()
    assert watches.next_pass() == Pass((), (), (), True)
