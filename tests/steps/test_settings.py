"""Parameters as data: what a form shows, and what is refused."""

from __future__ import annotations

import pytest

from alsct_gui.model.errors import InputError, RecipeError
from alsct_gui.steps.settings import Setting, parameters_from, parameters_to_plain, settings_of
from tests.steps.toysteps import COUNT, SMOOTH, Smooth


def test_settings_say_all_that_a_form_needs() -> None:
    size, mode, factor, span = settings_of(Smooth)
    assert size == Setting("size_px", "integer", "Window", "px", "Edge of the window.", "newbie",
                           3, 1, 15, odd=True, whole=True)  # fmt: skip
    assert mode.choices == (("mean", "mean"), ("most", "largest"))
    assert (factor.minimum, factor.maximum, factor.label) == (0, None, "Factor")
    assert (span.kind, span.length, span.whole, span.optional) == ("numbers", 2, False, True)
    assert (span.empty, span.default, span.tier) == ("found", None, "power")


def test_parameters_come_back_as_they_were() -> None:
    made = Smooth(5, "most", 2.0, (0.0, 1.5))
    assert parameters_from(Smooth, parameters_to_plain(made)) == made


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"size_px": 4}, "parameters.size_px: 4 is even"),
        ({"size_px": 17}, "Most: 15"),
        ({"mode": "some"}, "Take one of mean, most"),
        ({"sise_px": 3}, "Did you mean 'size_px'"),
        ({"span": [2, 1]}, "parameters.span: is no range"),
        ({"factor": "much"}, "expected a number"),
        ([], "expected a group"),
    ],
)
def test_what_is_wrong_is_said_with_its_path(data: object, words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        parameters_from(Smooth, data)


def test_presets() -> None:
    assert SMOOTH.preset() == Smooth()
    assert SMOOTH.preset("strong") == Smooth(7)
    with pytest.raises(RecipeError, match="Known: standard, strong"):
        SMOOTH.preset("weak")


def test_a_step_is_a_function() -> None:
    import numpy as np

    image = np.ones((4, 5, 6), np.float32)
    made = SMOOTH(Smooth(factor=2.0), volume=image)["smooth"].values
    np.testing.assert_allclose(np.asarray(made), 2.0)
    with pytest.raises(InputError, match=r"toy\.smooth: takes volume, was given nothing"):
        SMOOTH()
    with pytest.raises(InputError, match="takes volume, mask, was given volume, masks"):
        COUNT(volume=image, masks=image)
