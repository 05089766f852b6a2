import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from alsct_gui.beamline.looks import SETTLED_S, STALLED_S
from alsct_gui.beamline.sightings import Change, Sighting
from alsct_gui.beamline.watching import LOOK_AGAIN_S
from alsct_gui.simulator.spec import SimulationSpec
from alsct_gui.simulator.write import iterate_scan
from tests.beamline.helpers import Desk
from tests.files.builders import write_als832

SPEC = SimulationSpec(n_columns=32, n_rows=8, n_angles=6, n_flats=2, n_darks=2)


def told(changes: list[Change] | tuple[Change, ...]) -> list[tuple[str, str, str]]:
    return [(item.sighting.path.name, item.kind, item.sighting.state) for item in changes]


def only(changes: list[Change] | tuple[Change, ...]) -> Sighting:
    (change,) = changes
    return change.sighting


def aged(path: Path, seconds: float) -> None:
    """Let a file look as if it was not touched for so long."""
    when = path.stat().st_mtime - seconds
    os.utime(path, (when, when))


def test_a_scan_arrives_frame_by_frame_and_completes(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    assert desk.step().changes == ()
    frames, pictures = [], 0
    for done, _ in iterate_scan(tmp_path / "scan.h5", SPEC, live=True):
        step = desk.step()
        for change in step.changes:
            assert change.sighting.state == "arriving"
            assert change.kind == ("appeared" if done == 1 else "changed")
            frames.append((change.sighting.frames_done, change.sighting.frames_expected))
        pictures += len(step.pictures)
    assert list(dict.fromkeys(frames)) == [(done, 6) for done in range(7)]
    assert pictures == 6
    last = desk.until_quiet()
    assert told(last)[-1] == ("scan.h5", "completed", "complete")
    assert len(last[-1].sighting.identity) == 64
    assert desk.looker.looks[-1] == ("scan.h5", "full")
    desk.watch.close()


def test_pictures_come_no_faster_than_said(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    looks = []
    for _ in iterate_scan(tmp_path / "scan.h5", SPEC, live=True):
        desk.step(LOOK_AGAIN_S / 4)
        looks.append(len(desk.looker.looks))
    assert looks == [1, 1, 1, 1, 2, 2, 2, 2, 3, 3]


KILLED = """
import sys
from alsct_gui.simulator.spec import SimulationSpec
from alsct_gui.simulator.write import iterate_scan
spec = SimulationSpec(n_columns=32, n_rows=8, n_angles=6, n_flats=2, n_darks=2)
for done, total in iterate_scan(sys.argv[1], spec, live=True):
    print(done, flush=True)
    sys.stdin.readline()
"""


def test_a_killed_writer_leaves_a_broken_scan_that_says_where_it_stopped(tmp_path: Path) -> None:
    path = tmp_path / "scan.h5"
    desk = Desk(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True,
    ) as writer:  # fmt: skip
        assert writer.stdin is not None
        assert writer.stdout is not None
        for done in range(1, 8):
            assert writer.stdout.readline() == f"{done}\n"
            desk.step()
            if done < 7:
                writer.stdin.write("\n")
                writer.stdin.flush()
        writer.send_signal(signal.SIGKILL)
    assert desk.step(SETTLED_S).changes == ()
    waiting = only(desk.step(STALLED_S / 2).changes)
    assert waiting.state == "arriving"
    assert waiting.sentence == "3 of 6 projections, nothing new for 2 min."
    broken = only(desk.step(STALLED_S / 2).changes)
    assert (broken.state, broken.sentence) == ("broken", "Stopped at 3 of 6 projections.")
    assert (broken.frames_done, broken.frames_expected) == (3, 6)
    looks = len(desk.looker.looks)
    desk.step(100.0)
    assert len(desk.looker.looks) == looks  # nothing is expected of it any more


def test_a_broken_scan_that_grows_again_is_arriving_again(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    frames = iterate_scan(tmp_path / "scan.h5", SPEC, live=True)
    for done, _ in frames:
        if done == 6:
            break
    desk.step()
    desk.step(STALLED_S)
    assert desk.step().changes == ()
    next(frames)
    change = desk.step(10.0).changes
    assert told(change) == [("scan.h5", "changed", "arriving")]
    assert (change[0].before, change[0].sighting.frames_done) == ("broken", 3)
    for _ in frames:
        pass
    assert told(desk.until_quiet()) == [
        ("scan.h5", "changed", "arriving"), ("scan.h5", "completed", "complete"),
    ]  # fmt: skip


def test_a_cut_copy_arrives_by_its_size(tmp_path: Path) -> None:
    source, path = tmp_path / "source", tmp_path / "data" / "scan.h5"
    path.parent.mkdir()
    write_als832(source)
    whole = source.read_bytes()
    desk = Desk(path.parent)
    path.write_bytes(whole[:5000])
    first = only(desk.step().changes)
    assert (first.state, first.frames_done, first.size_bytes) == ("arriving", None, 5000)
    assert first.sentence == f"5.0 of {len(whole) / 1000:.1f} kB."
    assert only(desk.step(STALLED_S).changes).state == "broken"
    with path.open("ab") as file:
        file.write(whole[5000:])
    assert told(desk.until_quiet()) == [
        ("scan.h5", "changed", "arriving"), ("scan.h5", "completed", "complete"),
    ]  # fmt: skip


def test_a_copy_under_a_hidden_name_is_not_seen_before_it_is_renamed(tmp_path: Path) -> None:
    source = tmp_path / "scan.h5"
    write_als832(source)
    aged(source, 1000)
    data = tmp_path / "data"
    data.mkdir()
    desk = Desk(data)
    shutil.copy2(source, data / ".scan.h5.a8Xz")
    assert desk.step().changes == ()
    (data / ".scan.h5.a8Xz").rename(data / "scan.h5")
    assert told(desk.step(10.0).changes) == [("scan.h5", "appeared", "complete")]


def test_a_moved_scan_and_a_copied_scan_are_one_scan(tmp_path: Path) -> None:
    path, other = tmp_path / "scan.h5", tmp_path / "other.h5"
    write_als832(path)
    aged(path, 1000)
    desk = Desk(tmp_path)
    desk.until_quiet()
    shutil.copy2(path, other)
    (copied,) = desk.step(10.0).changes
    assert (copied.sighting.path, copied.also_at) == (other, (path,))
    path.unlink()
    (removed,) = desk.step(10.0).changes
    assert (removed.kind, removed.sighting.path, removed.also_at) == ("gone", path, (other,))


def test_old_scans_are_looked_at_lightly_newest_first(tmp_path: Path) -> None:
    for name, age_s in (("old.h5", 2e6), ("older.h5", 3e6), ("fresh.h5", 1000.0)):
        write_als832(tmp_path / name)
        aged(tmp_path / name, age_s)
    desk = Desk(tmp_path)
    step = desk.step()
    assert desk.looker.looks == [("fresh.h5", "full"), ("old.h5", "light"), ("older.h5", "light")]
    assert {item.sighting.state for item in step.changes} == {"complete"}
    assert sorted(path.name for path in step.pictures) == ["fresh.h5", "old.h5", "older.h5"]


def test_a_folder_that_goes_and_comes_back_keeps_its_scans(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    write_als832(data / "scan.h5")
    aged(data / "scan.h5", 1000)
    desk = Desk(data)
    assert len(desk.until_quiet()) == 1
    data.rename(tmp_path / "away")
    step = desk.step(10.0)
    assert (step.changes, step.known, len(step.troubles)) == ((), 1, 1)
    (tmp_path / "away").rename(data)
    step = desk.step(10.0)
    assert (step.changes, step.troubles) == ((), ())
    assert len(desk.looker.looks) == 1  # known already


def test_forgotten_folders_are_silent(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_als832(tmp_path / name / f"{name}.h5")
        aged(tmp_path / name / f"{name}.h5", 1000)
    desk = Desk(tmp_path / "a", tmp_path / "b")
    assert len(desk.until_quiet()) == 2
    desk.watch.forget(tmp_path / "a")
    (tmp_path / "a" / "a.h5").unlink()
    step = desk.step(10.0)
    assert (step.changes, step.known) == ((), 1)
    desk.watch.watch([tmp_path / "a"])
    write_als832(tmp_path / "a" / "new.h5")
    assert [item.sighting.path.name for item in desk.step().changes] == ["new.h5"]


def test_thousands_of_files_are_listed_in_parts_and_looked_at_once(tmp_path: Path) -> None:
    for number in range(3000):
        path = tmp_path / f"{number % 7}"
        path.mkdir(exist_ok=True)
        (path / f"{number:04}.h5").write_bytes(b"dummy")
        os.utime(path / f"{number:04}.h5", (1e9 + number, 1e9 + number))
    desk = Desk(tmp_path, entries_per_pass=500)
    first = desk.step()
    assert (first.known, first.listed) == (493, False)  # the 7 folders are entries too
    changes = [*first.changes, *desk.until_quiet()]
    assert len(changes) == 3000
    assert {item.sighting.state for item in changes} == {"broken"}
    assert len(desk.looker.looks) == 3000
    assert desk.step(100.0).changes == ()
    assert len(desk.looker.looks) == 3000


@pytest.mark.parametrize(
    "name", [b"two\nlines.h5", b"x" * 252 + b".h5", b"\xff\xfe.h5", b"$(id).h5"]
)
def test_hostile_names_are_looked_at(tmp_path: Path, name: bytes) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    write_als832(tmp_path / "plain")
    (tmp_path / "plain").rename(path)
    aged(path, 1000)
    seen = only(Desk(tmp_path).step().changes)
    assert (seen.path, seen.state) == (path, "complete")


def test_rest_is_short_while_something_arrives_and_long_otherwise(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    assert desk.step().rest_s == 5.0
    frames = iterate_scan(tmp_path / "scan.h5", SPEC, live=True)
    next(frames)
    assert desk.step(5.0).rest_s == 1.0
    frames.close()


def test_a_scan_that_changed_after_it_was_listed_is_not_complete_yet(tmp_path: Path) -> None:
    path = tmp_path / "scan.h5"
    write_als832(path)
    aged(path, 1000)
    desk = Desk(tmp_path)
    look = desk.looker.look

    def late(path: Path, *words: object, **options: object) -> object:
        os.utime(path)  # the writer comes between the listing and the look
        return look(path, *words, **options)  # type: ignore[arg-type]

    desk.looker.look = late  # type: ignore[assignment, method-assign]
    assert only(desk.step().changes).state == "arriving"
    desk.looker.look = look  # type: ignore[method-assign]
    assert told(desk.until_quiet())[-1] == ("scan.h5", "completed", "complete")
