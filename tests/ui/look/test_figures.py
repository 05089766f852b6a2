"""What the mouse takes hold of, and where it goes."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alsct_gui.ui.look.figures import Figure, Grip, Kind, dragged, first_figure, grip_at

PLACES = st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3))
FIGURES = st.builds(Figure, st.sampled_from(Kind), PLACES, PLACES)


@given(FIGURES, PLACES)
def test_a_handle_that_is_dragged_lies_under_the_mouse(figure: Figure, to: tuple) -> None:
    for number, handle in enumerate(figure.handles):
        grip = Grip(number, handle)
        moved = dragged(figure, grip, to)
        assert moved.handles[number] == pytest.approx(to, abs=1e-6)
        if figure.kind is Kind.REGION:
            opposite = {0: 1, 1: 0, 2: 3, 3: 2}[number]
            assert moved.handles[opposite] == pytest.approx(figure.handles[opposite])


@given(FIGURES, PLACES, PLACES)
def test_the_whole_figure_keeps_its_size(figure: Figure, at: tuple, to: tuple) -> None:
    moved = dragged(figure, Grip(None, at), to)
    assert moved.radius == pytest.approx(figure.radius, abs=1e-6)
    by = (moved.first[0] - figure.first[0], moved.first[1] - figure.first[1])
    assert by == pytest.approx((to[0] - at[0], to[1] - at[1]), abs=1e-6)


@given(FIGURES)
def test_every_handle_can_be_gripped(figure: Figure) -> None:
    for handle in figure.handles:
        grip = grip_at(figure, handle, 1.0)
        assert grip is not None
        assert grip.handle is not None


def test_lines_circles_and_rectangles_are_taken_where_people_expect() -> None:
    line = Figure(Kind.LINE, (0, 0), (0, 100))
    assert grip_at(line, (2, 50), 3) == Grip(None, (2, 50))
    assert grip_at(line, (8, 50), 3) is None
    circle = Figure(Kind.RADIAL, (0, 0), (0, 50))
    assert grip_at(circle, (50, 1), 3) == Grip(1, (50, 1))
    assert grip_at(circle, (1, 1), 3) == Grip(0, (1, 1))
    assert grip_at(circle, (25, 0), 3) is None
    assert dragged(circle, Grip(1, (50, 1)), (80, 0)).radius == 80
    assert dragged(circle, Grip(0, (0, 0)), (7, 7)).radius == 50
    box = Figure(Kind.REGION, (0, 0), (40, 60))
    assert grip_at(box, (20, 30), 3) == Grip(None, (20, 30))
    assert grip_at(box, (39, 59), 3) == Grip(1, (39, 59))
    assert grip_at(box, (50, 70), 3) is None


@pytest.mark.parametrize("kind", Kind)
def test_a_new_figure_lies_within_what_is_seen(kind: Kind) -> None:
    made = first_figure(kind, (10, 20), (110, 420))
    for row, column in made.handles:
        assert 10 < row < 110
        assert 20 < column < 420
    assert made.radius > 20
    assert math.isfinite(made.radius)
