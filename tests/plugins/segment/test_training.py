"""Training: gradients are right, it gets better, the same seed the same, broken off and resumed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alsct_gui.model.errors import CancelledError, InputError
from alsct_gui.model.progress import CancelToken
from alsct_gui.steps.reporter import Reporter

torch = pytest.importorskip("torch", reason="PyTorch is not installed: extra [torch]")

from scipy import ndimage  # noqa: E402

from napari_alsct_segment.network import torchnet  # noqa: E402
from napari_alsct_segment.network.design import Design  # noqa: E402
from napari_alsct_segment.network.infer import NetworkVolume  # noqa: E402
from napari_alsct_segment.network.model import Network, Round  # noqa: E402
from napari_alsct_segment.network.pairs import (  # noqa: E402
    label_pairs,
    split_pairs,
    volume_pairs,
)
from napari_alsct_segment.network.settings import TrainingSettings  # noqa: E402
from napari_alsct_segment.network.train import rate_of, share_slices, train_network  # noqa: E402

Array = np.ndarray[Any, Any]
SHORT = TrainingSettings(
    depth=10, most_steps=60, round_steps=20, patch_px=48, batch=2, learning_rate=5e-3
)


@pytest.fixture(scope="module")
def good() -> Array:
    field = np.random.default_rng(0).normal(size=(12, 72, 72))
    return (ndimage.gaussian_filter(field, (0, 3, 3)) > 0).astype(np.float32)


@pytest.fixture(scope="module")
def poor(good: Array) -> Array:
    noise = np.random.default_rng(1).normal(size=good.shape)
    return (good + 0.6 * noise).astype(np.float32)


@pytest.fixture(scope="module")
def trained(good: Array, poor: Array) -> Network:
    return train_network(volume_pairs(poor, good), SHORT, reporter=Reporter(threads=2))


def error(found: Array, wanted: Array) -> float:
    return float(((found - wanted) ** 2).mean())


def plainly(planes: Any, values: Any, design: Design) -> Any:
    """The network by PyTorch's own convolutions and copies."""
    weights, biases, last, last_biases = values.split(list(design.sizes))
    pictures = planes[None]
    for number in range(design.depth):
        s, seen = design.dilation(number), design.inputs + number
        first, stop = design.offset(number), design.offset(number + 1)
        kernel = weights[first:stop].view(1, seen, 3, 3)
        wide = torch.nn.functional.pad(pictures, (s, s, s, s), mode="reflect")
        made = torch.nn.functional.conv2d(wide, kernel, biases[number : number + 1], dilation=s)
        pictures = torch.cat([pictures, torch.relu(made)], 1)
    flat = last.view(design.outputs, -1) @ pictures[0].flatten(1)
    return flat.view(design.outputs, *planes.shape[1:]) + last_biases[:, None, None]


def test_values_and_gradients_are_those_of_plain_convolutions() -> None:
    design = Design(depth=12, inputs=3, outputs=2)
    rng = np.random.default_rng(2)
    planes = torch.from_numpy(rng.normal(size=(3, 25, 31)))
    start = torch.from_numpy(rng.normal(0, 0.3, sum(design.sizes)))
    weight = torch.from_numpy(rng.normal(size=(2, 25, 31)))
    answers = []
    for work in (torchnet.run, plainly):
        values = start.clone().requires_grad_()
        made = work(planes, values, design)
        (slope,) = torch.autograd.grad((made * weight).sum(), values)
        answers.append((made.detach().numpy(), slope.numpy()))
    for mine, theirs in zip(*answers, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-9)


def test_a_network_works_without_torch_as_with_it(trained: Network, poor: Array) -> None:
    planes = trained.grey.into(poor[3:4].copy())
    with torch.no_grad():
        values = torch.from_numpy(trained.values)
        theirs = torchnet.run(torch.from_numpy(planes), values, trained.design)[0].numpy()
    mine = NetworkVolume(poor, trained, Reporter())[3]
    wanted = theirs * trained.grey.span + trained.grey.offset
    np.testing.assert_allclose(mine, wanted, atol=1e-4)


def test_it_gets_better_than_what_goes_in(trained: Network, good: Array, poor: Array) -> None:
    assert share_slices(12, SHORT.held_out_percent).held == (11,)
    out = NetworkVolume(poor, trained, Reporter(threads=2))[11]
    # A third of the error of the noisy slice, on a slice that was not learnt from.
    assert error(out, good[11]) < error(poor[11], good[11]) / 3
    losses = [line.held_out for line in trained.history]
    assert len(losses) == 3
    assert losses[-1] < losses[0] / 2


