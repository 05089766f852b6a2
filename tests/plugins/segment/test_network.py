"""The network at work: what its design says, in bands as at once, whatever it is fed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from alsct_gui.model.errors import CancelledError, InputError, RecipeError, ResourceError
from alsct_gui.model.progress import CancelToken
from alsct_gui.steps.reporter import Reporter
from napari_alsct_segment.network.design import Design
from napari_alsct_segment.network.infer import NetworkVolume, run_plane
from napari_alsct_segment.network.model import Network, Round, Scaling
from napari_alsct_segment.network.pairs import label_pairs, scaling_of, split_pairs, volume_pairs
from napari_alsct_segment.network.words import read_round, say_round

Array = np.ndarray[Any, Any]


def network(design: Design, **more: Any) -> Network:
    rng = np.random.default_rng(4)
    values = rng.normal(0, 0.3, sum(design.sizes)).astype(np.float32)
    return Network(design, values, **more)


def plainly(net: Network, planes: Array) -> Array:
    """The network as its definition reads, tap by tap."""
    design = net.design
    weights, biases, last, last_biases = (part.astype(np.float64) for part in net.parts)
    pictures = [plane.astype(np.float64) for plane in planes]
    rows, columns = planes.shape[1:]
    for number in range(design.depth):
        s = design.dilation(number)
        taps = weights[design.offset(number) : design.offset(number + 1)].reshape(-1, 3, 3)
        total = np.full((rows, columns), biases[number])
        for picture, tap in zip(pictures, taps, strict=True):
            wide = np.pad(picture, s, mode="reflect")
            for i in range(3):
                for j in range(3):
                    part = wide[i * s : i * s + rows, j * s : j * s + columns]
                    total += tap[i, j] * part
        pictures.append(total.clip(0))
    return np.tensordot(last, np.stack(pictures), 1) + last_biases[:, None, None]


def run(net: Network, planes: Array, **options: Any) -> Array:
    reporter = Reporter(**{"threads": 2, **options})
    with ThreadPoolExecutor(2) as pool:
        return run_plane(net, planes, pool, reporter)


def test_sizes_of_the_design() -> None:
    design = Design(depth=12, inputs=3, outputs=2)
    assert [design.dilation(layer) for layer in range(12)] == [*range(1, 11), 1, 2]
    assert design.reach_px == 58
    assert design.sizes[0] == 9 * sum(3 + layer for layer in range(12))
    assert sum(design.sizes) == design.sizes[0] + 12 + 2 * 15 + 2
    with pytest.raises(RecipeError, match="out of bounds"):
        Design(depth=0)


@pytest.mark.parametrize("shape", [(40, 33), (12, 50), (11, 11)])
def test_it_does_what_its_definition_says(shape: tuple[int, int]) -> None:
    net = network(Design(depth=11, inputs=3, outputs=2))
    planes = np.random.default_rng(0).normal(size=(3, *shape)).astype(np.float32)
    np.testing.assert_allclose(run(net, planes), plainly(net, planes), rtol=2e-4, atol=2e-4)


def test_bands_leave_no_seam() -> None:
    net = network(Design(depth=6, dilations=3))
    assert net.design.reach_px == 12
    planes = np.random.default_rng(0).normal(size=(1, 230, 40)).astype(np.float32)
    row_bytes = 4 * 7 * 46
    banded = run(net, planes, threads=1, memory_bytes=80 * row_bytes)
    np.testing.assert_allclose(banded, run(net, planes), atol=1e-5)
    with pytest.raises(ResourceError, match="the network needs"):
        run(net, planes, memory_bytes=40 * row_bytes)


def test_a_volume_goes_through_slice_by_slice_with_its_neighbours() -> None:
    volume = np.random.default_rng(1).normal(5, 2, (6, 30, 31)).astype(np.float32)
    grey = Scaling(5.0, 2.0)
    net = network(Design(depth=4, inputs=3), grey=grey)
    lazy = NetworkVolume(volume, net, Reporter(threads=2))
    assert lazy.dtype == np.float32
    for index, chosen in ((3, [2, 3, 4]), (0, [0, 0, 1]), (5, [4, 5, 5])):
        planes = (volume[chosen] - 5) / 2
        np.testing.assert_allclose(lazy[index], plainly(net, planes)[0] * 2 + 5, atol=1e-3)
    np.testing.assert_array_equal(lazy[1:5:2, 4:9, ::3], lazy[...][1:5:2, 4:9, ::3])


def test_classes_become_labels() -> None:
    volume = np.random.default_rng(1).normal(size=(2, 30, 31)).astype(np.float32)
    net = network(Design(depth=4, outputs=3), task="classes", labels=(2, 5, 9))
    lazy = NetworkVolume(volume, net, Reporter())
    assert lazy.dtype == np.uint8
    wanted = np.array([2, 5, 9])[plainly(net, volume[1:2]).argmax(axis=0)]
    assert (lazy[1] == wanted).mean() > 0.999


def test_what_is_no_number_stays_where_it_is() -> None:
    volume = np.zeros((1, 60, 60), np.float32)
    volume[0, 30, 30], volume[0, 2, 2] = np.nan, np.inf
    assert np.isfinite(NetworkVolume(volume, network(Design(depth=4)), Reporter())[0]).all()


def test_slices_that_are_too_small_and_cancel() -> None:
    net = network(Design(depth=4))
    with pytest.raises(InputError, match="too small"):
        NetworkVolume(np.zeros((2, 10, 50), np.float32), net, Reporter())
    token = CancelToken()
    token.cancel()
    lazy = NetworkVolume(np.zeros((2, 20, 50), np.float32), net, Reporter(cancel=token))
    with pytest.raises(CancelledError):
        lazy[0]


def test_rounds_are_said_and_read() -> None:
    for line in (Round(300, 0.012345678, 1.5), Round(1, float("inf"), 2e-9)):
        back = read_round(say_round(line))
        assert back is not None
        assert back.steps == line.steps
        assert back.loss == pytest.approx(line.loss, rel=1e-5)
        assert back.held_out == pytest.approx(line.held_out, rel=1e-5)
    assert read_round("Threshold 3") is None


def test_pairs() -> None:
    rng = np.random.default_rng(0)
    poor, good = rng.normal(3, 2, (2, 4, 20, 22)).astype(np.float32)
    part = (slice(2, 12), slice(5, 15))
    pairs = volume_pairs(poor, good, neighbours=1)
    planes, target = pairs.read(0, part, 0)
    np.testing.assert_allclose(planes, pairs.grey.into(poor[[0, 0, 1], 2:12, 5:15].copy()))
    np.testing.assert_allclose(target, pairs.grey.into(good[0, 2:12, 5:15].copy()))
    assert abs(target.mean()) < 0.5
    splits = split_pairs([poor, good, poor + good])
    planes, target = splits.read(1, part, 4)
    np.testing.assert_allclose(
        planes[0], splits.grey.into(((poor + poor + good) / 2)[1, 2:12, 5:15].copy()), atol=1e-5
    )
    np.testing.assert_allclose(target, splits.grey.into(good[1, 2:12, 5:15].copy()), atol=1e-5)
    labels = rng.choice(np.array([0, 3, 7], np.uint8), (4, 20, 22))
    marked = label_pairs(poor, labels)
    assert marked.classes == (3, 7)
    _, target = marked.read(2, part, 0)
    np.testing.assert_array_equal(
        target, np.array([-1, 9, 9, 0, 9, 9, 9, 1])[labels[2, 2:12, 5:15]]
    )
    assert label_pairs(poor, labels, zero_counts=True).classes == (0, 3, 7)
    for wrong, words in (
        (lambda: volume_pairs(poor, good[:3]), "no pair"),
        (lambda: label_pairs(poor, np.ones_like(labels)), "at least two"),
        (lambda: split_pairs([poor]), "at least two"),
    ):
        with pytest.raises(InputError, match=words):
            wrong()


def test_scaling_leaves_out_what_is_masked() -> None:
    volume = np.zeros((3, 40, 40), np.float32)
    volume[:, 10:30, 10:30] = np.random.default_rng(0).normal(7, 0.5, (3, 20, 20))
    found = scaling_of(volume)
    assert found.offset == pytest.approx(7, abs=0.1)
    assert found.span == pytest.approx(0.5, abs=0.05)
    assert scaling_of(np.zeros((2, 5, 5), np.float32)) == Scaling()
