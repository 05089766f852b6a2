"""Files made to break the reader: bounded, refused by name, and never a step outside."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from alsct_gui.files import check, metadata
from alsct_gui.files.check import check_scan, inspect_scan
from alsct_gui.files.isolated import WorkerLostError, run_isolated
from alsct_gui.files.open import open_scan
from alsct_gui.model.errors import InputError, UnsafeInputError
from alsct_gui.model.finding import Severity
from tests.files.builders import frames_of, write_als832, write_nxtomo


def edit(path: Path) -> h5py.File:
    return h5py.File(path, "r+", locking=False)


def linked_scan(folder: Path, target: str, inner: str = "/frames") -> Path:
    """Write a scan whose projections lie behind an external link."""
    path = folder / "scan.h5"
    write_als832(path)
    with edit(path) as file:
        del file["/exchange/data"]
        file["/exchange/data"] = h5py.ExternalLink(target, inner)
    return path


def write_frames(path: Path) -> np.ndarray:
    data = frames_of(19, 4, 16, seed=5)
    path.parent.mkdir(exist_ok=True)
    with h5py.File(path, "w", locking=False) as file:
        file["frames"] = data
    return data


def test_a_link_inside_the_folder_is_followed(tmp_path: Path) -> None:
    data = write_frames(tmp_path / "parts" / "frames.h5")
    with open_scan(linked_scan(tmp_path, "parts/frames.h5")) as scan:
        np.testing.assert_array_equal(scan.projections.read(), data)


def test_links_out_of_the_folder_are_refused(tmp_path: Path) -> None:
    write_frames(tmp_path / "outside" / "frames.h5")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "innocent.h5").symlink_to(tmp_path / "outside" / "frames.h5")
    (inside / "folder").symlink_to(tmp_path / "outside")
    targets = ["../outside/frames.h5", str(tmp_path / "outside" / "frames.h5"), "innocent.h5",
               "folder/frames.h5", "/etc/passwd", "/proc/self/mem", "/dev/zero"]  # fmt: skip
    for target in targets:
        path = linked_scan(inside, target)
        with pytest.raises(UnsafeInputError, match="Links to") as caught:
            open_scan(path)
        assert caught.value.name == "external-link-refused"
        found = [item for item in inspect_scan(path) if item.name == "external-link-refused"]
        assert found[0].severity is Severity.ERROR


def test_a_pipe_beside_the_scan_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.h5")
    with pytest.raises(UnsafeInputError, match="no file"):
        open_scan(linked_scan(tmp_path, "pipe.h5"))
    assert [item.name for item in inspect_scan(tmp_path / "pipe.h5")] == ["not-hdf5"]


def test_links_that_are_not_needed_are_only_reported(tmp_path: Path) -> None:
    path = tmp_path / "scan.h5"
    write_als832(path)
    with edit(path) as file:
        file["/notes"] = h5py.ExternalLink("/etc/hosts", "/x")
        file["/gone/a"] = h5py.ExternalLink("a.h5", "/x")
        file["/gone/b"] = h5py.ExternalLink("b.h5", "/x")
        file["/loop"] = h5py.SoftLink("/pool")
        file["/pool"] = h5py.SoftLink("/loop")
        file["/exchange/cycle"] = file["/exchange"]  # a hard link to its own parent
    with open_scan(path) as scan:
        found = {item.name: item for item in scan.warnings}
        assert set(found) == {"external-link-refused", "external-link-dangling", "link-loop"}
        assert "2 external links" in found["external-link-dangling"].message
        assert scan.projections.shape == (19, 4, 16)


def test_frames_behind_a_loop_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "scan.h5"
    write_als832(path)
    with edit(path) as file:
        del file["/exchange/data"]
        file["/exchange/data"] = h5py.SoftLink("/exchange/data")
    with pytest.raises(UnsafeInputError, match="links") as caught:
        open_scan(path)
    assert caught.value.name == "link-loop"


def test_soft_links_to_frames_are_followed(tmp_path: Path) -> None:
    path = tmp_path / "scan.h5"
    data = write_als832(path)
    with edit(path) as file:
        file.move("/exchange/data", "/raw/frames")
        file["/exchange/data"] = h5py.SoftLink("/raw/frames")
    with open_scan(path) as scan:
        np.testing.assert_array_equal(scan.projections.read(), data)


def test_virtual_frames_are_refused(tmp_path: Path) -> None:
    write_frames(tmp_path / "frames.h5")
    path = tmp_path / "scan.h5"
    write_als832(path)
    layout = h5py.VirtualLayout((19, 4, 16), "u2")
    layout[:] = h5py.VirtualSource(tmp_path / "frames.h5", "frames", (19, 4, 16))
    with edit(path) as file:
        del file["/exchange/data"]
        file["/exchange"].create_virtual_dataset("data", layout)
    with pytest.raises(UnsafeInputError, match="virtual dataset") as caught:
        open_scan(path)
    assert caught.value.name == "virtual-source-refused"


def test_external_storage_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "scan.h5"
    write_als832(path)
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(19 * 4 * 16 * 2))
    with edit(path) as file:
        del file["/exchange/data_white"]
        file["/exchange"].create_dataset(
            "data_white", (4, 4, 16), "u2", external=[(str(secret), 0, 512)]
        )
    with open_scan(path) as scan:
        assert scan.flats is None
        assert {"external-storage-refused", "flats-missing"} <= {f.name for f in scan.warnings}


def test_nxtomo_frames_behind_a_forbidden_link_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "scan.nxs"
    write_nxtomo(path)
    with edit(path) as file:
        detector = file["/entry1/tomo_entry/instrument/detector"]
        del detector["data"]
        detector["data"] = h5py.ExternalLink("../elsewhere.h5", "/x")
    with pytest.raises(UnsafeInputError, match="elsewhere"):
        open_scan(path)


def test_strange_types_and_values_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "scan.h5"
    write_als832(path)
    compound = np.dtype([("a", "f8"), ("b", "S3")])
    with edit(path) as file:
        file["/odd/compound"] = np.zeros(3, compound)
        file["/odd/opaque"] = np.void(b"abc")
        file["/odd/empty"] = h5py.Empty("f4")
        file["/odd/reference"] = np.array([file["/exchange"].ref], dtype=h5py.ref_dtype)
        file["/odd/region"] = np.array(
            [file["/exchange/theta"].regionref[0:2]], dtype=h5py.regionref_dtype
        )
        file["/odd/nan"] = np.array([np.nan, np.inf])
        file["/odd/bytes"] = np.bytes_(b"\xff\xfe")
        file["/odd/long"] = "x" * 300_000
        file["/odd/huge"] = np.zeros(100_000)
        file["/odd/enum"] = np.array([True, False])
        file["/odd"].attrs["deep"] = np.zeros((2, 3, 4))
        file["/odd"].create_dataset("bare", (10**9, 10**6), "f8", chunks=(1000, 1000))
    with open_scan(path) as scan:
        assert scan.warnings == ()
        assert len(scan.metadata["/odd/long"]) == metadata.MAX_TEXT
        assert scan.metadata["/odd/huge"] == "float64 (100000,)"
        assert scan.metadata["/odd/enum"] == [True, False]


def test_metadata_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "scan.h5"
    write_als832(path)
    with edit(path) as file:
        many = file.create_group("/many")
        for number in range(400):
            many[f"k{number}"] = number
        deep = file.create_group("/deep")
        for _ in range(metadata.MAX_DEPTH + 5):
            deep = deep.create_group("d")
    with open_scan(path) as scan:
        assert "metadata-bounded" in {item.name for item in scan.warnings}
    monkeypatch.setattr(metadata, "MAX_OBJECTS", 150)
    with open_scan(path) as scan:
        assert len(scan.metadata) <= 150
        assert "metadata-bounded" in {item.name for item in scan.warnings}


def test_a_small_file_that_declares_80_gb(tmp_path: Path) -> None:
    for chunks in (None, (1, 2160, 2560)):
        path = tmp_path / "scan.h5"
        write_als832(path)
        with edit(path) as file:
            del file["/exchange/data"]
            file["/exchange"].create_dataset("data", (7200, 2160, 2560), "u2", chunks=chunks)
        assert path.stat().st_size < 200_000
        with pytest.raises(InputError, match=r"79\.6 GB") as caught:
            open_scan(path)
        assert caught.value.name == "shape-absurd"


@pytest.mark.parametrize(
    ("shape", "dtype", "name"),
    [
        ((4, 16), "u2", "shape-absurd"),
        ((0, 4, 16), "u2", "shape-absurd"),
        ((2, 4, 16), "S8", "dtype-absurd"),
        ((2, 4, 16), "c8", "dtype-absurd"),
        ((2, 4, 16), [("a", "u2")], "dtype-absurd"),
    ],
)
def test_frames_of_the_wrong_shape_or_type(
    tmp_path: Path, shape: tuple[int, ...], dtype: object, name: str
) -> None:
    path = tmp_path / "scan.h5"
    write_als832(path, frames=np.zeros(shape, dtype))  # type: ignore[call-overload]
    with pytest.raises(InputError) as caught:
        open_scan(path)
    assert caught.value.name == name


def test_an_open_scan_locks_nobody_out(tmp_path: Path) -> None:
    path = tmp_path / "scan.h5"
    write_als832(path)
    program = "import h5py, sys; h5py.File(sys.argv[1], 'r+').close()"
    with open_scan(path):
        done = subprocess.run([sys.executable, "-c", program, path], check=False)
        assert done.returncode == 0


FUZZ = """
import sys, random
from pathlib import Path
from alsct_gui.files.check import inspect_scan
folder, seed, rounds = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
whole = {p: p.read_bytes() for p in sorted(folder.glob("whole*"))}
chance = random.Random(seed)
for number in range(rounds):
    source, raw = chance.choice(list(whole.items()))
    raw = bytearray(raw)
    if chance.random() < 0.3:
        del raw[chance.randrange(len(raw)):]
    for _ in range(chance.randrange(1, 12)):
        if raw:
            # Headers break more than pixels do.
            place = chance.randrange(len(raw) if chance.random() < 0.4 else min(len(raw), 4096))
            raw[place] = chance.choice([0, 255, raw[place] ^ 1 << chance.randrange(8)])
    broken = folder / f"broken{source.suffix}"
    broken.write_bytes(raw)
    (folder / "round").write_text(f"{seed} {number}")
    findings = inspect_scan(broken, thorough=True)
    assert all(item.name and item.message for item in findings)
