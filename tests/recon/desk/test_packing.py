"""Answers through the wire's two halves, and arguments that are refused."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from alsct_gui.model.center import CenterEstimate, CenterResult
from alsct_gui.model.errors import AlsctError, RemoteError
from alsct_gui.model.finding import Finding, Severity
from alsct_gui.model.recipe import Recipe, RingFilter, Zingers, recipe_to_dict
from alsct_gui.model.scan import People
from alsct_gui.recon.desk.answers import Centers, Look, Preview
from alsct_gui.recon.desk.arguments import Arguments
from alsct_gui.recon.desk.packing import pack, unpack
from alsct_gui.recon.desk.pictures import limits, shrink


def test_nested_answers_come_back_equal() -> None:
    note = Finding("a-name", Severity.WARNING, "Something", "Do it", "here")
    estimate = CenterEstimate("sinogram", 3.25, 0.5)
    centers = Centers(CenterResult(3.25, 0.5, (estimate,), float("nan")), "180", (note,))
    facts, arrays = pack(centers)
    back = unpack(Centers, json.loads(json.dumps(facts)), arrays)
    assert back.result.estimates == (estimate,)
    assert np.isnan(back.result.disagreement_px)
    assert back.findings == (note,)
    assert back.findings[0].severity is Severity.WARNING


def test_arrays_recipes_and_absent_values_come_back() -> None:
    recipe = Recipe(rings=(RingFilter("vo-all"),), zingers=Zingers(), name="x")
    image = np.arange(6, dtype=np.float32).reshape(2, 3)
    made = Preview(image, 4, 1.5, 1.0, "1/cm", None, 0.0, 1.0, 0.1, recipe, ())
    facts, arrays = pack(made)
    back = unpack(Preview, json.loads(json.dumps(facts)), arrays)
    assert back.resolved == recipe
    assert back.image is image
    assert back.pixel_um is None
    look = Look("p", "scan", True, (), people=People(sample="s"), voxel_um=(1.0, 2.0, 3.0))
    facts, arrays = pack(look)
    again = unpack(Look, json.loads(json.dumps(facts)), arrays)
    assert (again.people, again.voxel_um, again.thumbnail) == (look.people, look.voxel_um, None)


@pytest.mark.parametrize("facts", [{}, {"rows": 3}, {"result": 1, "rotation": "", "findings": []}])
def test_what_is_no_answer_is_an_error(facts: dict[str, Any]) -> None:
    with pytest.raises(RemoteError, match="no Centers"):
        unpack(Centers, facts, {})


GOOD = {"path": "/scan.h5", "recipe": recipe_to_dict(Recipe())}


@pytest.mark.parametrize(
    ("method", "given"),
    [
        ("path", {}),
        ("path", {"path": "relative.h5"}),
        ("path", {"path": 3}),
        ("recipe", {}),
        ("recipe", {"recipe": {"rings": "all"}}),
        ("recipe", {**GOOD, "binning": 0}),
        ("recipe", {**GOOD, "binning": 2.0}),
        ("settings", {"settings": []}),
        ("settings", {"settings": [["a", [1]]] * 3}),
        ("settings", {"settings": [["a", []]]}),
        ("settings", {"settings": [[1, [1]]]}),
        ("settings", {"settings": [["a", list(range(20))], ["b", list(range(20))]]}),
    ],
)
def test_wrong_arguments_are_refused(method: str, given: dict[str, Any]) -> None:
    with pytest.raises(AlsctError):
        getattr(Arguments(given), method)()


@pytest.mark.parametrize(
    ("method", "value"),
    [("integer", "3"), ("integer", True), ("integer", -1), ("integer", 1 << 40), ("flag", 1),
     ("numbers", []), ("numbers", [float("nan")]), ("numbers", ["1"]), ("numbers", [1.0] * 201)],
)  # fmt: skip
def test_wrong_values_are_refused_by_name(method: str, value: object) -> None:
    with pytest.raises(AlsctError, match="thing"):
        getattr(Arguments({"thing": value}), method)("thing")
    with pytest.raises(AlsctError, match="thing"):
        Arguments({"thing": value}).choice("thing", ("a", "b"))


def test_limits_are_robust_and_ordered() -> None:
    picture = np.random.default_rng(0).normal(5.0, 1.0, (400, 300)).astype(np.float32)
    picture[7, 7], picture[8, 8] = np.nan, 1e9
    low, high = limits(picture)
    assert 2.0 < low < 3.0 < 7.0 < high < 8.0
    picture[:, :150] = 0
    assert limits(picture, masked=True) == pytest.approx((low, high), abs=0.2)
    assert limits(np.full((3, 3), 2.0)) == (2.0, 3.0)
    assert limits(np.full((2, 2), np.nan)) == (0.0, 1.0)


@pytest.mark.parametrize("shape", [(100, 100), (99, 250), (1, 500), (10, 10)])
def test_small_pictures_keep_means(shape: tuple[int, int]) -> None:
    picture = np.full(shape, 3.0, np.float32)
    picture[:, : shape[1] // 2] = 1.0
    small = shrink(picture, 25)
    assert max(small.shape) <= 25 or small.shape == shape
    assert small.mean() == pytest.approx(2.0, abs=0.15)
