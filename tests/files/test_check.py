from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tifffile

from alsct_gui.files.check import FileState, check_scan, file_state, inspect_scan, sample, stamp_of
from alsct_gui.files.findings import KINDS
from alsct_gui.files.superblock import read_superblock
from alsct_gui.model.finding import Severity
from tests.files.builders import INSTRUMENT, PROCESS, frames_of, write_als832, write_dxchange

ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO

ROOT = Path(__file__).parents[2]


def found(path: Path, **options: Any) -> dict[str, Severity]:
    return {item.name: item.severity for item in inspect_scan(path, **options)}


def test_a_whole_scan_has_no_findings(tmp_path: Path) -> None:
    write_als832(tmp_path / "scan.h5")
    assert check_scan(tmp_path / "scan.h5") == ()
    assert check_scan(tmp_path / "scan.h5", thorough=True) == ()
    write_dxchange(tmp_path / "aps.h5")
    assert check_scan(tmp_path / "aps.h5") == ()


def _zero(first: int, last: int | None = None) -> np.ndarray:
    data = frames_of(40, 4, 16)
    data[first:last] = 0
    return data


def _angles(**changes: float) -> np.ndarray:
    angles = np.linspace(0, 180, 19)
    for place, value in changes.items():
        angles[int(place[1:])] = value
    return angles


def _saturated(n_frames: int) -> np.ndarray:
    data = frames_of(n_frames, 4, 16) + np.uint16(20000)
    data[0, :, :3] = 65535
    return data


