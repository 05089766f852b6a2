"""Scans that stay open, are reopened when they change, and are closed at last."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import psutil
import pytest

from alsct_gui.model.errors import InputError
from alsct_gui.recon.desk.shelf import Shelf, input_path


def held() -> set[str]:
    return {item.path for item in psutil.Process().open_files() if item.path.endswith(".h5")}


def copies(foam: Path, folder: Path, count: int) -> list[Path]:
    return [Path(shutil.copy(foam, folder / f"{n}.h5")) for n in range(count)]


def test_a_scan_stays_open_until_others_take_its_place(
    foam: Path, tmp_path: Path, shelf: Shelf
) -> None:
    paths = copies(foam, tmp_path, 3)
    with shelf.scan(paths[0]) as first:
        pass
    with shelf.scan(paths[0]) as again:
        assert again.scan is first.scan
    for path in paths[1:]:
        with shelf.scan(path):
            pass
    assert held() == {str(path) for path in paths[1:]}
    shelf.close()
    assert held() == set()


def test_a_scan_in_use_is_closed_when_it_is_given_back(
    foam: Path, tmp_path: Path, shelf: Shelf
) -> None:
    paths = copies(foam, tmp_path, 3)
    with shelf.scan(paths[0]) as first:
        for path in paths[1:]:
            with shelf.scan(path):
                pass
        shelf.close()
        assert first.scan.projections.read(slice(0, 1)).shape[0] == 1
        assert held() == {str(paths[0])}
    assert held() == set()


def test_a_changed_file_is_opened_again(foam: Path, tmp_path: Path, shelf: Shelf) -> None:
    path = copies(foam, tmp_path, 1)[0]
    with shelf.scan(path) as before:
        pass
    os.utime(path, ns=(1, 1))
    with shelf.scan(path) as after:
        assert after.scan is not before.scan
        assert after.key != before.key
    assert held() == {str(path)}


def test_what_is_no_scan_is_an_input_error(tmp_path: Path, shelf: Shelf) -> None:
    broken = tmp_path / "broken.h5"
    broken.write_bytes(b"\x89HDF\r\n\x1a\n" + b"\xff" * 500)
    for path in (broken, tmp_path / "absent.h5"):
        with pytest.raises(InputError), shelf.scan(path):
            pass
    assert held() == set()


@pytest.mark.parametrize("text", [None, 3, "", "a\0b", ["x"], {"path": "x"}])
def test_what_is_no_path_is_refused(text: object) -> None:
    with pytest.raises(InputError, match="no path"):
        input_path(text)
