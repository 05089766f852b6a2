"""Edits of labels change what they say and nothing else, and are taken back to the voxel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from alsct_gui.model.errors import InputError, RecipeError
from napari_alsct_segment.review import edits
from napari_alsct_segment.review.history import History
from napari_alsct_segment.review.objects import (
    find_objects,
    inner_place,
    neighbour,
    object_sizes,
    ordered,
    update_boxes,
)

Array = np.ndarray[Any, Any]


@pytest.fixture
def labels() -> Array:
    """Two balls that touch as object 3, a block as 5, and a speck as 9."""
    made = np.zeros((24, 40, 60), np.uint16)
    z, y, x = np.ogrid[:24, :40, :60]
    made[(z - 12) ** 2 + (y - 20) ** 2 + (x - 18) ** 2 <= 81] = 3
    made[(z - 12) ** 2 + (y - 20) ** 2 + (x - 33) ** 2 <= 81] = 3
    made[2:6, 4:9, 50:58] = 5
    made[20, 35, 55] = 9
    return made


def test_objects_and_the_way_through_them(labels: Array) -> None:
    boxes = find_objects(labels)
    assert boxes == {
        index + 1: box for index, box in enumerate(ndimage.find_objects(labels)) if box
    }
    sizes = object_sizes(labels, boxes)
    assert sizes == {3: int((labels == 3).sum()), 5: 160, 9: 1}
    assert ordered(boxes, "number") == (3, 5, 9)
    assert ordered(boxes, "size", sizes) == (3, 5, 9)
    assert ordered(boxes, "slice") == (5, 3, 9)
    way = (5, 3, 9)
    assert [neighbour(way, at, 1) for at in (5, 9, None, 77)] == [3, 5, 5, 5]
    assert neighbour(way, 5, -1) == 9
    assert neighbour(way, None, -1) == 9
    assert neighbour((), 5, 1) is None
    for label, box in boxes.items():
        assert labels[inner_place(labels, label, box)] == label
    hollow = np.zeros((3, 9, 9), int)
    hollow[1, 0:9:8, :] = 1
    hollow[1, :, 0:9:8] = 1
    assert hollow[inner_place(hollow, 1, find_objects(hollow)[1])] == 1
    with pytest.raises(InputError, match="Number them anew"):
        find_objects(np.array([[[10**8]]]))
    with pytest.raises(InputError, match="labels go from"):
        find_objects(np.array([[[-1]]]))


def test_merge_delete_relabel(labels: Array) -> None:
    start, boxes = labels.copy(), find_objects(labels)
    merged = edits.merge(labels, boxes, 5, (3, 9))
    np.testing.assert_array_equal(labels, start)  # nothing happens before it is applied
    merged.apply(labels)
    assert set(np.unique(labels)) == {0, 5}
    assert (labels == 5).sum() == (start > 0).sum()
    merged.take_back(labels)
    np.testing.assert_array_equal(labels, start)
    deleted = edits.delete(labels, boxes, 5)
    assert deleted.before.shape == (4, 5, 8)
    deleted.apply(labels)
    np.testing.assert_array_equal(labels, np.where(start == 5, 0, start))
    deleted.take_back(labels)
    edits.relabel(labels, boxes, 9, 65_535).apply(labels)
    assert labels[20, 35, 55] == 65_535


def test_split_parts_at_the_waist(labels: Array) -> None:
    boxes = find_objects(labels)
    patch = edits.split(labels, boxes, 3, ((12, 20, 18), (12, 20, 33)), 10)
    patch.apply(labels)
    left, right = (labels == 3).sum(), (labels == 10).sum()
    assert abs(int(left) - int(right)) < 0.08 * left
    assert labels[12, 20, 12] == 3
    assert labels[12, 20, 39] == 10
    assert set(np.unique(labels[labels > 0])) == {3, 5, 9, 10}
    # A part far from every marker stays with the first.
    labels[0, 39, 0:3] = 3
    again = edits.split(labels, find_objects(labels), 3, ((12, 20, 18), (12, 20, 14)), 11)
    again.apply(labels)
    assert (labels[0, 39, 0:3] == 3).all()


def test_edits_that_make_no_sense(labels: Array) -> None:
    boxes = find_objects(labels)
    for wrong, words in (
        (lambda: edits.delete(labels, boxes, 4), "no object 4"),
        (lambda: edits.merge(labels, boxes, 3, (4,)), "no object 4"),
        (lambda: edits.relabel(labels, boxes, 3, 70_000), "takes 1 to 65535"),
        (lambda: edits.relabel(labels, boxes, 3, 0), "no label"),
        (lambda: edits.split(labels, boxes, 3, ((12, 20, 18),), 10), "one marker"),
        (lambda: edits.split(labels, boxes, 3, ((12, 20, 18), (0, 0, 0)), 10), "outside"),
        (lambda: edits.split(labels, boxes, 3, ((12, 20, 18), (99, 0, 0)), 10), "outside"),
    ):
        with pytest.raises(RecipeError, match=words):
            wrong()


def test_history_goes_back_and_forth(labels: Array) -> None:
    start = labels.copy()
    history = History(labels)
    assert history.undo() is None
    history.do(edits.delete(labels, find_objects(labels), 9))
    history.do(edits.merge(labels, find_objects(labels), 3, (5,)))
    after = labels.copy()
    assert history.undo_words == "merge 5 into 3"
    assert history.undo() is not None
    assert (history.undo_words, history.redo_words) == ("delete 9", "merge 5 into 3")
    history.undo()
    np.testing.assert_array_equal(labels, start)
    history.redo()
    history.redo()
    np.testing.assert_array_equal(labels, after)
    assert history.redo() is None
    history.undo()
    history.do(edits.relabel(labels, find_objects(labels), 5, 6))
    assert history.redo_words == ""


def test_what_was_painted_meanwhile_is_not_lost(labels: Array) -> None:
    history = History(labels)
    history.do(edits.delete(labels, find_objects(labels), 5))
    labels[3, 5, 51] = 77
    assert history.undo() is None
    assert labels[3, 5, 51] == 77
    assert history.undo_words == ""


def test_the_oldest_patches_go_first(labels: Array) -> None:
    history = History(labels, memory_bytes=600)
    history.do(edits.delete(labels, find_objects(labels), 9))
    history.do(edits.relabel(labels, find_objects(labels), 5, 6))
    assert history.undo() is not None
    assert history.undo() is None


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1))
def test_boxes_are_kept_up_to_date(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = np.zeros((6, 12, 14), np.uint8)
    for label in range(1, 7):
        z, y, x = (int(rng.integers(size - 3)) for size in labels.shape)
        labels[z : z + 3, y : y + 3, x : x + 3] = label
    boxes = find_objects(labels)
    there = [int(label) for label in boxes]
    first, other = (
        (int(label) for label in rng.choice(there, 2, replace=False))
        if len(there) > 1
        else (there[0], there[0])
    )
    patch = (
        edits.delete(labels, boxes, first) if rng.random() < 0.5 or first == other
        else edits.merge(labels, boxes, first, (other,))
    )  # fmt: skip
    patch.apply(labels)
    assert update_boxes(boxes, labels, patch.box) == find_objects(labels)
