from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from alsct_gui.files import identity
from alsct_gui.files.identity import quick_identity, scan_checksum
from alsct_gui.files.open import open_scan
from alsct_gui.model.errors import CancelledError
from alsct_gui.model.progress import CancelToken, Progress
from tests.files.builders import frames_of, write_als832


def checksum(path: Path) -> str:
    with open_scan(path) as scan:
        return scan_checksum(scan)


def test_the_checksum_is_of_the_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_als832(tmp_path / "a.h5")
    first = checksum(tmp_path / "a.h5")
    assert len(bytes.fromhex(first)) == 32
    copies = {
        "gzip": {"storage": {"chunks": (2, 2, 16), "compression": "gzip"}},
        "big endian": {"frames": frames_of(19, 4, 16).astype(">u2")},
        "fewer keys": {"without": ("/measurement/sample/experiment/pi",)},
    }
    for name, options in copies.items():
        write_als832(tmp_path / f"{name}.h5", **options)  # type: ignore[arg-type]
        assert checksum(tmp_path / f"{name}.h5") == first
    monkeypatch.setattr(identity, "BLOCK_BYTES", 300)
    assert checksum(tmp_path / "a.h5") == first


def test_one_pixel_or_one_angle_makes_another_scan(tmp_path: Path) -> None:
    write_als832(tmp_path / "a.h5")
    changed = frames_of(19, 4, 16)
    changed[7, 2, 3] += 1
    theta = np.linspace(0, 180, 19)
    theta[5] += 1e-9
    write_als832(tmp_path / "pixel.h5", frames=changed)
    write_als832(tmp_path / "angle.h5", theta=theta)
    write_als832(tmp_path / "flats.h5", flats=5)
    write_als832(tmp_path / "type.h5", frames=frames_of(19, 4, 16).astype("u4"))
    sums = {checksum(path) for path in sorted(tmp_path.glob("*.h5"))}
    assert len(sums) == 5


def test_the_quick_identity_knows_a_copy_and_another_start(tmp_path: Path) -> None:
    write_als832(tmp_path / "a.h5")
    write_als832(tmp_path / "b.h5", storage={"chunks": (1, 4, 16), "compression": "gzip"})
    later = {"/measurement/instrument/time_stamp": 1.8e9 + np.arange(19)}
    write_als832(tmp_path / "later.h5", changed=later)
    found = []
    for name in ("a", "b", "later"):
        with open_scan(tmp_path / f"{name}.h5") as scan:
            found.append(quick_identity(scan))
    assert found[0] == found[1]
    assert found[0] != found[2]


def test_progress_and_cancel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_als832(tmp_path / "a.h5")
    monkeypatch.setattr(identity, "BLOCK_BYTES", 1)
    seen: list[Progress] = []
    cancel = CancelToken()

    def note(progress: Progress) -> None:
        seen.append(progress)
        if progress.done == 5:
            cancel.cancel()

    with open_scan(tmp_path / "a.h5") as scan, pytest.raises(CancelledError):
        scan_checksum(scan, progress=note, cancel=cancel)
    assert [item.done for item in seen] == [1, 2, 3, 4, 5]
    assert seen[0].total == 19 + 4 + 3