DEFECTS: list[tuple[str, Severity, str, dict[str, Any]]] = [
    ("flats-missing", WARNING, "none", {"flats": None}),
    ("darks-missing", WARNING, "none", {"darks": None}),
    ("flats-saturated", WARNING, "18.8%", {"flats": _saturated(4)}),
    ("projections-saturated", WARNING, "18.8%", {"frames": _saturated(19)}),
    ("flats-not-brighter", WARNING, "average", {"flats": frames_of(4, 4, 16) // 200}),
    ("frames-zero", ERROR, "All frames from 23 on, of 40", {"n_angles": 40, "frames": _zero(23)}),
    ("frames-zero", ERROR, "12 of the 12 frames read", {"n_angles": 40, "frames": _zero(0)}),
    ("frames-zero", ERROR, "1 of the 12 frames read", {"n_angles": 40, "frames": _zero(0, 2)}),
    ("frames-not-finite", WARNING, "768 pixels", {"frames": np.full((19, 4, 16), np.nan, "f4")}),
    ("values-negative", INFO, "below 0", {"frames": frames_of(19, 4, 16).astype("i4") - 9000}),
    ("angles-missing", WARNING, "assumed", {"theta": None}),
    ("angles-not-monotone", WARNING, "1 of 18", {"theta": _angles(_4=70.5)}),
    ("angles-duplicate", WARNING, "1 angles", {"theta": _angles(_5=40.0)}),
    ("angles-count-mismatch", WARNING, "25 angles", {"theta": np.arange(25.0)}),
    ("angles-not-finite", WARNING, "19 of 19", {"theta": np.full(19, np.inf)}),
    ("angles-range-short", WARNING, "95 degrees", {"theta": np.linspace(0, 90, 19)}),
    ("frame-count-mismatch", WARNING, "1313 projections announced",
     {"changed": {f"{PROCESS}/rotation/num_angles": np.array([1313])}}),
    ("frame-count-mismatch", WARNING, "4 flats announced, 7", {"flats": 7}),
    ("frame-count-mismatch", WARNING, "3 darks announced, 2", {"darks": 2}),
    ("frame-size-mismatch", WARNING, "2560 in the metadata",
     {"changed": {f"{INSTRUMENT}/detector/dimension_x": np.array([2560])}}),
    ("frame-size-mismatch", WARNING, "beside projections", {"flats": frames_of(4, 5, 16)}),
    ("pixel-size-missing", WARNING, "None", {"without": (f"{INSTRUMENT}/detector/pixel_size",)}),
    ("value-odd", WARNING, "nan",
     {"changed": {f"{INSTRUMENT}/detector/pixel_size": np.array([np.nan])}}),
    ("distance-missing", WARNING, "holds",
     {"changed": {f"{INSTRUMENT}/camera_motor_stack/setup/camera_distance": np.zeros(2)}}),
    ("energy-missing", WARNING, "holds", {"without": (f"{INSTRUMENT}/monochromator/energy",)}),
    ("metadata-missing", WARNING, "1 keys", {"without": (f"{INSTRUMENT}/detector/model",)}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "severity", "text", "defect"), DEFECTS)
def test_each_defect_is_found_and_named(
    tmp_path: Path, name: str, severity: Severity, text: str, defect: dict[str, Any]
) -> None:
    write_als832(tmp_path / "scan.h5", **defect)
    matching = [item for item in inspect_scan(tmp_path / "scan.h5") if item.name == name]
    assert matching, found(tmp_path / "scan.h5")
    assert matching[0].severity is severity
    assert text in matching[0].message
    assert matching[0].message.endswith(".")
    assert matching[0].fix


def test_a_zero_frame_between_samples_is_found_by_a_thorough_check(tmp_path: Path) -> None:
    write_als832(tmp_path / "scan.h5", n_angles=40, frames=_zero(5, 6))
    assert "frames-zero" not in found(tmp_path / "scan.h5")
    assert found(tmp_path / "scan.h5", thorough=True) == {"frames-zero": Severity.ERROR}


def test_frames_that_were_never_written(tmp_path: Path) -> None:
    data = write_als832(tmp_path / "scan.h5")
    with h5py.File(tmp_path / "scan.h5", "r+", locking=False) as file:
        del file["/exchange/data"]
        made = file.create_dataset("/exchange/data", data.shape, data.dtype, chunks=(1, 4, 16))
        made[:12] = data[:12]
    zero = [f for f in inspect_scan(tmp_path / "scan.h5") if f.name == "frames-zero"]
    assert zero[0].message.startswith("7 of 19 were never written.")


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_a_file_cut_short_anywhere(tmp_path: Path, libver: str) -> None:
    write_als832(tmp_path / "whole.h5", libver=libver)
    raw = (tmp_path / "whole.h5").read_bytes()
    for length in (0, 4, 20, 60, 100, 1000, len(raw) // 2, len(raw) - 1):
        (tmp_path / "cut.h5").write_bytes(raw[:length])
        errors = [n for n, s in found(tmp_path / "cut.h5").items() if s is Severity.ERROR]
        if length == 0:
            assert errors == ["still-being-written"]
        elif length >= 100:
            assert errors == ["truncated"]
        else:
            assert len(errors) == 1
        assert file_state(tmp_path / "cut.h5").state is not FileState.COMPLETE


WRITER = """
import sys, h5py, numpy as np
file = h5py.File(sys.argv[1], "w", libver="latest")
data = file.create_dataset("/exchange/data", (1, 4, 16), "u2", maxshape=(None, 4, 16),
                           chunks=(1, 4, 16))
data[0] = 5
file["/process/acquisition/flat_fields/i0cycle"] = [0]
file.flush()
if sys.argv[2] == "swmr":
    file.swmr_mode = True
    data[0] = 7
    data.flush()
print("ready", flush=True)
sys.stdin.readline()
file.close()
"""


@pytest.mark.parametrize("mode", ["plain", "swmr"])
def test_a_file_that_a_writer_has_open(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "scan.h5"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, path, mode],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as writer:  # fmt: skip
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        block = read_superblock(path)
        assert block is not None
        assert block.open_for_write
        assert block.swmr_write is (mode == "swmr")
        assert "still-being-written" in found(path)
        assert file_state(path).state is FileState.ARRIVING
        writer.communicate("\n")
    assert writer.returncode == 0
    assert "still-being-written" not in found(path)


def test_unknown_filters_are_named(tmp_path: Path) -> None:
    path = tmp_path / "scan.h5"
    write_als832(path)
    with h5py.File(path, "r+", locking=False) as file:
        del file["/exchange/data"]
        created = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        created.set_chunk((1, 4, 16))
        created.set_filter(31999, h5py.h5z.FLAG_OPTIONAL, ())
        space = h5py.h5s.create_simple((19, 4, 16))
        stack = h5py.h5d.create(file["/exchange"].id, b"data", h5py.h5t.STD_U16LE, space, created)
        stack.write_direct_chunk((0, 0, 0), bytes(128))
    findings = {item.name: item for item in inspect_scan(path)}
    assert findings["unknown-filter"].severity is Severity.ERROR
    assert "31999" in findings["unknown-filter"].message


def test_common_plugin_filters_are_undone(tmp_path: Path) -> None:
    hdf5plugin = pytest.importorskip("hdf5plugin")
    storage = {"chunks": (1, 4, 16), **hdf5plugin.Blosc2()}
    write_als832(tmp_path / "scan.h5", storage=storage)
    assert inspect_scan(tmp_path / "scan.h5", thorough=True) == ()


def test_damaged_chunks_are_found(tmp_path: Path) -> None:
    path = tmp_path / "scan.h5"
    write_als832(path, storage={"chunks": (1, 4, 16), "compression": "gzip", "fletcher32": True})
    with h5py.File(path, "r", locking=False) as file:
        chunk = file["/exchange/data"].id.get_chunk_info(0)
    raw = bytearray(path.read_bytes())
    raw[chunk.byte_offset + 20] ^= 255
    path.write_bytes(raw)
    assert found(path)["frames-unreadable"] is Severity.ERROR


def test_what_is_no_scan_is_said_in_one_finding(tmp_path: Path) -> None:
    (tmp_path / "text.h5").write_text("not HDF5 at all")
    assert found(tmp_path / "text.h5") == {"not-hdf5": Severity.ERROR}
    assert found(tmp_path / "absent.h5") == {"not-found": Severity.ERROR}
    tifffile.imwrite(tmp_path / "scan.tif", frames_of(5, 3, 4))
    (tmp_path / "cut.tif").write_bytes((tmp_path / "scan.tif").read_bytes()[:300])
    assert Severity.ERROR in found(tmp_path / "cut.tif").values()


def test_the_check_in_a_process_of_its_own_finds_the_same(tmp_path: Path) -> None:
    path = tmp_path / "-a 'b' µ;.h5"
    write_als832(path, n_angles=40, frames=_zero(23), theta=None)
    assert check_scan(path, thorough=True) == inspect_scan(path, thorough=True)
    assert len(check_scan(path)) >= 2


def test_gravest_findings_come_first(tmp_path: Path) -> None:
    write_als832(tmp_path / "scan.h5", n_angles=40, frames=_zero(20), theta=None, flats=None)
    severities = [item.severity for item in inspect_scan(tmp_path / "scan.h5")]
    assert severities == sorted(severities, key=list(Severity).index)
    assert severities[0] is Severity.ERROR


def test_a_file_arrives(tmp_path: Path) -> None:
    path = tmp_path / "scan.h5"
    assert file_state(path).state is not FileState.COMPLETE
    write_als832(path)
    first = file_state(path)
    assert first.state is FileState.ARRIVING  # touched just now, and seen once
    assert file_state(path, first.stamp).state is FileState.COMPLETE
    with path.open("ab") as file:
        file.write(b"more")
    assert file_state(path, first.stamp).state is FileState.ARRIVING
    os.utime(path, (1e9, 1e9))
    assert file_state(path).state is FileState.COMPLETE


def test_a_scan_with_fewer_frames_than_announced_has_not_arrived(tmp_path: Path) -> None:
    path = tmp_path / "scan.h5"
    write_als832(path, changed={f"{PROCESS}/rotation/num_angles": np.array([40])})
    assert file_state(path, stamp_of(path)).state is FileState.ARRIVING
    (tmp_path / "text.h5").write_text("not HDF5 at all")
    assert file_state(tmp_path / "text.h5").state is FileState.BROKEN


def test_samples_hold_both_ends() -> None:
    assert sample(1, 12).tolist() == [0]
    assert sample(5, 12).tolist() == [0, 1, 2, 3, 4]
    spread = sample(1313, 12)
    assert (spread[0], spread[-1], spread.size) == (0, 1312, 12)


def test_every_name_is_documented_and_in_kebab_case() -> None:
    text = (ROOT / "docs" / "checks.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| (\w+) \| (.+?) \| (.+?) \|$", text, re.MULTILINE)
    documented = {name: (severity, meaning, fix) for name, severity, meaning, fix in rows}
    expected = {name: (kind.severity.value, kind.meaning, f"{kind.fix}.")
                for name, kind in KINDS.items()}  # fmt: skip
    assert documented == expected


def test_every_name_in_the_code_is_in_the_table() -> None:
    used: set[str] = set()
    pattern = re.compile(r"\b(?:finding|broken|unsafe)\(\s*\"([a-z0-9-]+)\"")
    for path in (ROOT / "alsct_gui").rglob("*.py"):
        used |= set(pattern.findall(path.read_text(encoding="utf-8")))
    assert used
    assert used <= set(KINDS)