def test_the_same_seed_trains_the_same_network(trained: Network, good: Array, poor: Array) -> None:
    again = train_network(volume_pairs(poor, good), SHORT)  # on one thread
    np.testing.assert_array_equal(again.values, trained.values)
    assert again.history == trained.history
    pairs, once = volume_pairs(poor, good), replace(SHORT, most_steps=1)
    one, other = (train_network(pairs, replace(once, seed=seed)).values for seed in (5, 6))
    assert (one != other).any()


def test_broken_off_and_gone_on_with(
    trained: Network, good: Array, poor: Array, tmp_path: Path
) -> None:
    file = tmp_path / "training.safetensors"
    token = CancelToken()
    told: list[Round] = []

    def listen(line: Round) -> None:
        told.append(line)
        if line.steps == 40:
            token.cancel()

    pairs = volume_pairs(poor, good)
    with pytest.raises(CancelledError):
        train_network(
            pairs, SHORT, checkpoint=file, on_round=listen, reporter=Reporter(cancel=token)
        )
    assert [line.steps for line in told] == [20, 40]
    told.clear()
    resumed = train_network(pairs, SHORT, checkpoint=file, on_round=told.append)
    assert [line.steps for line in told] == [20, 40, 60]
    np.testing.assert_array_equal(resumed.values, trained.values)
    # What was reached is a network at once; another plan is another training.
    short = train_network(pairs, replace(SHORT, most_steps=60), checkpoint=file)
    np.testing.assert_array_equal(short.values, trained.values)
    with pytest.raises(InputError, match="another training"):
        train_network(pairs, replace(SHORT, seed=9), checkpoint=file)
    file.write_bytes(b"nothing")
    with pytest.raises(InputError, match="cannot be read"):
        train_network(pairs, SHORT, checkpoint=file)


def test_it_ends_when_it_gets_no_better(good: Array) -> None:
    # Noise cannot be learnt: held-out slices soon get worse.
    noise = np.random.default_rng(3).normal(size=good.shape).astype(np.float32)
    settings = replace(SHORT, most_steps=5000, round_steps=2, patience=2, learning_rate=0.05)
    found = train_network(volume_pairs(good, noise), settings)
    losses = [line.held_out for line in found.history]
    assert found.history[-1].steps < 5000
    assert len(losses) - 1 - losses.index(min(losses)) == 2


def test_the_learning_rate_is_halved_when_it_gets_no_better() -> None:
    def rate(*losses: float) -> float:
        settings = TrainingSettings(learning_rate=0.8, halve_after=2)
        return rate_of([Round(k, 1.0, loss) for k, loss in enumerate(losses)], settings)

    assert rate() == rate(5) == rate(5, 4, 6, 3, 4) == 0.8
    assert rate(5, 6, 6) == rate(5, 6, 6, 6) == rate(5, 6, 6, 4, 5) == 0.4
    assert rate(5, 6, 6, 6, 6) == rate(5, 6, 6, 4, 5, 5) == 0.2


def test_it_learns_labels(good: Array, poor: Array) -> None:
    labels = np.where(good > 0, 4, 2).astype(np.uint8)
    labels[:, :10] = 0  # nobody has labelled these
    settings = replace(SHORT, most_steps=80, round_steps=40)
    found = train_network(label_pairs(poor, labels), settings, reporter=Reporter(threads=2))
    assert found.labels == (2, 4)
    out = NetworkVolume(poor, found, Reporter())[11]
    assert (out == np.where(good[11] > 0, 4, 2)).mean() > 0.9


def test_splits_of_the_angles_teach_it_to_denoise(good: Array) -> None:
    rng = np.random.default_rng(4)
    splits = [(good + rng.normal(0, 0.8, good.shape)).astype(np.float32) for _ in range(3)]
    settings = replace(SHORT, most_steps=100, round_steps=50)
    found = train_network(split_pairs(splits), settings, reporter=Reporter(threads=2))
    whole = np.mean(splits, axis=0, dtype=np.float32)
    out = NetworkVolume(whole, found, Reporter(threads=2))[11]
    assert error(out, good[11]) < 0.6 * error(whole[11], good[11])


def test_too_little_to_learn_from() -> None:
    with pytest.raises(InputError, match="one slice"):
        train_network(volume_pairs(np.ones((1, 50, 50)), np.ones((1, 50, 50))), SHORT)
    with pytest.raises(InputError, match="too small"):
        train_network(volume_pairs(np.ones((4, 20, 50)), np.ones((4, 20, 50))), SHORT)


def test_torch_is_left_as_it_was(good: Array, poor: Array) -> None:
    before = torch.get_num_threads()
    train_network(volume_pairs(poor, good), replace(SHORT, most_steps=1))
    assert torch.get_num_threads() == before
