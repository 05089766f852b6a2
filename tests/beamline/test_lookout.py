"""The watch as the window has it: real processes, real files."""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from alsct_gui.beamline.client import Lookout, lookout_process
from alsct_gui.beamline.eye import Eye
from alsct_gui.beamline.looking import Picture
from alsct_gui.beamline.looks import SETTLED_S, judge
from alsct_gui.beamline.messages import WatchState
from alsct_gui.beamline.sightings import Change, Sighting
from alsct_gui.model.errors import RemoteError
from alsct_gui.simulator.spec import SimulationSpec
from alsct_gui.simulator.write import iterate_scan
from tests.files.builders import write_als832

WAIT_S = 60.0


class Window:
    """Collects what a lookout tells, and waits for it."""

    def __init__(self) -> None:
        self.remote = lookout_process()
        self.lookout = Lookout(self.remote)
        self.changes: list[Change] = []
        self.pictures: dict[Path, Picture] = {}
        self.states: list[WatchState] = []
        self._told = threading.Condition()
        self.lookout.on_change(self._change)
        self.lookout.on_state(self._state)

    def _change(self, change: Change, picture: Picture | None) -> None:
        with self._told:
            self.changes.append(change)
            if picture is not None:
                self.pictures[change.sighting.path] = picture
            self._told.notify_all()

    def _state(self, state: WatchState) -> None:
        with self._told:
            self.states.append(state)
            self._told.notify_all()

    def wait_for(self, wanted: Callable[[], bool]) -> None:
        with self._told:
            assert self._told.wait_for(wanted, WAIT_S), (self.changes, self.states)

    def wait_until(self, path: Path, wanted: Callable[[Sighting], bool]) -> Sighting:
        def seen() -> bool:
            found = self.lookout.sightings.get(path)
            return found is not None and wanted(found)

        self.wait_for(seen)
        return self.lookout.sightings[path]


@pytest.fixture
def window() -> Iterator[Window]:
    made = Window()
    yield made
    made.lookout.close()


def aged(path: Path) -> None:
    os.utime(path, (1e9, 1e9))


def test_a_scan_arrives_in_the_window(tmp_path: Path, window: Window) -> None:
    path = tmp_path / "scan.h5"
    spec = SimulationSpec(n_columns=200, n_rows=8, n_angles=3, n_flats=1, n_darks=1)
    for done, _ in iterate_scan(path, spec, live=True):
        if done == 3:
            window.lookout.watch([tmp_path]).result(WAIT_S)
            first = window.wait_until(path, lambda item: item.frames_done == 1)
            assert (first.state, first.frames_expected) == ("arriving", 3)
            assert window.pictures.pop(path).shape == (2, 66)
    last = window.wait_until(path, lambda item: item.state == "complete")
    assert last.findings == ()
    assert last.summary.proposal == "BLS-00000"
    assert window.pictures[path].shape == (2, 66)
    assert [item.kind for item in window.changes if item.kind != "changed"] == [
        "appeared", "completed",
    ]  # fmt: skip


def test_a_single_scan_is_looked_at_again_when_it_completes(tmp_path: Path, window: Window) -> None:
    path, beside = tmp_path / "scan.h5", tmp_path / "beside.h5"
    write_als832(beside)
    spec = SimulationSpec(n_columns=200, n_rows=8, n_angles=3, n_flats=1, n_darks=1)
    for done, _ in iterate_scan(path, spec, live=True):
        if done == 3:
            window.lookout.watch((), [path]).result(WAIT_S)
            window.wait_until(path, lambda item: item.state == "arriving")
    window.wait_until(path, lambda item: item.state == "complete")
    assert window.lookout.sightings.keys() == {path}


def test_a_lost_watch_begins_anew_and_tells_what_went_meanwhile(
    tmp_path: Path, window: Window
) -> None:
    for name in ("stays.h5", "goes.h5"):
        write_als832(tmp_path / name)
        aged(tmp_path / name)
    window.lookout.watch([tmp_path]).result(WAIT_S)
    window.wait_for(lambda: window.lookout.state.settled and len(window.changes) == 2)
    assert window.changes[1].also_at == (window.changes[0].sighting.path,)
    (tmp_path / "goes.h5").unlink()
    assert window.remote.pid is not None
    psutil.Process(window.remote.pid).kill()
    window.wait_for(lambda: len(window.changes) == 3)
    assert any("starts again" in state.lost for state in window.states)
    assert (window.changes[2].kind, window.changes[2].sighting.path) == (
        "gone", tmp_path / "goes.h5",
    )  # fmt: skip
    assert list(window.lookout.sightings) == [tmp_path / "stays.h5"]


def test_a_missing_folder_is_said_and_found_when_it_comes(tmp_path: Path, window: Window) -> None:
    data = tmp_path / "data"
    window.lookout.watch([data]).result(WAIT_S)
    window.wait_for(lambda: len(window.lookout.state.troubles) == 1)
    data.mkdir()
    write_als832(data / "scan.h5")
    aged(data / "scan.h5")
    window.wait_until(data / "scan.h5", lambda item: item.state == "complete")
    window.wait_for(lambda: not window.lookout.state.troubles)


def test_a_forgotten_folder_is_silent(tmp_path: Path, window: Window) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_als832(tmp_path / name / "scan.h5")
        aged(tmp_path / name / "scan.h5")
    window.lookout.watch([tmp_path / "a", tmp_path / "b"]).result(WAIT_S)
    window.wait_for(lambda: len(window.changes) == 2)
    window.lookout.forget(tmp_path / "a").result(WAIT_S)
    assert list(window.lookout.sightings) == [tmp_path / "b" / "scan.h5"]
    window.wait_for(lambda: window.lookout.state.known == 1)
    assert len(window.changes) == 2


@pytest.mark.parametrize("name", ["crash.h5", "hang.h5"])
def test_a_file_that_kills_its_reader_is_a_finding_and_the_next_is_read(
    tmp_path: Path, name: str
) -> None:
    for path in (tmp_path / name, tmp_path / "scan.h5"):
        write_als832(path)
    eye = Eye(module="tests.beamline.hostile_eye", silence_s=1.0 if "hang" in name else 30.0)
    try:
        found = eye.look(tmp_path / name, "scan", depth="full", thumbnail=True)
        assert found is not None
        look, picture = found
        assert picture is None
        assert [item.name for item in look.findings] == ["reader-lost"]
        assert judge(look, SETTLED_S).state == "broken"
    finally:
        eye.close()
    eye = Eye()
    try:
        found = eye.look(tmp_path / "scan.h5", "scan", depth="full", thumbnail=True)
        assert found is not None
        assert judge(found[0], SETTLED_S).state == "complete"
        assert eye.look(tmp_path / "absent.h5", "scan", depth="full", thumbnail=True) is None
    finally:
        eye.close()


def test_an_eye_that_is_closed_says_so(tmp_path: Path) -> None:
    write_als832(tmp_path / "wait.h5")
    eye = Eye(module="tests.beamline.hostile_eye")
    told: list[Exception] = []

    def ask() -> None:
        try:
            eye.look(tmp_path / "wait.h5", "scan", depth="full", thumbnail=False)
        except RemoteError as error:
            told.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    eye.close()
    asking.join()
    assert len(told) == 1
