import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from alsct_gui.beamline.looking import MAX_TEXT, THUMBNAIL_PX, is_locked, look_at, small_picture
from alsct_gui.beamline.looks import Depth, Kind, Look, judge
from alsct_gui.files.identity import quick_identity
from alsct_gui.files.open import open_scan
from alsct_gui.model.errors import InputError
from alsct_gui.simulator.spec import SimulationSpec, Storage
from alsct_gui.simulator.write import iterate_scan
from tests.files.builders import PROCESS, write_als832
from tests.shared_data import shared_file

SMALL = SimulationSpec(n_columns=32, n_rows=8, n_angles=6, n_flats=2, n_darks=2, flats_after=True)


def seen(path: Path, depth: Depth = "count", kind: Kind = "scan") -> Look:
    return look_at(path, kind, depth=depth, thumbnail=False, beat=lambda: None)[0]


@pytest.mark.parametrize("storage", ["contiguous", "chunked", "gzip"])
def test_frames_are_counted_while_they_come(tmp_path: Path, storage: Storage) -> None:
    spec = SimulationSpec(n_columns=32, n_rows=8, n_angles=6, n_flats=2, n_darks=2,
                          flats_after=True, storage=storage)  # fmt: skip
    path = tmp_path / "scan.h5"
    counted = []
    for _ in iterate_scan(path, spec, live=True):
        look = seen(path)
        assert judge(look, 0.0).state == "arriving"
        assert look.main is not None
        assert look.main.expected == 6
        counted.append(look.main.done)
        if counted[-1] == 6 and len(counted) < 12:
            assert judge(look, 1e4).state == "broken"  # the flats after the scan are not there
    assert counted == [0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 6, 6]
    assert judge(seen(path, "full"), 1e4).state == "complete"


def test_the_picture_is_the_latest_projection_and_in_the_end_the_middle_one(
    tmp_path: Path,
) -> None:
    path = tmp_path / "scan.h5"
    pictures = [
        look_at(path, "scan", depth="count", thumbnail=True, beat=lambda: None)[1]
        for _ in iterate_scan(path, SMALL, live=True)
    ]
    assert pictures[3] is None
    with open_scan(path) as scan:
        frames = scan.projections.read()
    for done in range(1, 6):
        picture = pictures[3 + done]
        assert picture is not None
        np.testing.assert_array_equal(picture, small_picture(frames[done - 1]))
    assert pictures[-1] is not None
    np.testing.assert_array_equal(pictures[-1], small_picture(frames[3]))


def test_a_closer_look_finds_identity_findings_and_summary(tmp_path: Path) -> None:
    path = tmp_path / "scan.h5"
    write_als832(path, without=("/measurement/instrument/detector/pixel_size",))
    beats: list[None] = []
    look, _ = look_at(path, "scan", depth="full", thumbnail=False, beat=lambda: beats.append(None))
    with open_scan(path) as scan:
        assert look.identity == quick_identity(scan)
    assert "pixel-size-missing" in {item.name for item in look.findings}
    assert (look.summary.sample, look.summary.proposal) == (
        "20240101_120000_sandstone", "BLS-00564",
    )  # fmt: skip
    assert look.summary.layout == "als-8.3.2"
    assert len(beats) > 10
    assert seen(path, "light").identity == look.identity
    assert seen(path).identity == ""


def test_a_resizable_scan_counts_against_what_was_announced(tmp_path: Path) -> None:
    path = tmp_path / "scan.h5"
    write_als832(path, changed={f"{PROCESS}/rotation/num_angles": np.array([40])})
    look = seen(path, "full")
    assert look.main is not None
    assert (look.main.done, look.main.expected) == (19, 40)
    assert judge(look, 1e4).sentence == "Stopped at 19 of 40 projections."


WRITER = """
import sys, h5py
file = h5py.File(sys.argv[1], "w", libver="latest", locking=True)
file["/process/acquisition/rotation/num_angles"] = [3]
file["/process/acquisition/flat_fields/i0cycle"] = [0]
data = file.create_dataset("/exchange/data", (0, 4, 16), "u2", maxshape=(None, 4, 16),
                           chunks=(1, 4, 16))
file.swmr_mode = True
for number, line in enumerate(sys.stdin):
    data.resize(number + 1, axis=0)
    data[number] = number + 5
    data.flush()
    print("written", flush=True)
file.close()
print("closed", flush=True)
"""


