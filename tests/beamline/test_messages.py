import json
from pathlib import Path
from typing import Any

import pytest

from alsct_gui.beamline.folder import Trouble
from alsct_gui.beamline.looks import Summary
from alsct_gui.beamline.messages import (
    WatchState,
    change_from_facts,
    change_to_facts,
    paths_from,
    state_from_facts,
    state_to_facts,
)
from alsct_gui.beamline.sightings import Change, Sighting
from alsct_gui.beamline.watching import Step
from alsct_gui.files.findings import finding
from alsct_gui.model.errors import RemoteError

SIGHTING = Sighting(
    path=Path("/data/two\nlines \udcff.h5"),
    state="complete",
    kind="scan",
    sentence="Complete.",
    size_bytes=85,
    modified_s=1.5,
    frames_done=6,
    frames_expected=6,
    identity="1f",
    findings=(finding("flats-missing", "There are none"),),
    summary=Summary(sample="µ", n_rows=8, energy_kev=25.0),
)
CHANGE = Change("completed", SIGHTING, "arriving", (Path("/data/other.h5"),))


def through_json(facts: Any) -> Any:
    return json.loads(json.dumps(facts))


def test_changes_travel_unchanged() -> None:
    assert change_from_facts(through_json(change_to_facts(CHANGE))) == CHANGE


@pytest.mark.parametrize(
    "broken",
    [
        {"kind": "exploded"}, {"before": 3}, {"path": "relative.h5"}, {"path": "/a\0b"},
        {"path": None}, {"also_at": "/data"}, {"sighting": None}, {"sighting": {"state": "fine"}},
        {"extra": 1},
    ],
)  # fmt: skip
def test_what_is_no_change_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(RemoteError):
        change_from_facts({**change_to_facts(CHANGE), **broken})


def test_the_state_travels_and_is_checked() -> None:
    trouble = Trouble(Path("/data/raw"), "It cannot be listed.")
    facts = through_json(state_to_facts(Step((), {}, (trouble,), 7, 2, True, 1.0)))
    assert state_from_facts(facts) == WatchState((trouble,), 7, 2, True)
    assert not state_from_facts(facts).settled
    for broken in ({"troubles": [["/a"]]}, {"known": "7"}, {"waiting": True}, {"listed": None}):
        with pytest.raises(RemoteError):
            state_from_facts({**facts, **broken})


@pytest.mark.parametrize("value", [None, "/data", [1], ["data"], ["/a\0"], {"/a": 1}])
def test_what_is_no_list_of_paths_is_refused(value: Any) -> None:
    with pytest.raises(RemoteError):
        paths_from(value)
