"""The review: verdicts, undo, what is kept, and that nothing that was said is lost."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from alsct_gui.files.tables import read_table, write_table
from alsct_gui.model.errors import InputError
from napari_alsct_fibers.cuts import cuts_through
from napari_alsct_fibers.review import (
    DOUBTFUL,
    NOTES,
    REVIEWED,
    Verdict,
    keep_notes,
    made_by_review,
    open_review,
    reviewed_table,
)
from tests.plugins.fibers.conftest import PLAIN, SECOND, Painted


@pytest.fixture
def folder(results: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of a result, with a left-out dip."""
    copy = tmp_path / "result"
    shutil.copytree(results["151"], copy)
    doubtful = read_table(copy / DOUBTFUL)
    breaks = read_table(copy / "breaks.csv")
    first = tuple(values[:2] for values in breaks.values)
    write_table(
        copy / DOUBTFUL, type(doubtful)(breaks.columns, first, doubtful.facts), replace=True
    )
    return copy


def test_verdicts_count_and_are_taken_back(folder: Path) -> None:
    review = open_review(folder)
    n = review.n_breaks
    assert review.table.n_rows == n + 2
    assert int(review.kept.sum()) == n
    judged = review.judged(0, Verdict.ACCEPTED).judged(1, Verdict.REJECTED)
    judged = judged.judged(n, Verdict.ACCEPTED)
    assert int(judged.kept.sum()) == n - 1 + 1
    assert judged.words == f"2 of {n} looked at, 1 rejected, 1 added; {n} breaks."
    undone, row = judged.undone()
    assert row == n
    assert int(undone.kept.sum()) == n - 1
    first = undone.undone()[0].undone()[0]
    assert first.verdicts == review.verdicts
    assert first.undone() == (first, -1)


def test_verdicts_survive(folder: Path) -> None:
    review = open_review(folder).judged(3, Verdict.REJECTED).judged(4, Verdict.ACCEPTED)
    keep_notes(review, folder)
    again = open_review(folder)
    assert again.verdicts == review.verdicts
    assert not list(folder.glob(".*"))


def test_what_is_left_is_a_table_that_loads_take(folder: Path) -> None:
    review = open_review(folder).judged(0, Verdict.REJECTED)
    table = reviewed_table(review)
    write_table(folder / REVIEWED, table, made_by_review(review, folder))
    again = read_table(folder / REVIEWED)
    assert again.n_rows == review.n_breaks - 1
    assert again.facts["slices"] == PLAIN.n_slices
    assert set(again.column("verdict")) == {"open"}
    first = read_table(folder / "breaks.csv").column("along_um")[0]
    assert first not in again.column("along_um")


def test_verdicts_of_another_result_are_refused(folder: Path) -> None:
    keep_notes(open_review(folder).judged(0, Verdict.REJECTED), folder)
    table = read_table(folder / "breaks.csv")
    values = tuple(part[1:] for part in table.values)
    write_table(
        folder / "breaks.csv", type(table)(table.columns, values, table.facts), replace=True
    )
    with pytest.raises(InputError, match="of another result"):
        open_review(folder)


@pytest.mark.parametrize("text", ["", "[]", '{"verdicts": 3}', "{", '{"breaks_sha256": "x"}'])
def test_broken_notes_are_said(folder: Path, text: str) -> None:
    (folder / NOTES).write_text(text)
    with pytest.raises(InputError, match="cannot be read"):
        open_review(folder)


def test_a_folder_without_a_result_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        open_review(tmp_path)


def test_cuts_go_through_the_break(painted: Painted) -> None:
    specimen = painted(PLAIN, SECOND)
    edge = specimen.voxel_um
    row = max(specimen.tables["breaks"], key=lambda item: item["opening_um"])
    place = [row["z_um"], row["y_um"], row["x_um"]]
    diameter = 2 * PLAIN.radius_px * edge
    for picture in cuts_through(specimen.values, "z", place, [edge] * 3, diameter):
        middle = np.array(picture.shape) // 2
        gap = picture[middle[0] - 1 : middle[0] + 2, middle[1] - 1 : middle[1] + 2].mean()
        above = picture[middle[0] - 14 : middle[0] - 9, middle[1] - 1 : middle[1] + 2].mean()
        assert gap < 0.5 * above


def test_cuts_at_the_end_are_black_beyond_it() -> None:
    volume = np.random.default_rng(0).random((40, 30, 30)).astype(np.float32) + 5
    first, second = cuts_through(volume, "z", [1.0, 15.0, 15.0], [1.0] * 3, 5.0)
    assert first.shape == second.shape == (41, 41)
    assert (first[:18] == 0).all()
    assert first[25].max() > 0
    outside, _ = cuts_through(volume, "z", [500.0, 15.0, 15.0], [1.0] * 3, 5.0)
    assert outside.max() == 0