def test_a_swmr_writer_is_followed_and_not_disturbed(tmp_path: Path) -> None:
    path = tmp_path / "scan.h5"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True,
    ) as writer:  # fmt: skip
        assert writer.stdin is not None
        assert writer.stdout is not None
        for number in (1, 2, 3):
            writer.stdin.write("go\n")
            writer.stdin.flush()
            assert writer.stdout.readline() == "written\n"
            look = seen(path)
            assert look.open_for_write
            assert look.main is not None
            assert (look.main.done, look.main.expected) == (number, 3)
            assert judge(look, 10.0).state == "arriving"
        writer.stdin.close()
        assert writer.stdout.readline() == "closed\n"
    assert writer.returncode == 0
    assert judge(seen(path, "full"), 10.0).state == "complete"


HOLDER = """
import sys, h5py
with h5py.File(sys.argv[1], "r+", locking=True) as file:
    print("open", flush=True)
    sys.stdin.readline()
"""


def test_a_lock_is_seen_without_taking_one(tmp_path: Path) -> None:
    path = tmp_path / "scan.h5"
    write_als832(path)
    assert not is_locked(path)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True,
    ) as holder:  # fmt: skip
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        assert is_locked(path)
        look = seen(path)
        assert look.locked
        assert judge(look, 1e6).state == "arriving"
        holder.communicate("\n")
    assert not is_locked(path)
    assert judge(seen(path, "full"), 1e6).state == "complete"


def test_a_cut_copy_knows_its_whole_length(tmp_path: Path) -> None:
    path = tmp_path / "scan.h5"
    write_als832(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    look = seen(path)
    assert look.expected_bytes == len(whole)
    assert [item.name for item in look.findings] == ["truncated"]
    assert judge(look, 1.0).state == "arriving"
    assert judge(look, 1e4).state == "broken"
    path.write_bytes(whole)
    assert judge(seen(path, "full"), 1e4).state == "complete"


@pytest.mark.parametrize("content", [b"", b"not HDF5", b"\x89HDF\r\n\x1a\n" + bytes(200)])
def test_what_is_no_scan_is_a_look_with_a_finding(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "scan.h5"
    path.write_bytes(content)
    for depth in ("count", "light", "full"):
        look = seen(path, depth)
        assert look.findings
        assert look.stacks == ()
        assert judge(look, 1e4).state == "broken"


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        seen(tmp_path / "absent.h5")
    assert caught.value.name == "not-found"


def test_texts_of_strangers_are_cut_and_plain(tmp_path: Path) -> None:
    path = tmp_path / "scan.h5"
    text = np.array(["two\nlines \x1b[31m" + "x" * 5000], dtype=h5py.string_dtype())
    write_als832(path, changed={"/measurement/sample/file_name": text})
    sample = seen(path).summary.sample
    assert sample.startswith("two lines [31mxxx")
    assert len(sample) == MAX_TEXT


def test_a_volume(tmp_path: Path) -> None:
    import tifffile

    folder = tmp_path / "recscan"
    folder.mkdir()
    for number in range(3):
        tifffile.imwrite(folder / f"scan_{number:05}.tiff", np.full((20, 30), number, "f4"))
    look, picture = look_at(folder, "volume", depth="full", thumbnail=True, beat=lambda: None)
    assert look.main is not None
    assert (look.main.name, look.main.done) == ("slices", 3)
    assert (look.summary.n_rows, look.summary.n_columns) == (20, 30)
    assert picture is not None
    assert picture.shape == (20, 30)
    assert judge(look, 100.0).sentence == "Complete: 3 slices."


@pytest.mark.parametrize("shape", [(1, 1), (96, 96), (97, 2), (2, 500), (2160, 2560)])
@pytest.mark.parametrize("dtype", ["u2", "f4", "i8"])
def test_small_pictures_fit(shape: tuple[int, int], dtype: str) -> None:
    frame = np.arange(shape[0] * shape[1]).reshape(shape).astype(dtype)
    picture = small_picture(frame)
    assert picture.dtype == np.uint8
    assert 1 <= max(picture.shape) <= THUMBNAIL_PX
    if max(shape) > 2:
        assert (picture.min(), picture.max()) == (0, 255)


def test_what_is_not_finite_is_black() -> None:
    frame = np.array([[np.nan, 1.0, 2.0], [np.inf, -np.inf, 3.0]])
    picture = small_picture(frame)
    assert picture[0, 0] == 0
    assert picture[1, 2] == 255
    assert not small_picture(np.full((4, 4), np.nan)).any()


@pytest.mark.data
@pytest.mark.parametrize("name", ["als832_legacy.h5", "aps_tooth.h5"])
def test_real_scans_are_complete(name: str) -> None:
    look = seen(shared_file(name), "full")
    assert judge(look, 1e4).state == "complete"
    assert len(look.identity) == 64
