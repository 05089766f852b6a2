"""Analyses of policies: what is refused by its path, and that none comes before its input."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from alsct_gui.files.recipes import load_recipe
from alsct_gui.model.errors import InputError, RecipeError
from alsct_gui.model.placement import (
    MET,
    Asked,
    GoalKey,
    GoalRecord,
    Health,
    LinkState,
    Observed,
    StateKind,
    StepKind,
    blocked,
)
from alsct_gui.model.policy import (
    Analysis,
    Output,
    Place,
    Policy,
    Product,
    Selection,
    Sheet,
    Source,
    Wish,
)
from alsct_gui.placement.diff import diff
from alsct_gui.placement.goals.analysed import analysis_path, question_of, whole_analysis
from alsct_gui.placement.goals.base import BlockedError
from alsct_gui.placement.policy import check_policy, load_policy, recipe_hash
from alsct_gui.placement.sheets import Sheets, sheet_from_plain, sheet_to_plain
from alsct_gui.placement.wanted import Plan, Wanted
from alsct_gui.superfacility.compute.look import Answer, FileBytes
from tests.placement.analysing import BRIGHT
from tests.placement.test_diff import NOW_S, POLICY, scan_of
from tests.placement.test_policy import GOOD
from tests.steps.conftest import toys

__all__ = ["toys"]

STANDARD = "standard-8.3.2"
SMOOTH = {"name": "smooth", "step": "toy.smooth", "of": STANDARD}
WANTED = {"name": "w", "product": "analysis", "analysis": "smooth", "places": ["raw"]}


def written(folder: Path, **changes: Any) -> Path:
    path = folder / "policy.yaml"
    path.write_text(yaml.safe_dump({**GOOD, "analyses": [SMOOTH], "wishes": [WANTED], **changes}))
    return path


def test_an_analysis_is_settled_when_the_policy_is_loaded(tmp_path: Path, toys: Path) -> None:
    (tmp_path / "bright.py").write_text(BRIGHT)
    chain = {"name": "bright", "step": "bright.py", "of": "smooth", "parameters": {"above": 1}}
    policy = load_policy(written(tmp_path, analyses=[chain, SMOOTH]))
    smooth, bright = policy.sheets["smooth"], policy.sheets["bright"]
    assert policy.recipes == {STANDARD: recipe_hash(load_recipe(STANDARD))}
    assert smooth.inputs == (Source("volume", Product.RECONSTRUCTION, policy.recipes[STANDARD]),)
    assert smooth.parameters["size_px"] == 3, "those that nobody gave are filled in"
    assert bright.inputs == (Source("volume", Product.ANALYSIS, smooth.mark, "smooth"),)
    assert bright.outputs == (Output("made", "table", ".csv"),)
    assert (bright.step, list(bright.code), bright.parameters) == (
        "own.bright", ["bright.py"], {"above": 1.0},
    )  # fmt: skip
    assert sheet_from_plain(sheet_to_plain(bright)) == bright


def test_a_mark_is_of_all_that_decides_the_values(tmp_path: Path, toys: Path) -> None:
    script = tmp_path / "bright.py"
    script.write_text(BRIGHT)
    chain = {"name": "bright", "step": "bright.py", "of": "smooth"}

    def mark(**changes: Any) -> str:
        of = changes.pop("smooth", {})
        return (
            load_policy(written(tmp_path, analyses=[{**chain, **changes}, {**SMOOTH, **of}]))
            .sheets[changes.get("name", "bright")]
            .mark
        )

    first = mark()
    assert mark() == first
    assert mark(name="porosity") == first, "what people call it is left aside"
    assert mark(parameters={"above": 0.0}) == first, "a default that is written out is the same"
    others = [
        mark(parameters={"above": 0.5}), mark(of=STANDARD),
        mark(smooth={"parameters": {"size_px": 5}}), mark(smooth={"of": "quick-look"}),
    ]  # fmt: skip
    script.write_text(f"{BRIGHT}\n# another\n")
    others.append(mark())
    assert len({first, *others}) == 6


def test_a_model_is_known_by_its_bytes(tmp_path: Path, toys: Path) -> None:
    scale = {"name": "scale", "step": "toy.scale", "of": STANDARD, "also": {"model": "m.txt"}}

    def sheet() -> Sheet:
        path = written(tmp_path, analyses=[scale], wishes=[])
        return load_policy(path).sheets["scale"]

    with pytest.raises(RecipeError, match=r"analyses\[0\].also.model: the file cannot be read"):
        sheet()
    (tmp_path / "m.txt").write_text("2")
    first = sheet()
    assert [source.port for source in first.inputs] == ["volume"]
    assert [(file.port, file.path) for file in first.given] == [("model", str(tmp_path / "m.txt"))]
    (tmp_path / "m.txt").write_text("3")
    assert sheet().mark != first.mark
    with pytest.raises(RecipeError, match="needs the input 'model', too"):
        load_policy(written(tmp_path, analyses=[{**scale, "also": {}}], wishes=[]))


@pytest.mark.parametrize(
    ("changes", "where", "what"),
    [
        ({"analyses": [{**SMOOTH, "step": "toy.smoth"}]}, "analyses[0].step", "toy.smooth"),
        ({"analyses": [{**SMOOTH, "step": "mine.py"}]}, "analyses[0].step", "no such file"),
        ({"analyses": [{**SMOOTH, "parameters": {"size_px": 4}}]},
         "analyses[0].parameters.size_px", "even"),
        ({"analyses": [{**SMOOTH, "parameters": {"sise_px": 3}}]}, "analyses[0].parameters",
         "Did you mean 'size_px'"),
        ({"analyses": [{**SMOOTH, "parameters": {"span": [2, 1]}}]},
         "analyses[0].parameters.span", "no range"),
        ({"analyses": [{**SMOOTH, "of": "standard"}]}, "analyses[0].of", "standard-8.3.2"),
        ({"analyses": [{**SMOOTH, "of": "smooth"}]}, "analyses[0].of",
         "smooth is made of smooth"),
        ({"analyses": [{**SMOOTH, "of": "b"}, {**SMOOTH, "name": "b", "of": "smooth"}]},
         "analyses[0].of", "smooth is made of b is made of smooth"),
        ({"analyses": [SMOOTH, dict(SMOOTH)]}, "analyses", "twice"),
        ({"analyses": [{**SMOOTH, "name": STANDARD}]}, "analyses", "not a name"),
        ({"analyses": [{**SMOOTH, "name": "quick-look"}]}, "analyses", "a recipe's name"),
        ({"analyses": [{**SMOOTH, "also": {"mask": STANDARD}}]}, "analyses[0].also.mask",
         "no further input"),
        ({"analyses": [SMOOTH, {"name": "n", "step": "toy.count", "of": "smooth",
                                "also": {"mask": "smooth"}}]}, "analyses[1].also.mask",
         "smooth makes volume"),
        ({"analyses": [{"name": "n", "step": "toy.count", "of": STANDARD,
                        "also": {"mask": STANDARD}}], "wishes": []}, "analyses[0].also.mask",
         "which no reconstruction is"),
        ({"sheets": {"a": {"name": "a", "step": "s", "parameters": {}, "inputs": [],
                           "outputs": []}}}, "policy.sheets", "made by the program"),
        ({"wishes": [{**WANTED, "analysis": "smoth"}]}, "wishes[0].analysis",
         "Did you mean 'smooth'"),
        ({"wishes": [{**WANTED, "analysis": ""}]}, "wishes[0].analysis", "named by a wish"),
        ({"wishes": [{**WANTED, "product": "raw"}]}, "wishes[0].analysis", "named by a wish"),
        ({"wishes": [{**WANTED, "recipe": STANDARD}]}, "wishes[0].recipe", "a recipe belongs"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(
    changes: dict[str, Any], where: str, what: str, tmp_path: Path, toys: Path
) -> None:
    with pytest.raises(RecipeError) as caught:
        load_policy(written(tmp_path, **changes))
    assert where in caught.value.where
    assert what in caught.value.sentence


def test_nothing_is_analysed_where_files_are_only_brought() -> None:
    lanes = tuple(
        replace(lane, by="globus") if lane.name == "globus" else lane for lane in POLICY.lanes
    )
    places = (*POLICY.places, BACK, Place("copy", "here", "globus", "/copy", source="cfs"))
    policy = replace(ANALYSED, lanes=lanes, places=places)
    for name in ("cfs", "copy"):
        wishes = (Wish("w", Product.ANALYSIS, (name,), analysis="porosity"),)
        with pytest.raises(RecipeError, match="'cfs': files are only brought there"):
            check_policy(replace(policy, wishes=wishes))
    offered = tuple(replace(item, offered=("back",)) for item in ANALYSED.analyses)
    wishes = (Wish("w", Product.ANALYSIS, ("back",), analysis="porosity"),)
    check_policy(replace(policy, wishes=wishes, analyses=offered))


RECIPE = POLICY.recipes["std"]
VOLUME = (Output("made", "volume", ".zarr"),)
CLEAN = Sheet("clean", "x.clean", {}, (Source("volume", Product.RECONSTRUCTION, RECIPE),), VOLUME,
              mark="c" * 12)  # fmt: skip
POROSITY = Sheet("porosity", "x.pores", {},
                 (Source("volume", Product.ANALYSIS, CLEAN.mark, "made"),), VOLUME,
                 mark="b" * 12)  # fmt: skip
SHEETS = {"clean": CLEAN, "porosity": POROSITY}
BACK = Place("back", "here", "globus", "/back", ("globus",), source="recon")
"""Gets what is made at NERSC."""
ANALYSED = replace(
    POLICY,
    sheets=SHEETS,
    analyses=(
        Analysis("clean", "x.clean", "std"), Analysis("porosity", "x.pores", "clean"),
    ),
    prunes=(),
    wishes=(
        *POLICY.wishes,
        Wish("anywhere", Product.ANALYSIS, ("recon", "made"), "any", analysis="clean"),
        Wish("here", Product.ANALYSIS, ("made",), priority=7, analysis="porosity"),
        Wish("there", Product.ANALYSIS, ("recon",), analysis="porosity",
             scans=Selection(proposal="BLS-*")),
    ),
)  # fmt: skip


def suffix(product: Product, place: str, mark: str) -> str:
    return GoalKey("", product, place, mark).text


def plan_of(policy: Policy, asked: Asked | None = None, **changes: Any) -> Plan:
    return Wanted(policy).plan(replace(scan_of(1), **changes), asked)


def needs(plan: Plan) -> dict[str, tuple[tuple[str, ...], ...]]:
    aims = [*(aim for group in plan.any_of for aim in group), *plan.every]
    return {aim.suffix: aim.needs_one for aim in aims if aim.product is Product.ANALYSIS}


def test_what_an_analysis_is_made_of_is_wanted_at_its_site() -> None:
    wishes = (Wish("here", Product.ANALYSIS, ("made",), priority=7, analysis="porosity"),)
    plan = plan_of(replace(ANALYSED, wishes=wishes))
    priorities = {aim.suffix: aim.priority for aim in plan.every}
    clean, recon = (suffix(Product.ANALYSIS, "made", CLEAN.mark),
                    suffix(Product.RECONSTRUCTION, "made", RECIPE))  # fmt: skip
    pores = suffix(Product.ANALYSIS, "made", POROSITY.mark)
    assert priorities == {"/raw/raw/-": 0, pores: 7, clean: 7, recon: 7}
    assert needs(plan) == {pores: ((clean,),), clean: ((recon,),)}


def test_a_reconstruction_at_another_place_of_the_site_is_enough() -> None:
    places = (*POLICY.places, Place("near", "here", "runs", "/near"))
    wishes = (
        Wish("near", Product.RECONSTRUCTION, ("near",), recipe="std"),
        Wish("here", Product.ANALYSIS, ("made",), analysis="clean"),
    )
    plan = plan_of(replace(ANALYSED, places=places, wishes=wishes))
    assert {aim.suffix for aim in plan.every} == {
        "/raw/raw/-", suffix(Product.RECONSTRUCTION, "near", RECIPE),
        suffix(Product.ANALYSIS, "made", CLEAN.mark),
    }  # fmt: skip


def test_where_one_of_several_is_enough_the_analysis_goes_where_the_volume_is() -> None:
    wishes = (
        Wish("clean", Product.ANALYSIS, ("recon", "made"), "any", analysis="clean"),
        Wish("first", Product.RECONSTRUCTION, ("recon", "made"), "any", "std"),
    )
    policy = replace(ANALYSED, wishes=wishes, bans=())
    scan = scan_of(1)
    part = scan.id[:32]
    observed = Observed(scans={part: scan})
    for key in ("/raw/raw/-", suffix(Product.RECONSTRUCTION, "made", RECIPE)):
        observed.goals[part + key] = GoalRecord(part + key, MET, 0.0)
    steps = {key: step.kind for step in diff(policy, observed, {}, NOW_S) for key in step.keys}
    assert steps == {part + suffix(Product.ANALYSIS, "made", CLEAN.mark): StepKind.ACT}
    down = {"perlmutter": Health("perlmutter", LinkState.DOWN)}
    assert {key for step in diff(policy, observed, down, NOW_S) for key in step.keys} == set(steps)


def test_what_must_not_leave_is_not_analysed_there() -> None:
    plan = plan_of(ANALYSED, export_controlled=True)
    aims = [*plan.every, *(aim for group in plan.any_of for aim in group)]
    assert {aim.place.site for aim in aims} == {"here"}
    assert suffix(Product.ANALYSIS, "made", POROSITY.mark) in {aim.suffix for aim in aims}


BROUGHT = replace(
    ANALYSED,
    places=(*ANALYSED.places, BACK),
    wishes=(Wish("back", Product.ANALYSIS, ("back",), priority=7, analysis="porosity"),),
)


def test_what_is_brought_is_made_where_it_comes_from() -> None:
    plan = plan_of(BROUGHT)
    back, there = (suffix(Product.ANALYSIS, name, POROSITY.mark) for name in ("back", "recon"))
    clean = suffix(Product.ANALYSIS, "recon", CLEAN.mark)
    recon = suffix(Product.RECONSTRUCTION, "recon", RECIPE)
    aims = {aim.suffix: aim for aim in plan.every}
    assert aims.keys() == {"/raw/raw/-", back, there, clean, recon}, "nothing is made here for it"
    assert {aim.priority for key, aim in aims.items() if key != "/raw/raw/-"} == {7}
    assert (aims[back].needs, aims[back].needs_one) == ((there,), ())
    assert aims[back].links == ("globus", "perlmutter"), "it is read where it was made"
    assert aims[there].needs_one == ((clean,),)
    banned = plan_of(BROUGHT, export_controlled=True)
    assert {aim.suffix for aim in banned.every} == {"/raw/raw/-"}


def test_what_was_brought_is_good_enough_for_an_analysis_here() -> None:
    wishes = (
        Wish("clean back", Product.ANALYSIS, ("back",), analysis="clean"),
        Wish("pores here", Product.ANALYSIS, ("made",), analysis="porosity"),
    )
    plan = plan_of(replace(BROUGHT, wishes=wishes))
    pores = suffix(Product.ANALYSIS, "made", POROSITY.mark)
    assert needs(plan)[pores] == ((suffix(Product.ANALYSIS, "back", CLEAN.mark),),)
    assert suffix(Product.ANALYSIS, "made", CLEAN.mark) not in {aim.suffix for aim in plan.every}


def test_a_person_has_an_analysis_brought() -> None:
    back = suffix(Product.ANALYSIS, "back", CLEAN.mark)
    plan = plan_of(replace(BROUGHT, wishes=()), Asked(frozenset({back})))
    assert {aim.suffix for aim in plan.every} == {
        "/raw/raw/-", back, suffix(Product.ANALYSIS, "recon", CLEAN.mark),
        suffix(Product.RECONSTRUCTION, "recon", RECIPE),
    }  # fmt: skip
    refused = plan_of(
        replace(BROUGHT, wishes=()), Asked(frozenset({back})), export_controlled=True
    ).refused
    assert [(key, state.cause) for key, state in refused] == [(back, "forbidden: stay")]


def test_a_person_who_takes_the_input_back_is_told() -> None:
    wishes = (Wish("here", Product.ANALYSIS, ("made",), analysis="clean"),)
    recon = suffix(Product.RECONSTRUCTION, "made", RECIPE)
    asked = Asked(frozenset(), frozenset({recon}))
    policy, scan = replace(ANALYSED, wishes=wishes), scan_of(1)
    part = scan.id[:32]
    observed = Observed(scans={part: scan}, asked={part: asked})
    observed.goals[f"{part}/raw/raw/-"] = GoalRecord(f"{part}/raw/raw/-", MET, 0.0)
    (step,) = diff(policy, observed, {}, NOW_S)
    assert step.state.waits_for == "a reconstruction"
    assert step.state.cause == "none by this recipe is wanted"


def test_a_person_cannot_have_what_nobody_knows() -> None:
    unknown = suffix(Product.ANALYSIS, "made", "0" * 12)
    policy = replace(ANALYSED, wishes=())
    plan = plan_of(policy, Asked(frozenset({unknown})))
    assert {aim.suffix for aim in plan.every} == {"/raw/raw/-"}
    assert {state.kind for _, state in plan.refused} == {StateKind.BLOCKED}
    kept = {"0" * 12: sheet_to_plain(replace(CLEAN, mark="0" * 12)), "1" * 12: {"name": "x"}}
    known = Wanted(policy, kept).plan(scan_of(1), Asked(frozenset({unknown})))
    assert unknown in {aim.suffix for aim in known.every}
    with pytest.raises(BlockedError, match="cannot be read"):
        Sheets(policy, kept).find("1" * 12)


GOALS = tuple(
    suffix(product, place, mark)
    for product, mark in ((Product.RECONSTRUCTION, RECIPE), (Product.ANALYSIS, CLEAN.mark),
                          (Product.ANALYSIS, POROSITY.mark))
    for place in ("made", "recon", "back")
)  # fmt: skip


@st.composite
def ledgers(draw: st.DrawFn) -> Observed:
    """Scans, and goals of theirs that are met or stuck."""
    observed = Observed()
    for number in range(draw(st.integers(1, 3))):
        scan = replace(
            scan_of(number), export_controlled=draw(st.booleans()),
            proposal=draw(st.sampled_from(("", "BLS-1"))),
        )  # fmt: skip
        part = scan.id[:32]
        observed.scans[part] = scan
        for goal in draw(st.sets(st.sampled_from(("/raw/raw/-", "/raw/cfs/-", *GOALS)))):
            state = draw(st.sampled_from((MET, MET, blocked("c", "f", NOW_S + 1))))
            observed.goals[part + goal] = GoalRecord(part + goal, state, 0.0)
        wanted = draw(st.sets(st.sampled_from(GOALS), max_size=2))
        unwanted = draw(st.sets(st.sampled_from(GOALS), max_size=1)) - wanted
        observed.asked[part] = Asked(frozenset(wanted), frozenset(unwanted))
    return observed


@pytest.mark.parametrize("wishes", [(), BROUGHT.wishes], ids=["made", "brought"])
@given(ledgers(), st.sets(st.sampled_from(("perlmutter", "globus", "cfs"))))
def test_an_analysis_is_never_begun_before_its_input(
    wishes: tuple[Wish, ...], observed: Observed, away: set[str]
) -> None:
    policy = replace(BROUGHT, wishes=(*ANALYSED.wishes, *wishes))
    health = {name: Health(name, LinkState.DOWN) for name in away}
    wanted = Wanted(policy)
    places = {place.name: place for place in policy.places}
    sites = {place.name: place.site for place in policy.places}
    by_mark = {sheet.mark: sheet for sheet in SHEETS.values()}
    for step in diff(policy, observed, health, NOW_S):
        for key in step.keys:
            goal = GoalKey.parse(key)
            scan = observed.scans[goal.scan]
            if step.kind is StepKind.DROP:
                continue
            if scan.export_controlled:
                assert goal.place in ("raw", "made")
            if step.kind is not StepKind.ACT or goal.product is not Product.ANALYSIS:
                continue
            (source,) = by_mark[goal.recipe].inputs
            there = [
                GoalKey(goal.scan, source.product, place, source.mark).text
                for place, site in sites.items()
                if site == sites[goal.place]
            ]
            if came_from := places[goal.place].source:
                there = [replace(goal, place=came_from).text]
            assert any(k in observed.goals and observed.goals[k].state == MET for k in there)
    for part, scan in observed.scans.items():
        plan = wanted.plan(scan, observed.asked[part])
        for aim in plan.every:
            if aim.place.source:
                assert set(aim.needs) <= {other.suffix for other in plan.every}
            elif aim.product is Product.ANALYSIS:
                held = [o.suffix for o in plan.every] + [*observed.asked[part].unwanted]
                site = {s for group in aim.needs_one for s in group}
                assert site & set(held) or observed.asked[part].unwanted


TABLE = Sheet("t", "x.t", {"a": 1}, (Source("volume", Product.ANALYSIS, CLEAN.mark, "made"),),
              (Output("t", "table", ".csv"),), mark="d" * 12)  # fmt: skip
SEVERAL = replace(TABLE, outputs=(Output("v", "volume", ".zarr"), Output("r", "report", "")))


@pytest.mark.parametrize(
    "told",
    ["", "{", "[]", "5", "null", '{"attributes": 5}', '{"attributes": {"alsct": [1]}}',
     '{"step": "x.t"}', '{"step": 7, "parameters": []}', "[" * 100_000,
     '{"step": "x.t", "title": "", "parameters": {"a": 1}, "inputs": [{"name": "volume", "kind": '
     '"volume", "path": "", "identity": "", "made": {"output": "made", "step": "x.clean"}}], '
     '"output": "t", "versions": {}, "created": "", "seconds": 1.0, "record": {"sha256": 5}}'],
)  # fmt: skip
@pytest.mark.parametrize("sheet", [TABLE, SEVERAL], ids=["one", "several"])
def test_whatever_has_the_name_is_no_product_of_ours(told: str, sheet: Sheet) -> None:
    path = analysis_path("/root", "a/b.h5", sheet)
    asked = question_of({path: sheet})
    answer = Answer(
        {path: {"v.zarr/zarr.json": 5, "r.html": 7}}, dict.fromkeys(asked.texts, told),
        {path: FileBytes(3, "0" * 64)},
    )  # fmt: skip
    find = {CLEAN.mark: CLEAN, TABLE.mark: TABLE}.__getitem__
    assert whole_analysis(answer, path, sheet, scan_of(1), find, 0.0) is None
    unread = replace(answer, errors={asked.texts[0]: "Permission denied"})
    with pytest.raises(InputError, match="Permission denied"):
        whole_analysis(unread, path, sheet, scan_of(1), find, 0.0)
