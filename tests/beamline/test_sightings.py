from dataclasses import replace
from pathlib import Path

from alsct_gui.beamline.looks import Look, StackCount
from alsct_gui.beamline.sightings import MAX_FINDINGS, Sighting, diff, gone, sighting_of
from alsct_gui.files.findings import finding

A, B = Path("/data/a.h5"), Path("/data/b.h5")


def seen(path: Path = A, **changes: object) -> Sighting:
    whole = Sighting(
        path=path, state="complete", kind="scan", sentence="Complete.", frames_done=6,
        frames_expected=6, identity="1f",
    )  # fmt: skip
    return replace(whole, **changes)  # type: ignore[arg-type]


def test_nothing_changed() -> None:
    assert diff({A: seen()}, {A: seen()}) == ()


def test_appeared_changed_completed_gone() -> None:
    arriving = seen(state="arriving", frames_done=2, identity="")
    (first,) = diff({}, {A: arriving})
    assert (first.kind, first.before, first.also_at) == ("appeared", None, ())
    (second,) = diff({A: arriving}, {A: replace(arriving, frames_done=3)})
    assert (second.kind, second.before) == ("changed", "arriving")
    (third,) = diff({A: arriving}, {A: seen()})
    assert (third.kind, third.sighting.state) == ("completed", "complete")
    (fourth,) = diff({A: seen()}, {})
    assert (fourth.kind, fourth.sighting) == ("gone", gone(seen()))
    assert fourth.sighting.state == "gone"


def test_a_second_path_to_the_same_content_is_told() -> None:
    (copy,) = diff({A: seen()}, {A: seen(), B: seen(B)})
    assert (copy.sighting.path, copy.also_at) == (B, (A,))
    assert diff({}, {A: seen(), B: seen(B, identity="2e")})[0].also_at == ()


def test_a_move_is_gone_here_and_also_there() -> None:
    there, here = diff({A: seen()}, {B: seen(B)})
    assert (there.kind, there.sighting.path) == ("appeared", B)
    assert (here.kind, here.sighting.path, here.also_at) == ("gone", A, (B,))


def test_no_identity_is_the_same_as_no_other() -> None:
    changes = diff({}, {A: seen(identity=""), B: seen(B, identity="")})
    assert [change.also_at for change in changes] == [(), ()]


def test_what_was_only_counted_is_not_complete() -> None:
    look = Look("scan", 100, 10, stacks=(StackCount("projections", 6, 6),), identity="1f")
    counted = sighting_of(A, look, 100.0)
    assert (counted.state, counted.sentence) == (
        "arriving", "All frames are there; being checked.",
    )  # fmt: skip
    proved = sighting_of(A, replace(look, depth="full"), 100.0)
    assert (proved.state, proved.identity, proved.frames_done) == ("complete", "1f", 6)


def test_findings_are_bounded() -> None:
    many = tuple(finding("value-odd", f"Value {number}") for number in range(1000))
    look = Look("scan", 100, 10, findings=many)
    assert len(sighting_of(A, look, 0.0).findings) == MAX_FINDINGS
