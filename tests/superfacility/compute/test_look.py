"""Looking at files by a command: the names that nobody would choose, and what is no file."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alsct_gui.simulator.facility.faults import FaultName
from alsct_gui.superfacility.compute.here import Here
from alsct_gui.superfacility.compute.look import (
    Answer,
    FileBytes,
    Looker,
    Question,
    parse_answer,
    question_bytes,
    script_name,
)
from alsct_gui.superfacility.errors import LinkDownError, RefusedError
from tests.superfacility.compute.conftest import Facility

NAMES = (
    "plain.h5", "a 'b' \"c\"", "$(touch pwned) `touch pwned`; touch pwned", "-rf", "é 🜚 \u202e",
    "line\nbreak", os.fsdecode(b"\xff\xfe no unicode"), "back\\slash", "&& touch pwned #",
)  # fmt: skip
Make = Callable[[], Looker]


@pytest.fixture(params=["nersc", "here"])
def looker(request: pytest.FixtureRequest, facility: Facility) -> Looker:
    if request.param == "nersc":
        return facility.make()
    return Here(facility.root / "here")


def write(folder: Path) -> dict[str, bytes]:
    folder.mkdir()
    contents = {name: name.encode("utf-8", "surrogateescape") * 3 for name in NAMES}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return contents


def test_every_name_is_listed_read_and_run_by_nobody(looker: Looker, facility: Facility) -> None:
    folder = facility.root / "a $(touch pwned) 'folder'"
    contents = write(folder)
    (folder / "below").mkdir()
    (folder / "below" / "x").write_bytes(b"")
    (folder / "link").symlink_to("/etc")
    paths = {name: f"{folder}/{name}" for name in NAMES}
    seen = looker.look(Question(folders=(str(folder),), files=tuple(paths.values())))
    sizes = {name: len(content) for name, content in contents.items()}
    assert seen.folders[str(folder)] == {**sizes, "below/x": 0}
    assert seen.files == {
        paths[name]: FileBytes(len(content), hashlib.sha256(content).hexdigest())
        for name, content in contents.items()
    }
    assert seen.errors == {}
    assert not list(facility.root.rglob("pwned"))
    assert not list(facility.root.rglob("alsct-look-*.json")), "questions are taken away"


def test_what_is_not_there_and_what_is_no_file(looker: Looker, facility: Facility) -> None:
    os.mkfifo(facility.root / "pipe")
    (facility.root / "link").symlink_to("/etc/passwd")
    (facility.root / "folder-link").symlink_to("/etc")
    (facility.root / "text").write_text("é\n")

    def at(name: str) -> str:
        return f"{facility.root}/{name}"

    seen = looker.look(Question(
        folders=(at("none"), at("folder-link"), at("text")),
        texts=(at("text"), at("none"), at("link"), at("text/below")),
        files=(at("pipe"), at("none"), at("link")),
    ))  # fmt: skip
    assert seen.texts == {at("text"): "é\n", at("none"): None, at("text/below"): None}
    assert seen.folders == {at("none"): None, at("text"): None}
    assert seen.files == {at("none"): None}
    assert set(seen.errors) == {at("pipe"), at("link"), at("folder-link")}


def test_after_its_time_no_further_file_is_begun(looker: Looker, facility: Facility) -> None:
    paths = []
    for number in range(3):
        path = facility.root / f"{number}"
        path.write_bytes(b"x")
        paths.append(str(path))
    seen = looker.look(Question(files=tuple(paths), within_s=-1.0))
    assert list(seen.files) == paths[:1], "one is always read, so it comes to an end"


@pytest.mark.parametrize("path", ["relative", "/a/../b", "/a\0b", ""])
def test_paths_that_lead_elsewhere_are_refused(path: str) -> None:
    with pytest.raises(RefusedError):
        Question(files=(path,))


def test_what_was_cleaned_away_there_is_put_there_again(facility: Facility) -> None:
    nersc = facility.make()
    (facility.root / "f").write_bytes(b"x")
    question = Question(texts=(f"{facility.root}/f",))
    nersc.look(question)
    (Path(facility.site.folder) / script_name()).unlink()
    assert nersc.look(question).texts == {f"{facility.root}/f": "x"}


@pytest.mark.parametrize(
    "fault", [FaultName.UNAVAILABLE, FaultName.RESET_AFTER, FaultName.GARBLED, FaultName.TRUNCATED]
)
def test_a_fault_tells_nothing(facility: Facility, fault: FaultName) -> None:
    nersc = facility.make()
    facility.fault(fault, "sfapi POST *")
    with pytest.raises(LinkDownError):
        nersc.look(Question(texts=("/x",)))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["folders", "texts", "files", "found", "error", "/a"]), inner,
                      max_size=4),
    max_leaves=8,
)  # fmt: skip


@given(st.text(max_size=30) | json_values.map(json.dumps))
def test_any_answer_is_read_or_refused(text: str) -> None:
    try:
        found = parse_answer(text, "there")
    except LinkDownError:
        return
    assert isinstance(found, Answer)
    assert all(
        type(size) is int for sizes in found.folders.values() for size in (sizes or {}).values()
    )


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "a/../../x", "a//b", "./x", "", "a\0b"])
def test_an_answer_names_nothing_outside_of_its_folders(name: str) -> None:
    folders = {"/a": {"found": [["good/x.csv", 1], [name, 2]]}}
    with pytest.raises(LinkDownError, match="not understood"):
        parse_answer(json.dumps({"folders": folders, "texts": {}, "files": {}}), "there")


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=())), max_size=4))
def test_any_name_travels_in_ascii(names: list[str]) -> None:
    paths = tuple(f"/{name}" for name in names if ".." not in name.split("/"))
    assert question_bytes(Question(texts=paths)).isascii()
