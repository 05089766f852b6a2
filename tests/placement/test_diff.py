"""What is to be done: properties that hold whatever the ledger says, and the stories told."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from alsct_gui.model.placement import (
    MET,
    MOVING,
    Asked,
    GoalKey,
    GoalRecord,
    Health,
    LinkState,
    Observed,
    ScanFacts,
    StateKind,
    Step,
    StepKind,
    Work,
    blocked,
    failed,
    waiting,
)
from alsct_gui.model.policy import (
    Ban,
    Lane,
    Patience,
    Place,
    Policy,
    Product,
    Prune,
    Selection,
    Site,
    Wish,
)
from alsct_gui.placement.diff import _Diff, diff
from alsct_gui.placement.wanted import PERSON_PRIORITY, Plan, Wanted

NOW_S = 1e9
DAY_S = 86400.0
HASH = "0123456789ab"
POLICY = Policy(
    name="test",
    sites=(Site("here", outside=False), Site("nersc")),
    lanes=(Lane("here", 5), Lane("runs", 1), Lane("globus", 2, 3, batch_bytes=500),
           Lane("slurm", 2), Lane("services", 3)),
    places=(
        Place("raw", "here", "here", "/raw"),
        Place("made", "here", "runs", "/made"),
        Place("cfs", "nersc", "globus", "/cfs", ("globus", "cfs")),
        Place("hpss", "nersc", "globus", "/hpss", ("globus", "hpss")),
        Place("recon", "nersc", "slurm", "/recon", ("perlmutter",)),
        Place("scicat", "nersc", "services", "", ("scicat",)),
    ),
    admitted="raw",
    wishes=(
        Wish("raw", Product.RAW, ("cfs", "hpss"), priority=5),
        Wish("first", Product.RECONSTRUCTION, ("recon", "made"), "any", "std", priority=9),
        Wish("there", Product.RECONSTRUCTION, ("recon",), "all", "std",
             Selection(proposal="BLS-*")),
        Wish("record", Product.METADATA, ("scicat",), scans=Selection(metadata={"kind": "a*"})),
        Wish("its record", Product.METADATA, ("scicat",), recipe="std"),
        Wish("access", Product.ACCESS, ("cfs",), requires_proposal=True),
    ),
    bans=(Ban("stay", ("nersc",), Selection(export_controlled=True)),),
    prunes=(Prune("old", "raw", ("cfs", "hpss"), 30.0),),
    recipes={"std": HASH},
)  # fmt: skip
PLACES = {place.name: place for place in POLICY.places}
LANES = {lane.name: lane for lane in POLICY.lanes}
LINKS = ("globus", "cfs", "hpss", "perlmutter", "scicat")
AT_WORK = (StepKind.ACT, StepKind.RESUME, StepKind.POLL, StepKind.CANCEL)


def scan_of(number: int, **changes: object) -> ScanFacts:
    known: dict[str, object] = {
        "id": f"{number:064x}"[::-1], "path": f"/raw/{number}.h5", "size_bytes": 100,
        "sha256": "0" * 64, "proposal": "BLS-00001", "admitted_s": NOW_S - number,
    }  # fmt: skip
    return ScanFacts(**{**known, **changes})  # type: ignore[arg-type]


SUFFIXES = (
    "/raw/cfs/-", "/raw/hpss/-", "/raw/raw/-", f"/reconstruction/made/{HASH}",
    "/reconstruction/made/ba9876543210", "/reconstruction/recon/ba9876543210",
    "/metadata/scicat/-", "/access/cfs/-", "/raw/nowhere/-",
)  # fmt: skip
asked = st.builds(
    lambda wanted, unwanted: Asked(wanted - unwanted, unwanted),
    st.frozensets(st.sampled_from(SUFFIXES), max_size=3),
    st.frozensets(st.sampled_from(SUFFIXES), max_size=3),
)


def observed_of(*scans: ScanFacts) -> Observed:
    return Observed(scans={scan.id[:32]: scan for scan in scans})


def wanted_keys(observed: Observed, policy: Policy = POLICY) -> set[str]:
    """Keys that are wanted unconditionally; the raw file that may be pruned among them."""
    wanted = Wanted(policy)
    return {
        part + aim.suffix
        for part, scan in observed.scans.items()
        for aim in wanted.plan(scan, observed.asked.get(part)).every
    }


def put(observed: Observed, key: str, state: object = MET, **more: object) -> None:
    observed.goals[key] = GoalRecord(key, state, 0.0, **more)  # type: ignore[arg-type]


def acts(steps: tuple[Step, ...]) -> list[str]:
    return [key for step in steps if step.kind is StepKind.ACT for key in step.keys]


scans = st.builds(
    lambda number, proposal, controlled, kind, age, size, priority: scan_of(
        number, proposal=proposal, export_controlled=controlled, metadata=kind,
        admitted_s=NOW_S - age * DAY_S, size_bytes=size, priority=priority,
    ),
    st.integers(1, 1 << 40),
    st.sampled_from(["BLS-00001", "BLS-00002", "XYZ-00001", ""]),
    st.booleans(),
    st.sampled_from([{}, {"kind": "abc"}, {"kind": "b"}]),
    st.sampled_from([0.0, 10.0, 40.0]),
    st.sampled_from([1, 100, 400, 600]),
    st.integers(-2, 2),
)  # fmt: skip
states = st.sampled_from(
    [None, MET, MET, waiting("its turn"), failed("x", until_s=NOW_S + 5),
     failed("x", until_s=NOW_S - 5), blocked("b", "f", NOW_S + 9), MOVING]
)  # fmt: skip
links = st.dictionaries(
    st.sampled_from(LINKS), st.sampled_from(list(LinkState)), max_size=len(LINKS)
).map(lambda found: {name: Health(name, state) for name, state in found.items()})


@st.composite
def ledgers(draw: st.DrawFn) -> Observed:
    observed = observed_of(*draw(st.lists(scans, max_size=5)))
    used: Counter[str] = Counter()
    for part in observed.scans:
        if draw(st.booleans()):
            observed.asked[part] = draw(asked)
        for suffix in (
            "/raw/raw/-", "/raw/cfs/-", "/raw/hpss/-", f"/reconstruction/made/{HASH}",
            f"/reconstruction/recon/{HASH}", "/metadata/scicat/-", f"/metadata/scicat/{HASH}",
            "/access/cfs/-", "/pruned/raw/-",
        ):  # fmt: skip
            key, state, place = part + suffix, draw(states), suffix.split("/")[2]
            lane = PLACES[place].lane
            if state is MOVING and used[lane] < LANES[lane].active:
                used[lane] += 1
                outside = draw(st.sampled_from(["", "id"]))
                observed.works[key] = Work(key, (key,), 0.0, "", outside)
                put(observed, key, MOVING, work=key, cancel_asked=draw(st.booleans()))
            elif state is not None and state is not MOVING:
                put(observed, key, state, attempts=2, held=draw(st.booleans()))
    return observed


@given(st.lists(scans, max_size=6), links)
def test_with_everything_met_there_is_nothing_to_do(
    found: list[ScanFacts], health: dict[str, Health]
) -> None:
    policy = replace(POLICY, prunes=())
    observed = observed_of(*found)
    wanted = Wanted(policy)
    for key in wanted_keys(observed, policy):
        put(observed, key)
    for part, scan in observed.scans.items():
        for group in wanted.plan(scan).any_of:
            put(observed, part + group[0].suffix)
    assert diff(policy, observed, health, NOW_S) == ()


class Slowly(_Diff):
    """Looks at each scan by itself."""

    def _look_quickly(self, part: str, scan: ScanFacts, plan: Plan) -> bool:
        return False


@given(ledgers(), links, st.booleans())
def test_scans_that_stand_the_same_are_sorted_the_same(
    observed: Observed, health: dict[str, Health], prunes: bool
) -> None:
    policy = POLICY if prunes else replace(POLICY, prunes=())
    alike = [replace(scan, id=scan.id[::-1], path=f"{scan.path}.h5", priority=1)
             for scan in observed.scans.values()]  # fmt: skip
    observed.scans.update({scan.id[:32]: scan for scan in alike})
    slowly = Slowly(policy, observed, health, NOW_S).steps()
    assert diff(policy, observed, health, NOW_S) == slowly


@given(ledgers(), links)
def test_nothing_goes_through_a_link_that_is_down(
    observed: Observed, health: dict[str, Health]
) -> None:
    down = {name for name, link in health.items() if link.state is LinkState.DOWN}
    for step in diff(POLICY, observed, health, NOW_S):
        closed = down & set(PLACES[step.place].links) if step.place in PLACES else set()
        if step.kind in AT_WORK:
            assert not closed
        if step.kind is StepKind.WAIT and step.work:
            assert step.state.waits_for in closed


@given(ledgers(), links)
def test_a_forbidden_placement_is_never_begun(
    observed: Observed, health: dict[str, Health]
) -> None:
    steps = diff(POLICY, observed, health, NOW_S)
    for step in steps:
        for key in step.keys:
            scan = observed.scans[key.partition("/")[0]]
            known = PLACES.get(step.place)
            if scan.export_controlled and known is not None and known.site == "nersc":
                link = next((n for n in PLACES[step.place].links if n in health), "")
                assert step.kind in (StepKind.CANCEL, StepKind.DROP) or (
                    step.kind is StepKind.WAIT and step.work and link
                )


@given(ledgers(), links)
def test_every_goal_is_in_one_step_and_what_is_wanted_in_some(
    observed: Observed, health: dict[str, Health]
) -> None:
    steps = diff(POLICY, observed, health, NOW_S)
    counts = Counter(key for step in steps for key in step.keys)
    assert set(counts.values()) <= {1}
    pruned = {
        key.replace("/pruned/", "/raw/")
        for key, record in observed.goals.items()
        if "/pruned/" in key and (record.work or record.state is MET)
    }
    for key in wanted_keys(observed) - pruned:
        met = key in observed.goals and observed.goals[key].state is MET
        assert (key in counts) is not met


@given(ledgers(), links)
def test_lanes_are_never_overfull_and_batches_hold_to_their_bounds(
    observed: Observed, health: dict[str, Health]
) -> None:
    used: Counter[str] = Counter(PLACES[k.split("/")[2]].lane for k in observed.works)
    for step in diff(POLICY, observed, health, NOW_S):
        if step.kind is not StepKind.ACT:
            continue
        lane = LANES[PLACES[step.place].lane]
        used[lane.name] += 1
        members = [observed.scans[key.partition("/")[0]] for key in step.keys]
        assert len(members) <= lane.items
        assert len(members) == 1 or sum(m.size_bytes for m in members) <= lane.batch_bytes
        assert len({scan.proposal for scan in members}) == 1
    assert all(count <= LANES[name].active for name, count in used.items())


@given(ledgers(), links)
def test_what_failed_is_not_begun_before_its_time_nor_what_a_person_holds(
    observed: Observed, health: dict[str, Health]
) -> None:
    for key in acts(diff(POLICY, observed, health, NOW_S)):
        record = observed.goals.get(key)
        if record is not None:
            assert not record.held
            assert (record.state.until_s or 0.0) <= NOW_S


@given(ledgers(), links, st.randoms(use_true_random=False))
def test_the_order_of_the_ledger_does_not_matter(
    observed: Observed, health: dict[str, Health], random: object
) -> None:
    def mixed(table: dict[str, object]) -> dict[str, object]:
        items = list(table.items())
        random.shuffle(items)  # type: ignore[attr-defined]
        return dict(items)

    other = replace(
        observed, scans=mixed(observed.scans), goals=mixed(observed.goals),  # type: ignore[arg-type]
        works=mixed(observed.works), asked=mixed(observed.asked),  # type: ignore[arg-type]
    )  # fmt: skip
    assert diff(POLICY, other, health, NOW_S) == diff(POLICY, observed, health, NOW_S)


@given(ledgers(), links, st.data())
def test_meeting_a_goal_never_brings_work_for_it(
    observed: Observed, health: dict[str, Health], data: st.DataObject
) -> None:
    found = acts(diff(POLICY, observed, health, NOW_S))
    if found:
        key = data.draw(st.sampled_from(found))
        put(observed, key)
        for step in diff(POLICY, observed, health, NOW_S):
            assert key not in step.keys or step.kind is StepKind.DROP


@given(ledgers(), links)
def test_a_record_of_a_reconstruction_waits_until_one_is_there(
    observed: Observed, health: dict[str, Health]
) -> None:
    wanted, record = Wanted(POLICY), f"/metadata/scicat/{HASH}"
    down = {name for name, link in health.items() if link.state is LinkState.DOWN}
    steps = {key: s for s in diff(POLICY, observed, health, NOW_S) for key in s.keys}
    for part, scan in observed.scans.items():
        plan = wanted.plan(scan, observed.asked.get(part))
        (aim,) = [aim for aim in plan.every if aim.suffix == record] or [None]
        known, step = observed.goals.get(part + record), steps.get(part + record)
        if aim is None or step is None or (known is not None and (known.work or known.held)):
            continue
        met = {key[32:] for key, goal in observed.goals.items()
               if key.startswith(part) and goal.state is MET}  # fmt: skip
        ready = met.issuperset(aim.needs) and all(met & set(group) for group in aim.needs_one)
        waits = known is not None and (known.state.until_s or 0.0) > NOW_S
        if not ready:
            assert step.kind is StepKind.WAIT
            assert step.state.kind is StateKind.WAITING
            assert step.state.waits_for.split()[0] in ("raw", "reconstruction", "a")
        elif not waits and not down:
            assert step.kind is StepKind.ACT or step.state.waits_for == "a slot of services"
        made = {n for n in met if n.startswith("/reconstruction/") and n.endswith(HASH)}
        assert made or step.kind is StepKind.WAIT


def test_any_reconstruction_is_enough_for_the_record_of_one() -> None:
    observed = observed_of(scan_of(1, proposal="XYZ-00001"))
    (part,) = observed.scans
    for place in ("raw", "cfs", "hpss"):
        put(observed, GoalKey(part, Product.RAW, place).text)
    record = GoalKey(part, Product.METADATA, "scicat", HASH).text
    here = GoalKey(part, Product.RECONSTRUCTION, "made", HASH).text
    (step,) = [s for s in diff(POLICY, observed, {}, NOW_S) if record in s.keys]
    assert (step.state.kind, step.state.waits_for) == (StateKind.WAITING, "a reconstruction")
    assert step.state.cause == "at recon or made"
    put(observed, here, failed("no room", until_s=0.0), attempts=3)
    assert record not in acts(diff(POLICY, observed, {}, NOW_S))
    put(observed, here)
    assert record in acts(diff(POLICY, observed, {}, NOW_S))


def test_the_record_of_what_nobody_wants_waits_and_says_so() -> None:
    observed = observed_of(scan_of(1, proposal="XYZ-00001"))
    both = (f"/reconstruction/made/{HASH}", f"/reconstruction/recon/{HASH}")
    part = asking(observed, unwanted=both)
    put(observed, GoalKey(part, Product.RAW, "raw").text)
    record = GoalKey(part, Product.METADATA, "scicat", HASH).text
    (step,) = [s for s in diff(POLICY, observed, {}, NOW_S) if record in s.keys]
    assert step.state == waiting("a reconstruction", "none by this recipe is wanted")
    asking(observed, wanted=both[:1], unwanted=both[1:])
    put(observed, part + both[0])
    assert record in acts(diff(POLICY, observed, {}, NOW_S)), "a person wanted that one"


def test_a_reconstruction_is_made_here_while_nersc_is_away_and_the_debt_is_paid() -> None:
    observed = observed_of(scan_of(1))
    (part,) = observed.scans
    for place in ("raw", "cfs", "hpss"):
        put(observed, GoalKey(part, Product.RAW, place).text)
    here = GoalKey(part, Product.RECONSTRUCTION, "made", HASH).text
    there = GoalKey(part, Product.RECONSTRUCTION, "recon", HASH).text
    away = {"perlmutter": Health("perlmutter", LinkState.DOWN, why="it is faulting")}
    steps = diff(POLICY, observed, {}, NOW_S)
    assert there in acts(steps)
    assert here not in acts(steps)
    steps = diff(POLICY, observed, away, NOW_S)
    assert here in acts(steps)
    (debt,) = [step for step in steps if there in step.keys]
    assert (debt.state.waits_for, debt.state.cause) == ("perlmutter", "it is faulting")
    put(observed, here)
    assert here not in acts(diff(POLICY, observed, away, NOW_S))
    assert there in acts(diff(POLICY, observed, {}, NOW_S))


def test_work_that_is_no_longer_needed_is_ended_only_once_another_is_there() -> None:
    policy = replace(POLICY, wishes=(POLICY.wishes[1],))
    observed = observed_of(scan_of(1))
    (part,) = observed.scans
    put(observed, GoalKey(part, Product.RAW, "raw").text)
    here = GoalKey(part, Product.RECONSTRUCTION, "made", HASH).text
    there = GoalKey(part, Product.RECONSTRUCTION, "recon", HASH).text
    for key in (here, there):
        observed.works[key] = Work(key, (key,), 0.0, "", "id")
        put(observed, key, MOVING, work=key)
    assert [s.kind for s in diff(policy, observed, {}, NOW_S)] == [StepKind.POLL, StepKind.POLL]
    put(observed, here)
    del observed.works[here]
    (step,) = diff(policy, observed, {}, NOW_S)
    assert (step.kind, step.keys) == (StepKind.CANCEL, (there,))


def test_the_most_urgent_goes_first_and_then_the_oldest() -> None:
    policy = replace(POLICY, wishes=(Wish("raw", Product.RAW, ("cfs",)),), prunes=())
    found = [scan_of(n, proposal=f"P-{n}", priority=p) for n, p in [(1, 0), (2, 0), (3, 7)]]
    observed = observed_of(*found)
    for part in observed.scans:
        put(observed, GoalKey(part, Product.RAW, "raw").text)
    begun = [observed.scans[key[:32]].path for key in acts(diff(policy, observed, {}, NOW_S))]
    assert begun == ["/raw/3.h5", "/raw/2.h5"]  # two slots; 2 is older than 1
    (last,) = [s for s in diff(policy, observed, {}, NOW_S) if s.kind is StepKind.WAIT]
    assert last.state.waits_for == "a slot of globus"


def test_batches_shrink_after_failures_so_that_one_bad_file_is_found() -> None:
    lanes = (LANES["here"], Lane("globus", 100, 64))
    places = (PLACES["raw"], PLACES["cfs"])
    policy = replace(POLICY, lanes=lanes, places=places, prunes=(),
                     wishes=(Wish("raw", Product.RAW, ("cfs",)),))  # fmt: skip
    observed = observed_of(*(scan_of(n) for n in range(64)))
    sizes = []
    for attempts in range(4):
        for part in observed.scans:
            put(observed, GoalKey(part, Product.RAW, "raw").text)
            late = failed("x", until_s=0.0) if attempts else waiting("its turn")
            put(observed, GoalKey(part, Product.RAW, "cfs").text, late, attempts=attempts)
        steps = diff(policy, observed, {}, NOW_S)
        sizes.append({len(s.keys) for s in steps if s.kind is StepKind.ACT})
    assert sizes == [{64}, {16}, {4}, {1}]


def test_back_off_grows_to_its_bound() -> None:
    patience = Patience(30.0, 2.0, 100.0)
    assert [patience.wait_s(n) for n in (1, 2, 3, 500)] == [30.0, 60.0, 100.0, 100.0]


def test_access_without_a_proposal_asks() -> None:
    observed = observed_of(scan_of(1, proposal=""))
    (part,) = observed.scans
    for place in ("raw", "cfs", "hpss"):
        put(observed, GoalKey(part, Product.RAW, place).text)
    key = GoalKey(part, Product.ACCESS, "cfs").text
    (step,) = [s for s in diff(POLICY, observed, {}, NOW_S) if key in s.keys]
    assert step.state.kind is StateKind.BLOCKED
    assert "which proposal" in step.state.fix


def test_what_is_not_wanted_any_more_is_dropped_or_ended() -> None:
    observed = observed_of(scan_of(1))
    (part,) = observed.scans
    for place in ("cfs", "hpss"):
        put(observed, GoalKey(part, Product.RAW, place).text, waiting("its turn"))
    key = GoalKey(part, Product.RAW, "hpss").text
    observed.works["w"] = Work("w", (key,), 0.0, "", "id")
    put(observed, key, MOVING, work="w")
    steps = diff(replace(POLICY, wishes=()), observed, {}, NOW_S)
    kinds = {step.kind: step.keys for step in steps}
    assert kinds[StepKind.CANCEL] == (key,)
    assert kinds[StepKind.DROP] == (GoalKey(part, Product.RAW, "cfs").text,)


def test_a_goal_waits_for_what_it_is_made_from_by_name() -> None:
    observed = observed_of(scan_of(1))
    steps = diff(POLICY, observed, {}, NOW_S)
    waits = {step.place: step.state.waits_for for step in steps if step.kind is StepKind.WAIT}
    assert waits["recon"] == "raw at cfs"
    assert waits["hpss"] == "raw at raw"
    assert [key.split("/")[1:3] for key in acts(steps)] == [["raw", "raw"]]


def asking(observed: Observed, wanted: tuple[str, ...] = (), unwanted: tuple[str, ...] = ()) -> str:
    """Have a person want and not want goals of the one scan; returns the scan."""
    (part,) = observed.scans
    observed.asked[part] = Asked(frozenset(wanted), frozenset(unwanted))
    return part


def test_what_a_person_wants_is_pursued_first_beside_what_the_policy_wants() -> None:
    policy = replace(POLICY, wishes=(POLICY.wishes[2],), prunes=())
    observed = observed_of(scan_of(1))
    extra = "/reconstruction/made/ba9876543210"
    part = asking(observed, wanted=(extra, "/raw/cfs/-"))
    put(observed, GoalKey(part, Product.RAW, "raw").text)
    steps = diff(policy, observed, {}, NOW_S)
    assert {part + extra, part + "/raw/cfs/-"} <= set(acts(steps))
    assert steps[0].priority == PERSON_PRIORITY
    (recon,) = [step for step in steps if step.place == "recon"]
    assert recon.state.waits_for == "raw at cfs", "it is made from what a person wants there"


def test_what_a_person_does_not_want_is_ended_though_the_policy_wants_it() -> None:
    observed = observed_of(scan_of(1))
    part = asking(observed, unwanted=("/raw/cfs/-", "/raw/raw/-", "/raw/hpss/-"))
    for place in ("raw", "cfs"):
        put(observed, GoalKey(part, Product.RAW, place).text)
    key = GoalKey(part, Product.RAW, "hpss").text
    observed.works["w"] = Work("w", (key,), 0.0, "", "id")
    put(observed, key, MOVING, work="w")
    steps = diff(POLICY, observed, {}, NOW_S)
    dropped = [key for step in steps if step.kind is StepKind.DROP for key in step.keys]
    assert dropped == [GoalKey(part, Product.RAW, "cfs").text], "the admitted file stays wanted"
    assert [step.keys for step in steps if step.kind is StepKind.CANCEL] == [(key,)]


def test_of_several_places_those_are_left_that_a_person_has_not_refused() -> None:
    observed = observed_of(scan_of(1, proposal="XYZ-00001"))
    part = asking(observed, unwanted=(f"/reconstruction/recon/{HASH}",))
    for place in ("raw", "cfs", "hpss"):
        put(observed, GoalKey(part, Product.RAW, place).text)
    found = acts(diff(POLICY, observed, {}, NOW_S))
    assert GoalKey(part, Product.RECONSTRUCTION, "made", HASH).text in found
    assert GoalKey(part, Product.RECONSTRUCTION, "recon", HASH).text not in found


def test_a_wish_that_a_ban_forbids_or_that_has_no_place_is_told() -> None:
    bans = (Ban("stay", ("nersc",), Selection(export_controlled=True), why="the law"),)
    observed = observed_of(scan_of(1, export_controlled=True))
    part = asking(observed, wanted=("/raw/cfs/-", "/raw/nowhere/-"))
    policy = replace(POLICY, bans=bans)
    steps = {step.place: step for step in diff(policy, observed, {}, NOW_S)}
    assert steps["cfs"].kind is StepKind.DROP
    assert steps["cfs"].state.cause == "forbidden: the law"
    assert steps["nowhere"].state.kind is StateKind.BLOCKED
    for place in ("cfs", "nowhere"):
        put(observed, part + f"/raw/{place}/-", steps[place].state)
    assert {step.place for step in diff(policy, observed, {}, NOW_S)} == {"raw", "made"}


def test_what_is_brought_from_another_place_is_wanted_there_too() -> None:
    brought = Place("back", "here", "globus", "/back", ("globus",), source="recon")
    policy = replace(
        POLICY, places=(*POLICY.places, brought), prunes=(),
        wishes=(Wish("back", Product.RECONSTRUCTION, ("back",), recipe="std", priority=7),),
    )  # fmt: skip
    observed = observed_of(scan_of(1))
    (part,) = observed.scans
    put(observed, GoalKey(part, Product.RAW, "raw").text)
    there = GoalKey(part, Product.RECONSTRUCTION, "recon", HASH).text
    back = GoalKey(part, Product.RECONSTRUCTION, "back", HASH).text
    steps = {step.place: step for step in diff(policy, observed, {}, NOW_S)}
    assert acts(tuple(steps.values())) == [there]
    assert steps["back"].state.waits_for == "reconstruction at recon"
    put(observed, there)
    assert acts(diff(policy, observed, {}, NOW_S)) == [back]
    away = {"perlmutter": Health("perlmutter", LinkState.DOWN)}
    (step,) = diff(policy, observed, away, NOW_S)
    assert step.state.waits_for == "perlmutter", "what is copied is read there"
