from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alsct_gui.model.errors import RecipeError, ResourceError
from alsct_gui.model.recipe import Output, Region
from alsct_gui.recon.plan import make_plan, resolve_extent

FULL = (1313, 2160, 2560)


def plan_for(region: Region, shape: tuple[int, int, int] = FULL, **changes: object):
    extent = resolve_extent(region, shape)
    settings: dict[str, object] = {
        "output": Output(),
        "n_columns": extent.n_columns,
        "frame_item_bytes": 2,
        "first_pass": False,
        "engine_bytes": lambda batch: batch * 50_000_000,
        "threads": 2,
    }
    return make_plan(extent, **{**settings, **changes})  # type: ignore[arg-type]


def test_full_size_scan_fits_four_gigabytes() -> None:
    plan = plan_for(Region())
    assert plan.n_slices == 2160
    assert plan.memory_bytes <= 4_000_000_000
    assert plan.slabs[0].stop - plan.slabs[0].start >= 2 * plan.batch_slices


@given(
    rows=st.integers(1, 400),
    angles=st.integers(2, 3000),
    columns=st.integers(4, 3000),
    step=st.integers(1, 7),
    binning=st.integers(1, 4),
    budget=st.integers(500_000_000, 8_000_000_000),
)
def test_slabs_cover_every_slice_once_within_the_budget(
    rows: int, angles: int, columns: int, step: int, binning: int, budget: int
) -> None:
    region = Region(row_step=step, binning=binning)
    try:
        plan = plan_for(region, (angles, rows, columns), budget_bytes=budget)
    except (RecipeError, ResourceError):
        return
    batches = [batch for slab in plan.slabs for batch in slab.batches]
    assert [index for a, b in batches for index in range(a, b)] == list(range(plan.n_slices))
    assert plan.memory_bytes <= budget
    last = plan.extent.detector_rows(plan.n_slices - 1)
    assert last[1] <= rows


def test_a_small_budget_makes_small_batches_and_then_refuses() -> None:
    assert plan_for(Region(), budget_bytes=1_200_000_000).batch_slices < 16
    with pytest.raises(ResourceError, match=r"more than the 0\.3 GB allowed"):
        plan_for(Region(), budget_bytes=300_000_000)


def test_binning_and_steps_name_the_detector_rows() -> None:
    extent = resolve_extent(Region(rows=(10, 50), binning=2, row_step=5), FULL)
    assert extent.n_slices == 4
    assert extent.detector_rows(1) == (20, 22)
    assert extent.n_columns == 1280


@pytest.mark.parametrize(
    ("region", "axis"),
    [
        (Region(rows=(0, 3000)), "rows"),
        (Region(columns=(2560, 2561)), "columns"),
        (Region(angles=(5, 9999)), "angles"),
    ],
)
def test_a_region_outside_the_scan_names_its_axis(region: Region, axis: str) -> None:
    with pytest.raises(RecipeError, match=f"recipe.region.{axis}"):
        resolve_extent(region, FULL)


def test_nothing_left_is_an_error() -> None:
    with pytest.raises(RecipeError, match="leaves 0 slices"):
        resolve_extent(Region(rows=(0, 3), binning=4), FULL)


def test_first_pass_announces_its_scratch_space() -> None:
    plan = plan_for(Region(), first_pass=True)
    assert plan.scratch_bytes == 1313 * 2160 * 2560 * 4
    assert plan.output_bytes >= 2160 * 2560 * 2560 * 4
