"""Steps of the plugins as goals of the ledger: a chain of real ones, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from alsct_gui.files.tables import read_table
from alsct_gui.model.errors import RecipeError
from alsct_gui.model.policy import Analysis
from alsct_gui.placement.analyses import settled
from alsct_gui.placement.invariants import check
from alsct_gui.steps.registry import list_steps
from alsct_gui.steps.step import Step
from tests.placement.analysing import analysing, desk_in, recipe_file, record_of, wish

STANDARD = "standard-8.3.2"


def steps() -> list[Step]:  # type: ignore[type-arg]
    return [found.step for found in list_steps() if found.step is not None]


@pytest.mark.parametrize("step", steps(), ids=lambda step: step.name)
def test_every_step_can_be_wanted_or_says_why_not(step: Step, tmp_path: Path) -> None:  # type: ignore[type-arg]
    (tmp_path / "a.model").write_text("x")
    labels = Analysis("labels", "segment.threshold", STANDARD)
    usual = {"volume": STANDARD, "labels": "labels", "model": "a.model"}
    kinds = {port.name: port.kind for port in step.inputs if not port.optional}
    names = {name: usual.get(kind, "none") for name, kind in kinds.items()}
    first = step.inputs[0].name
    also = {name: of for name, of in names.items() if name != first}
    analysis = Analysis("it", step.name, names[first], {}, also)
    if set(kinds.values()) <= set(usual):
        sheets, _ = settled((labels, analysis), tmp_path)
        assert len(sheets["it"].mark) == 12
        return
    with pytest.raises(RecipeError) as told:
        settled((labels, analysis), tmp_path)
    assert told.value.where.startswith("policy.analyses[1].of")


@pytest.mark.long
def test_a_filter_labels_and_their_sizes_are_made_of_a_scan(
    scan_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with desk_in(tmp_path_factory.mktemp("desk"), scan_path) as desk:
        recipe = str(recipe_file(desk.root))
        analyses = (
            Analysis("quiet", "filter.median", recipe),
            Analysis("grains", "measure.particles", "quiet"),
            Analysis("sizes", "measure.labels", "grains", {}, {"volume": "quiet"}),
        )
        policy = analysing(desk.root, analyses, (wish("sizes"),))
        facility = desk.facility(policy)
        with facility.ledger() as ledger:
            agent = desk.until_met(facility, ledger, 5)
            evidence = record_of(agent.observed, policy, "sizes").evidence
            assert evidence is not None
            assert {"report.html", "particles.csv"} <= {
                p.name for p in Path(evidence.where).iterdir()
            }
            assert read_table(Path(evidence.where) / "particles.csv").n_rows > 0
            assert check(ledger, policy, now_s=facility.watch()) == ()
