"""Training a network: Adam on patches, stopped when held-out slices no longer get better.

The same seed gives the same network, to the bit, and so does a training that was broken off
and gone on with: each step draws its patches from the seed and its own number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from alsct_gui.model.codec import to_plain
from alsct_gui.model.errors import EngineUnavailableError, InputError
from alsct_gui.steps.reporter import Reporter
from napari_alsct_segment.network.checkpoint import State, load_state, next_round, save_state
from napari_alsct_segment.network.design import TAPS, Design
from napari_alsct_segment.network.model import Network, Round, Task, cut_values
from napari_alsct_segment.network.pairs import LabelPairs, Pairs, Span, Target
from napari_alsct_segment.network.settings import TrainingSettings

Float32Array = NDArray[np.float32]
A = TypeVar("A", bound=NDArray[Any])

_MARGIN_PX = 8
"""Edge of a patch that does not count: what lies beyond is mirrored there."""
_HELD_PATCH_PX = 384
_MOST_HELD = 8
_DECAY, _DECAY_SQUARE, _TINY = 0.9, 0.999, 1e-8


@dataclass(frozen=True, slots=True)
class Shares:
    """Which slices are learnt from and which judge."""

    learnt: tuple[int, ...]
    held: tuple[int, ...]


def share_slices(n_slices: int, held_out_percent: float) -> Shares:
    """Hold out the last slices, so that none of them neighbours many that are learnt from."""
    count = max(1, round(n_slices * held_out_percent / 100))
    if n_slices < 2:
        raise InputError(
            "one slice is not enough to learn from", where="training",
            fix="Give a volume of at least two slices",
        )  # fmt: skip
    count = min(count, n_slices - 1)
    return Shares(tuple(range(n_slices - count)), tuple(range(n_slices - count, n_slices)))


def train_network(
    pairs: Pairs,
    settings: TrainingSettings | None = None,
    *,
    checkpoint: Path | None = None,
    on_round: Callable[[Round], None] | None = None,
    reporter: Reporter | None = None,
    trained: Mapping[str, Any] | None = None,
) -> Network:
    """Train a network.

    Parameters
    ----------
    pairs
        What to learn from.
    settings
        How.
    checkpoint
        File in which the training is kept after each round, and gone on with when it is there.
    on_round
        Called after each round, from the calling thread.
    reporter
        Progress, cancel, threads.
    trained
        Plain data on what it is trained, kept with the network.

    Raises
    ------
    EngineUnavailableError
        PyTorch is not installed.
    InputError
        There is too little to learn from, or the checkpoint is of another training.
    """
    settings, reporter = settings or TrainingSettings(), reporter or Reporter()
    require_torch()
    shares = share_slices(pairs.shape[0], settings.held_out_percent)
    outputs = len(pairs.classes) if isinstance(pairs, LabelPairs) else 1
    design = Design(settings.depth, pairs.n_inputs, outputs)
    _check_size(pairs, design)
    plan = _plan(design, settings, pairs)
    state = None
    if checkpoint is not None:
        state = load_state(checkpoint, plan, sum(design.sizes))
    state = state or _begin(design, settings.seed)
    for line in state.history:
        if on_round is not None:
            on_round(line)
    with _one_thread_each(), ThreadPoolExecutor(reporter.threads, "alsct-training") as pool:
        for new in _rounds(state, pairs, shares, design, settings, pool, reporter):
            if checkpoint is not None:
                save_state(new, checkpoint, plan)
            if on_round is not None:
                on_round(new.history[-1])
            state = new
    return network_of(design, state, pairs, trained or {})


def network_of(design: Design, state: State, pairs: Pairs, trained: Mapping[str, Any]) -> Network:
    """Return the network of the best values so far."""
    labels = pairs.classes if isinstance(pairs, LabelPairs) else ()
    task: Task = "classes" if labels else "values"
    return Network(
        design, state.best.copy(), task=task, grey=pairs.grey, labels=labels, history=state.history,
        trained=trained,
    )  # fmt: skip


def _plan(design: Design, settings: TrainingSettings, pairs: Pairs) -> dict[str, Any]:
    """What decides a training step by step, and on what; not when it ends."""
    names = (
        "round_steps", "patch_px", "batch", "learning_rate", "halve_after", "held_out_percent",
        "seed",
    )  # fmt: skip
    return {
        "design": to_plain(design),
        "settings": {name: getattr(settings, name) for name in names},
        "shape": pairs.shape,
        "grey": to_plain(pairs.grey),
    }


def require_torch() -> None:
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise EngineUnavailableError(
            "PyTorch is not installed", where="network",
            fix='pip install "napari-alsct-segment[torch]"; for processors alone install '
            "PyTorch's build for CPU first",
        ) from error  # fmt: skip


def _check_size(pairs: Pairs, design: Design) -> None:
    _, rows, columns = pairs.shape
    least = max(4 * _MARGIN_PX, design.dilations + 1)
    if min(rows, columns) < least:
        raise InputError(
            f"slices of {rows} x {columns} are too small to learn from", where="training",
            fix=f"Give slices of at least {least} pixels along y and x",
        )  # fmt: skip


def _begin(design: Design, seed: int) -> State:
    """Draw weights that keep the size of values from layer to layer (He et al. 2015).

    A network for grey values begins by giving back the slice itself.
    """
    rng = np.random.default_rng([seed, 0])
    values = np.zeros(sum(design.sizes), np.float32)
    weights, _, last, _ = cut_values(values, design)
    for number in range(design.depth):
        first, stop = design.offset(number), design.offset(number + 1)
        size = math.sqrt(2 / (TAPS * (design.inputs + number)))
        weights[first:stop] = rng.normal(0, size, stop - first)
    if design.outputs == 1:
        last[0, (design.inputs - 1) // 2] = 1
    else:
        last[:] = rng.normal(0, math.sqrt(1 / design.channels), last.shape)
    nothing = np.zeros_like(values)
    return State(0, values, nothing, nothing.copy(), values.copy())


def _rounds(
    state: State, pairs: Pairs, shares: Shares, design: Design, settings: TrainingSettings,
    pool: Executor, reporter: Reporter,
) -> Iterator[State]:  # fmt: skip
    """Yield the state after each round until it gets no better or the steps are used up."""
    held = _held_parts(pairs, shares)
    while state.steps < settings.most_steps and state.rounds_since_best < settings.patience:
        losses = []
        last = min(state.steps + settings.round_steps, settings.most_steps)
        reporter.progress("training", state.steps, settings.most_steps)
        while state.steps < last:
            reporter.check()
            state, loss = _step(state, pairs, shares, design, settings, pool)
            losses.append(loss)
            reporter.progress("training", state.steps, settings.most_steps)
        judged = _judge(state, pairs, held, design, pool)
        state = next_round(state, Round(state.steps, float(np.mean(losses)), judged))
        yield state


def _step(
    state: State, pairs: Pairs, shares: Shares, design: Design, settings: TrainingSettings,
    pool: Executor,
) -> tuple[State, float]:  # fmt: skip
    rng = np.random.default_rng([settings.seed, 1, state.steps])
    patches = [_draw_patch(pairs, shares.learnt, settings.patch_px, rng)
               for _ in range(settings.batch)]  # fmt: skip
    parts = list(pool.map(lambda patch: _slope(state.values, patch, design), patches))
    slope = np.stack([part[0] for part in parts]).mean(axis=0, dtype=np.float32)
    loss = float(np.mean([part[1] for part in parts]))
    return _adam(state, slope, rate_of(state.history, settings)), loss


def rate_of(history: Sequence[Round], settings: TrainingSettings) -> float:
    """Return how far a step goes: half as far after every few rounds without getting better."""
    rate, best, since = settings.learning_rate, math.inf, 0
    for line in history:
        since = 0 if line.held_out < best else since + 1
        best = min(best, line.held_out)
        if since and since % settings.halve_after == 0:
            rate /= 2
    return rate


def _adam(state: State, slope: Float32Array, rate: float) -> State:
    """One step of Adam (Kingma and Ba 2015)."""
    steps = state.steps + 1
    first = np.float32(_DECAY) * state.first + np.float32(1 - _DECAY) * slope
    second = np.float32(_DECAY_SQUARE) * state.second + np.float32(1 - _DECAY_SQUARE) * slope**2
    size = np.float32(rate * math.sqrt(1 - _DECAY_SQUARE**steps) / (1 - _DECAY**steps))
    step = size * first / (np.sqrt(second) + np.float32(_TINY))
    values = (state.values - step).astype(np.float32)
    return replace(state, steps=steps, values=values, first=first, second=second)


def _draw_patch(
    pairs: Pairs, slices: tuple[int, ...], patch_px: int, rng: np.random.Generator
) -> tuple[Float32Array, Target]:
    """Read a square somewhere, turned or mirrored by chance."""
    index = slices[int(rng.integers(len(slices)))]
    spans = []
    for size in pairs.shape[1:]:
        edge = min(patch_px, size)
        first = int(rng.integers(size - edge + 1))
        spans.append(slice(first, first + edge))
    planes, target = pairs.read(index, (spans[0], spans[1]), int(rng.integers(1 << 30)))
    turns, flip = int(rng.integers(4)), bool(rng.integers(2))
    return _turned(planes, turns, flip), _turned(target, turns, flip)


def _turned(values: A, turns: int, flip: bool) -> A:
    """Turn the last two axes by quarters, then mirror."""
    turned = np.rot90(values, turns, (-2, -1))
    return cast(A, np.ascontiguousarray(turned[..., ::-1] if flip else turned))


def _slope(
    values: Float32Array, patch: tuple[Float32Array, Target], design: Design
) -> tuple[Float32Array, float]:
    """Return the gradient of a patch's loss, and the loss."""
    import torch

    whole = torch.from_numpy(values.copy()).requires_grad_()
    loss = _loss(whole, patch, design)
    (slope,) = torch.autograd.grad(loss, whole)
    return slope.numpy(), loss.item()


