from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alsct_gui.beamline.looks import (
    SETTLED_S,
    STALLED_S,
    Look,
    StackCount,
    judge,
    sizes,
)
from alsct_gui.files.findings import KINDS, finding
from alsct_gui.model.finding import Severity

WHOLE = Look(
    "scan", 8_500_000_000, 10, expected_bytes=8_500_000_000, depth="full",
    stacks=(StackCount("projections", 1313, 1313), StackCount("flats", 10, 10)),
)  # fmt: skip


def having(done: int, flats: int = 10) -> Look:
    stacks = (StackCount("projections", done, 1313), StackCount("flats", flats, 10))
    return replace(WHOLE, stacks=stacks)


def test_a_whole_scan_is_complete_once_it_is_quiet() -> None:
    assert judge(WHOLE, SETTLED_S - 0.1).state == "arriving"
    verdict = judge(WHOLE, SETTLED_S)
    assert (verdict.state, verdict.sentence) == ("complete", "Complete: 1313 projections.")


def test_a_scan_that_lacks_frames_is_arriving_then_broken_and_never_complete() -> None:
    assert judge(having(812), 1.0).state == "arriving"
    assert judge(having(812), 1.0).sentence == "812 of 1313 projections."
    assert judge(having(812), 95.0).sentence == "812 of 1313 projections, nothing new for 90 s."
    verdict = judge(having(812), STALLED_S)
    assert verdict.state == "broken"
    assert verdict.sentence == "Stopped at 812 of 1313 projections."


def test_flats_that_are_missing_keep_a_scan_from_being_complete() -> None:
    assert judge(having(1313, 3), 1.0).sentence == "1313 of 1313 projections, 3 of 10 flats."
    assert judge(having(1313, 3), STALLED_S).sentence == "Stopped at 3 of 10 flats."


def test_more_frames_than_announced_are_not_complete() -> None:
    verdict = judge(having(1400), STALLED_S)
    assert verdict.state == "broken"
    assert verdict.sentence == "1400 projections are there, 1313 were announced."


def test_a_lock_means_a_living_writer_however_long_it_pauses() -> None:
    assert judge(replace(WHOLE, locked=True), 1e6).state == "arriving"
    verdict = judge(replace(having(812), locked=True), 3 * 3600)
    assert verdict.state == "arriving"
    assert verdict.sentence == "812 of 1313 projections, nothing new for 3 h."


def test_a_mark_of_the_writer_without_a_lock_is_a_killed_writer_in_the_end() -> None:
    look = replace(WHOLE, open_for_write=True)
    assert judge(look, SETTLED_S).state == "arriving"
    assert judge(look, STALLED_S).state == "broken"
    assert "never closed" in judge(look, STALLED_S).sentence


def test_a_copy_that_is_on_its_way_says_how_far() -> None:
    look = replace(
        WHOLE, size_bytes=3_100_000_000, stacks=(), findings=(finding("truncated", "cut"),)
    )
    assert judge(look, 1.0).sentence == "3.1 of 8.5 GB."
    assert judge(look, STALLED_S).state == "broken"
    assert judge(look, STALLED_S).sentence.startswith("Stopped at 3.1 of 8.5 GB")


def test_what_waiting_does_not_cure_is_broken_as_soon_as_it_is_quiet() -> None:
    lost = finding("reader-lost", "It crashed")
    look = replace(WHOLE, stacks=(), findings=(lost,))
    assert judge(look, 0.0).state == "arriving"
    assert judge(look, SETTLED_S).state == "broken"
    assert judge(look, SETTLED_S).sentence == lost.message


def test_an_empty_file_and_no_file() -> None:
    empty = Look("scan", 0, 10, findings=(finding("still-being-written", "Empty"),))
    assert judge(empty, 1.0).sentence == "The file is empty so far."
    assert judge(empty, STALLED_S).sentence == "The file is empty: nothing was written."
    assert judge(None, 0.0).state == "gone"


@given(
    done=st.integers(0, 20), expected=st.integers(1, 20), there=st.integers(0, 100),
    open_for_write=st.booleans(), locked=st.booleans(), quiet_s=st.floats(0, 1e7),
    name=st.sampled_from(["", *KINDS]),
)  # fmt: skip
def test_complete_means_closed_counted_and_readable(
    done: int, expected: int, there: int, open_for_write: bool, locked: bool, quiet_s: float,
    name: str,
) -> None:  # fmt: skip
    look = Look(
        "scan", there, 10, expected_bytes=50, open_for_write=open_for_write, locked=locked,
        stacks=(StackCount("projections", done, expected),),
        findings=(finding(name, "Found"),) if name else (),
    )  # fmt: skip
    verdict = judge(look, quiet_s)
    grave = bool(name) and KINDS[name].severity is Severity.ERROR
    if verdict.state == "complete":
        assert done == expected
        assert there >= 50
        assert not open_for_write
        assert not locked
        assert not grave
        assert quiet_s >= SETTLED_S
    assert verdict.sentence.endswith(".")
    if quiet_s >= STALLED_S and not locked:
        assert verdict.state != "arriving"


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [(5, 999, ("5", "999 bytes")), (500, 1000, ("0.5", "1.0 kB")),
     (10**12, 5 * 10**15, ("1.0", "5000.0 TB"))],
)  # fmt: skip
def test_sizes_share_a_unit(part: int, whole: int, said: tuple[str, str]) -> None:
    assert sizes(part, whole) == said
