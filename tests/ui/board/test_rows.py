"""Rows and cells of the board, made from what the ledger knows; no window."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alsct_gui.model.placement import (
    MET,
    Arrival,
    Asked,
    Evidence,
    GoalKey,
    GoalRecord,
    StateKind,
    StepState,
    blocked,
    failed,
    waiting,
)
from alsct_gui.model.policy import Ban, Place, Product, Prune, Selection, Wish
from alsct_gui.placement.fold import CANCELLED
from alsct_gui.placement.sheets import sheet_to_plain
from alsct_gui.ui.board.catchup import catch_up
from alsct_gui.ui.board.cells import (
    cell_words,
    evidence_words,
    short_words,
    state_words,
    work_words,
)
from alsct_gui.ui.board.columns import Names, columns_of
from alsct_gui.ui.board.pace import Pace, followed
from alsct_gui.ui.board.rows import Filter, facts_words, shown_rows
from alsct_gui.ui.widgets.marks import State
from tests.ui.board.making import (
    CFS,
    HERE,
    NOW_S,
    POROSITY,
    RAW,
    REC,
    RECIPE,
    Made,
    analysing_policy,
    counts,
    in_outage,
    marks,
    night_policy,
    part,
    row_of,
)

NAMES = Names(night_policy())


def test_columns_stand_by_site_and_in_the_order_of_their_making() -> None:
    columns = columns_of(night_policy())
    assert [(column.group, column.title) for column in columns] == [
        ("Beamline 8.3.2", "Raw file"), ("Beamline 8.3.2", "Reconstruction"),
        ("NERSC", "Raw file"), ("NERSC", "Reconstruction"), ("NERSC", "SciCat"),
        ("NERSC", "Access"),
    ]  # fmt: skip
    assert [column.words for column in columns[2:5]] == [
        "raw file at NERSC", "reconstruction at NERSC", "record at SciCat",
    ]  # fmt: skip
    assert [column.outside for column in columns] == [False, False, True, True, True, True]


def test_a_place_has_its_own_name_where_the_site_has_two_of_a_kind() -> None:
    policy = night_policy()
    tape = replace(next(p for p in policy.places if p.name == CFS), name="tape", title="Tape")
    policy = replace(
        policy, places=(*policy.places, tape), prunes=(Prune("x", RAW, (CFS, "tape")),)
    )
    columns = columns_of(policy, [(Product.RAW, "tape", ""), (Product.RAW, "elsewhere", "")])
    titles = [(column.title, column.detail) for column in columns if column.group == "NERSC"]
    assert titles == [
        ("Raw file", "NERSC CFS"), ("Raw file", "Tape"), ("Reconstruction", ""), ("SciCat", ""),
        ("Access", ""),
    ]  # fmt: skip
    assert columns[3].words == "raw file at NERSC CFS"
    assert [c.title for c in columns if c.site == "here"] == [
        "Raw file",
        "Reconstruction",
        "Pruning",
    ]
    assert (columns[-1].group, columns[-1].outside) == ("elsewhere", True)


def test_every_state_has_its_mark() -> None:
    made = Made()
    made.scan(1, metadata={"sample": "fibre", "start_time": "2027-01-15T07:00:00+00:00"})
    made.goal(1, Product.RAW, CFS, StepState(StateKind.MOVING), work="w")
    made.work("w", made.goal(1, Product.RAW, CFS, StepState(StateKind.MOVING)), done=63, total=100)
    made.goal(1, Product.RECONSTRUCTION, REC, waiting("perlmutter", "maintenance"))
    made.goal(1, Product.METADATA, "scicat", blocked("no right", "Ask for it"))
    made.goal(1, Product.ACCESS, CFS, failed("reset", "", NOW_S + 60))
    board = made.board()
    assert marks(board, 1) == {
        "raw file at Beamline 8.3.2": "met", "reconstruction at Beamline 8.3.2": "not wanted",
        "raw file at NERSC": "moving", "reconstruction at NERSC": "waiting",
        "record at SciCat": "blocked", "access at NERSC": "failed",
    }  # fmt: skip
    row = row_of(board, 1)
    assert row.title == "fibre"
    assert row.cells[2].share == 0.63
    short = [
        short_words(cell, NAMES, NOW_S, outside=column.outside)
        for column, cell in zip(board.columns, row.cells, strict=True)
    ]
    assert short == ["", "", "↑ 63 %", "Perlmutter", "needs you", "in 1 min"]
    assert facts_words(row, NOW_S).startswith("BLS-00564 · 10.0 GB · ")


def test_what_is_wanted_and_not_in_the_ledger_waits_for_the_agent() -> None:
    made = Made()
    made.scan(1)
    board = made.board()
    assert marks(board, 1)["raw file at NERSC"] == "waiting"
    (words,) = cell_words(row_of(board, 1).cells[2], NAMES, NOW_S)
    assert words == "Waits for the agent's next look."
    # The first reconstruction may be made at either place, and one at NERSC is wanted anyway.
    (here,) = cell_words(row_of(board, 1).cells[1], NAMES, NOW_S)
    assert here == "One of these is enough: Perlmutter, Workstation."


def test_what_must_not_be_is_forbidden_and_owed_to_nobody() -> None:
    made = Made()
    made.scan(1, export_controlled=True)
    board = made.board()
    row = row_of(board, 1)
    assert [cell.state for cell in row.cells[2:]] == [State.FORBIDDEN] * 4
    (words,) = cell_words(row.cells[2], NAMES, NOW_S)
    assert words == "Forbidden: export-controlled scans stay here. The law forbids it."
    assert counts(board) == {Filter.ALL: 1}


def test_a_ban_without_reason_is_named() -> None:
    policy = replace(night_policy(), bans=(Ban("foam stays here", ("nersc",), Selection()),))
    made = Made(policy)
    made.scan(1)
    (words,) = cell_words(row_of(made.board(), 1).cells[2], NAMES, NOW_S)
    assert words == "Forbidden: foam stays here."


def test_a_persons_wishes_are_seen() -> None:
    made = Made()
    made.scan(1)
    made.scan(2)
    made.observed.asked[part(1)] = Asked(
        frozenset({f"/raw/{HERE}/-"}), frozenset({"/metadata/scicat/-"})
    )
    maker = made.maker()
    board = made.board(maker)
    assert marks(board, 1)["record at SciCat"] == "not wanted"
    assert marks(board, 2)["record at SciCat"] == "waiting"
    column = [c.words for c in board.columns].index("record at SciCat")
    (words,) = cell_words(row_of(board, 1).cells[column], NAMES, NOW_S)
    assert words == "Not wanted: a person took it back."
    made.observed = replace(made.observed, asked={})
    assert marks(made.board(maker), 1)["record at SciCat"] == "waiting"


def test_a_hold_and_a_cancel_are_seen() -> None:
    made = Made()
    made.scan(1)
    made.goal(1, Product.RAW, CFS, waiting("you", "held back by a person"), held=True)
    made.goal(1, Product.METADATA, "scicat", CANCELLED, held=True)
    made.work("w", made.goal(1, Product.RECONSTRUCTION, REC), done=0, total=0)
    goal = next(name for name in made.observed.goals if f"/{REC}/" in name)
    record = made.observed.goals[goal]
    made.observed.goals[goal] = replace(record, cancel_asked=True, held=True)
    board = made.board()
    row = row_of(board, 1)
    assert [cell.state for cell in row.cells[2:5]] == [State.HELD, State.MOVING, State.HELD]
    assert short_words(row.cells[3], NAMES, NOW_S, outside=True) == "ending"
    (words,) = cell_words(row.cells[3], NAMES, NOW_S)
    assert "It is being ended." in words
    assert Filter.HELD in row.filters


def test_of_two_recipes_the_worse_counts() -> None:
    made = Made()
    made.scan(1)
    first = made.goal(1, Product.RECONSTRUCTION, REC)
    other = first.replace(RECIPE, "b" * 12)
    record = replace(made.observed.goals[first], key=other, state=blocked("no", "Look"))
    made.observed.goals[other] = record
    board = made.board()
    cell = row_of(board, 1).cells[3]
    assert cell.state is State.BLOCKED
    assert len(cell.keys) == 2
    assert cell.keys[0] == other
    assert len(cell_words(cell, NAMES, NOW_S)) == 2


def test_a_file_that_is_no_scan_yet_stands_on_top() -> None:
    made = Made()
    made.scan(1)
    state = waiting("the end of its writing", "812 of 1313 frames")
    made.observed.arrivals["/data/raw/new.h5"] = Arrival("/data/raw/new.h5", state, since_s=NOW_S)
    made.observed.arrivals["/data/raw/bad.h5"] = Arrival(
        "/data/raw/bad.h5", blocked("it is a folder", "Convert it"), since_s=NOW_S - 5
    )
    board = made.board()
    assert [row.title for row in board.rows][:2] == ["new.h5", "bad.h5"]
    first, second = board.rows[:2]
    assert first.cells[0].state is State.WAITING
    assert first.cells[0].keys == ()
    assert "812 of 1313" in cell_words(first.cells[0], NAMES, NOW_S)[0]
    assert second.filters == {Filter.ALL, Filter.BLOCKED}


def test_rows_are_newest_first_and_filtered_by_every_word() -> None:
    made = in_outage(5)
    made.scan(9, metadata={"sample": "Bone 3"}, proposal="ALS-00001")
    board = made.board()
    assert [row.id for row in board.rows] == [part(n) for n in (9, 4, 3, 2, 1, 0)]
    assert [row.title for row in shown_rows(board, Filter.ALL, "als bone")] == ["Bone 3"]
    assert len(shown_rows(board, Filter.OWED, "foam")) == 6
    assert shown_rows(board, Filter.BLOCKED, "") == ()
    assert [row.title for row in shown_rows(board, Filter.ALL, "foam 3.h5")] == ["foam 3"]


def test_rows_of_untouched_scans_are_the_same_objects() -> None:
    made = in_outage(20)
    maker = made.maker()
    before = {row.id: row for row in made.board(maker).rows}
    made.observed = replace(made.observed, goals=dict(made.observed.goals))
    made.goal(3, Product.RECONSTRUCTION, REC)
    after = {row.id: row for row in made.board(maker).rows}
    assert {name for name in after if after[name] is not before[name]} == {part(3)}
    made.work("w", made.goal(5, Product.RECONSTRUCTION, REC), done=5, total=10)
    made.observed = replace(made.observed, goals=dict(made.observed.goals))
    first = {row.id: row for row in made.board(maker).rows}
    made.progress["w"] = (7, 10)
    again = {row.id: row for row in made.board(maker, NOW_S + 2).rows}
    assert {name for name in again if again[name] is not first[name]} == {part(5)}
    assert again[part(5)].cells[3].share == 0.7


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (waiting("globus", "work on it", NOW_S + 60),
         "Waits for Globus: work on it. Expected to go on at"),
        (waiting("raw at nersc-cfs"), "Waits for the raw file at NERSC CFS."),
        (waiting("a slot of slurm", "all 8 in use"), "Waits for a slot of slurm: all 8 in use."),
        (blocked("no right", "Ask for it"), "Blocked: no right. Ask for it."),
        (failed("reset", "", NOW_S + 60), "Failed: reset. Tried again at"),
        (StepState(StateKind.NOT_WANTED), "Not wanted any more."),
        (StepState(StateKind.MET), "It is there."),
    ],
)  # fmt: skip
def test_states_are_sentences(state: StepState, words: str) -> None:
    said = state_words(state, NAMES, NOW_S)
    assert said.startswith(words)
    assert said.endswith(".")


def test_evidence_and_speed_are_in_the_words_of_a_cell() -> None:
    made = in_outage(1)
    made.work("w", made.goal(0, Product.RECONSTRUCTION, REC), done=540, total=2160)
    maker = made.maker()
    made.board(maker, NOW_S)
    made.progress["w"] = (740, 2160)
    board = made.board(maker, NOW_S + 10)
    row = row_of(board, 0)
    (raw,) = cell_words(row.cells[2], NAMES, NOW_S)
    assert raw.startswith("It is there: 10.0 GB, SHA-256 verified, seen ")
    (volume,) = cell_words(row.cells[1], NAMES, NOW_S)
    assert "2160 slices counted" in volume
    (moving,) = cell_words(row.cells[3], NAMES, NOW_S + 10, dict(board.paces))
    assert moving.startswith("Under way: 740 of 2160 slices, 20.0 slices/s, about 1 min left.")


def test_a_pace_forgets_and_begins_anew() -> None:
    made = Made()
    made.scan(1)
    made.work("w", made.goal(1, Product.RAW, CFS), done=0, total=1000, since_s=50.0)
    works = made.observed.works
    paces = followed({}, {"w": (100, 1000)}, works, NOW_S)
    assert paces["w"] == Pace(1000, ((NOW_S - 50, 0), (NOW_S, 100)))
    assert paces["w"].per_s == 2.0
    assert paces["w"].left_s() == 450.0
    same = followed(paces, {"w": (100, 1000)}, works, NOW_S + 30)
    assert same["w"] is paces["w"]
    later = followed(paces, {"w": (900, 1000)}, works, NOW_S + 100)
    assert later["w"].seen == ((NOW_S, 100), (NOW_S + 100, 900))
    anew = followed(later, {"w": (10, 1000)}, works, NOW_S + 110)
    assert anew["w"].per_s is None
    assert followed(later, {"w": (10, 1000)}, {}, NOW_S + 110) == {}


def test_many_scans_make_a_board() -> None:
    made = Made()
    for number in range(2_000):
        made.scan(number)
        made.goal(number, Product.RAW, CFS)
        made.goal(number, Product.RECONSTRUCTION, HERE)
    maker = made.maker()
    board = made.board(maker)
    assert len(board.rows) == 2_000
    assert board.counts[Filter.OWED] == 2_000  # volumes, records and access are wanted there


def test_an_analysis_has_a_column_of_its_name_at_each_place() -> None:
    made = Made(analysing_policy())
    made.scan(1)
    here = GoalKey(part(1), Product.ANALYSIS, HERE, POROSITY.mark)
    evidence = Evidence("/data/scratch/a.porosity.csv", made.now_s - 60, 4_000, "0" * 64)
    made.observed.goals[here.text] = GoalRecord(here.text, MET, made.now_s - 600, evidence)
    old = GoalKey(part(1), Product.ANALYSIS, HERE, "0" * 12).text  # of a script that has changed
    made.observed.goals[old] = GoalRecord(old, MET, made.now_s - 900, evidence)
    board = made.board()
    found = {c.words: cell for c, cell in zip(board.columns, row_of(board, 1).cells, strict=True)
             if c.product is Product.ANALYSIS}  # fmt: skip
    assert {words: cell.state for words, cell in found.items()} == {
        "porosity at Beamline 8.3.2": State.MET, "porosity at NERSC": State.NOT_WANTED,
    }  # fmt: skip
    (column, _) = (c for c in board.columns if c.product is Product.ANALYSIS)
    assert (column.title, column.short, column.analysis) == ("Porosity", "Porosity", "porosity")
    names = Names(analysing_policy())
    assert names.goal(here) == "porosity at Workstation"
    assert names.goal(GoalKey.parse(old)) == "analysis at Workstation"
    assert names.waits_for(f"analysis at {HERE}") == "the analysis at Workstation"
    seen = evidence_words(Product.ANALYSIS, evidence, made.now_s)
    assert seen.startswith("4.0 kB, its making read back, seen")
    assert work_words(Product.ANALYSIS, Pace(100, ((NOW_S, 25),))).startswith("25%")


def test_what_is_brought_has_a_column_and_counts_bytes() -> None:
    policy = analysing_policy()
    back = Place("back", "here", "globus", "/data/scratch", source=REC, title="from NERSC")
    wish = Wish("porosity here", Product.ANALYSIS, ("back",), analysis="porosity")
    policy = replace(policy, places=(*policy.places, back), wishes=(*policy.wishes, wish))
    made = Made(policy)
    made.scan(1)
    key = GoalKey(part(1), Product.ANALYSIS, "back", POROSITY.mark)
    made.observed.goals[key.text] = GoalRecord(
        key.text, StepState(StateKind.MOVING), made.now_s, work="w"
    )
    made.work("w", key.text, done=63_000_000, total=100_000_000)
    board = made.board()
    found = {c.words: cell for c, cell in zip(board.columns, row_of(board, 1).cells, strict=True)
             if c.product is Product.ANALYSIS}  # fmt: skip
    assert found.keys() == {
        "porosity at Workstation", "porosity at from NERSC", "porosity at NERSC",
    }  # fmt: skip
    cell = found["porosity at from NERSC"]
    assert (cell.state, cell.share) == (State.MOVING, 0.63)
    names = Names(policy)
    (words,) = cell_words(cell, names, NOW_S, dict(board.paces))
    assert words.startswith("Under way: 63.0 MB of 100 MB, ")
    assert short_words(cell, names, NOW_S, outside=False) == "→ 63 %"
    pace = Pace(0, ((NOW_S - 10, 0), (NOW_S, 50_000_000)))
    assert work_words(Product.RECONSTRUCTION, pace, brought=True) == "50.0 MB, 5.0 MB/s"
    after = waiting(f"analysis at {REC}")
    assert state_words(after, names, NOW_S) == "Waits for the analysis at Perlmutter."
    sums = waiting("its checksums", "its bytes are read again where they lie")
    assert state_words(sums, names, NOW_S).startswith("Waits for its checksums: its bytes are")
    (line,) = catch_up(board, (), names, NOW_S).moving
    assert line.title == "globus: 1 copy"


def test_an_analysis_that_a_person_asked_for_keeps_its_name() -> None:
    made = Made()  # a policy without analyses
    made.scan(1)
    made.observed.recipes[POROSITY.mark] = sheet_to_plain(POROSITY)
    suffix = GoalKey("", Product.ANALYSIS, HERE, POROSITY.mark).text
    made.observed.asked[part(1)] = Asked(frozenset({suffix}))
    made.observed.goals[part(1) + suffix] = GoalRecord(part(1) + suffix, waiting("its turn"), 0.0)
    board = made.board()
    (title,) = (c.title for c in board.columns if c.product is Product.ANALYSIS)
    assert title == "Porosity"