def _loss(values: Any, patch: tuple[Float32Array, Target], design: Design) -> Any:
    """Loss of a patch as PyTorch has it, for all values as one tensor."""
    import torch

    from napari_alsct_segment.network.torchnet import loss_of, run

    made = run(torch.from_numpy(patch[0]), values, design)
    return loss_of(made, patch[1], _MARGIN_PX)


def _held_parts(pairs: Pairs, shares: Shares) -> list[tuple[int, Span]]:
    """The middles of some held-out slices."""
    step = max(1, len(shares.held) // _MOST_HELD)
    spans = []
    for size in pairs.shape[1:]:
        edge = min(_HELD_PATCH_PX, size)
        spans.append(slice((size - edge) // 2, (size - edge) // 2 + edge))
    return [(index, (spans[0], spans[1])) for index in shares.held[::step][:_MOST_HELD]]


def _judge(
    state: State, pairs: Pairs, held: list[tuple[int, Span]], design: Design, pool: Executor
) -> float:
    """Return the mean loss of the held-out parts."""
    import torch

    whole = torch.from_numpy(state.values)

    def judge(item: tuple[int, Span]) -> float:
        with torch.no_grad():
            return float(_loss(whole, pairs.read(*item, item[0]), design).item())

    return float(np.mean(list(pool.map(judge, held))))


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Hold PyTorch to one thread: patches are shared among threads, which is steadier."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