print("done")
"""


def _small_scans() -> dict[str, Callable[[Path], object]]:
    import tifffile

    from tests.files.builders import write_legacy

    return {
        "whole1.h5": lambda path: write_als832(path, 5, 2, 4),
        "whole2.h5": lambda path: write_als832(
            path, 5, 2, 4, storage={"chunks": (1, 2, 4), "compression": "gzip"}, libver="latest"
        ),
        "whole3.h5": write_legacy,
        "whole4.nxs": write_nxtomo,
        "whole5.tif": lambda path: tifffile.imwrite(path, frames_of(5, 3, 4)),
    }


@pytest.mark.parametrize("seed", [1, 2])
def test_damaged_bytes_become_findings(tmp_path: Path, seed: int) -> None:
    """In a process of its own: a crash of the HDF5 library must not take the tests along."""
    for name, write in _small_scans().items():
        write(tmp_path / name)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FUZZ, str(tmp_path), str(seed), "150"],
        capture_output=True, text=True, timeout=120, check=False,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    where = (tmp_path / "round").read_text()
    assert done.returncode == 0, f"round {where}: {done.stderr[-2000:]}"
    assert done.stdout == "done\n"


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("import time; time.sleep(100)", "said nothing for"),
        ("while True: pass", "said nothing for"),
        ("import os; os.write(1, b'x'); os.abort()", "crashed with code"),
        ("raise SystemExit(3)", "crashed with code 3"),
        ("import os, time; os.close(1); time.sleep(100)", "did not end"),
    ],
)
def test_a_worker_that_is_lost_is_given_up(program: str, message: str) -> None:
    with pytest.raises(WorkerLostError, match=message):
        run_isolated([sys.executable, "-c", program], silence_s=1.0)


def test_a_worker_that_talks_may_take_its_time() -> None:
    program = "import time\nfor _ in range(8): print('.', flush=True); time.sleep(0.25)"
    assert run_isolated([sys.executable, "-c", program], silence_s=1.5).count(b".") == 8


def test_a_file_on_which_hdf5_loops_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found by the test above: HDF5 2.0 never returns from reading a text of this file."""
    write_nxtomo(tmp_path / "scan.nxs")
    raw = bytearray((tmp_path / "scan.nxs").read_bytes())
    # The first text of the global heap is said to be 514 bytes long instead of 2.
    raw[raw.index(b"GCOL") + 25] = 2
    (tmp_path / "scan.nxs").write_bytes(raw)
    monkeypatch.setattr(check, "SILENCE_S", 6.0)
    findings = check_scan(tmp_path / "scan.nxs")
    assert Severity.ERROR in {item.severity for item in findings}
