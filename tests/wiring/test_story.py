"""One scan gets to where it belongs, with the real clients, and every cell is true."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from alsct_gui.catalog.store import Catalog
from alsct_gui.files.profiles import load_profile
from alsct_gui.files.provenance import read_provenance
from alsct_gui.model.placement import GoalKey, Health, LinkState, StateKind
from alsct_gui.model.policy import Product, Wish
from alsct_gui.model.recipe import recipe_to_dict
from alsct_gui.placement.asking import ask_admit, ask_of_goals, ask_unwant, ask_want
from alsct_gui.placement.events import EventKind
from alsct_gui.placement.goals.slices import count_slices
from alsct_gui.placement.invariants import check
from alsct_gui.placement.outlook import FORECAST_NOTE
from alsct_gui.placement.policy import recipe_hash
from alsct_gui.simulator.facility.faults import FaultName
from alsct_gui.simulator.facility.outages import PERLMUTTER
from alsct_gui.wiring.agent import CATALOG, Wiring
from alsct_gui.wiring.outside import placed
from tests.placement.conftest import KNOWN
from tests.wiring.conftest import Stage
from tests.wiring.loopback import FOLDER, GROUP, HASH, NAME, PASSWORD, SECRET, Life, put

pytestmark = pytest.mark.long


def nothing_wrong(stage: Stage, life: Life) -> bool:
    policy = placed(stage.place.policy, stage.place.profile)
    return check(life.ledger, policy, now_s=stage.clock()) == ()


def test_everything_that_is_wanted_comes_to_be_and_is_seen(stage: Stage) -> None:
    life, tree = stage.begin(), stage.place.tree
    stage.play(life)
    assert life.open_goals() == []
    assert len(life.observed.goals) == 7
    (scan,) = life.observed.scans.values()

    stage.play(life, 3, until_met=False)  # what was only listed is read
    raw = life.record(Product.RAW, "cfs").evidence
    assert raw is not None
    assert (raw.where, raw.sha256) == (f"{tree.cfs}/raw/{FOLDER}/{NAME}", scan.sha256)
    assert Path(raw.where).read_bytes() == stage.place.raw.read_bytes()

    there = life.record(Product.RECONSTRUCTION, "recon").evidence
    assert there is not None
    assert (there.slices, count_slices(Path(there.where))) == (80, 80)
    assert HASH in there.where.split("/")
    (job,) = stage.sfapi.slurm.jobs()
    assert job.name.endswith("-1")

    back = life.record(Product.RECONSTRUCTION, "back").evidence
    assert back is not None
    assert back.slices == 80
    product = Path(back.where)
    assert product == tree.scratch / FOLDER / f"rec{Path(NAME).stem}.zarr"
    assert read_provenance(product).input_identity == scan.id
    sizes = {p.relative_to(product): p.stat().st_size for p in product.rglob("*") if p.is_file()}
    assert sum(sizes.values()) == there.size_bytes
    assert [p.name for p in product.parent.iterdir()] == [product.name], "nothing is left aside"

    assert set(stage.globus.mover.written.values()) == {1}, "each file was moved once"
    (rule,) = [
        rule for held in stage.globus.collections.values() for rule in held.rules.values()
    ]  # fmt: skip
    assert (rule["principal"], rule["path"]) == (GROUP, f"/{FOLDER}/")
    assert len(stage.scicat.datasets) == 1
    with Catalog(stage.place.ledger_path.with_name(CATALOG)) as catalog:
        (found,) = catalog.search("scan pwned")
        assert found.dataset.id == scan.id
        assert catalog.preview(scan.id) is not None
    assert nothing_wrong(stage, life)
    assert not list(stage.place.root.rglob("pwned"))


def test_health_and_forecast_are_in_the_ledger_and_secrets_are_not(stage: Stage) -> None:
    life = stage.begin()
    life.look()
    stage.play(life)
    links = life.observed.links
    up = ("globus", "cfs", "perlmutter", "spin", "jupyter", "scicat", "network", "key", "writing")
    assert {links[name].state for name in up} == {LinkState.UP}
    forecast = life.ledger.notes()[FORECAST_NOTE]
    assert (forecast["machine"], forecast["outages"]) == ("perlmutter", [])
    assert forecast["wait_s"] == pytest.approx(0.0, abs=1.0)
    put(stage.desk, FaultName.OUTAGE, PERLMUTTER, end_s=stage.clock() + 7200)
    stage.clock.advance(61)
    life.look()
    life.turn()
    down = life.observed.links["perlmutter"]
    assert (down.state, down.why) == (LinkState.DOWN, "Unplanned Outage")
    assert down.until_s == pytest.approx(stage.clock() - 61 + 7200, abs=1.0)
    (outage,) = life.ledger.notes()[FORECAST_NOTE]["outages"]
    assert (outage["what"], outage["planned"]) == ("Unplanned Outage", False)
    life.ledger._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    kept = stage.place.ledger_path.read_bytes()
    for secret in (SECRET, PASSWORD, *stage.globus.auth.issued, *stage.scicat.issued):
        assert secret.encode() not in kept


def test_an_outage_of_perlmutter_makes_a_debt_that_is_paid(stage: Stage) -> None:
    put(stage.desk, FaultName.OUTAGE, PERLMUTTER)
    life = stage.begin()
    life.look()
    stage.play(life, 14)
    assert life.record(Product.RAW, "cfs").state.kind is StateKind.MET
    debt = life.record(Product.RECONSTRUCTION, "recon").state
    assert (debt.kind, debt.waits_for) == (StateKind.WAITING, "perlmutter")
    back = life.record(Product.RECONSTRUCTION, "back").state
    assert back.waits_for == "reconstruction at recon"
    assert stage.sfapi.slurm.jobs() == []
    told = life.ledger.last_seq()
    stage.play(life, 10)
    assert life.ledger.last_seq() - told <= 2, "an outage is one event, however long"
    stage.desk.clear()
    stage.clock.advance(3600)
    life.look()
    stage.play(life)
    assert life.open_goals() == []
    assert nothing_wrong(stage, life)


def test_a_recipe_that_a_person_has_edited_is_pursued_at_nersc(stage: Stage) -> None:
    life = stage.begin()
    stage.play(life)
    edited = replace(KNOWN, center=replace(KNOWN.center, center_px=30.0))
    (part,) = life.observed.scans
    ask_want(life.ledger, [part], Product.RECONSTRUCTION, "recon", edited)
    stage.play(life, 6)
    first, second, *_ = stage.sfapi.slurm.jobs()
    assert first.name != second.name
    (sent,) = Path(stage.place.tree.jobs).glob(f"{second.name}.recipe.json")
    (kept,) = life.observed.recipes.values()
    assert json.loads(sent.read_text()) == kept == json.loads(json.dumps(recipe_to_dict(edited)))
    wanted = GoalKey(part, Product.RECONSTRUCTION, "recon", recipe_hash(edited)).text
    state = life.observed.goals[wanted].state
    assert state.kind is not StateKind.MET, "the product that there is has another recipe"


def test_a_job_is_ended_there_when_a_person_cancels_it(stage: Stage) -> None:
    put(stage.desk, FaultName.HELD, "sfapi job *")
    life = stage.begin()
    stage.play(life, 6)
    record = life.record(Product.RECONSTRUCTION, "recon")
    assert record.state.kind is StateKind.BLOCKED
    assert record.state.cause
    ask_of_goals(life.ledger, "cancel", [record.key])
    stage.play(life, 3)
    assert [job.state for job in stage.sfapi.slurm.jobs()] == ["CANCELLED"]
    assert life.record(Product.RECONSTRUCTION, "recon").state.waits_for == "you"
    stage.desk.clear()
    ask_of_goals(life.ledger, "retry", [record.key])
    stage.play(life)
    assert life.open_goals() == []
    assert [job.name[-2:] for job in stage.sfapi.slurm.jobs()] == ["-1", "-2"]


def test_nothing_of_an_export_controlled_scan_leaves(stage: Stage) -> None:
    life = stage.begin()
    ask_admit(life.ledger, stage.place.raw, export_controlled=True, proposal="BLS-00001")
    stage.play(life, 10)
    assert {key.split("/")[2] for key in life.observed.goals} == {"raw", "catalogue"}
    (part,) = life.observed.scans
    ask_want(life.ledger, [part], Product.RECONSTRUCTION, "back", KNOWN)
    stage.play(life, 5)
    assert stage.globus.mover.tasks == {}
    assert stage.sfapi.slurm.jobs() == []
    assert not any(stage.place.tree.cfs.rglob("*.h5"))
    assert nothing_wrong(stage, life)


def test_a_copy_that_rots_at_nersc_is_found_by_reading_it(stage: Stage) -> None:
    life = stage.begin()
    stage.play(life)
    (part,) = life.observed.scans
    copy = stage.place.tree.cfs / "raw" / FOLDER / NAME
    data = bytearray(copy.read_bytes())
    data[-1] ^= 1
    copy.write_bytes(bytes(data))
    stage.clock.advance(8 * 86400)
    stage.sfapi.tokens.expires_s = stage.clock() + 86400  # somebody has renewed the key
    stage.play(life, 5, until_met=False)
    lost = [e for e in life.ledger.timeline(part) if e.kind == EventKind.LOST]
    assert [event.keys[0].split("/")[2] for event in lost] == ["cfs"]
    stage.play(life)
    assert copy.read_bytes() == stage.place.raw.read_bytes()
    assert life.open_goals() == []
    assert nothing_wrong(stage, life)


def test_the_record_of_a_reconstruction_tells_of_the_copy_that_lasts(stage: Stage) -> None:
    """It lies at NERSC and on local scratch; when scratch is pruned the record still holds."""
    policy = stage.place.policy
    (recipe,) = policy.recipes
    record = Wish("its record", Product.METADATA, ("scicat",), recipe=recipe)
    stage.place.policy = replace(policy, wishes=(*policy.wishes, record))
    life = stage.begin()
    stage.play(life)
    (part,) = life.observed.scans
    assert life.open_goals() == []
    there = life.record(Product.RECONSTRUCTION, "recon").evidence
    assert there is not None
    (made,) = (plain for plain in stage.scicat.datasets.values() if plain["type"] == "derived")
    assert made["sourceFolder"] == there.where
    before = stage.scicat.datasets.copy()
    ask_unwant(life.ledger, [part], Product.RECONSTRUCTION, "back", HASH)
    shutil.rmtree(stage.place.tree.scratch / FOLDER)
    stage.clock.advance(8 * 86400)
    stage.sfapi.tokens.expires_s = stage.clock() + 86400  # somebody has renewed the key
    stage.play(life, 5, until_met=False)
    assert life.open_goals() == []
    assert stage.scicat.datasets == before
    lost = [e.keys for e in life.ledger.timeline(part) if e.kind == EventKind.LOST]
    assert lost == [], "the record was looked at again, and holds"


def test_what_nobody_wants_any_more_is_left_alone(stage: Stage) -> None:
    life = stage.begin()
    stage.play(life)
    (part,) = life.observed.scans
    ask_unwant(life.ledger, [part], Product.RECONSTRUCTION, "back", HASH)
    stage.play(life, 3, until_met=False)
    assert life.record(Product.RECONSTRUCTION, "back").state.kind is StateKind.NOT_WANTED
    assert list(stage.place.tree.scratch.rglob("*.zarr")), "what is there stays"


def test_what_is_not_set_up_says_what_to_fill_in(tmp_path: Path, stage: Stage) -> None:
    bare = replace(load_profile(), collections=stage.place.profile.collections)
    life = stage.begin()
    with Wiring(bare, stage.place.policy, tmp_path / "ledger.sqlite", clock=stage.clock) as wiring:
        life.agent._goals = wiring.services.goals(life.observed)
        stage.play(life, 4)
    said = {
        key.split("/", 1)[1].split("/")[0]: record.state
        for key, record in life.observed.goals.items()
        if record.state.kind is StateKind.BLOCKED
    }
    assert said["raw"].cause == "Globus is not set up"
    assert "profile" in said["raw"].fix
    assert said["metadata"].cause == "SciCat is not set up"
    assert life.record(Product.CATALOGUE, "catalogue").state.kind is StateKind.MET
    assert wiring.services.health() == {} or isinstance(
        next(iter(wiring.services.health().values())), Health
    )
